/* SPDX-License-Identifier: GPL-2.0-only */
#include "identity.h"

#include <inttypes.h>
#include <stdio.h>

bool identity_equal(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->generation == b->generation && a->size == b->size &&
	       a->mtime == b->mtime;
}

u64 identity_key(const struct identity *id)
{
	return (id->device << 32) + id->inode;
}

const char *identity_key_text(const struct identity *id, char text[IDENTITY_KEY_TEXT])
{
	snprintf(text, IDENTITY_KEY_TEXT, "%016" PRIx64, identity_key(id));
	return text;
}
