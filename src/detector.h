/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The detector in user space: the arithmetic and life cycle of lookahead.h, which
 * the BPF program runs too, over profiles that live in this process's memory.
 */
#ifndef EBPH_DETECTOR_H
#define EBPH_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"

/* A profile with its rows. */
struct model {
	struct profile profile;
	struct row *row[256][CHUNKS]; /* NULL: not needed yet */
	u8 *index;		      /* of each symbol below index_size */
	u32 index_size;
	u32 slot; /* its place among the detector's, from 1 */
	char *exe;
	u64 overflow_calls; /* calls folded into INDEX_OVERFLOW */
	u64 untested;	    /* calls of a program that was never learned */
};

struct detector {
	struct rules rules;
	u64 window_mask; /* from window_mask() */
	u32 frame;	 /* calls in a locality frame, 1..FRAME_LENGTH */
	struct model **models;
	u32 count;
	u32 room;
};

/*
 * WINDOW: calls in a window, 2..WINDOW_MAX; FRAME: in a locality frame, 1..FRAME_LENGTH.
 * detector_free() ends it.
 */
void detector_init(struct detector *d, const struct rules *rules, u32 window, u32 frame);
void detector_free(struct detector *d);

/* The model of the program EXE; NULL: there is none. */
struct model *detector_find(const struct detector *d, const char *exe);

/* The model of the program EXE, made in state training if there is none; NULL: no memory. */
struct model *detector_model(struct detector *d, const char *exe);

/* All that was learned becomes normal. */
void detector_normalize(struct detector *d);

/*
 * One call, SYMBOL (0..SYMBOL_NONE - 1), of thread T that runs M; what it did goes to
 * *V. Each gives 0 or -ENOMEM.
 *
 * learn: trains only, without limits; M stays in state training.
 * test: M is normal and no pair in it changes; there are no limits.
 * live: steps 1 to 6 of SEMANTICS; NOW is a clock in ns.
 */
int detector_learn(const struct detector *d, struct model *m, struct thread *t,
		   u32 symbol, struct verdict *v);
int detector_test(const struct detector *d, struct model *m, struct thread *t, u32 symbol,
		  struct verdict *v);
int detector_live(const struct detector *d, struct model *m, struct thread *t, u32 symbol,
		  u64 now, struct verdict *v);

/*
 * The index in M of a call that T may make without anything to learn or to
 * report, and nothing but its window and counters to change, as the kernel side's enter()
 * asks first; INDEX_NONE: ask the functions above. WANTED: as row_knows() has it.
 */
static inline u8 detector_known(const struct model *m, const struct thread *t, u32 symbol,
				u64 wanted)
{
	u8 index = symbol < m->index_size ? m->index[symbol] : INDEX_NONE;
	const struct row *r = m->row[index][0];

	if (!r || index == INDEX_OVERFLOW || t->lfc || window_is_wide(t->window) ||
	    t->frame_gen != m->profile.frame_gen || !row_is_current(r, &m->profile) ||
	    !row_knows(r, t->window, wanted))
		return INDEX_NONE;
	return index;
}

/* T runs another program from now on. */
void thread_exec(struct thread *t, const struct model *m);

/* T is CHILD's parent. */
void thread_fork(struct thread *child, const struct thread *t);

/*
 * A signal reaches T: HANDLED, its handler begins with an empty window. RESTART is the
 * symbol, + 1, of a call that the kernel will enter again for it, or 0.
 */
void thread_signal(struct thread *t, bool handled, u32 restart);

/* true when SYMBOL is noise, to be counted only: the kernel enters that call again. */
bool thread_restarts(struct thread *t, u32 symbol);

/* The symbol of INDEX in M; SYMBOL_NONE for those folded into one. */
u32 model_symbol(const struct model *m, u8 index);

#endif
