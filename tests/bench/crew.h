/* SPDX-License-Identifier: GPL-2.0-only */
/* The worker processes: one for each program that does work. */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <stdint.h>
#include <sys/types.h>

#include "request.h"

struct worker {
	char path[256]; /* of its program, a copy of its own */
	pid_t pid;
	int in, out; /* its standard input and output */
};

/*
 * Copy the program FROM into folder DIR as NAME and start it. CPU and CPU2: where it
 * and its second thread run; -1: anywhere, no second thread. 0, or -errno.
 */
int worker_start(struct worker *w, const char *from, const char *dir, const char *name,
		 int cpu, int cpu2);

/*
 * Have it work; RESULT takes R->blocks times, ns per operation. 0, or -errno:
 * -ETIMEDOUT after two minutes, -EPIPE when it ended.
 */
int worker_ask(const struct worker *w, const struct request *r, double *result);

/* End it, if it was started. */
void worker_stop(struct worker *w);

#endif
