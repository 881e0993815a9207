/* SPDX-License-Identifier: GPL-2.0-only */
/* The COMMAND that is started to be watched. */
#ifndef EBPH_CHILD_H
#define EBPH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;  /* 0: none, or it has ended */
	int gate;   /* closed without a word, it does not start */
	int status; /* as a shell has it, when it has ended */
};

/*
 * Fork a process that will run ARGV (NULL at its end) when it is told to, with no
 * signal blocked: 0 or -errno. It exits with 126 or 127 if it cannot.
 */
int child_start(struct child *c, char *const *argv);

/* Let it run: 0 or -errno. */
int child_go(struct child *c);

/* Take note of its end: true if it has just ended. */
bool child_reap(struct child *c);

/* Give it up if it has not been told to run. */
void child_free(struct child *c);

#endif
