/* SPDX-License-Identifier: GPL-2.0-only */
/* Traces of bare system-call numbers: of one process a file, or lines of PID NUMBER. */
#ifndef EBPH_NUMBERS_H
#define EBPH_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

enum { NUMBERS_BATCH = 4096, NUMBERS_MAX = 0x7fffffff };

/*
 * Takes COUNT call numbers, each 0..NUMBERS_MAX, of process PID (0 where the format
 * has none), in order. 0, or -errno to stop.
 */
typedef int numbers_sink(void *context, u32 pid, const u32 *numbers, size_t count);

struct numbers {
	bool with_pid;
	numbers_sink *sink;
	void *context;
	u64 line;	 /* that is being read, from 1 */
	char error[160]; /* what is wrong in it */
	u64 value;
	u32 digits, fields; /* of the number, and numbers on the line, so far */
	u32 pid, batch_pid;
	size_t count;
	u32 batch[NUMBERS_BATCH];
};

void numbers_init(struct numbers *n, bool with_pid, numbers_sink *sink, void *context);

/*
 * Read on: the SIZE bytes at DATA follow those of the call before. 0; -EINVAL with
 * n->line and n->error for what is not such a trace; or what the sink gave. After an
 * error, only numbers_end() may follow.
 */
int numbers_feed(struct numbers *n, const char *data, size_t size);

/*
 * Nothing more comes; what is held back goes to the sink, also after an error, of
 * which the calls before it are handed over. DAMAGED: leave out a last line that may
 * be cut.
 */
int numbers_end(struct numbers *n, bool damaged);

#endif
