/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A profile outside the kernel: what a file holds and what tools look at. It knows
 * nothing of slots, generations or the boot clock.
 */
#ifndef EBPH_IMAGE_H
#define EBPH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"
#include "model.h"
#include "syscalls.h"

enum {
	IMAGE_CALLS_MAX = SYMBOLS + 1, /* every symbol, and SYMBOL_NONE */
	IMAGE_PATH_MAX = 4096,	       /* bytes */
	RANK_FOLDED = 0,
	RANK_MAX = 254,
	RANK_OTHER = 255,
};

/*
 * A distinct call. RANK is its index in the kernel's tables (1..RANK_MAX, unique in a
 * profile that comes from the kernel; after a merge several may share one), so that the
 * calls a program makes first keep the places that are quickest to test. RANK_FOLDED:
 * the program made more calls than the tables tell apart; this one's pairs are those of
 * SYMBOL_NONE, whose rank is RANK_OTHER and which is there when any call is folded.
 */
struct image_call {
	u16 symbol;
	u16 rank;
};

/*
 * CALL is in ascending order of symbols. CELL has CALLS rows of CALLS columns: row of
 * the current call, column of the earlier one; low byte the train pairs, high byte the
 * test pairs, bit d-1 for distance d (struct row).
 */
struct image {
	struct identity identity;
	char *path; /* NULL: not known; at most IMAGE_PATH_MAX bytes, any but 0 */
	enum arch arch;
	u32 window; /* 2..WINDOW_MAX */
	u32 state;  /* enum profile_state, not STATE_FREE */
	u64 count, train_count, change_count, sequences, anomalies; /* struct profile */
	u64 saved;	 /* real time, ns since 1970 */
	u64 normal_time; /* when it becomes normal, likewise; 0 unless frozen */
	u32 calls;
	struct image_call *call;
	u16 *cell;
};

/* Make IM with room for CALLS calls, everything zero; 0, -EINVAL or -ENOMEM. */
int image_init(struct image *im, u32 calls);

/* Free what IM holds and clear it. May be called twice. */
void image_free(struct image *im);

/* IM's path, copied from the first LENGTH bytes of PATH; NULL: none. 0 or -ENOMEM. */
int image_set_path(struct image *im, const char *path, size_t length);

/* The bits that a cell may have with a window of WINDOW calls: of train and of test pairs. */
static inline u16 image_cell_mask(u32 window)
{
	return (u16)(((1U << (window - 1)) - 1) * 0x101);
}

static inline u16 *image_cell(const struct image *im, u32 current, u32 earlier)
{
	return &im->cell[(size_t)current * im->calls + earlier];
}

/* The place of SYMBOL in IM's calls; -1 where it is not. */
int image_find(const struct image *im, u32 symbol);

/*
 * NULL when IM keeps every rule above and those of SEMANTICS that tie its counters;
 * else the rule that it breaks, for an error message.
 */
const char *image_fault(const struct image *im);

/* NULL when a run with windows of WINDOW calls on this machine can use IM; else why not. */
const char *image_misfit(const struct image *im, u32 window);

/* How many pairs (cells that are not zero in the byte at SHIFT) IM has. */
u32 image_pairs(const struct image *im, u32 shift);

/* Labels of IM's calls (syscall_label()), IM->calls of them; free() it. NULL: no memory. */
char (*image_labels(const struct image *im))[SYSCALL_LABEL];

/* 1 when A and B are the same in everything that a file holds. */
bool image_equal(const struct image *a, const struct image *b);

/* ---- operations ---- */

/*
 * OUT becomes A and B together: the union of calls and of pairs, the largest of each
 * counter and of SAVED, the least advanced state (and then the latest normal_time), the
 * smallest identity and path. So merging is associative, commutative and idempotent.
 * 0, -EXDEV when machine or window differ (OUT is empty then), or -ENOMEM.
 */
int image_merge(struct image *out, const struct image *a, const struct image *b);

/* A pair at distances that only one of two images has; SHIFT: of train or of test. */
struct image_difference {
	u32 current, earlier; /* symbols */
	u32 shift;
	u8 only_a, only_b;
};

/*
 * Tell SEE (NULL: nobody) of each pair that differs, and put how many do into FOUND. 0,
 * -EXDEV when machine or window differ, or -ENOMEM.
 */
int image_diff(const struct image *a, const struct image *b,
	       void (*see)(void *context, const struct image_difference *d),
	       void *context, u64 *found);

/* What has been learned is normal (lookahead.h: normalize()). */
void image_normalize(struct image *im);

/* IM is in training again, as if every sequence of it had just been learned. */
void image_train(struct image *im);

/*
 * Let another file, ID, start from what IM knows, as image_train() does. Test pairs stay
 * for looking at.
 */
void image_adopt(struct image *im, const struct identity *id);

/* Forget everything but whose profile it is and the count of all calls. */
void image_reset(struct image *im);

#endif
