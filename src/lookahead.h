/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The detector's arithmetic and life cycle, once for the BPF program and for user
 * space: no kernel call, no library call, no loop without a constant bound. Whoever
 * calls a function that changes a profile or a row holds that profile's lock.
 *
 * The one system call of SEMANTICS is, in order: frame_follow(), look for new pairs,
 * verdict_count(), frame_follow(), test, frame_push(), verdict_limit(), window_push().
 */
#ifndef EBPH_LOOKAHEAD_H
#define EBPH_LOOKAHEAD_H

#ifndef LOOKAHEAD_INLINE
#define LOOKAHEAD_INLINE static inline __attribute__((always_inline, unused))
#endif

#ifdef __clang__
#define UNROLL _Pragma("unroll")
#define NO_UNROLL _Pragma("nounroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#define NO_UNROLL
#endif

enum { TRAIN_SHIFT = 0, TEST_SHIFT = 8 };

/* The bytes that a packed window of LENGTH calls (2..9) uses: all but the current. */
LOOKAHEAD_INLINE u64 window_mask(u32 length)
{
	return length >= WINDOW_MAX ? ~0ULL : (1ULL << (8 * (length - 1))) - 1;
}

/* The window after call INDEX (1..255); MASK from window_mask(). */
LOOKAHEAD_INLINE u64 window_push(u64 window, u8 index, u64 mask)
{
	return (window << 8 | index) & mask;
}

/* The index at DISTANCE 1..8 in WINDOW; INDEX_NONE where it is empty. */
LOOKAHEAD_INLINE u8 window_at(u64 window, u32 distance)
{
	return window >> (8 * (distance - 1));
}

/* 1 when a call in WINDOW lies beyond a row's first block. */
LOOKAHEAD_INLINE int window_is_wide(u64 window)
{
	return (window & 0xc0c0c0c0c0c0c0c0ULL) != 0;
}

/*
 * The column of INDEX in its block. The compiler must not see that a mask is
 * superfluous: the verifier wants it.
 */
LOOKAHEAD_INLINE u64 column_of(u64 index)
{
	__asm__ volatile("" : "+r"(index));
	return index & (CHUNK - 1);
}

/* 1 when X is 0, else 0, without a branch: a verifier walks both sides of each. X < 2^63. */
LOOKAHEAD_INLINE u64 is_zero(u64 x)
{
	__asm__ volatile("" : "+r"(x));
	return (x - 1) >> 63;
}

/* 1 when INDEX is a call of block CHUNK_INDEX. */
LOOKAHEAD_INLINE u64 in_chunk(u64 index, u32 chunk_index)
{
	return is_zero(index / CHUNK ^ chunk_index) & ~is_zero(index);
}

/*
 * The distances at which WINDOW holds a pair that ROW has not: bit d-1 for distance
 * d. SHIFT is TRAIN_SHIFT or TEST_SHIFT. Sees the columns of block CHUNK_INDEX only.
 */
LOOKAHEAD_INLINE u8 row_missing(const struct row *row, u32 chunk_index, u64 window,
				u32 shift)
{
	u64 missing = 0;

	UNROLL
	for (u32 d = 0; d < DISTANCES; d++) {
		u64 index = window >> (8 * d) & 0xff;
		u64 known = row->cell[column_of(index)] >> (shift + d) & 1;

		missing |= (in_chunk(index, chunk_index) & ~known) << d;
	}
	return missing;
}

/* The distances at which WINDOW holds a call of block CHUNK_INDEX. */
LOOKAHEAD_INLINE u8 window_in_chunk(u64 window, u32 chunk_index)
{
	u64 filled = 0;

	UNROLL
	for (u32 d = 0; d < DISTANCES; d++)
		filled |= in_chunk(window >> (8 * d) & 0xff, chunk_index) << d;
	return filled;
}

/* Set the train bits of all pairs of WINDOW that lie in block CHUNK_INDEX. */
LOOKAHEAD_INLINE void row_learn(struct row *row, u32 chunk_index, u64 window)
{
	UNROLL
	for (u32 d = 0; d < DISTANCES; d++) {
		u64 index = window >> (8 * d) & 0xff;

		row->cell[column_of(index)] |= in_chunk(index, chunk_index) << d;
	}
}

