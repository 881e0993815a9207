/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slots of the kernel's table of profiles: images go in and come out, and what of
 * each slot is saved is noted.
 */
#ifndef EBPH_SLOTS_H
#define EBPH_SLOTS_H

#include <stdbool.h>

#include "image.h"
#include "runners.h"
#include "tables.h"

struct slot {
	u64 count, sequences; /* of its profile, when it was last saved or put in */
	u32 epoch;	      /* likewise */
	bool arrived;	      /* until then it may be new, or one that the store has */
	bool soon;	      /* save it at the next tick */
	bool failed;	      /* the last try to save it; told of */
	/* What was learned before is still outside: not to be written over. */
	bool waiting;
};

struct slots {
	struct tables *t;
	u32 count;		/* the slots that profiles may have are 1..COUNT */
	u32 window;		/* length, of this run */
	struct runners runners; /* of T's profiles, at the last look */
	struct slot *slot;	/* all zero for one that nothing is known of */
};

/* Prepare S over T, which must outlive it: 0 or -ENOMEM. slots_free() in any case. */
int slots_init(struct slots *s, struct tables *t, u32 window);
void slots_free(struct slots *s);

/*
 * Put IM into the tables in place of what is in slot OLD; the slot that it is in then
 * into SLOT. OLD is 0 when no thread asked for it: it then counts as never used, until
 * one does. NORMAL_TIME: when it becomes normal, on the boot clock (0: it is not frozen).
 * IS_SAVED: the store has it just so. 0, -ENOSPC, -EEXIST (as of tables_install()), or
 * another -errno.
 */
int slots_install(struct slots *s, const struct image *im, u64 normal_time, u32 old,
		  bool is_saved, u32 *slot);

/*
 * Look who runs what: the calls that those threads hold back are in what is read from then
 * on, as in runners_read(). 0 or -ENOMEM.
 */
int slots_look(struct slots *s);

/* The profile in SLOT: 0, or -ENOENT for a free one. */
int slots_profile(const struct slots *s, u32 slot, struct profile *p);

/*
 * P and IM become what SLOT holds now, IM with PATH (NULL: not known): 0; -ENOENT for a
 * free slot; -EAGAIN when it changes too fast, or another -errno: IM is not set then.
 */
int slots_read(const struct slots *s, u32 slot, const char *path, struct profile *p,
	       struct image *im);

/* The same of P, which is about to leave the tables. 0 or -errno. */
int slots_read_leaving(const struct slots *s, const struct profile *p, const char *path,
		       struct image *im);

/* 1 when P, in SLOT, is to be saved: it is known whose it is, and it is not what was. */
bool slots_has_changed(const struct slots *s, u32 slot, const struct profile *p);

/* What SLOT held when it was read as P is saved. */
void slots_saved(struct slots *s, u32 slot, const struct profile *p);

/* SLOT is another's from now on: nothing is known of it. */
void slots_clear(struct slots *s, u32 slot);

#endif
