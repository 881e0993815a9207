/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a frozen profile that was saved has yet to wait, whatever the clock did. */
#ifndef EBPH_WAIT_H
#define EBPH_WAIT_H

#include "types.h"

enum wait_clock {
	WAIT_CLOCK_FINE,
	WAIT_CLOCK_BACKWARDS, /* it is earlier now than when the profile was saved */
	WAIT_CLOCK_FORWARD,   /* more than WAIT_GAP_MAX (or the wait) passed since then */
};

/* A longer time without ebph is taken for a wrong clock: a year, in ns. */
#define WAIT_GAP_MAX (366 * 86400 * 1000000000ULL)

struct wait {
	u64 remaining; /* ns, 0..the wait */
	enum wait_clock clock;
};

/*
 * What is left of a wait of WAIT ns that was to end at NORMAL_TIME, when the profile was
 * saved at SAVED and it is NOW (all three real time, ns since 1970).
 *
 * Time without ebph counts. Where the clock cannot be believed (see enum wait_clock) it
 * does not: what was left at the saving is left still, and the caller has to say why.
 * Never more than WAIT.
 */
struct wait wait_remaining(u64 saved, u64 normal_time, u64 wait, u64 now);

/* The word for CLOCK ("the clock went backwards since ..."); NULL when it is fine. */
const char *wait_clock_text(enum wait_clock clock);

#endif
