/* SPDX-License-Identifier: GPL-2.0-only */
#include "model_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_kernel.h"

static u32 known_shift(const struct image *im)
{
	return im->state == STATE_NORMAL ? TEST_SHIFT : TRAIN_SHIFT;
}

const char *model_image_misfit(const struct image *im, u32 window)
{
	const char *why = image_misfit(im, window);

	if (why)
		return why;
	if (!im->path)
		return "it does not say of which program it is";
	if (!image_pairs(im, known_shift(im)))
		return "it has no pairs: nothing was learned yet";
	return NULL;
}

/* The slots that image_to_kernel() fills: ROW[0] is slot 1. */
struct pool {
	struct row *row;
	u32 count, room;
};

static int take(void *context, u32 *slot)
{
	struct pool *p = context;

	if (p->count == p->room) {
		u32 room = p->room ? 2 * p->room : 64;
		struct row *grown = reallocarray(p->row, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		p->row = grown;
		p->room = room;
	}
	*slot = ++p->count;
	return 0;
}

static int write_row(void *context, u32 slot, const struct row *row)
{
	struct pool *p = context;

	p->row[slot - 1] = *row;
	return 0;
}

/* After a failure only, when the whole pool is freed. */
static void give(void *context, u32 slot)
{
	(void)context;
	(void)slot;
}

static struct row *copy_row(const struct pool *p, u32 slot)
{
	struct row *row = malloc(sizeof(*row));

	if (row)
		*row = p->row[slot - 1];
	return row;
}

/* The pool's rows go to where a model has them. */
static int place_rows(struct model *m, const struct pool *pool)
{
	for (u32 i = 0; i < 256; i++) {
		u32 slot[CHUNKS] = {m->profile.row[i]};

		if (slot[0])
			memcpy(slot + 1, pool->row[slot[0] - 1].more,
			       (CHUNKS - 1) * sizeof(*slot));
		for (u32 k = 0; k < CHUNKS; k++) {
			if (!slot[k])
				continue;
			m->row[i][k] = copy_row(pool, slot[k]);
			if (!m->row[i][k])
				return -ENOMEM;
		}
	}
	memset(m->profile.row, 0, sizeof(m->profile.row));
	return 0;
}

/* TO becomes what IM takes for normal, yet to be made normal. */
static int copy_known(const struct image *im, struct image *to)
{
	u32 shift = known_shift(im);
	int result = image_init(to, im->calls);

	if (result)
		return result;
	memcpy(to->call, im->call, im->calls * sizeof(*im->call));
	for (size_t i = 0; i < (size_t)im->calls * im->calls; i++)
		to->cell[i] = (im->cell[i] >> shift & 0xff) << TRAIN_SHIFT;
	to->identity = im->identity;
	to->arch = im->arch;
	to->window = im->window;
	to->state = STATE_TRAINING;
	to->count = im->count;
	to->sequences = im->sequences;
	return 0;
}

int model_image_add(struct detector *d, const struct image *im)
{
	struct pool pool = {.row = NULL};
	const struct row_table table = {
		.context = &pool, .write = write_row, .take = take, .give = give};
	struct model *m = detector_find(d, im->path);
	struct image known = {.calls = 0};
	int result;

	if (m)
		return -EEXIST;
	m = detector_model(d, im->path);
	result = m ? copy_known(im, &known) : -ENOMEM;
	if (!result)
		result = image_to_kernel(&known, &m->profile, 0, &table);
	if (!result)
		result = place_rows(m, &pool);
	if (!result)
		memcpy(m->index, m->profile.index, SYMBOLS);
	image_free(&known);
	free(pool.row);
	return result;
}
