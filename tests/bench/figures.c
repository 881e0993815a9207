/* SPDX-License-Identifier: GPL-2.0-only */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEW = 6 }; /* fewer values give no interval of 95 % */

/* Readings during which others' programs were attached count only if all are such. */
static bool all_foreign(const struct readings *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->r[i].foreign)
			return false;
	return true;
}

bool effect_of(const struct bench *b, enum job_id job, enum way way, struct effect *e)
{
	const struct readings *r = &b->readings[job][way];
	struct series none = {0}, empty = {0}, with = {0}, ratio = {0}, percent = {0},
		      floor = {0};

	memset(e, 0, sizeof(*e));
	e->foreign = all_foreign(r);
	for (size_t i = 0; i < r->count; i++) {
		const struct reading *x = &r->r[i];

		if (x->foreign && !e->foreign)
			continue;
		series_add(&none, x->none);
		series_add(&with, x->with - x->none);
		series_add(&percent, 100 * (x->with / x->none - 1));
		if (!x->empty)
			continue;
		series_add(&empty, x->empty - x->none);
		series_add(&floor, 100 * (x->empty / x->none - 1));
		series_add(&ratio, (x->with - x->none) / (x->empty - x->none));
	}
	e->none = series_spread(&none);
	e->empty = series_spread(&empty);
	e->with = series_spread(&with);
	e->ratio = series_spread(&ratio);
	e->percent = series_spread(&percent);
	e->empty_percent = series_spread(&floor);
	return r->count > 0;
}

/* The time that ebph adds to A over SCALE times what it adds to B, cycle by cycle. */
static struct spread compare(const struct readings *a, const struct readings *b,
			     double scale, struct spread *denominator, bool *foreign)
{
	struct series s = {0}, below = {0};

	*foreign = all_foreign(a) || all_foreign(b);
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++) {
			const struct reading *x = &a->r[i], *y = &b->r[k];

			if (x->cycle != y->cycle ||
			    ((x->foreign || y->foreign) && !*foreign))
				continue;
			series_add(&below, scale * (y->with - y->none));
			series_add(&s,
				   (x->with - x->none) / (scale * (y->with - y->none)));
		}
	*denominator = series_spread(&below);
	return series_spread(&s);
}

/* ---- verdicts ---- */

static void unclear(struct figure *f, const char *why)
{
	f->verdict = VERDICT_UNCLEAR;
	snprintf(f->why, sizeof(f->why), "%s", why);
}

/* By the interval alone: where the whole of it lies. */
static void judge(struct figure *f)
{
	const struct spread *v = &f->value;

	if (!v->count)
		snprintf(f->why, sizeof(f->why), "not measured");
	else if (v->count < FEW)
		snprintf(f->why, sizeof(f->why), "%zu of the 6 values that are needed",
			 v->count);
	else if (v->low <= f->target && v->high > f->target)
		snprintf(f->why, sizeof(f->why),
			 "the target lies inside the interval: more rounds, or a quieter "
			 "machine");
	f->verdict = !v->count		    ? VERDICT_NONE
		     : *f->why		    ? VERDICT_UNCLEAR
		     : v->high <= f->target ? VERDICT_MET
					    : VERDICT_MISSED;
}

/* A ratio of added times: neither may drown in its own spread. */
static void judge_ratio(struct figure *f, const struct spread *denominator, bool foreign)
{
	double spread = denominator->q3 - denominator->q1;

	judge(f);
	if (f->verdict == VERDICT_NONE)
		return;
	if (foreign)
		unclear(f, "others' programs watched system calls all the time");
	else if (spread > fabs(denominator->median)) {
		f->verdict = VERDICT_UNCLEAR;
		snprintf(f->why, sizeof(f->why),
			 "the spread (%.0f ns) is larger than the effect (%.0f ns)",
			 spread, denominator->median);
	}
}

/*
 * A slow-down: a spread larger than both what is measured and what is allowed
 * tells nothing. (Larger than the measured effect alone it may be: then the effect is
 * smaller than what can be seen, and that can be enough.)
 */
static void judge_percent(struct figure *f, bool foreign)
{
	double spread = f->value.q3 - f->value.q1;

	judge(f);
	if (f->verdict == VERDICT_NONE)
		return;
	if (foreign)
		unclear(f, "others' programs watched system calls all the time");
	else if (spread > fabs(f->value.median) && spread > f->target) {
		f->verdict = VERDICT_UNCLEAR;
		snprintf(
			f->why, sizeof(f->why),
			"the spread (%.1f %%) is larger than the effect (%.1f %%) and the "
			"target",
			spread, f->value.median);
	}
}

/* ---- the figures ---- */

static struct figure *next(struct figure **f, const char *name, const char *title,
			   const char *unit, double target)
{
	struct figure *now = (*f)++;

	*now = (struct figure){
		.name = name, .title = title, .unit = unit, .target = target};
	return now;
}

