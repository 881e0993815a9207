/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel side's tables, seen from user space: filling, reading, making room. */
#ifndef EBPH_TABLES_H
#define EBPH_TABLES_H

#include <stdbool.h>

#include "array.h"
#include "compile.h"
#include "image_kernel.h"
#include "source.h"
#include "types.h"
#include "model.h"

/* A profile that is to leave when no thread is on its way to it any more. */
struct leaving {
	u32 slot, rows;
	u64 count; /* of the calls that it had seen */
	u64 since; /* monotonic clock, ns */
};

struct tables {
	const struct loaded *l;
	const struct bounds *bounds;
	struct array profiles, rows, threads, losses, taken; /* the kernel side's */
	u64 freed[TAKEN_KINDS];				     /* slots given back so far */
	struct leaving *leaving;
	u32 leaving_count;
	u32 *gone; /* by slot: the id of its thread, if that was gone at the last look */
	u64 evicted;	      /* profiles that made room so far, */
	u64 evicted_calls;    /* and the calls that they had seen */
	u64 lost[LOST_KINDS]; /* as last read */
	u64 skipped;	      /* runs that the kernel skipped, as last read, */
	u64 skipped_before;   /* and those of programs that others have replaced */
};

/* Prepare T over L's maps, which stay the caller's, and fill them: 0 or -errno. */
int tables_init(struct tables *t, const struct loaded *l, const struct bounds *b);
void tables_free(struct tables *t);

/*
 * T's programs, which run, are others now than in BEFORE, over the same maps: let them
 * be called in place of those, at once, with no call unseen. 0, or -errno, and then all is as
 * it was.
 */
int tables_exchange(struct tables *t, const struct loaded *before);

/*
 * When little room is left, the least recently used profiles that no thread runs
 * leave, for some milliseconds at a time; GONE is told of each, with its slot and last
 * content. Cheap when there is room. To be called often: room is made in two steps, some
 * time apart.
 */
void tables_make_room(struct tables *t,
		      void (*gone)(void *context, u32 slot, const struct profile *p),
		      void *context);

/* The rows of T, for image_kernel.h. */
struct row_table tables_rows(struct tables *t);

/* One profile as it is now, less what threads hold back: 0, or -ENOENT for a free slot. */
int tables_read(const struct tables *t, u32 slot, struct profile *p);

/* One thread as it is now: 0, or -ENOENT for a free slot. */
int tables_read_thread(const struct tables *t, u32 slot, struct thread *thread);

/* 1 when over an eighth of the slots for profiles and for rows is free. */
bool tables_have_room(const struct tables *t);

/*
 * Put P, made outside (rows and all), into a free slot, given in SLOT. OLD, if not 0, is
 * the slot of the same program's profile so far: its threads go over to the new one. 0,
 * -ENOSPC, -EEXIST (OLD is 0, but the kernel side has made one meanwhile), or another
 * -errno: then P's rows are the caller's still.
 */
int tables_install(struct tables *t, const struct profile *p, u32 old, u32 *slot);

/* Give back the rows of P, which is in no slot. */
void tables_free_rows(struct tables *t, const struct profile *p);

/*
 * Ask the kernel side VERB, not VERB_RETIRE_UNUSED, of the profile in SLOT: enum answer,
 * or -errno.
 */
int tables_command(const struct tables *t, u32 slot, enum verb verb);

/*
 * Forget the profile in SLOT (not 0): threads that run it look for another, which will
 * be new, at their next call; then the slot is free again. Result as tables_command().
 */
int tables_forget(struct tables *t, u32 slot);

/* The slot of the profile of ID; 0: there is none. */
u32 tables_find(const struct tables *t, const struct identity *id);

/*
 * Show VISIT each struct profile, or struct thread, as it is in the kernel, slot 0 and
 * slots in no use included: 0 or -ENOMEM. The element, a copy, is valid during the call.
 */
int tables_each_profile(const struct tables *t,
			void (*visit)(void *context, u32 slot, const void *profile),
			void *context);
int tables_each_thread(const struct tables *t,
		       void (*visit)(void *context, u32 slot, const void *thread),
		       void *context);

/*
 * All profiles, indexed by slot 0..bounds->profiles, with all that threads hold back
 * settled; those in no use have STATE_FREE. To be freed; NULL: no memory. THREADS and
 * PROCESSES: how many run them.
 */
struct profile *tables_profiles(const struct tables *t, u32 *threads, u32 *processes);

/*
 * Where the kernel has skipped ends of threads, free the slots of those that were gone at
 * two looks: in the middle of an exec a thread has another id for a moment. To be called
 * every few seconds. Gives how many were freed.
 */
u32 tables_reap(struct tables *t);

/*
 * Tell of each loss since the last time through LOST, in words and a number. Gives
 * the number of all losses so far.
 */
u64 tables_losses(struct tables *t,
		  void (*lost)(void *context, const char *what, u64 count),
		  void *context);

/* Bytes of kernel memory that the maps take, */
u64 tables_memory(const struct tables *t);

/* and those among them that are in this process's memory too. */
u64 tables_mapped(const struct tables *t);

#endif