/* What row_knows() must find: the train pairs, and of a normal profile the test pairs. */
LOOKAHEAD_INLINE u64 row_wanted(u32 state)
{
	return state == STATE_NORMAL ? 1 << TRAIN_SHIFT | 1 << TEST_SHIFT
				     : 1 << TRAIN_SHIFT;
}

/*
 * 1 when ROW, a first block, has all pairs of WINDOW, which is not wide, in all the
 * arrays that WANTED (from row_wanted()) names.
 */
LOOKAHEAD_INLINE int row_knows(const struct row *row, u64 window, u64 wanted)
{
	u64 known = wanted;

	UNROLL
	for (u32 d = 0; d < DISTANCES; d++)
		known &= row->cell[column_of(window >> (8 * d))] >> d;
	return known == wanted;
}

/* ---- windows remembered to be known ---- */

LOOKAHEAD_INLINE u64 memo_hash(u64 window)
{
	return window * 0x9e3779b97f4a7c15ULL;
}

/* The place of WINDOW among a profile's memos. */
LOOKAHEAD_INLINE u64 memo_place(u64 window)
{
	u64 place = memo_hash(window) >> 59;

	__asm__ volatile("" : "+r"(place));
	return place & (MEMOS - 1);
}

/*
 * What a memo's second half is for a call that made window AFTER of BEFORE; MASK from
 * window_mask(). It says which call was pushed out. Two threads may each write one half
 * of a memo: those do not fit together, but for one in 2^24.
 */
LOOKAHEAD_INLINE u64 memo_rest(u64 before, u64 after, u64 mask, u32 epoch)
{
	u64 oldest = before / ((mask >> 8) + 1);

	return (memo_hash(after) & ~0ULL << 40) | oldest << 32 | epoch;
}

/* ---- rows ---- */

/* 1 when ROW needs no row_sync(). */
LOOKAHEAD_INLINE int row_is_current(const struct row *row, const struct profile *p)
{
	return row->gens == p->gens;
}

/*
 * Bring ROW, block CHUNK_INDEX of its row, up to date with P. Test pairs first: they
 * were copied before any later clearing of the train pairs.
 */
LOOKAHEAD_INLINE void row_sync(struct row *row, u32 chunk_index, const struct profile *p)
{
	const u64 train = 0x00ff00ff00ff00ffULL, test = train << TEST_SHIFT;
	u64 keep = 0, copy = 0;

	if (row->test_gen == p->test_gen)
		keep |= test;
	else if (p->test_valid && row->train_gen == p->test_from)
		copy = train;
	if (row->train_gen == p->train_gen)
		keep |= train;
	NO_UNROLL
	for (u32 i = 0; i < CHUNK / 4; i++)
		row->word[i] = (row->word[i] & keep) | (row->word[i] & copy)
							       << TEST_SHIFT;
	if (!chunk_index)
		row->cell[INDEX_NONE] = 0xffff;
	row->gens = p->gens;
}

/* ---- counters ---- */

/* Calls since the last new pair. */
LOOKAHEAD_INLINE u64 last_mod_count(const struct profile *p)
{
	return p->train_count - p->change_count;
}

/*
 * Add CALLS that a thread held back since its profile's epoch was EPOCH. Those held
 * since before a change count as before it, so that freezing may come late, never
 * early; those since before a zeroing of train_count are in the total only.
 */
LOOKAHEAD_INLINE void settle(struct profile *p, u32 calls, u32 epoch)
{
	p->count += calls;
	if ((int)(epoch - p->zero_epoch) < 0)
		return;
	p->train_count += calls;
	if (epoch != p->epoch && p->change_count)
		p->change_count += calls;
}

/*
 * Add to P what its thread T holds back. Whoever reads P and then T without the lock may
 * miss some of it, but counts none twice.
 */
