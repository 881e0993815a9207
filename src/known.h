/* SPDX-License-Identifier: GPL-2.0-only */
/* Which profiles a store has, so that a program that comes is recognised. */
#ifndef EBPH_KNOWN_H
#define EBPH_KNOWN_H

#include "image.h"

struct known {
	struct identity identity;
	char *path;  /* NULL: not known */
	bool misfit; /* its file is not for runs like this one */
};

/* What a known program is to one that comes; the higher, the closer. */
enum relation {
	RELATION_NONE,
	RELATION_PATH,	   /* it was at the same path, of another file system */
	RELATION_KEY,	   /* it has the same key (device and inode), at another path */
	RELATION_REPLACED, /* the new one took its place: same path, same file system */
};

struct known_list {
	struct known *known;
	size_t count;
};

/* The entry of ID, valid until the list changes; NULL: there is none. */
struct known *known_find(const struct known_list *l, const struct identity *id);

/*
 * The file whose profile a new program ID at PATH (NULL: not known) must not inherit
 * unasked: the closest by RELATION, which is set, then the latest; NULL: none.
 */
const struct known *known_predecessor(const struct known_list *l,
				      const struct identity *id, const char *path,
				      enum relation *relation);

/* Add ID, at PATH (copied), or say of it anew whether it is a MISFIT: 0 or -ENOMEM. */
int known_add(struct known_list *l, const struct identity *id, const char *path,
	      bool misfit);

void known_remove(struct known_list *l, const struct identity *id);
void known_free(struct known_list *l);

#endif
