/* SPDX-License-Identifier: GPL-2.0-only */
/* This process's capabilities, as masks of 1 << CAP_*: which it has, and giving up the rest. */
#ifndef EBPH_PRIVILEGE_H
#define EBPH_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "types.h"

enum { PRIVILEGE_TEXT = 1024 };

/* The effective ones. */
u64 privilege_held(void);

/* Those of HELD that are enough for what is done to maps and programs that are loaded. */
u64 privilege_for_maps(u64 held);

/* Those of HELD that the guardian needs. */
u64 privilege_for_guardian(u64 held);

/*
 * Those of HELD that a run as O says needs once all is attached. RAW: to raw tracepoints,
 * to which attaching again takes less.
 */
u64 privilege_for_watching(u64 held, const struct options *o, bool raw);

/*
 * Those of HELD without which, beside KEEP, a run as O says that writes events to OUT could
 * not do what it could before: as the kernel answers when this process has but KEEP.
 */
u64 privilege_for_files(u64 held, u64 keep, const struct options *o, int out);

/*
 * Those of HELD without which, beside KEEP, no perf event can be opened, which attaching to
 * classic tracepoints again takes: as the kernel answers when this process has but KEEP.
 */
u64 privilege_for_events(u64 held, u64 keep);

/*
 * Give up for good all but KEEP, in every set, and with them the way to gain others by
 * executing a program. 0, or -errno with a sentence in ERROR (SIZE bytes).
 */
int privilege_keep(u64 keep, char *error, size_t size);

/* The names of SET, with spaces between them; "none". Gives TEXT. */
const char *privilege_text(u64 set, char text[PRIVILEGE_TEXT]);

#endif