LOOKAHEAD_INLINE void settle_thread(struct profile *p, struct thread *t)
{
	u32 calls = t->pending;

	t->pending = 0;
	asm volatile("" ::: "memory");
	settle(p, calls, t->epoch);
}

LOOKAHEAD_INLINE void train_count_zero(struct profile *p)
{
	p->train_count = 0;
	p->change_count = 0;
	p->zero_epoch = ++p->epoch;
}

/* ---- life cycle ---- */

/* A profile's first state; everything else in P is zero or stays. */
LOOKAHEAD_INLINE void profile_reset(struct profile *p)
{
	p->state = STATE_TRAINING;
	p->train_gen++;
	p->test_gen++;
	p->test_valid = 0;
	p->frame_gen++;
	p->sequences = 0;
	p->anomalies = 0;
	p->normal_time = 0;
	train_count_zero(p);
}

/*
 * Account for a call that set new train bits (already counted by settle()).
 * Gives 1 when that thawed a frozen profile.
 */
LOOKAHEAD_INLINE int profile_changed(struct profile *p)
{
	p->sequences++;
	p->change_count = p->train_count;
	p->epoch++;
	if (p->state != STATE_FROZEN)
		return 0;
	p->state = STATE_TRAINING;
	p->normal_time = 0;
	return 1;
}

/* The freeze rule (SEMANTICS, States): 1 when P must freeze. */
LOOKAHEAD_INLINE int must_freeze(const struct profile *p, const struct rules *r)
{
	return p->state == STATE_TRAINING && p->change_count &&
	       p->train_count * r->factor_den > p->change_count * r->factor;
}

/* Freeze P if it must: 1 when it became frozen. NOW: boot clock, ns. */
LOOKAHEAD_INLINE int freeze(struct profile *p, const struct rules *r, u64 now)
{
	if (!must_freeze(p, r))
		return 0;
	p->state = STATE_FROZEN;
	p->normal_time = now + r->normal_wait;
	p->epoch++;
	return 1;
}

/* What has been learned is normal from now on. */
LOOKAHEAD_INLINE void normalize(struct profile *p)
{
	p->state = STATE_NORMAL;
	p->test_gen++;
	p->test_from = p->train_gen;
	p->test_valid = 1;
	p->anomalies = 0;
	p->normal_time = 0;
	p->frame_gen++;
	train_count_zero(p);
}

/* 1 when P was frozen and its time has come: it is normal now. */
LOOKAHEAD_INLINE int ripen(struct profile *p, u64 now)
{
	if (p->state != STATE_FROZEN || now < p->normal_time)
		return 0;
	normalize(p);
	return 1;
}

/* Forget the train pairs. Normal stays normal; frozen is training again. */
LOOKAHEAD_INLINE void sensitize(struct profile *p)
{
	p->train_gen++;
	p->sequences = 0;
	if (p->state == STATE_FROZEN) {
		p->state = STATE_TRAINING;
		p->normal_time = 0;
	}
	train_count_zero(p);
}

/* Leave normal, keep what was learned, empty the threads' frames. */
LOOKAHEAD_INLINE void tolerize(struct profile *p)
{
	p->state = STATE_TRAINING;
	p->normal_time = 0;
	p->frame_gen++;
	p->epoch++;
}

/* Count an anomalous call: 1 when it exceeded the limit and P is training again. */
LOOKAHEAD_INLINE int anomaly(struct profile *p, const struct rules *r)
{
	p->anomalies++;
	if (p->anomalies <= r->anomaly_limit)
		return 0;
	tolerize(p);
	return 1;
}

/* ---- locality frame ---- */

LOOKAHEAD_INLINE void frame_clear(struct thread *t)
{
	t->frame[0] = 0;
	t->frame[1] = 0;
	t->lfc = 0;
}

/* Move the frame on by one call, ANOMALOUS 0 or 1. */
LOOKAHEAD_INLINE void frame_push(struct thread *t, u32 anomalous)
{
	t->lfc -= t->frame[1] >> 63;
	t->frame[1] = t->frame[1] << 1 | t->frame[0] >> 63;
	t->frame[0] = t->frame[0] << 1 | anomalous;
	t->lfc += anomalous;
	if (t->lfc > t->max_lfc)
		t->max_lfc = t->lfc;
}

