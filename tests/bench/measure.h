/* SPDX-License-Identifier: GPL-2.0-only */
/* Times with nothing attached, an empty probe, and ebph: in turn, again and again. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "crew.h"
#include "jobs.h"
#include "stats.h"

/* One operation's time, ns, in three circumstances that followed each other. */
struct reading {
	double none, empty, with; /* empty is 0 where it was not measured */
	size_t cycle;		  /* readings of one cycle belong together */
	bool foreign;		  /* others' programs watched system calls meanwhile */
};

struct readings {
	size_t count;
	struct reading r[VALUES_MAX];
};

struct bench {
	const char *ebph, *worker; /* programs */
	char dir[128];		   /* all files of this run */
	char cgroup[256];	   /* an empty one made for this run; "": none */
	int cpu, cpu2;		   /* where workers run; cpu2 -1: only one CPU */
	double block_ns;	   /* how long a block should take */
	unsigned int blocks;
	bool classic; /* the empty probe is a classic tracepoint's */
	bool wanted[JOBS];
	struct worker crew[JOBS], idle;
	unsigned long long iterations[JOBS];
	struct readings readings[JOBS][WAYS];
	struct series started; /* seconds from ebph's start to "watching" */
	size_t cycles;
	size_t foreign; /* cycles in which others' programs were attached */
	size_t unproven; /* readings refused: the profile was not in the state it should be */
	char error[640];
};

/* Start the workers of all wanted jobs. 0 or -1 with a sentence in B->error. */
int bench_open(struct bench *b);

/*
 * A cycle: nothing, empty probe (where EMPTY), ebph in WAY, and back again; each of LIST
 * (COUNT jobs, those that are not wanted are left out) gets a reading. FLIP: the probe
 * first. 0 or -1 with B->error.
 */
int bench_cycle(struct bench *b, enum way way, const enum job_id *list, size_t count,
		bool empty, bool flip);

/* Stop the workers, remove the files. */
void bench_close(struct bench *b);

#endif