static void make_getppid(const struct bench *b, struct figure **f)
{
	static const struct {
		enum way way;
		const char *name, *title;
		double target;
	} rows[] = {
		{WAY_NORMAL, "getppid-normal",
		 "getppid, profile normal: added / added by an empty probe", 1.5},
		{WAY_TRAINING, "getppid-training", "the same while training", 1.5},
		{WAY_OTHER_PID, "left-out-pid", "the same, process left out by -p", 1.3},
		{WAY_OTHER_EXE, "left-out-exe", "the same, process left out by -e", 1.3},
		{WAY_OTHER_UID, "left-out-uid", "the same, process left out by -u", 1.3},
		{WAY_OTHER_CGROUP, "left-out-cgroup", "the same, process left out by -c",
		 1.3},
	};
	struct effect e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct figure *now =
			next(f, rows[i].name, rows[i].title, "times", rows[i].target);

		effect_of(b, JOB_GETPPID, rows[i].way, &e);
		now->value = e.ratio;
		judge_ratio(now, &e.empty, e.foreign);
		if (i)
			continue;
		now = next(f, "getppid-never", "the same, never more than", "times", 2);
		now->value = e.ratio;
		judge_ratio(now, &e.empty, e.foreign);
	}
}

static void make_compared(const struct bench *b, struct figure **f)
{
	const struct readings *one = &b->readings[JOB_ONE_THREAD][WAY_NORMAL];
	const struct readings *two = &b->readings[JOB_TWO_THREADS][WAY_NORMAL];
	const struct readings *handle = &b->readings[JOB_SIGNAL][WAY_NORMAL];
	const struct readings *call = &b->readings[JOB_GETPPID][WAY_NORMAL];
	struct spread below;
	struct figure *now;
	bool foreign;

	now = next(f, "threads", "two threads on two cores: added / added to one on one",
		   "times", 1.1);
	now->value = compare(two, one, 1, &below, &foreign);
	judge_ratio(now, &below, foreign);
	now = next(f, "signal", "signal handler: added / added to two getppid", "times",
		   2);
	now->value = compare(handle, call, 2, &below, &foreign);
	judge_ratio(now, &below, foreign);
}

static void make_slow_downs(const struct bench *b, struct figure **f)
{
	static const struct {
		enum job_id job;
		const char *name, *title, *paper;
		double target;
	} rows[] = {
		{JOB_FORK_EXIT, "fork-exit", "fork+exit: slow-down", "2.7", 2},
		{JOB_FORK_EXEC, "fork-exec", "fork+exec: slow-down", "8.1", 4},
		{JOB_FORK_SH, "fork-sh", "fork+sh -c: slow-down", "10.0", 5},
		{JOB_BUILD, "build", "build of a small C project, make -j2: slow-down",
		 NULL, 1},
	};
	struct effect e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct figure *now =
			next(f, rows[i].name, rows[i].title, "%", rows[i].target);

		effect_of(b, rows[i].job, WAY_NORMAL, &e);
		now->value = e.percent;
		now->paper = rows[i].paper;
		judge_percent(now, e.foreign);
	}
}

/* A number that is not a sample of a distribution. */
static void exact(struct figure *f, double value, const char *why)
{
	if (why && *why) {
		snprintf(f->why, sizeof(f->why), "%s", why);
		return;
	}
	f->value = (struct spread){1, value, value, value, value, value};
	f->verdict = value <= f->target ? VERDICT_MET : VERDICT_MISSED;
}

static void make_resources(const struct resources *r, struct figure **f)
{
	struct figure *now;

	now = next(f, "profile-memory", "kernel memory a profile, median over programs",
		   "KiB", 10);
	now->paper = "405";
	exact(now, r->profile_bytes.median / 1024, r->profile_why);
	if (now->verdict != VERDICT_NONE)
		now->value.count = r->profile_bytes.count;
	exact(next(f, "start-memory", "kernel memory at start, default bounds", "MiB",
		   16),
	      r->kernel_bytes / 1048576, r->why);
	now = next(f, "start-time", "start to \"watching\" beyond a bare libbcc compile",
		   "s", 0.25);
	now->value = series_spread(&r->start_beyond);
	judge(now);
	exact(next(f, "resident-memory", "resident memory while running", "MiB", 4),
	      r->resident_bytes / 1048576, r->why);
	exact(next(f, "idle-cpu", "CPU time while the machine is idle", "%", 0.1),
	      100 * r->idle_cpu, r->idle_why);
}

void figures_make(const struct bench *b, const struct resources *r,
		  struct figure figures[FIGURES])
{
	struct figure *f = figures;

	memset(figures, 0, FIGURES * sizeof(*figures));
	make_getppid(b, &f);
	make_compared(b, &f);
	make_slow_downs(b, &f);
	make_resources(r, &f);
}
