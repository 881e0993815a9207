/* SPDX-License-Identifier: GPL-2.0-only */
/* The responses of a watching ebph: from the start, or switched on while it watches. */
#ifndef EBPH_DEFEND_H
#define EBPH_DEFEND_H

#include <stddef.h>

#include "setting.h"
#include "watcher.h"

/*
 * Prepare what the responses of W's options take; nothing is attached yet. 0, or -errno
 * with a sentence in ERROR (SIZE bytes). respond_end() in any case.
 */
int defend_start(struct watch *w, char *error, size_t size);

/* Give up what is not needed when all is attached, for good: result likewise. */
int defend_settle(const struct watch *w, char *error, size_t size);

/*
 * Have W, which watches, do what S's responses say and its programs cannot yet: others are
 * compiled while these watch, and take their place with no call unseen. 0, or -errno
 * with a sentence, and then all is as it was.
 */
int defend_more(struct watch *w, const struct settings *s, char *error, size_t size);

#endif
