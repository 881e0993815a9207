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

struct known_list {
	struct known *known;
	size_t count;
};

/* The entry of ID, valid until the list changes; NULL: there is none. */
struct known *known_find(const struct known_list *l, const struct identity *id);

/* Whether ID, at PATH (NULL: not known), took K's place: same path, same file system. */
bool known_gave_way(const struct known *k, const struct identity *id, const char *path);

/*
 * The latest other file at PATH (NULL: not known) or with ID's key, whose profile a new
 * program of ID must not inherit unasked; NULL: none. One that gave way comes first.
 */
const struct known *known_predecessor(const struct known_list *l,
				      const struct identity *id, const char *path);

/* Add ID, at PATH (copied), or say of it anew whether it is a MISFIT: 0 or -ENOMEM. */
int known_add(struct known_list *l, const struct identity *id, const char *path,
	      bool misfit);

void known_remove(struct known_list *l, const struct identity *id);
void known_free(struct known_list *l);

#endif
