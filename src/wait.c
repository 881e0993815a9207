/* SPDX-License-Identifier: GPL-2.0-only */
#include "wait.h"

#include <stddef.h>

struct wait wait_remaining(u64 saved, u64 normal_time, u64 wait, u64 now)
{
	struct wait w = {.clock = WAIT_CLOCK_FINE};
	u64 from = now;

	if (now < saved)
		w.clock = WAIT_CLOCK_BACKWARDS;
	else if (now - saved > WAIT_GAP_MAX && now - saved > wait)
		w.clock = WAIT_CLOCK_FORWARD;
	if (w.clock != WAIT_CLOCK_FINE)
		from = saved;
	w.remaining = normal_time > from ? normal_time - from : 0;
	if (w.remaining > wait)
		w.remaining = wait;
	return w;
}

const char *wait_clock_text(enum wait_clock clock)
{
	switch (clock) {
	case WAIT_CLOCK_BACKWARDS:
		return "the clock is behind the time at which the profile was saved: "
		       "the time between does not count towards its wait";
	case WAIT_CLOCK_FORWARD:
		return "the clock is more than a year past the time at which the profile "
		       "was saved: the time between does not count towards its wait";
	default:
		return NULL;
	}
}
