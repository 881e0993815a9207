/* SPDX-License-Identifier: GPL-2.0-only */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "lookahead.h"

enum { NOT_THERE = 0xffffffffU };

/* What of a profile is needed to settle what its threads hold back. */
struct account {
	u64 count, train_count, change_count;
	u32 epoch, zero_epoch, frame_gen;
};

struct reading {
	struct snapshot *s;
	struct account *accounts; /* of the profile at the same place */
	u32 *places;		  /* of each slot's profile; NOT_THERE: none */
	u32 profiles, threads;	  /* room */
	struct profile *settling; /* one, to work on */
};

static void read_profile(void *context, u32 slot, const void *element)
{
	const struct profile *p = element;
	struct reading *r = context;
	u32 place = r->s->profile_count;

	r->places[slot] = NOT_THERE;
	if (!slot || p->state == STATE_FREE || p->state == STATE_RETIRED ||
	    place >= r->profiles)
		return;
	r->places[slot] = place;
	r->s->profiles[place] = (struct snapshot_profile){
		.slot = slot,
		.state = p->state,
		.symbols = p->symbols,
		.identity = p->identity,
		.sequences = p->sequences,
		.anomalies = p->anomalies,
		.normal_time = p->normal_time,
	};
	r->accounts[place] = (struct account){
		.count = p->count,
		.train_count = p->train_count,
		.change_count = p->change_count,
		.epoch = p->epoch,
		.zero_epoch = p->zero_epoch,
		.frame_gen = p->frame_gen,
	};
	r->s->profile_count++;
}

/* Add the CALLS that a thread holds back since EPOCH, as the kernel would. */
static void add_pending(struct reading *r, struct account *a, u32 calls, u32 epoch)
{
	struct profile *p = r->settling;

	p->count = a->count;
	p->train_count = a->train_count;
	p->change_count = a->change_count;
	p->epoch = a->epoch;
	p->zero_epoch = a->zero_epoch;
	settle(p, calls, epoch);
	a->count = p->count;
	a->train_count = p->train_count;
	a->change_count = p->change_count;
}

static void read_thread(void *context, u32 slot, const void *element)
{
	const struct thread *t = element;
	struct reading *r = context;
	struct account *a;
	u32 place;

	if (!slot || !t->tid || !t->profile || t->profile > r->profiles)
		return;
	place = r->places[t->profile];
	if (place == NOT_THERE || r->s->thread_count >= r->threads)
		return;
	a = &r->accounts[place];
	add_pending(r, a, t->pending, t->epoch);
	r->s->profiles[place].threads++;
	r->s->threads[r->s->thread_count++] = (struct snapshot_thread){
		.tid = t->tid,
		.pid = t->tgid,
		.profile = place,
		/* its frame is to be emptied at its next call */
		.lfc = t->frame_gen == a->frame_gen ? t->lfc : 0,
		.max_lfc = t->max_lfc,
	};
}

static int by_pid(const void *a, const void *b)
{
	const struct snapshot_thread *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void finish(struct reading *r)
{
	struct snapshot *s = r->s;

	for (u32 i = 0; i < s->profile_count; i++) {
		const struct account *a = &r->accounts[i];

		s->profiles[i].count = a->count;
		s->profiles[i].train_count = a->train_count;
		s->profiles[i].last_mod_count = a->train_count - a->change_count;
	}
	if (s->thread_count)
		qsort(s->threads, s->thread_count, sizeof(*s->threads), by_pid);
	for (u32 i = 0; i < s->thread_count; i += snapshot_process(s, i))
		s->process_count++;
}

int snapshot_take(struct snapshot *s, const struct tables *t)
{
	struct reading r = {
		.s = s,
		.profiles = t->bounds->profiles,
		.threads = t->bounds->threads,
		.accounts = calloc(t->bounds->profiles, sizeof(*r.accounts)),
		.places = calloc((size_t)t->bounds->profiles + 1, sizeof(*r.places)),
		.settling = calloc(1, sizeof(*r.settling)),
	};
	int result = -ENOMEM;

	*s = (struct snapshot){
		.profiles = calloc(t->bounds->profiles, sizeof(*s->profiles)),
		.threads = calloc(t->bounds->threads, sizeof(*s->threads)),
	};
	if (r.accounts && r.places && r.settling && s->profiles && s->threads)
		result = tables_each_profile(t, read_profile, &r);
	if (!result)
		result = tables_each_thread(t, read_thread, &r);
	if (!result)
		finish(&r);
	else
		snapshot_free(s);
	free(r.accounts);
	free(r.places);
	free(r.settling);
	return result;
}

void snapshot_free(struct snapshot *s)
{
	free(s->profiles);
	free(s->threads);
	*s = (struct snapshot){0};
}

u32 snapshot_process(const struct snapshot *s, u32 i)
{
	u32 count = 1;

	while (i + count < s->thread_count &&
	       s->threads[i + count].pid == s->threads[i].pid)
		count++;
	return count;
}
