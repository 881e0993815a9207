/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image_kernel.h"
#include "wait.h"

/* How long saving may keep events waiting. */
#define TICK_BUDGET_NS 20000000ULL
enum { READ_TRIES = 8, REASON = 256 };

/* What was last saved from, or loaded into, a slot. */
struct kept {
	u64 count, sequences;
	u32 epoch;
	bool soon;   /* save it at the next tick */
	bool failed; /* the last try; told of */
};

/* A profile that the store had when it was opened, or was given since. */
struct known {
	struct identity identity;
	char *path; /* NULL: not known */
};

struct keeper {
	struct keeper_options o;
	struct keeper_callbacks c;
	struct tables *t;
	struct store store;
	bool is_open;
	struct kept *kept; /* by slot */
	struct known *known;
	size_t known_count;
	u64 calls; /* that the profiles which were installed had seen */
	u64 next_save;
	u32 next_slot; /* where the saving that is under way goes on; 0: none is */
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void warn(struct keeper *k, const char *subject, const char *message)
{
	k->c.warn(k->c.context, subject ? subject : "", message);
}

/* ---- what the store knows ---- */

static int remember(struct keeper *k, const struct identity *id, const char *path)
{
	struct known *grown;

	for (size_t i = 0; i < k->known_count; i++)
		if (identity_equal(&k->known[i].identity, id))
			return 0;
	grown = reallocarray(k->known, k->known_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	k->known = grown;
	grown[k->known_count++] =
		(struct known){.identity = *id, .path = path ? strdup(path) : NULL};
	return 0;
}

static bool is_known(const struct keeper *k, const struct identity *id)
{
	for (size_t i = 0; i < k->known_count; i++)
		if (identity_equal(&k->known[i].identity, id))
			return true;
	return false;
}

/* The latest other file at PATH or with ID's key; NULL: none. */
static const struct known *predecessor(const struct keeper *k, const struct identity *id,
				       const char *path)
{
	const struct known *found = NULL;

	for (size_t i = 0; i < k->known_count; i++) {
		const struct known *o = &k->known[i];

		if (identity_equal(&o->identity, id))
			continue;
		if ((path && o->path && !strcmp(o->path, path)) ||
		    image_key(&o->identity) == image_key(id))
			if (!found || o->identity.mtime >= found->identity.mtime)
				found = o;
	}
	return found;
}

/* ---- into the kernel ---- */

/* When IM becomes normal, on the boot clock; tells of a clock that cannot be believed. */
static u64 deadline(struct keeper *k, const struct image *im)
{
	struct instant now = instant_now();
	struct wait w =
		wait_remaining(im->saved, im->normal_time, k->o.normal_wait_ns, now.real);

	if (im->state != STATE_FROZEN)
		return 0;
	if (wait_clock_text(w.clock))
		warn(k, im->path, wait_clock_text(w.clock));
	return now.boot + w.remaining;
}

/*
 * Put IM into the tables in place of OLD. That is 0 when no thread asked for it: it then
 * counts as never used, until one does. IS_SAVED: the store has it just so.
 */
static int install(struct keeper *k, const struct image *im, u32 old, bool is_saved)
{
	struct row_table rows = tables_rows(k->t);
	struct profile p = {.named = 1, .identity = im->identity};
	int result = image_to_kernel(im, &p, deadline(k, im), &rows);
	u32 slot;

	if (result)
		return result;
	if (old)
		p.last_used = instant_now().boot;
	result = tables_install(k->t, &p, old, &slot);
	if (result) {
		tables_free_rows(k->t, &p);
		return result;
	}
	k->kept[slot] = (struct kept){.count = p.count,
				      .sequences = p.sequences,
				      .epoch = p.epoch,
				      .soon = !is_saved};
	k->calls += im->count;
	k->c.named(k->c.context, slot, &im->identity, im->path);
	return 0;
}

/* Put IM into the tables in place of what they have of its program. */
static int load_one(void *context, const char *file, struct image *im)
{
	struct keeper *k = context;
	u32 old = tables_find(k->t, &im->identity);
	const char *misfit = image_misfit(im, k->o.window);
	char reason[REASON];
	int result;

	if (misfit) {
		snprintf(reason, sizeof(reason), "its profile is not used: %s", misfit);
		warn(k, im->path ? im->path : file, reason);
		return 0;
	}
	result = remember(k, &im->identity, im->path);
	if (result ||
	    (!old && !tables_have_room(k->t))) /* it comes when its program runs */
		return result;
	result = install(k, im, old, true);
	return result == -ENOSPC ? 0 : result;
}

static void load_problem(void *context, const struct store_problem *p)
{
	char reason[REASON];

	snprintf(reason, sizeof(reason), "this profile is not used: %s: %s%s%s",
		 store_fault_text(p->fault), p->why, p->aside ? "; it is kept as " : "",
		 p->aside ? p->aside : "");
	warn(context, p->file, reason);
}

/* The profile that the store has of ID, into IM: 0 or -errno. */
static int find(struct keeper *k, const struct identity *id, struct image *im)
{
	char name[STORE_NAME], why[REASON];

	store_name(id, name);
	return store_read(k->store.dir, name, im, why, sizeof(why));
}

static void tell_of_replacement(struct keeper *k, const struct known *old,
				const char *path, bool adopted)
{
	char message[REASON];

	snprintf(message, sizeof(message),
		 "%s: the profile of the file before (key %016llx) is kept, %s",
		 path && old->path && !strcmp(path, old->path)
			 ? "the program was replaced"
			 : "another program had this key",
		 (unsigned long long)image_key(&old->identity),
		 adopted ? "a new one starts from what it knew" : "a new one starts");
	warn(k, path, message);
}

/* ID is new: tell of what it took the place of, and start from that if so wished. */
static void arrived_anew(struct keeper *k, u32 slot, const struct identity *id,
			 const char *path)
{
	const struct known *old = predecessor(k, id, path);
	struct image im;
	bool adopted = false;

	if (old && k->o.adopt && !find(k, &old->identity, &im)) {
		image_adopt(&im, id);
		adopted =
			!image_misfit(&im, k->o.window) && !install(k, &im, slot, false);
		image_free(&im);
	}
	if (old)
		tell_of_replacement(k, old, path, adopted);
	remember(k, id, path);
}

void keeper_arrived(struct keeper *k, u32 slot, const struct identity *id,
		    const char *path)
{
	struct image im;

	k->kept[slot] = (struct kept){0};
	if (!k->is_open || !k->o.load)
		return;
	if (!is_known(k, id)) {
		arrived_anew(k, slot, id, path);
		return;
	}
	if (find(k, id, &im))
		return;
	if (install(k, &im, slot, true))
		warn(k, path,
		     "its profile is on disk, but finds no room: see --max-profiles "
		     "and --max-pairs-memory");
	image_free(&im);
}

/* ---- out of the kernel ---- */

/* A row may be newer than the profile read before it: read again until all agree. */
static int take_image(struct keeper *k, u32 slot, struct image *im)
{
	struct row_table rows = tables_rows(k->t);
	int result = -EAGAIN;

	for (int i = 0; i < READ_TRIES && result == -EAGAIN; i++) {
		struct instant now = instant_now();
		struct profile p, after;

		result = tables_read(k->t, slot, &p);
		if (!result)
			result = image_from_kernel(
				im, &p, k->c.path_of(k->c.context, slot, &p.identity),
				k->o.window, &now, &rows);
		if (!result && (tables_read(k->t, slot, &after) || after.gens != p.gens ||
				after.state != p.state)) {
			image_free(im);
			result = -EAGAIN;
		}
	}
	return result;
}

static int save_image(struct keeper *k, u32 slot, const struct image *im)
{
	struct kept *kept = &k->kept[slot];
	char why[REASON], message[REASON + 64];
	int result = store_save(&k->store, im, why, sizeof(why));

	if (!result) {
		remember(k, &im->identity, im->path);
	} else if (!kept->failed) {
		snprintf(message, sizeof(message),
			 "its profile could not be saved, and will be tried again: %s",
			 why);
		warn(k, im->path, message);
	}
	kept->failed = result != 0;
	return result;
}

static bool has_changed(const struct kept *kept, const struct profile *p)
{
	return kept->soon || kept->failed || kept->count != p->count ||
	       kept->sequences != p->sequences || kept->epoch != p->epoch;
}

/* Save what is in SLOT if it has changed: 0 or -errno. */
static int save_slot(struct keeper *k, u32 slot)
{
	struct profile p;
	struct image im;
	int result;

	if (tables_read(k->t, slot, &p) || !has_changed(&k->kept[slot], &p))
		return 0;
	result = take_image(k, slot, &im);
	if (result)
		return result == -ENOENT ? 0 : result;
	result = save_image(k, slot, &im);
	image_free(&im);
	if (!result)
		k->kept[slot] = (struct kept){
			.count = p.count, .sequences = p.sequences, .epoch = p.epoch};
	return result;
}

void keeper_ripened(struct keeper *k, u32 slot)
{
	k->kept[slot].soon = true;
	if (!k->next_slot)
		k->next_slot = 1;
}

void keeper_forget(struct keeper *k, u32 slot, const struct identity *id)
{
	char name[STORE_NAME];
	int result = 0;

	k->kept[slot] = (struct kept){0};
	for (size_t i = 0; i < k->known_count; i++) {
		if (!identity_equal(&k->known[i].identity, id))
			continue;
		free(k->known[i].path);
		k->known[i] = k->known[--k->known_count];
		break;
	}
	store_name(id, name);
	if (k->is_open && k->o.save)
		result = store_remove(&k->store, name);
	if (result && result != -ENOENT)
		warn(k, k->c.path_of(k->c.context, slot, id),
		     "its profile could not be removed from the disk");
}

void keeper_leaves(struct keeper *k, u32 slot, const struct profile *p)
{
	struct row_table rows = tables_rows(k->t);
	struct instant now = instant_now();
	struct image im;

	if (!k->is_open || !k->o.save || !has_changed(&k->kept[slot], p))
		return;
	if (!image_from_kernel(&im, p, k->c.path_of(k->c.context, slot, &p->identity),
			       k->o.window, &now, &rows)) {
		save_image(k, slot, &im);
		image_free(&im);
	}
	k->kept[slot] = (struct kept){0};
}

void keeper_tick(struct keeper *k, u64 now)
{
	if (!k->is_open || !k->o.save)
		return;
	if (now >= k->next_save) {
		k->next_save = now + k->o.save_interval_ns;
		k->next_slot = 1;
	}
	while (k->next_slot && now_ns() - now < TICK_BUDGET_NS) {
		save_slot(k, k->next_slot);
		k->next_slot =
			k->next_slot < k->t->bounds->profiles ? k->next_slot + 1 : 0;
	}
}

u64 keeper_calls(const struct keeper *k)
{
	return k->calls;
}

u32 keeper_save(struct keeper *k)
{
	u32 failed = 0;

	if (!k->is_open || !k->o.save)
		return 0;
	for (u32 slot = 1; slot <= k->t->bounds->profiles; slot++)
		failed += save_slot(k, slot) != 0;
	k->next_slot = 0;
	return failed;
}

/* ---- opening and closing ---- */

int keeper_load(struct keeper *k, char *error, size_t size)
{
	const struct store_visitor visitor = {
		.context = k, .image = load_one, .problem = load_problem};
	char why[REASON];
	int result;

	if (!k->is_open || !k->o.load)
		return 0;
	result = store_load(&k->store, &visitor, why, sizeof(why));
	if (result)
		snprintf(error, size, "cannot load the profiles in %s: %s",
			 k->o.directory, why);
	return result;
}

static int open_store(struct keeper *k, char *error, size_t size)
{
	int result = store_open(&k->store, k->o.directory,
				k->o.save ? STORE_WRITE : STORE_READ, error, size);

	if (result == -ENOENT && !k->o.save) /* nothing to load, and that is all */
		return 0;
	if (result == -EACCES || result == -EROFS) {
		size_t length = strlen(error);

		snprintf(error + length, size - length,
			 " (--profile-dir DIR: take another; --no-load --no-save: none)");
	}
	if (result)
		return result;
	k->is_open = true;
	return keeper_load(k, error, size);
}

struct keeper *keeper_open(const struct keeper_options *o,
			   const struct keeper_callbacks *c, struct tables *t,
			   char *error, size_t size)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (!k || !(k->kept = calloc(t->bounds->profiles + 1, sizeof(*k->kept)))) {
		snprintf(error, size, "no memory for %u profiles", t->bounds->profiles);
		free(k);
		return NULL;
	}
	k->o = *o;
	k->c = *c;
	k->t = t;
	k->next_save = now_ns() + o->save_interval_ns;
	if ((!o->load && !o->save) || !open_store(k, error, size))
		return k;
	keeper_close(k);
	return NULL;
}

void keeper_close(struct keeper *k)
{
	if (!k)
		return;
	if (k->is_open)
		store_close(&k->store);
	for (size_t i = 0; i < k->known_count; i++)
		free(k->known[i].path);
	free(k->known);
	free(k->kept);
	free(k);
}