/* A frame that was emptied for its profile is emptied for its thread. */
LOOKAHEAD_INLINE void frame_follow(struct thread *t, const struct profile *p)
{
	if (t->frame_gen == p->frame_gen)
		return;
	frame_clear(t);
	t->frame_gen = p->frame_gen;
}

/* ---- what follows from a call ---- */

/* Count the call of V, whose new pairs are known and learned; NOW: boot clock, ns. */
LOOKAHEAD_INLINE void verdict_count(struct verdict *v, struct profile *p,
				    const struct rules *r, u64 now)
{
	int was_frozen = p->state == STATE_FROZEN;

	if (!v->learns) {
		p->count++;
	} else {
		settle(p, 1, p->epoch);
		if (v->fresh)
			v->thawed = profile_changed(p);
		else
			v->froze = freeze(p, r, now);
	}
	if (was_frozen)
		v->ripened = ripen(p, now);
}

/* The call of V, which is tested, took its thread's LFC from BEFORE to AFTER. */
LOOKAHEAD_INLINE void verdict_limit(struct verdict *v, struct profile *p,
				    const struct rules *r, u32 before, u32 after)
{
	if (before <= r->tolerize_limit && after > r->tolerize_limit) {
		sensitize(p);
		v->crossed = 1;
	}
	if (v->missed)
		v->exceeded = anomaly(p, r);
}

/* ---- threads ---- */

/* Forget what came before: a gap, or an exec. */
LOOKAHEAD_INLINE void thread_gap(struct thread *t)
{
	t->window = 0;
	t->depth = 0;
	t->restart = 0;
}

/*
 * T's handler returns: the interrupted window goes on. That of a handler which was not
 * seen to begin, or was too deep, is not known.
 */
LOOKAHEAD_INLINE void thread_sigreturn(struct thread *t)
{
	u32 depth = t->depth;

	t->window = 0;
	t->restart = 0;
	if (!depth)
		return;
	depth--;
	t->depth = depth;
	if (depth < SIGNAL_DEPTH) { /* the verifier wants the mask */
		t->window = t->signal[depth & (SIGNAL_DEPTH - 1)].window;
		t->restart = t->signal[depth & (SIGNAL_DEPTH - 1)].restart;
	}
}

/* Calls of P's threads went unseen. */
LOOKAHEAD_INLINE void profile_gap(struct profile *p)
{
	p->gap_epoch = ++p->epoch;
}

/* 1 when T has not made a call since P's last gap. */
LOOKAHEAD_INLINE int is_before_gap(const struct thread *t, const struct profile *p)
{
	return (int)(t->epoch - p->gap_epoch) < 0;
}

/* ---- symbols ---- */

/*
 * The symbol of call NUMBER in the ABI whose symbols begin at BASE, on a kernel whose
 * table has CALLS places (CALLS_MAX at most).
 */
LOOKAHEAD_INLINE u64 symbol_of(u32 base, u64 number, u64 calls)
{
	int is_x32s = base == SYMBOL_X32 && number - CALLS_MAX < X32_CALLS;

	return number < calls || is_x32s ? base + number : SYMBOL_UNKNOWN;
}

/* A dense index for SYMBOL, which P has none for yet. */
LOOKAHEAD_INLINE u8 symbol_add(struct profile *p, u64 symbol)
{
	u32 next = p->symbols + 1;

	if (symbol >= SYMBOLS)
		return INDEX_OVERFLOW;
	if (next >= INDEX_OVERFLOW) {
		p->overflowed++;
		p->symbol[INDEX_OVERFLOW] = SYMBOL_NONE;
		p->index[symbol] = INDEX_OVERFLOW;
		return INDEX_OVERFLOW;
	}
	p->symbols = next;
	p->symbol[next & 0xff] = symbol;
	p->index[symbol] = next;
	return next;
}

#endif
