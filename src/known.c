/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"

struct known *known_find(const struct known_list *l, const struct identity *id)
{
	for (size_t i = 0; i < l->count; i++)
		if (identity_equal(&l->known[i].identity, id))
			return &l->known[i];
	return NULL;
}

static bool was_at(const struct known *k, const char *path)
{
	return path && k->path && !strcmp(k->path, path);
}

bool known_gave_way(const struct known *k, const struct identity *id, const char *path)
{
	return was_at(k, path) && k->identity.device == id->device;
}

static bool precedes(const struct known *k, const struct identity *id, const char *path)
{
	return !identity_equal(&k->identity, id) &&
	       (was_at(k, path) || identity_key(&k->identity) == identity_key(id));
}

const struct known *known_predecessor(const struct known_list *l,
				      const struct identity *id, const char *path)
{
	const struct known *best = NULL;
	bool best_gave_way = false;

	for (size_t i = 0; i < l->count; i++) {
		const struct known *k = &l->known[i];
		bool gave_way = known_gave_way(k, id, path);

		if (!precedes(k, id, path))
			continue;
		if (!best || gave_way > best_gave_way ||
		    (gave_way == best_gave_way &&
		     k->identity.mtime >= best->identity.mtime)) {
			best = k;
			best_gave_way = gave_way;
		}
	}
	return best;
}

int known_add(struct known_list *l, const struct identity *id, const char *path,
	      bool misfit)
{
	struct known *k = known_find(l, id), *grown;

	if (k) {
		k->misfit = misfit;
		return 0;
	}
	grown = reallocarray(l->known, l->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->known = grown;
	grown[l->count++] = (struct known){
		.identity = *id, .path = path ? strdup(path) : NULL, .misfit = misfit};
	return 0;
}

void known_remove(struct known_list *l, const struct identity *id)
{
	struct known *k = known_find(l, id);

	if (!k)
		return;
	free(k->path);
	*k = l->known[--l->count];
}

void known_free(struct known_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->known[i].path);
	free(l->known);
	memset(l, 0, sizeof(*l));
}
