/* SPDX-License-Identifier: GPL-2.0-only */
#include "image_kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lookahead.h"
#include "moment.h"

enum { INDICES = 256, NOWHERE = 0xffff };

struct instant instant_now(void)
{
	return (struct instant){.real = moment_wall(), .boot = moment_now()};
}

/* ---- from the kernel ---- */

static int by_symbol(const void *a, const void *b)
{
	return (int)((const struct image_call *)a)->symbol -
	       (int)((const struct image_call *)b)->symbol;
}

/* P's calls into CALL (room for IMAGE_CALLS_MAX + 1), in order; gives how many. */
static int read_calls(const struct profile *p, struct image_call *call)
{
	u32 n = 0, told_apart = p->symbols;
	bool folded = false;

	if (told_apart > RANK_MAX)
		return -EINVAL;
	for (u32 i = 1; i <= told_apart; i++) {
		if (p->symbol[i] >= SYMBOLS)
			return -EINVAL;
		call[n++] = (struct image_call){p->symbol[i], (u16)i};
	}
	for (u32 symbol = 0; symbol < SYMBOLS && n < IMAGE_CALLS_MAX; symbol++) {
		if (p->index[symbol] != INDEX_OVERFLOW)
			continue;
		call[n++] = (struct image_call){(u16)symbol, RANK_FOLDED};
		folded = true;
	}
	if (folded)
		call[n++] = (struct image_call){SYMBOL_NONE, RANK_OTHER};
	qsort(call, n, sizeof(*call), by_symbol);
	for (u32 i = 1; i < n; i++)
		if (call[i].symbol == call[i - 1].symbol)
			return -EINVAL;
	return (int)n;
}

static void read_counters(struct image *im, const struct profile *p, u32 window,
			  const struct instant *now)
{
	im->identity = p->identity;
	im->arch = arch_native();
	im->window = window;
	im->state = p->state;
	im->count = p->count;
	im->train_count = p->train_count;
	im->change_count =
		p->change_count < p->train_count ? p->change_count : p->train_count;
	im->sequences = p->sequences;
	im->anomalies = p->anomalies;
	im->saved = now->real;
	if (im->state == STATE_FROZEN)
		im->normal_time = p->normal_time - now->boot + now->real;
}

/* Add block CHUNK_INDEX of the row of kernel index CURRENT, a copy, to IM. */
static void add_block(struct image *im, const u16 *place, u32 current, u32 chunk_index,
		      struct row *block, const struct profile *p)
{
	if (!row_is_current(block, p))
		row_sync(block, chunk_index, p);
	for (u32 column = 0; column < CHUNK; column++) {
		u32 earlier = place[chunk_index * CHUNK + column];

		/* one that found no room at first knows all, at any distance */
		if (earlier != NOWHERE)
			*image_cell(im, place[current], earlier) =
				block->cell[column] & image_cell_mask(im->window);
	}
}

/*
 * 1 when SLOT is a block's. Where there was no room for one, pairs are missing that the
 * program may well make: IM must learn them before it can be normal.
 */
static bool has_room(struct image *im, u32 slot)
{
	if (slot == ROW_NO_ROOM) {
		if (im->state == STATE_NORMAL) /* its counters are of that time */
			image_train(im);
		im->state = STATE_TRAINING;
		im->normal_time = 0;
	}
	return slot && slot != ROW_NO_ROOM;
}

static int add_row(struct image *im, const u16 *place, u32 current,
		   const struct profile *p, const struct row_table *rows)
{
	struct row first, block;
	int result;

	if (!has_room(im, p->row[current]))
		return 0;
	result = rows->read(rows->context, p->row[current], &first);
	if (result)
		return result;
	add_block(im, place, current, 0, &first, p);
	/* no call is in the blocks beyond */
	for (u32 k = 1; k <= p->symbols / CHUNK; k++) {
		if (!has_room(im, first.more[k - 1]))
			continue;
		result = rows->read(rows->context, first.more[k - 1], &block);
		if (result)
			return result;
		add_block(im, place, current, k, &block, p);
	}
	return 0;
}

int image_from_kernel(struct image *im, const struct profile *p, const char *path,
		      u32 window, const struct instant *now, const struct row_table *rows)
{
	struct image_call call[IMAGE_CALLS_MAX + 1];
	u16 place[INDICES];
	int calls = read_calls(p, call), result;

	memset(im, 0, sizeof(*im));
	if (calls < 0)
		return calls;
	result = image_init(im, (u32)calls);
	if (result)
		return result;
	memcpy(im->call, call, (u32)calls * sizeof(*call));
	memset(place, 0xff, sizeof(place));
	for (u32 i = 0; i < im->calls; i++)
		if (call[i].rank != RANK_FOLDED)
			place[call[i].rank] = (u16)i;
	read_counters(im, p, window, now);
	for (u32 i = 1; i < INDICES && !result; i++)
		if (p->row[i] && place[i] != NOWHERE)
			result = add_row(im, place, i, p, rows);
	if (!result && path && *path)
		result = image_set_path(im, path, IMAGE_PATH_MAX);
	if (!result && image_fault(im))
		result = -EINVAL;
	if (result)
		image_free(im);
	return result;
}

/* ---- to the kernel ---- */

