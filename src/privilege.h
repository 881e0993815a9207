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
 * Give up for good all but KEEP, in every set, and with them the way to gain others by
 * executing a program. 0, or -errno with a sentence in ERROR (SIZE bytes).
 */
int privilege_keep(u64 keep, char *error, size_t size);

/*
 * The same, of what a run as O says does not need once all is attached, RAW: to raw
 * tracepoints, and it writes events to OUT. STEERED: responses that O has not may be switched
 * on yet.
 */
int privilege_settle(const struct options *o, bool raw, bool steered, int out,
		     char *error, size_t size);

/*
 * The name of a capability that is not in HELD and that switching responses on takes, DELAYS:
 * those that stop processes; NULL: all are there.
 */
const char *privilege_missing(u64 held, bool delays);

/* The names of SET, with spaces between them; "none". Gives TEXT. */
const char *privilege_text(u64 set, char text[PRIVILEGE_TEXT]);

#endif
