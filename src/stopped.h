/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes that delays have stopped: the kernel side's table of them, which ebph and
 * its guardian read. Whoever takes one out of the table continues it.
 */
#ifndef EBPH_STOPPED_H
#define EBPH_STOPPED_H

#include <stdbool.h>
#include <sys/types.h>

#include "types.h"
#include "model.h"

/* The process that is being continued: in memory that ebph and the guardian share. */
struct continuing {
	volatile pid_t pid; /* 0: none */
	volatile u64 start;
};

/*
 * Let the kernel side stop processes, from now on; or none any more, also before it is
 * detached. 0 or -errno.
 */
int stopped_begin(int table);
int stopped_end(int table);

/* The entry of PID in TABLE (a map's descriptor): false when there is none. */
bool stopped_get(int table, pid_t pid, struct stop *s);

/*
 * Take PID out of TABLE and send it SIGCONT through a pidfd, if it is the process of S and
 * nobody else has stopped it. NOW, if not NULL, tells meanwhile what is under way: between
 * the two steps the table does not. Gives 1 when the signal was sent, else 0.
 */
int stopped_continue(int table, pid_t pid, const struct stop *s, struct continuing *now);

/* The same for all in TABLE; gives how many were continued. */
u32 stopped_continue_all(int table, struct continuing *now);

/* Finish what NOW tells, by whoever did not come to its end. */
void stopped_finish(const struct continuing *now);

/* Call EACH for all in TABLE, in no order. */
void stopped_each(int table, void (*each)(void *context, pid_t pid, const struct stop *s),
		  void *context);

/* 1 when a tracer has PID: only it can let it run. */
bool stopped_is_traced(pid_t pid);

#endif
