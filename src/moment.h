/* SPDX-License-Identifier: GPL-2.0-only */
/* What clocks show, and times of the boot clock as the world tells them. */
#ifndef EBPH_MOMENT_H
#define EBPH_MOMENT_H

#include <stddef.h>

#include "types.h"

enum { MOMENT_TEXT = 40 }; /* bytes that hold any text made here */

/* How the two clocks stand to each other; zeroed before its first use. */
struct moment {
	u64 offset; /* real less boot clock, ns */
};

/* The boot clock now, ns. */
u64 moment_now(void);

/* Now, ns since 1970. */
u64 moment_wall(void);

/* The monotonic clock now, ns: for durations; it stands while the machine sleeps. */
u64 moment_monotonic(void);

/*
 * BOOT, boot clock in ns, as ns since 1970. Follows when the real clock is set, but
 * gives one answer for one BOOT as long as the clocks run alike within a millisecond.
 */
u64 moment_real(struct moment *m, u64 boot);

/*
 * NS since 1970 into TEXT, which is returned, in local time: "2026-11-21 07:05:00", and
 * "07:05:00". (timestamp.h has it in UTC.)
 */
const char *moment_date(u64 ns, char text[MOMENT_TEXT]);
const char *moment_clock(u64 ns, char text[MOMENT_TEXT]);

#endif
