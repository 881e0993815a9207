/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "measure.h"

#include <errno.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"
#include "project.h"
#include "watcher.h"

/* WARM_ROUNDS: at most; where operations take long, few of them make a round. */
enum { FIRST_ROUNDS = 3, WARM_ROUNDS = 64, SETTLE_US = 20000 };

__attribute__((format(printf, 2, 3))) static int fail(struct bench *b, const char *format,
						      ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(b->error, sizeof(b->error), format, ap);
	va_end(ap);
	return -1;
}

/* ---- before and after ---- */

/* An empty cgroup of version 2, for a filter that leaves everyone out. */
static void make_cgroup(struct bench *b)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2") && !*b->cgroup) {
			snprintf(b->cgroup, sizeof(b->cgroup), "%s/ebph-bench-%d",
				 m->mnt_dir, (int)getpid());
			if (mkdir(b->cgroup, 0700))
				*b->cgroup = 0;
		}
	if (mounts)
		endmntent(mounts);
}

/* Jobs that share a program share a worker. */
static int start_worker(struct bench *b, enum job_id id)
{
	const struct job *j = &jobs[id];
	int cpu = j->anywhere ? -1 : b->cpu, result;

	for (int i = 0; i < (int)id; i++)
		if (b->wanted[i] && !strcmp(jobs[i].program, j->program)) {
			b->crew[id] = b->crew[i];
			b->crew[id].pid = 0; /* the other one's to stop */
			return 0;
		}
	result = worker_start(&b->crew[id], b->worker, b->dir, j->program, cpu,
			      strcmp(j->program, "threads") ? -1 : b->cpu2);
	return result ? fail(b, "cannot start a copy of %s in %s: %s", b->worker, b->dir,
			     strerror(-result))
		      : 0;
}

static int ask(struct bench *b, enum job_id id, unsigned long long iterations,
	       unsigned int blocks, int odd, double *result)
{
	struct request r = {.iterations = iterations,
			    .blocks = blocks,
			    .threads = jobs[id].threads,
			    .odd = odd};
	int error = worker_ask(&b->crew[id], &r, result);

	return error ? fail(b, "the worker for %s failed: %s", jobs[id].name,
			    strerror(-error))
		     : 0;
}

/* How many operations make a block. */
static int calibrate(struct bench *b, enum job_id id)
{
	unsigned long long n = 1;
	double ns;

	for (;;) {
		if (ask(b, id, n, 1, 0, &ns))
			return -1;
		if (ns * n >= b->block_ns / 4 || n > 1ULL << 40)
			break;
		n *= 2;
	}
	n = b->block_ns / ns;
	b->iterations[id] = n ? n : 1;
	return 0;
}

int bench_open(struct bench *b)
{
	snprintf(b->dir, sizeof(b->dir), "/tmp/ebph-bench-XXXXXX");
	if (!mkdtemp(b->dir))
		return fail(b, "cannot make a folder in /tmp: %s", strerror(errno));
	make_cgroup(b);
	if (b->wanted[JOB_BUILD] && project_write(b->dir))
		return fail(b, "cannot write a C project into %s", b->dir);
	if (worker_start(&b->idle, b->worker, b->dir, "idle", -1, -1))
		return fail(b, "cannot start a copy of %s in %s", b->worker, b->dir);
	if (b->cpu2 < 0)
		b->wanted[JOB_TWO_THREADS] = false;
	for (int i = 0; i < JOBS; i++)
		if (b->wanted[i] && (start_worker(b, i) || calibrate(b, i)))
			return -1;
	return 0;
}

void bench_close(struct bench *b)
{
	for (int i = 0; i < JOBS; i++) {
		worker_stop(&b->crew[i]);
		if (*b->crew[i].path)
			unlink(b->crew[i].path);
	}
	worker_stop(&b->idle);
	if (*b->idle.path)
		unlink(b->idle.path);
	if (b->wanted[JOB_BUILD])
		project_remove(b->dir);
	if (*b->cgroup)
		rmdir(b->cgroup);
	rmdir(b->dir);
}

/* ---- one circumstance ---- */

struct list {
	const enum job_id *id;
	size_t count;
};

