/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF C source of a run: the embedded text with this run's constants in it. */
#ifndef EBPH_SOURCE_H
#define EBPH_SOURCE_H

#include "kernel.h"
#include "options.h"

/* Bounds that follow from the options. */
struct bounds {
	unsigned int profiles, rows, threads;
};

struct bounds source_bounds(const struct options *o);

/*
 * The complete source for O on kernel K, for RAW or classic tracepoints, to be freed;
 * NULL with a sentence in ERROR.
 */
char *source_text(const struct options *o, const struct kernel *k, bool raw, char *error,
		  size_t size);

#endif
