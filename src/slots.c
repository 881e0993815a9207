/* SPDX-License-Identifier: GPL-2.0-only */
#include "slots.h"

#include <errno.h>
#include <stdlib.h>

#include "image_kernel.h"

enum { READ_TRIES = 8 };

int slots_init(struct slots *s, struct tables *t, u32 window)
{
	*s = (struct slots){.t = t, .count = t->bounds->profiles, .window = window};
	s->slot = calloc((size_t)s->count + 1, sizeof(*s->slot));
	return runners_init(&s->runners, t) || !s->slot ? -ENOMEM : 0;
}

void slots_free(struct slots *s)
{
	runners_free(&s->runners);
	free(s->slot);
	s->slot = NULL;
}

/* ---- into the kernel ---- */

int slots_install(struct slots *s, const struct image *im, u64 normal_time, u32 old,
		  bool is_saved, u32 *slot)
{
	struct row_table rows = tables_rows(s->t);
	struct profile p = {.named = 1, .identity = im->identity};
	int result = image_to_kernel(im, &p, normal_time, &rows);

	if (result)
		return result;
	if (old)
		p.last_used = instant_now().boot;
	result = tables_install(s->t, &p, old, slot);
	if (result) {
		tables_free_rows(s->t, &p);
		return result;
	}
	if (old)
		slots_clear(s, old);
	slots_saved(s, *slot, &p);
	s->slot[*slot].soon = !is_saved;
	return 0;
}

/* ---- out of the kernel ---- */

int slots_look(struct slots *s)
{
	return runners_look(&s->runners);
}

int slots_profile(const struct slots *s, u32 slot, struct profile *p)
{
	return runners_read(&s->runners, slot, p);
}

int slots_read_leaving(const struct slots *s, const struct profile *p, const char *path,
		       struct image *im)
{
	struct row_table rows = tables_rows(s->t);
	struct instant now = instant_now();

	return image_from_kernel(im, p, path, s->window, &now, &rows);
}

/* -EAGAIN when SLOT changed meanwhile: a row may be newer than the profile. */
static int read_once(const struct slots *s, u32 slot, const char *path, struct profile *p,
		     struct image *im)
{
	struct profile after;
	int result = slots_profile(s, slot, p);

	if (!result)
		result = slots_read_leaving(s, p, path, im);
	if (!result && (tables_read(s->t, slot, &after) || after.gens != p->gens ||
			after.state != p->state)) {
		image_free(im);
		result = -EAGAIN;
	}
	return result;
}

int slots_read(const struct slots *s, u32 slot, const char *path, struct profile *p,
	       struct image *im)
{
	int result = -EAGAIN;

	for (int i = 0; i < READ_TRIES && result == -EAGAIN; i++)
		result = read_once(s, slot, path, p, im);
	return result;
}

/* ---- what is saved ---- */

bool slots_has_changed(const struct slots *s, u32 slot, const struct profile *p)
{
	const struct slot *was = &s->slot[slot];

	return was->arrived && (was->soon || was->failed || was->count != p->count ||
				was->sequences != p->sequences || was->epoch != p->epoch);
}

void slots_saved(struct slots *s, u32 slot, const struct profile *p)
{
	s->slot[slot] = (struct slot){.count = p->count,
				      .sequences = p->sequences,
				      .epoch = p->epoch,
				      .arrived = true};
}

void slots_clear(struct slots *s, u32 slot)
{
	s->slot[slot] = (struct slot){0};
}