/* The time of each job of LIST, now, into NS; the median of its blocks. */
static int visit(struct bench *b, struct list list, double *ns)
{
	double result[BLOCKS_MAX];

	for (size_t i = 0; i < list.count; i++) {
		enum job_id id = list.id[i];
		unsigned int blocks = id == JOB_BUILD ? 3 : b->blocks;

		if (!b->wanted[id])
			continue;
		if (ask(b, id, b->iterations[id], blocks, 0, result))
			return -1;
		ns[id] += median_of(result, blocks);
	}
	return 0;
}

static int visit_empty(struct bench *b, bool classic, struct list list, double *ns)
{
	struct probe p;
	int result = classic ? probe_classic(&p) : probe_raw(&p);

	if (result)
		return fail(b, "cannot attach an empty BPF program: %s; run this as root",
			    strerror(-result));
	usleep(SETTLE_US);
	result = visit(b, list, ns);
	probe_detach(&p);
	usleep(SETTLE_US);
	return result;
}

/* ---- ebph ---- */

/* The options that make WAY, into ARGV of eight. */
static int way_options(const struct bench *b, enum way way, const char **argv, char *pid,
		       size_t size)
{
	size_t n = 0;

	snprintf(pid, size, "%d", (int)b->idle.pid);
	argv[n++] = "--normal-time";
	argv[n++] = "0";
	argv[n++] = "--normal-factor";
	argv[n++] = way == WAY_TRAINING ? "65535/1" : "8/1";
	switch (way) {
	case WAY_OTHER_PID:
		argv[n++] = "-p";
		argv[n++] = pid;
		break;
	case WAY_OTHER_EXE:
		argv[n++] = "-e";
		argv[n++] = b->idle.path;
		break;
	case WAY_OTHER_UID:
		argv[n++] = "-u";
		argv[n++] = "65533";
		break;
	case WAY_OTHER_CGROUP:
		if (!*b->cgroup)
			return -1;
		argv[n++] = "-c";
		argv[n++] = b->cgroup;
		break;
	default:
		break;
	}
	argv[n] = NULL;
	return 0;
}

/*
 * What a worker does first, in short, so that all of its pairs are known before the
 * freeze rule, with its factor of 8, can hold. Jobs that share a program share a profile.
 */
static int warm_first(struct bench *b, struct list list)
{
	double result[BLOCKS_MAX];

	for (int round = 0; round < FIRST_ROUNDS; round++)
		for (size_t i = 0; i < list.count; i++)
			if (b->wanted[list.id[i]] && list.id[i] != JOB_BUILD &&
			    ask(b, list.id[i], 10, 2, 0, result))
				return -1;
	return 0;
}

/*
 * Work until the profile is in the state that WAY is about. The odd call comes late, so
 * that a profile in training stays there: the freeze rule counts calls since a change.
 */
static int warm_job(struct bench *b, struct watcher *w, enum way way, enum job_id id)
{
	unsigned int blocks = id == JOB_BUILD ? 1 : 8;
	unsigned long long n = id == JOB_BUILD ? 1 : b->iterations[id] / 4 + 1;
	double result[BLOCKS_MAX];
	struct standing s;

	for (int i = 0; i < WARM_ROUNDS; i++) {
		if (ask(b, id, n, blocks, i == 1 && way == WAY_TRAINING, result))
			return -1;
		if (i < 1 || (i < 2 && way == WAY_TRAINING))
			continue;
		if (way != WAY_NORMAL || jobs[id].others)
			break;
		if (watcher_standing(w, b->crew[id].path, &s))
			return fail(b, "ebph printed no summary on SIGUSR1: %s",
				    w->words);
		if (!strcmp(s.state, ways[way].state))
			break;
	}
	return 0;
}

static int warm(struct bench *b, struct watcher *w, enum way way, struct list list)
{
	if (warm_first(b, list))
		return -1;
	for (size_t i = 0; i < list.count; i++)
		if (b->wanted[list.id[i]] && warm_job(b, w, way, list.id[i]))
			return -1;
	return 0;
}
/* 1 when nothing about the job's profile changed while it was measured. */
static int proven(const struct standing *before, const struct standing *after,
		  enum way way)
{
	if (strcmp(before->state, ways[way].state) ||
	    strcmp(after->state, ways[way].state))
		return 0;
	return !*ways[way].state || (before->sequences == after->sequences &&
				     before->anomalies == after->anomalies);
}

