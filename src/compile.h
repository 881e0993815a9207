/* SPDX-License-Identifier: GPL-2.0-only */
/* Compile and load the BPF source in a child process, so that LLVM stays out of ours. */
#ifndef EBPH_COMPILE_H
#define EBPH_COMPILE_H

#include <stddef.h>

/* Descriptors of what was loaded, close-on-exec, owned by the caller; -1: not there. */
struct loaded {
	int enter, attach, judge, report, on_fork, on_exec, on_exit, on_signal;
	int resolve; /* with -e or --not-exe */
	int profiles, rows, threads, losses, events, tails;
	int free_profiles, free_rows, free_threads, targets, cgroups;
};

/*
 * Compile TEXT against the headers in folder HEADERS and load all programs.
 * 0, or -errno with a sentence in ERROR. What libbcc has to say goes to standard error.
 */
int compile(const char *text, const char *headers, struct loaded *l, char *error,
	    size_t size);

/* Close all descriptors of L. */
void loaded_close(struct loaded *l);

#endif
