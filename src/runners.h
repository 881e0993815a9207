/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who runs what: the threads that may hold back calls from a profile, found once, so that
 * many profiles can be read with these calls in them.
 */
#ifndef EBPH_RUNNERS_H
#define EBPH_RUNNERS_H

#include "tables.h"

struct runner {
	u32 profile, thread; /* slots */
};

struct runners {
	const struct tables *t;
	struct runner *list; /* by profile */
	u32 count;
};

/* Prepare R over T, which must outlive it: 0 or -ENOMEM. runners_free() in any case. */
int runners_init(struct runners *r, const struct tables *t);
void runners_free(struct runners *r);

/* Note who runs what now: 0, or -ENOMEM and then nobody is known to run anything. */
int runners_look(struct runners *r);

/*
 * Read what is in SLOT, with all that the threads hold back now that ran it at the last
 * look: 0, or -ENOENT for a free slot. Calls that are being added to it meanwhile may be
 * missing; none is in P twice.
 */
int runners_read(const struct runners *r, u32 slot, struct profile *p);

#endif