static int by_rank(const void *a, const void *b)
{
	const struct image_call *x = a, *y = b;

	return x->rank != y->rank ? (int)x->rank - (int)y->rank
				  : (int)x->symbol - (int)y->symbol;
}

static void fold(struct profile *p, u32 symbol)
{
	p->symbol[INDEX_OVERFLOW] = SYMBOL_NONE;
	if (symbol >= SYMBOLS)
		return;
	p->overflowed++;
	p->index[symbol] = INDEX_OVERFLOW;
}

/* Give each of IM's calls its index in P. */
static int write_calls(const struct image *im, struct profile *p)
{
	struct image_call *call = calloc(im->calls + 1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	memcpy(call, im->call, im->calls * sizeof(*call));
	qsort(call, im->calls, sizeof(*call), by_rank);
	p->symbols = 0;
	p->overflowed = 0;
	memset(p->symbol, 0, sizeof(p->symbol));
	memset(p->index, 0, sizeof(p->index));
	for (u32 i = 0; i < im->calls; i++) {
		if (call[i].rank == RANK_FOLDED || call[i].symbol == SYMBOL_NONE ||
		    p->symbols == RANK_MAX) {
			fold(p, call[i].symbol);
			continue;
		}
		p->symbols++;
		p->symbol[p->symbols] = call[i].symbol;
		p->index[call[i].symbol] = (u8)p->symbols;
	}
	free(call);
	return 0;
}

/* The slots taken so far, so that they can be given back. */
struct haul {
	const struct row_table *rows;
	u32 slot[INDICES * CHUNKS];
	u32 count;
};

static int take(struct haul *t, u32 *slot)
{
	int result = t->rows->take(t->rows->context, slot);

	if (!result)
		t->slot[t->count++] = *slot;
	return result;
}

/* Where a block has pairs, a slot for it; the first block has to be there for others. */
static int take_blocks(struct haul *t, const u16 *cells, u32 slot[CHUNKS])
{
	int result = 0;

	for (u32 k = CHUNKS; k-- > 0 && !result;) {
		bool filled = false;

		for (u32 i = 0; i < CHUNK; i++)
			filled |= cells[k * CHUNK + i] != 0;
		if (!k)
			filled |= slot[1] || slot[2] || slot[3];
		if (filled)
			result = take(t, &slot[k]);
	}
	return result;
}

/* The row of one current call, its CELLS by kernel index. */
static int write_row(struct haul *t, const u16 *cells, const struct profile *p,
		     u32 *first)
{
	u32 slot[CHUNKS] = {0};
	int result = take_blocks(t, cells, slot);

	*first = slot[0];
	for (u32 k = 0; k < CHUNKS && !result; k++) {
		struct row block = {.gens = p->gens};

		if (!slot[k])
			continue;
		if (!k)
			memcpy(block.more, slot + 1, sizeof(block.more));
		memcpy(block.cell, cells + k * CHUNK, sizeof(block.cell));
		if (!k)
			block.cell[INDEX_NONE] = 0xffff; /* an empty slot is no miss */
		result = t->rows->write(t->rows->context, slot[k], &block);
	}
	return result;
}

static u32 index_of(const struct image *im, const struct profile *p, u32 i)
{
	u32 symbol = im->call[i].symbol;

	return symbol == SYMBOL_NONE ? INDEX_OVERFLOW : p->index[symbol];
}

static int write_rows(const struct image *im, struct profile *p, struct haul *t)
{
	u16(*cells)[INDICES] = calloc(INDICES, sizeof(*cells));
	int result = 0;

	if (!cells)
		return -ENOMEM;
	for (u32 i = 0; i < im->calls; i++)
		for (u32 j = 0; j < im->calls; j++)
			cells[index_of(im, p, i)][index_of(im, p, j)] |=
				*image_cell(im, i, j);
	memset(p->row, 0, sizeof(p->row));
	for (u32 i = 1; i < INDICES && !result; i++)
		result = write_row(t, cells[i], p, &p->row[i]);
	free(cells);
	return result;
}

static void write_counters(const struct image *im, struct profile *p, u64 normal_time)
{
	profile_reset(p);
	memset(p->memo, 0, sizeof(p->memo));
	p->check_at = 0;
	p->identity = im->identity;
	p->state = im->state;
	p->count = im->count;
	p->train_count = im->train_count;
	p->change_count = im->change_count;
	p->sequences = im->sequences;
	p->anomalies = im->anomalies;
	p->normal_time = im->state == STATE_FROZEN ? normal_time : 0;
	/* as normalize() leaves it: every row is written up to date */
	p->test_from = p->train_gen;
	p->test_valid = image_pairs(im, TEST_SHIFT) != 0;
}

int image_to_kernel(const struct image *im, struct profile *p, u64 normal_time,
		    const struct row_table *rows)
{
	struct haul taken = {.rows = rows};
	struct profile loaded = *p;
	int result;

	write_counters(im, &loaded, normal_time);
	result = write_calls(im, &loaded);
	if (!result)
		result = write_rows(im, &loaded, &taken);
	if (result) {
		while (taken.count)
			rows->give(rows->context, taken.slot[--taken.count]);
		return result;
	}
	*p = loaded;
	return 0;
}
