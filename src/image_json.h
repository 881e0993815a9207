/* SPDX-License-Identifier: GPL-2.0-only */
/* Images as JSON: `ebph profile export --json`, and what `import` reads. */
#ifndef EBPH_IMAGE_JSON_H
#define EBPH_IMAGE_JSON_H

#include <jansson.h>

#include "image.h"

/* All of IM; json_decref() it. NULL: no memory. */
json_t *image_json(const struct image *im);

/* What a summary says of IM (key, exe, state, counters), likewise. */
json_t *image_json_summary(const struct image *im);

/* All pairs of IM, likewise: a list of {current, previous, train, test}. */
json_t *image_json_pairs(const struct image *im);

/* Distances whose bits are set in BITS, as a list of numbers. */
json_t *image_json_distances(u8 bits);

/*
 * IM becomes what J holds (as image_json() writes it; "nr" may be left out where "call"
 * has a name, and "rank" too); the caller frees it. 0, -EINVAL with WHY (why_size bytes)
 * set, or -ENOMEM.
 */
int image_from_json(const json_t *j, struct image *im, char *why, size_t why_size);

#endif
