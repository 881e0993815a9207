/* SPDX-License-Identifier: GPL-2.0-only */
#include "backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"

static struct image *place_of(const struct backlog *b, const struct identity *id)
{
	for (u32 i = 0; i < b->count; i++)
		if (identity_equal(&b->image[i].identity, id))
			return &b->image[i];
	return NULL;
}

static void move(struct image *to, struct image *from)
{
	*to = *from;
	memset(from, 0, sizeof(*from));
}

int backlog_put(struct backlog *b, struct image *im, u32 max)
{
	struct image *place = place_of(b, &im->identity), *grown;

	if (place) {
		image_free(place);
		move(place, im);
		return 0;
	}
	if (b->count >= max)
		return -ENOSPC;
	grown = reallocarray(b->image, b->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	b->image = grown;
	move(&grown[b->count++], im);
	return 0;
}

bool backlog_take(struct backlog *b, const struct identity *id, struct image *im)
{
	struct image *place = place_of(b, id);

	if (!place || !im)
		return place;
	move(im, place);
	*place = b->image[--b->count];
	return true;
}

void backlog_free(struct backlog *b)
{
	for (u32 i = 0; i < b->count; i++)
		image_free(&b->image[i]);
	free(b->image);
	memset(b, 0, sizeof(*b));
}