static int stand(struct bench *b, struct watcher *w, struct list list, struct standing *s)
{
	for (size_t i = 0; i < list.count; i++)
		if (b->wanted[list.id[i]] &&
		    watcher_standing(w, b->crew[list.id[i]].path, &s[list.id[i]]))
			return fail(b, "ebph printed no summary on SIGUSR1: %s",
				    w->words);
	return 0;
}

static int visit_watched(struct bench *b, struct watcher *w, enum way way,
			 struct list list, double *ns, bool *good)
{
	struct standing before[JOBS] = {0}, after[JOBS] = {0};

	if (warm(b, w, way, list))
		return -1;
	if (stand(b, w, list, before) || visit(b, list, ns) || stand(b, w, list, after))
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		enum job_id id = list.id[i];

		good[id] = jobs[id].others || proven(&before[id], &after[id], way);
		if (b->wanted[id] && !good[id] && getenv("BENCH_DEBUG"))
			fprintf(stderr,
				"bench: %s: wanted %s, was '%s' (%lld calls, %lld "
				"sequences, %lld anomalies), then '%s' (%lld, %lld, %lld)\n",
				jobs[id].name, ways[way].name, before[id].state,
				before[id].count, before[id].sequences,
				before[id].anomalies, after[id].state, after[id].count,
				after[id].sequences, after[id].anomalies);
	}
	return 0;
}

static int visit_ebph(struct bench *b, enum way way, struct list list, double *ns,
		      bool *good)
{
	const char *options[16];
	struct watcher w;
	char pid[16];
	int result;

	if (way_options(b, way, options, pid, sizeof(pid)))
		return fail(b, "no cgroup of version 2 could be made");
	result = watcher_start(&w, b->ebph, options, b->dir);
	if (result)
		return fail(b, "%s did not start: %s%s%s", b->ebph, strerror(-result),
			    *w.words ? ": " : "", w.words);
	if (way == WAY_NORMAL)
		series_add(&b->started, w.started);
	usleep(SETTLE_US);
	result = visit_watched(b, &w, way, list, ns, good);
	watcher_stop(&w);
	usleep(SETTLE_US);
	return result;
}

static int visit_classic(struct bench *b, struct list list, double *ns, bool *good)
{
	for (int i = 0; i < JOBS; i++)
		good[i] = true;
	return visit_empty(b, true, list, ns);
}

/* ---- a cycle ---- */

static int visit_none(struct bench *b, struct list list, double *ns, bool *foreign)
{
	*foreign |= probe_count() > 0;
	if (visit(b, list, ns))
		return -1;
	*foreign |= probe_count() > 0;
	return 0;
}

/* Nothing and the probe, in this order or, where FLIP, the other. */
static int visit_floor(struct bench *b, struct list list, double *none, double *empty,
		       bool flip, bool *foreign)
{
	if (!flip && visit_none(b, list, none, foreign))
		return -1;
	if (empty && visit_empty(b, b->classic, list, empty))
		return -1;
	return flip ? visit_none(b, list, none, foreign) : 0;
}

int bench_cycle(struct bench *b, enum way way, const enum job_id *id, size_t count,
		bool empty, bool flip)
{
	double none[JOBS] = {0}, probe[JOBS] = {0}, with[JOBS] = {0};
	struct list list = {id, count};
	bool foreign = false, good[JOBS] = {0};

	if (visit_floor(b, list, none, empty ? probe : NULL, flip, &foreign) ||
	    (way == WAY_CLASSIC ? visit_classic(b, list, with, good)
				: visit_ebph(b, way, list, with, good)) ||
	    visit_floor(b, list, none, empty ? probe : NULL, !flip, &foreign))
		return -1;
	b->foreign += foreign;
	b->cycles++;
	for (size_t i = 0; i < count; i++) {
		struct readings *r = &b->readings[id[i]][way];

		if (!b->wanted[id[i]])
			continue;
		if (!good[id[i]])
			b->unproven++;
		else if (r->count < VALUES_MAX)
			r->r[r->count++] =
				(struct reading){none[id[i]] / 2, probe[id[i]] / 2,
						 with[id[i]], b->cycles, foreign};
	}
	return 0;
}
