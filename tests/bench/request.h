/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver asks of a worker, over its standard input; see worker.c. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <stdint.h>

enum { BLOCKS_MAX = 64 };

struct request {
	uint64_t iterations; /* in a block */
	uint32_t blocks;     /* 1..BLOCKS_MAX: timed one by one */
	uint32_t threads;    /* 1 or 2; only the worker "threads" knows 2 */
	uint32_t odd; /* 1: first make a call that the worker does not make otherwise */
	uint32_t unused;
};

/* The answer: nanoseconds per operation, a double for each block. */

#endif
