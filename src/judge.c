/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ULL

void judge_init(struct judge *j, const struct rules *rules, u32 window, u32 frame)
{
	memset(j, 0, sizeof(*j));
	detector_init(&j->detector, rules, window, frame);
}

void judge_free(struct judge *j)
{
	detector_free(&j->detector);
}

static void event_fill(struct event *e, u32 type, const struct judge *j,
		       const struct process *process, u32 tid, const struct model *m)
{
	memset(e, 0, sizeof(*e));
	e->type = type;
	e->slot = m->slot;
	e->time = j->now;
	e->train_count = m->profile.train_count;
	e->sequences = m->profile.sequences;
	e->normal_time = m->profile.normal_time;
	e->anomalies = m->profile.anomalies;
	e->identity = m->profile.identity;
	e->pid = process->pid;
	e->tid = tid;
	e->container_pid = e->pid;
	e->ppid = process->ppid;
	memcpy(e->comm, process->comm, sizeof(e->comm));
}

/*
 * Profiles that were saved have the paths of files, without links, and programs are
 * executed by links too (sh).
 */
static struct model *find(const struct judge *j, const char *exe)
{
	struct model *m = detector_find(&j->detector, exe);
	char *path = m || !j->follow_links || *exe != '/' ? NULL : realpath(exe, NULL);

	if (path)
		m = detector_find(&j->detector, path);
	free(path);
	return m;
}

struct model *judge_model(struct judge *j, const char *exe, const struct process *p,
			  u32 tid)
{
	struct model *m = find(j, exe);
	struct event e;

	if (m)
		return m;
	m = detector_model(&j->detector, exe);
	if (!m || !j->tell || j->mode != JUDGE_LIVE)
		return m;
	event_fill(&e, EVENT_PROFILE, j, p, tid, m);
	j->tell(j->context, &e, m->exe);
	return m;
}

/* The events of one call, in the order in which the kernel side sends them. */
static void tell(struct judge *j, const struct process *p, const struct thread *t,
		 u32 tid, const struct model *m, const struct verdict *v)
{
	const struct {
		u32 type;
		bool happened;
	} all[] = {
		{EVENT_THAW, v->thawed},
		{EVENT_FREEZE, v->froze},
		{EVENT_NORMAL, v->ripened},
		{EVENT_ANOMALY, v->missed != 0},
		{EVENT_SEQUENCE, !v->missed && j->verbose && v->fresh && v->learns},
		{EVENT_TOLERIZE_LIMIT, v->crossed},
		{EVENT_ANOMALY_LIMIT, v->exceeded},
	};
	struct event e;

	event_fill(&e, 0, j, p, tid, m);
	e.lfc = t->lfc;
	if (j->mode == JUDGE_TEST) /* the profile does not change, nor count */
		e.anomalies = p->anomalies;
	e.missed = v->missed ? v->missed : v->fresh;
	e.sequence[0] = model_symbol(m, v->index);
	for (u32 d = 1; d <= DISTANCES; d++) {
		u8 earlier = window_at(v->window, d);

		e.sequence[d] = earlier ? model_symbol(m, earlier) : SYMBOL_NONE;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		e.type = all[i].type;
		if (all[i].happened)
			j->tell(j->context, &e, m->exe);
	}
}

static bool happened(const struct judge *j, const struct verdict *v)
{
	return v->thawed || v->froze || v->ripened || v->crossed || v->exceeded ||
	       (j->verbose && v->fresh && v->learns);
}

static void tally(struct process *p, const struct thread *t, const struct verdict *v)
{
	if (!v->missed)
		return;
	p->anomalies++;
	p->misses += __builtin_popcount(v->missed);
	if (t->lfc > p->max_lfc)
		p->max_lfc = t->lfc;
}

int judge_call(struct judge *j, struct process *p, struct thread *t, u32 tid,
	       struct model *m, u32 symbol)
{
	const struct detector *d = &j->detector;
	struct verdict v;
	int result;

	p->calls++;
	if (!j->has_clock)
		j->now += SECOND;
	if (!m)
		return 0;
	if (j->mode == JUDGE_LEARN)
		return detector_learn(d, m, t, symbol, &v);
	if (j->mode == JUDGE_TEST && m->profile.state != STATE_NORMAL) {
		m->untested++; /* a program that was not learned */
		return 0;
	}
	result = j->mode == JUDGE_TEST ? detector_test(d, m, t, symbol, &v)
				       : detector_live(d, m, t, symbol, j->now, &v);
	if (result)
		return result;
	tally(p, t, &v);
	if (j->tell && (v.missed || (j->mode == JUDGE_LIVE && happened(j, &v))))
		tell(j, p, t, tid, m, &v);
	return 0;
}

/*
 * How many of COUNT calls, from the first, bring nothing new: they only move the window
 * and count. MODE is learn or test.
 */
static size_t pass_known(struct judge *j, struct process *p, struct thread *t,
			 struct model *m, const u32 *symbols, size_t count)
{
	const u64 wanted = 1 << (j->mode == JUDGE_LEARN ? TRAIN_SHIFT : TEST_SHIFT);
	const u64 mask = j->detector.window_mask;
	size_t i;

	for (i = 0; i < count; i++) {
		u8 index = detector_known(m, t, symbols[i], wanted);

		if (!index)
			break;
		t->window = window_push(t->window, index, mask);
	}
	p->calls += i;
	if (!j->has_clock)
		j->now += i * SECOND;
	if (j->mode == JUDGE_LEARN)
		settle(&m->profile, i, m->profile.epoch);
	return i;
}

int judge_calls(struct judge *j, struct process *p, struct thread *t, u32 tid,
		struct model *m, const u32 *symbols, size_t count)
{
	bool quick = j->mode == JUDGE_LEARN ||
		     (j->mode == JUDGE_TEST && m->profile.state == STATE_NORMAL);
	int result = 0;

	for (size_t i = 0; i < count && !result; i++) {
		if (quick)
			i += pass_known(j, p, t, m, symbols + i, count - i);
		if (i < count)
			result = judge_call(j, p, t, tid, m, symbols[i]);
	}
	return result;
}

void judge_count(struct judge *j, struct process *p, struct model *m)
{
	p->calls++;
	if (!j->has_clock)
		j->now += SECOND;
	if (m)
		m->profile.count++;
}
