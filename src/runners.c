/* SPDX-License-Identifier: GPL-2.0-only */
#include "runners.h"

#include <errno.h>
#include <stdlib.h>

#include "lookahead.h"

int runners_init(struct runners *r, const struct tables *t)
{
	*r = (struct runners){.t = t,
			      .list = calloc(t->bounds->threads, sizeof(*r->list))};
	return r->list ? 0 : -ENOMEM;
}

void runners_free(struct runners *r)
{
	free(r->list);
	*r = (struct runners){0};
}

static void note(void *context, u32 slot, const void *element)
{
	const struct thread *t = element;
	struct runners *r = context;

	if (slot && t->tid && t->profile && r->count < r->t->bounds->threads)
		r->list[r->count++] = (struct runner){t->profile, slot};
}

static int by_profile(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	return x->profile < y->profile ? -1 : x->profile > y->profile;
}

int runners_look(struct runners *r)
{
	int result;

	r->count = 0;
	result = tables_each_thread(r->t, note, r);
	if (r->count)
		qsort(r->list, r->count, sizeof(*r->list), by_profile);
	return result;
}

/* The place of the first that runs SLOT or a later one. */
static u32 first_of(const struct runners *r, u32 slot)
{
	u32 low = 0, high = r->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (r->list[middle].profile < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The profile first: what a thread adds to it after that is not in it, or held back still. */
int runners_read(const struct runners *r, u32 slot, struct profile *p)
{
	int result = tables_read(r->t, slot, p);

	for (u32 i = first_of(r, slot);
	     !result && i < r->count && r->list[i].profile == slot; i++) {
		struct thread t;

		if (!tables_read_thread(r->t, r->list[i].thread, &t) && t.profile == slot)
			settle(p, t.pending, t.epoch);
	}
	return result;
}
