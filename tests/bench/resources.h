/* SPDX-License-Identifier: GPL-2.0-only */
/* What a running ebph takes: kernel memory, its own memory, CPU time, time to start. */
#ifndef BENCH_RESOURCES_H
#define BENCH_RESOURCES_H

#include "stats.h"

struct resources {
	double kernel_bytes;   /* its maps and programs, as the kernel accounts them */
	double resident_bytes; /* of its process, after work, less mapped kernel memory */
	double idle_cpu;       /* its CPU time over wall time, 0..1 */
	struct spread profile_bytes; /* a profile's kernel memory, over programs */
	struct series start_beyond; /* s from its start to "watching", beyond a compile */
	struct spread start, compile;			/* s, each */
	char why[160], profile_why[160], idle_why[160]; /* not empty: no value, because */
};

/*
 * Start EBPH with its default options, in folder DIR; have Debian's programs work; and
 * watch it for IDLE_SECONDS. What fails is told in R.
 */
void resources_measure(struct resources *r, const char *ebph, const char *dir,
		       double idle_seconds);

/*
 * Start EBPH, and COMPILE, which compiles an empty program, in turn, ROUNDS times.
 * What fails leaves no values.
 */
void resources_start(struct resources *r, const char *ebph, const char *compile,
		     const char *dir, int rounds);

#endif
