/* SPDX-License-Identifier: GPL-2.0-only */
#include "detector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void detector_init(struct detector *d, const struct rules *rules, u32 window, u32 frame)
{
	memset(d, 0, sizeof(*d));
	d->rules = *rules;
	d->window_mask = window_mask(window);
	d->frame = frame;
}

static void model_free(struct model *m)
{
	if (!m)
		return;
	for (u32 i = 0; i < 256; i++)
		for (u32 chunk = 0; chunk < CHUNKS; chunk++)
			free(m->row[i][chunk]);
	free(m->index);
	free(m->exe);
	free(m);
}

void detector_free(struct detector *d)
{
	for (u32 i = 0; i < d->count; i++)
		model_free(d->models[i]);
	free(d->models);
	memset(d, 0, sizeof(*d));
}

static struct model *model_new(const char *exe)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->index_size = SYMBOLS;
	m->index = calloc(m->index_size, 1);
	m->exe = strdup(exe);
	if (!m->index || !m->exe) {
		model_free(m);
		return NULL;
	}
	m->profile.symbol[INDEX_OVERFLOW] = SYMBOL_NONE;
	profile_reset(&m->profile);
	return m;
}

struct model *detector_find(const struct detector *d, const char *exe)
{
	for (u32 i = 0; i < d->count; i++)
		if (!strcmp(d->models[i]->exe, exe))
			return d->models[i];
	return NULL;
}

struct model *detector_model(struct detector *d, const char *exe)
{
	struct model *m = detector_find(d, exe);

	if (m)
		return m;
	if (d->count == d->room) {
		u32 room = d->room ? 2 * d->room : 16;
		struct model **grown =
			reallocarray(d->models, room, sizeof(struct model *));

		if (!grown)
			return NULL;
		d->models = grown;
		d->room = room;
	}
	m = model_new(exe);
	if (!m)
		return NULL;
	d->models[d->count++] = m;
	m->slot = d->count;
	return m;
}

void detector_normalize(struct detector *d)
{
	for (u32 i = 0; i < d->count; i++)
		normalize(&d->models[i]->profile);
}

/* ---- symbols ---- */

/*
 * A dense index for SYMBOL, which M has none for yet. The rule is symbol_add()'s; it
 * knows real calls only, so another symbol borrows the place of the unknown one.
 */
static int index_make(struct model *m, u32 symbol, u8 *index)
{
	struct profile *p = &m->profile;
	u8 borrowed = p->index[SYMBOL_UNKNOWN];

	if (symbol >= m->index_size) {
		u32 size = symbol + symbol / 2 + 64;
		u8 *grown = realloc(m->index, size);

		if (!grown)
			return -ENOMEM;
		memset(grown + m->index_size, 0, size - m->index_size);
		m->index = grown;
		m->index_size = size;
	}
	*index = symbol_add(p, SYMBOL_UNKNOWN);
	p->index[SYMBOL_UNKNOWN] = borrowed;
	if (*index != INDEX_OVERFLOW)
		p->symbol[*index] = symbol;
	m->index[symbol] = *index;
	return 0;
}

/* INDEX_NONE for a symbol that M has never seen. */
static inline u8 index_find(const struct model *m, u32 symbol)
{
	return symbol < m->index_size ? m->index[symbol] : INDEX_NONE;
}

u32 model_symbol(const struct model *m, u8 index)
{
	return m->profile.symbol[index];
}

/* ---- rows ---- */

/* The block of CURRENT's row for columns of CHUNK, up to date; NULL: there is none. */
static inline struct row *row_find(const struct model *m, u8 current, u32 chunk)
{
	struct row *r = m->row[current][chunk];

	if (r && !row_is_current(r, &m->profile))
		row_sync(r, chunk, &m->profile);
	return r;
}

static struct row *row_make(struct model *m, u8 current, u32 chunk)
{
	struct row *r = row_find(m, current, chunk);

	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->gens = m->profile.gens;
	if (!chunk)
		r->cell[INDEX_NONE] = 0xffff; /* an empty slot is no miss */
	m->row[current][chunk] = r;
	return r;
}

/* The distances whose pair M has not, among those of SHIFT. */
static inline u8 missing(const struct model *m, u8 current, u64 window, u32 shift)
{
	u32 chunks = window_is_wide(window) ? CHUNKS : 1;
	u8 all = 0;

	for (u32 chunk = 0; chunk < chunks; chunk++) {
		struct row *r = row_find(m, current, chunk);

		all |= r ? row_missing(r, chunk, window, shift)
			 : window_in_chunk(window, chunk);
	}
	return all;
}

