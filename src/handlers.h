/* SPDX-License-Identifier: GPL-2.0-only */
/* Which signals a process handles, as far as a log of its calls tells. */
#ifndef EBPH_HANDLERS_H
#define EBPH_HANDLERS_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

/* Signals by bit, bit N for number N + 1. All zero: nothing is known yet. */
struct handlers {
	u64 handled;
	u64 oneshot; /* back to the default when one arrives */
	u64 restart; /* interrupted calls are entered again */
	bool known;  /* since the program began */
};

/* A program begins: it handles nothing. */
void handlers_exec(struct handlers *h);

/* ARGS of rt_sigaction() or sigaction(), and of signal(), as strace writes them. */
void handlers_sigaction(struct handlers *h, const char *args);
void handlers_signal(struct handlers *h, const char *args);

/*
 * The signal NAME, LENGTH bytes, arrives: true if a handler runs. *RESTARTS: whether the
 * call that it interrupted with error code INTERRUPTED (0: none did) is entered again.
 */
bool handlers_arrival(struct handlers *h, const char *name, size_t length,
		      u32 interrupted, bool *restarts);

#endif
