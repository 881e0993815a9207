/* SPDX-License-Identifier: GPL-2.0-only */
/* What two images make together, and in what they differ. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "lookahead.h"

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

static bool identity_less(const struct identity *a, const struct identity *b)
{
	if (a->device != b->device)
		return a->device < b->device;
	if (a->inode != b->inode)
		return a->inode < b->inode;
	if (a->generation != b->generation)
		return a->generation < b->generation;
	if (a->size != b->size)
		return a->size < b->size;
	return a->mtime < b->mtime;
}

/* No path comes after all others, or a profile without one would hide them. */
static const char *first_path(const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	return strcmp(a, b) <= 0 ? a : b;
}

/*
 * The calls of both, in order, into CALL (room for all); gives how many. A call that
 * either does not tell apart is not told apart by both: RANK_FOLDED is the smallest rank.
 */
static u32 merge_calls(const struct image *a, const struct image *b,
		       struct image_call *call)
{
	u32 i = 0, j = 0, n = 0;

	while (i < a->calls || j < b->calls) {
		bool take_a = i < a->calls &&
			      (j >= b->calls || a->call[i].symbol <= b->call[j].symbol);
		bool take_b = j < b->calls &&
			      (i >= a->calls || b->call[j].symbol <= a->call[i].symbol);

		call[n] = take_a ? a->call[i] : b->call[j];
		if (take_a && take_b && b->call[j].rank < call[n].rank)
			call[n].rank = b->call[j].rank;
		i += take_a;
		j += take_b;
		n++;
	}
	return n;
}

/* Where in OUT the pairs of FROM's call I belong. */
static u32 place_of(const struct image *out, const struct image *from, u32 i)
{
	int at = image_find(out, from->call[i].symbol);

	if (at >= 0 && out->call[at].rank == RANK_FOLDED)
		at = image_find(out, SYMBOL_NONE);
	return (u32)at;
}

static int add_pairs(struct image *out, const struct image *from)
{
	u32 *place = calloc(from->calls + 1, sizeof(*place));

	if (!place)
		return -ENOMEM;
	for (u32 i = 0; i < from->calls; i++)
		place[i] = place_of(out, from, i);
	for (u32 i = 0; i < from->calls; i++)
		for (u32 j = 0; j < from->calls; j++)
			*image_cell(out, place[i], place[j]) |= *image_cell(from, i, j);
	free(place);
	return 0;
}

static void merge_counters(struct image *out, const struct image *a,
			   const struct image *b)
{
	out->arch = a->arch;
	out->window = a->window;
	out->identity =
		identity_less(&b->identity, &a->identity) ? b->identity : a->identity;
	out->state = a->state < b->state ? a->state : b->state;
	if (out->state == STATE_FROZEN)
		out->normal_time = larger(a->normal_time, b->normal_time);
	out->count = larger(a->count, b->count);
	out->train_count = larger(a->train_count, b->train_count);
	out->change_count = larger(a->change_count, b->change_count);
	out->sequences = larger(a->sequences, b->sequences);
	out->anomalies = larger(a->anomalies, b->anomalies);
	out->saved = larger(a->saved, b->saved);
}

int image_merge(struct image *out, const struct image *a, const struct image *b)
{
	const char *path = first_path(a->path, b->path);
	struct image_call *call;
	u32 calls;
	int result;

	memset(out, 0, sizeof(*out));
	if (a->arch != b->arch || a->window != b->window)
		return -EXDEV;
	call = calloc((size_t)a->calls + b->calls + 1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	calls = merge_calls(a, b, call);
	result = image_init(out, calls);
	if (!result) {
		memcpy(out->call, call, calls * sizeof(*call));
		merge_counters(out, a, b);
		result = add_pairs(out, a);
	}
	if (!result)
		result = add_pairs(out, b);
	if (!result && path)
		result = image_set_path(out, path, strlen(path));
	free(call);
	if (result)
		image_free(out);
	return result;
}

/* IM's cell of two calls by their symbols; 0 where it does not know one. */
static u16 cell_of(const struct image *im, int current, int earlier)
{
	return current < 0 || earlier < 0 ? 0
					  : *image_cell(im, (u32)current, (u32)earlier);
}

static u64 diff_cell(u16 a, u16 b, struct image_difference *d,
		     void (*see)(void *context, const struct image_difference *d),
		     void *context)
{
	u64 found = 0;

	for (d->shift = TRAIN_SHIFT; d->shift <= TEST_SHIFT; d->shift += TEST_SHIFT) {
		d->only_a = (a & ~b) >> d->shift;
		d->only_b = (b & ~a) >> d->shift;
		if (!d->only_a && !d->only_b)
			continue;
		found++;
		if (see)
			see(context, d);
	}
	return found;
}

int image_diff(const struct image *a, const struct image *b,
	       void (*see)(void *context, const struct image_difference *d),
	       void *context, u64 *found)
{
	struct image_call *call;
	u32 calls;

	*found = 0;
	if (a->arch != b->arch || a->window != b->window)
		return -EXDEV;
	call = calloc((size_t)a->calls + b->calls + 1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	calls = merge_calls(a, b, call);
	for (u32 i = 0; i < calls; i++) {
		int current_a = image_find(a, call[i].symbol);
		int current_b = image_find(b, call[i].symbol);

		for (u32 j = 0; j < calls; j++) {
			u16 in_a = cell_of(a, current_a, image_find(a, call[j].symbol));
			u16 in_b = cell_of(b, current_b, image_find(b, call[j].symbol));
			struct image_difference d = {.current = call[i].symbol,
						     .earlier = call[j].symbol};

			if (in_a != in_b)
				*found += diff_cell(in_a, in_b, &d, see, context);
		}
	}
	free(call);
	return 0;
}