static int learn(struct model *m, u8 current, u64 window)
{
	for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
		struct row *r;

		if (!window_in_chunk(window, chunk))
			continue;
		r = row_make(m, current, chunk);
		if (!r)
			return -ENOMEM;
		row_learn(r, chunk, window);
	}
	return 0;
}

/* ---- calls ---- */

static void verdict_begin(struct verdict *v, const struct thread *t)
{
	*v = (struct verdict){.window = t->window};
}

/* Move the frame on; of one that is shorter than FRAME_LENGTH the oldest call leaves early. */
static inline void frame_move(const struct detector *d, struct thread *t, u32 anomalous)
{
	u64 *word = &t->frame[(d->frame - 1) / 64];
	u64 oldest = 1ULL << (d->frame - 1) % 64;

	t->lfc -= (*word & oldest) != 0;
	*word &= ~oldest;
	frame_push(t, anomalous);
}

/* The index of a call that is learned from or counted. */
static int index_get(struct model *m, u32 symbol, struct verdict *v)
{
	v->index = index_find(m, symbol);
	if (!v->index && index_make(m, symbol, &v->index))
		return -ENOMEM;
	if (v->index == INDEX_OVERFLOW)
		m->overflow_calls++;
	return 0;
}

int detector_learn(const struct detector *d, struct model *m, struct thread *t,
		   u32 symbol, struct verdict *v)
{
	struct profile *p = &m->profile;

	verdict_begin(v, t);
	frame_follow(t, p);
	if (index_get(m, symbol, v))
		return -ENOMEM;
	v->learns = true;
	v->fresh = missing(m, v->index, t->window, TRAIN_SHIFT);
	settle(p, 1, p->epoch);
	if (v->fresh) {
		if (learn(m, v->index, t->window))
			return -ENOMEM;
		profile_changed(p);
	}
	frame_move(d, t, 0);
	t->window = window_push(t->window, v->index, d->window_mask);
	return 0;
}

int detector_test(const struct detector *d, struct model *m, struct thread *t, u32 symbol,
		  struct verdict *v)
{
	verdict_begin(v, t);
	frame_follow(t, &m->profile);
	/* A call that was not learned gets an index, which is in no pair, for its name. */
	if (index_get(m, symbol, v))
		return -ENOMEM;
	v->missed = missing(m, v->index, t->window, TEST_SHIFT);
	frame_move(d, t, v->missed != 0);
	t->window = window_push(t->window, v->index, d->window_mask);
	return 0;
}

int detector_live(const struct detector *d, struct model *m, struct thread *t, u32 symbol,
		  u64 now, struct verdict *v)
{
	const struct rules *rules = &d->rules;
	struct profile *p = &m->profile;
	u32 lfc;

	verdict_begin(v, t);
	frame_follow(t, p);
	if (index_get(m, symbol, v))
		return -ENOMEM;
	v->learns = t->lfc <= rules->tolerize_limit;
	v->fresh = missing(m, v->index, t->window, TRAIN_SHIFT);
	if (v->fresh && v->learns && learn(m, v->index, t->window))
		return -ENOMEM;
	verdict_count(v, p, rules, now);
	frame_follow(t, p);
	if (p->state == STATE_NORMAL)
		v->missed = missing(m, v->index, t->window, TEST_SHIFT);
	lfc = t->lfc;
	frame_move(d, t, v->missed != 0);
	verdict_limit(v, p, rules, lfc, t->lfc);
	t->window = window_push(t->window, v->index, d->window_mask);
	return 0;
}

/* ---- threads ---- */

void thread_exec(struct thread *t, const struct model *m)
{
	thread_gap(t);
	frame_clear(t);
	t->max_lfc = 0;
	t->frame_gen = m ? m->profile.frame_gen : 0;
}

void thread_fork(struct thread *child, const struct thread *t)
{
	*child = *t;
	child->max_lfc = child->lfc;
}

void thread_signal(struct thread *t, bool handled, u32 restart)
{
	if (!handled) {
		t->restart = restart;
		return;
	}
	if (t->depth < SIGNAL_DEPTH) {
		t->signal[t->depth].window = t->window;
		t->signal[t->depth].restart = restart;
	}
	t->depth++;
	t->window = 0;
	t->restart = 0;
}

bool thread_restarts(struct thread *t, u32 symbol)
{
	u32 expected = t->restart;

	t->restart = 0;
	return expected == symbol + 1;
}
