/* SPDX-License-Identifier: GPL-2.0-only */
/* How long BPF programs ran, as the kernel counts it (sysctl kernel.bpf_stats_enabled). */
#ifndef EBPH_STATS_H
#define EBPH_STATS_H

#include <stdint.h>
#include <stdio.h>

/* One program since it was loaded. */
struct stats {
	uint64_t runs;
	uint64_t ns;	 /* in all runs together */
	uint64_t misses; /* times it was left out, because it ran on that CPU already */
};

/* Read what the kernel counted of program FD. 0 or -errno. */
int stats_read(int fd, struct stats *s);

/*
 * Print a table of COUNT programs to OUT: name, runs, nanoseconds per run, misses. A
 * program that never ran, or whose descriptor is -1, is left out; nothing is printed
 * where the kernel did not count. What tail calls run is counted with their caller.
 */
void stats_print(FILE *out, const char *const *names, const int *fds, int count);

#endif
