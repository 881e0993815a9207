/* SPDX-License-Identifier: GPL-2.0-only */
/* What ebph costs. scripts/bench builds and runs this. */
#define _GNU_SOURCE
#include <getopt.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
	stopped = signal;
}

/* The last two CPUs that we may use: interrupts mostly go to the first. */
static void choose_cpus(struct bench *b)
{
	cpu_set_t set;

	b->cpu = b->cpu2 = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set)) {
			b->cpu2 = b->cpu;
			b->cpu = i;
		}
}

static void print(const struct bench *b)
{
	printf("%-24s %-16s %3s %9s %9s %9s %7s %s\n", "job", "ebph", "n", "none ns",
	       "empty +", "ebph +", "ratio", "95 % interval, quartiles");
	for (int j = 0; j < JOBS; j++)
		for (int w = 0; w < WAYS; w++) {
			const struct readings *r = &b->readings[j][w];
			struct series none = {0}, empty = {0}, with = {0}, ratio = {0};
			struct spread s;

			if (!r->count)
				continue;
			for (size_t i = 0; i < r->count; i++) {
				const struct reading *x = &r->r[i];

				series_add(&none, x->none);
				series_add(&empty, x->empty - x->none);
				series_add(&with, x->with - x->none);
				series_add(&ratio,
					   (x->with - x->none) / (x->empty - x->none));
			}
			s = series_spread(&ratio);
			printf("%-24s %-16s %3zu %9.1f %9.1f %9.1f %7.2f %.2f..%.2f, "
			       "%.2f..%.2f\n",
			       jobs[j].title, ways[w].title, r->count,
			       series_spread(&none).median, series_spread(&empty).median,
			       series_spread(&with).median, s.median, s.low, s.high, s.q1,
			       s.q3);
		}
	printf("cycles with others' programs attached: %zu; readings refused: %zu\n",
	       b->foreign, b->unproven);
}

int main(int argc, char **argv)
{
	static const enum job_id getppid_only[] = {JOB_GETPPID};
	static struct bench b;
	int rounds = 10, result = 0, c;
	char self[256] = {0};

	b.ebph = getenv("EBPH") ? getenv("EBPH") : "build/ebph";
	b.block_ns = 10e6;
	b.blocks = 15;
	while ((c = getopt(argc, argv, "r:c")) != -1) {
		if (c == 'r')
			rounds = atoi(optarg);
		else if (c == 'c')
			b.classic = true;
		else
			return 2;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 16) < 0)
		return 1;
	strcat(self, "-worker");
	b.worker = self;
	choose_cpus(&b);
	b.wanted[JOB_GETPPID] = true;
	signal(SIGINT, on_stop);
	signal(SIGTERM, on_stop);
	signal(SIGPIPE, SIG_IGN);
	result = bench_open(&b);
	for (int i = 0; i < rounds && !result && !stopped; i++)
		for (int w = 0; w < WAYS && !result && !stopped; w++)
			if (w != WAY_OTHER_CGROUP || *b.cgroup)
				result = bench_cycle(&b, w, getppid_only, 1, true, i & 1);
	bench_close(&b);
	if (result)
		fprintf(stderr, "bench: %s\n", b.error);
	print(&b);
	return result ? 1 : 0;
}
