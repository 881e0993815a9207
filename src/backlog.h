/* SPDX-License-Identifier: GPL-2.0-only */
/* Profiles that have left the kernel and could not be saved: kept until they can. */
#ifndef EBPH_BACKLOG_H
#define EBPH_BACKLOG_H

#include "image.h"

struct backlog {
	struct image *image;
	u32 count;
};

/*
 * Keep IM, whose contents move into B (IM is then empty), in place of what B has of its
 * identity. 0; -ENOSPC when B has MAX others already; -ENOMEM.
 */
int backlog_put(struct backlog *b, struct image *im, u32 max);

/* 1 when B has the profile of ID; it then moves into IM unless that is NULL. */
bool backlog_take(struct backlog *b, const struct identity *id, struct image *im);

void backlog_free(struct backlog *b);

#endif
