/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the kernel's profiles in a store, and brings them back: all at the start, one
 * when its program returns.
 */
#ifndef EBPH_KEEPER_H
#define EBPH_KEEPER_H

#include <stdbool.h>

#include "image.h"
#include "store.h"
#include "tables.h"

struct keeper_options {
	const char *directory;
	bool load, save;
	bool adopt; /* a replaced file starts from what the old one knew */
	u32 window; /* length, of this run */
	u64 normal_wait_ns;
	u64 save_interval_ns;
};

/* What a keeper tells of, and where it learns the names of profiles. */
struct keeper_callbacks {
	void *context;
	/* Something is wrong, or worth knowing, with SUBJECT (a path; NULL: none). */
	void (*warn)(void *context, const char *subject, const char *message);
	/* COUNT more of WHAT were lost. */
	void (*lost)(void *context, const char *what, u64 count);
	/* The path of the profile of ID in SLOT; NULL: not known. */
	const char *(*path_of)(void *context, u32 slot, const struct identity *id);
	/* SLOT now holds the profile of ID and PATH (NULL: not known). */
	void (*named)(void *context, u32 slot, const struct identity *id,
		      const char *path);
};

struct keeper;

/*
 * Open the store and load what fits into T. NULL with a sentence in ERROR (SIZE bytes)
 * when the directory cannot be used. All arguments must outlive the keeper, but not O.
 */
struct keeper *keeper_open(const struct keeper_options *o,
			   const struct keeper_callbacks *c, struct tables *t,
			   char *error, size_t size);

/* Close and free; nothing is saved any more. K may be NULL. */
void keeper_close(struct keeper *k);

/*
 * A new profile, of a program that runs, was made in SLOT. If the store knows it, what
 * it knew takes its place; if it knows another file at the same path or with the same
 * key, that is told of.
 */
void keeper_arrived(struct keeper *k, u32 slot, const struct identity *id,
		    const char *path);

/* The profile in SLOT has just become normal: it is saved soon. */
void keeper_ripened(struct keeper *k, u32 slot);

/* P, which was in SLOT, is about to leave the tables. */
void keeper_leaves(struct keeper *k, u32 slot, const struct profile *p);

/* True when what the store has of SLOT's program will take its place when it finds room. */
bool keeper_waits(const struct keeper *k, u32 slot);

/* The profile of ID in SLOT was given up: it is not to come back from the store. */
void keeper_forget(struct keeper *k, u32 slot, const struct identity *id);

/*
 * Load all that the store has, in place of what the tables have of the same programs. 0,
 * or -errno with a sentence in ERROR (SIZE bytes); what was loaded until then stays.
 */
int keeper_load(struct keeper *k, char *error, size_t size);

/* Save what is due, for at most a few milliseconds at a time. NOW: monotonic, ns. */
void keeper_tick(struct keeper *k, u64 now);

/* True while keeper_tick() has more to do at once. */
bool keeper_is_busy(const struct keeper *k);

/* How many calls the profiles that were brought back had seen before. */
u64 keeper_calls(const struct keeper *k);

/* How many calls of programs that ran were lost when their profiles were brought back. */
u64 keeper_lost(const struct keeper *k);

/*
 * Save all that has changed, the calls included that threads hold back. MEANWHILE is done
 * every few milliseconds, between two profiles; it may call what is here, but not
 * keeper_save() and keeper_tick(). Gives how many could not be saved.
 */
u32 keeper_save(struct keeper *k, const struct meanwhile *meanwhile);

#endif
