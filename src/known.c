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

/* What K is to ID at PATH (NULL: not known). */
static enum relation relation_of(const struct known *k, const struct identity *id,
				 const char *path)
{
	if (identity_equal(&k->identity, id))
		return RELATION_NONE;
	if (path && k->path && !strcmp(k->path, path))
		return k->identity.device == id->device ? RELATION_REPLACED
							: RELATION_PATH;
	return identity_key(&k->identity) == identity_key(id) ? RELATION_KEY
							      : RELATION_NONE;
}

const struct known *known_predecessor(const struct known_list *l,
				      const struct identity *id, const char *path,
				      enum relation *relation)
{
	const struct known *best = NULL;

	*relation = RELATION_NONE;
	for (size_t i = 0; i < l->count; i++) {
		const struct known *k = &l->known[i];
		enum relation is = relation_of(k, id, path);

		if (is > *relation || (best && is == *relation &&
				       k->identity.mtime >= best->identity.mtime)) {
			best = k;
			*relation = is;
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
