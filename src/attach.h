/* SPDX-License-Identifier: GPL-2.0-only */
/* Tying the programs to the kernel's tracepoints, and untying them. */
#ifndef EBPH_ATTACH_H
#define EBPH_ATTACH_H

#include <stdbool.h>

#include "compile.h"

enum { ATTACH_POINTS = 5 };

/* What holds the programs; -1: nothing. */
struct links {
	int fd[ATTACH_POINTS];
};

/*
 * Attach the programs of L that follow the life of threads, RAW: to raw tracepoints,
 * else to classic ones (perf events). 0, or -errno with a sentence in ERROR (SIZE
 * bytes). Whatever came of it, attach_none() lets go.
 */
int attach_life(struct links *k, const struct loaded *l, bool raw, char *error,
		size_t size);

/* The same for system calls: from here on calls are seen. */
int attach_calls(struct links *k, const struct loaded *l, bool raw, char *error,
		 size_t size);

/* Nothing is attached: what K must be made of first. */
void attach_init(struct links *k);

/* Detach all. May be called again. */
void attach_none(struct links *k);

#endif
