/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an strace log tells of threads and processes: who forks, executes, handles a
 * signal and ends, and so whose window each call belongs to.
 */
#ifndef EBPH_TASKS_H
#define EBPH_TASKS_H

#include <stddef.h>

#include "judge.h"
#include "symbols.h"
#include "types.h"

struct tasks; /* those of one log */

/* Their calls go to J. NULL: no memory. tasks_free() ends it. */
struct tasks *tasks_new(struct judge *j, struct symbols *s);
void tasks_free(struct tasks *t);

/*
 * Read on: the SIZE bytes at DATA follow those of the call before. 0; -EINVAL for what
 * is no strace log (tasks_line(), tasks_error()); or -ENOMEM.
 */
int tasks_feed(struct tasks *t, const char *data, size_t size);

/* Nothing more comes. DAMAGED: leave out a last line that may be cut. As tasks_feed(). */
int tasks_end(struct tasks *t, bool damaged);

u64 tasks_line(const struct tasks *t);
const char *tasks_error(const struct tasks *t);

/* The I-th process, in order of appearance; NULL behind the last. */
const struct process *tasks_process(const struct tasks *t, size_t i);

#endif
