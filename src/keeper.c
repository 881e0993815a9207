/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backlog.h"
#include "image_kernel.h"
#include "known.h"
#include "wait.h"

/* How long saving may keep events waiting. */
#define TICK_BUDGET_NS 20000000ULL
enum { READ_TRIES = 8, REASON = 256 };

/* What was last saved from, or loaded into, a slot. */
struct kept {
	u64 count, sequences;
	u32 epoch;
	bool arrived; /* until then it may be new, or one that the store has */
	bool soon;    /* save it at the next tick */
	bool failed;  /* the last try; told of */
	/* What was learned before is still outside: not to be written over. */
	bool waiting;
};

struct keeper {
	struct keeper_options o;
	struct keeper_callbacks c;
	struct tables *t;
	struct store store;
	bool is_open;
	struct kept *kept; /* by slot */
	struct known_list known;
	struct backlog backlog;
	u64 calls; /* that the profiles which were installed had seen */
	u64 lost;  /* calls: see tell_of_loss() */
	u32 left;  /* profiles that the loading under way has left on disk */
	u64 next_save;
	u32 next_slot;	  /* where the saving that is under way goes on; 0: none is */
	bool is_waiting;  /* a slot is */
	bool try_backlog; /* at the next tick */
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void warn(struct keeper *k, const char *subject, const char *message)
{
	k->c.warn(k->c.context, subject, message);
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
	if (old)
		k->kept[old] = (struct kept){0};
	k->kept[slot] = (struct kept){.count = p.count,
				      .sequences = p.sequences,
				      .epoch = p.epoch,
				      .arrived = true,
				      .soon = !is_saved};
	k->calls += im->count;
	k->c.named(k->c.context, slot, &im->identity, im->path);
	return 0;
}

/* COUNT calls were compared with nothing, and are in no profile. */
static void tell_of_loss(struct keeper *k, u64 count)
{
	k->lost += count;
	if (count)
		k->c.lost(k->c.context,
			  "calls that programs made before their profiles were back",
			  count);
}

/* The same of a program that runs already, with a new profile in SLOT: that is lost. */
static int replace(struct keeper *k, const struct image *im, u32 slot, bool is_saved)
{
	const u64 before = k->t->evicted_calls;
	int result = install(k, im, slot, is_saved);

	tell_of_loss(k, k->t->evicted_calls - before);
	return result;
}

static int load_misfit(struct keeper *k, const char *file, const struct image *im,
		       const char *misfit)
{
	char reason[REASON];

	snprintf(reason, sizeof(reason), "its profile is not used: %s", misfit);
	warn(k, im->path ? im->path : file, reason);
	return known_add(&k->known, &im->identity, im->path, true);
}

/* Put IM into the tables in place of what they have of its program. */
static int load_one(void *context, const char *file, struct image *im)
{
	struct keeper *k = context;
	u32 old = tables_find(k->t, &im->identity);
	const char *misfit = image_misfit(im, k->o.window);
	int result;

	if (misfit)
		return load_misfit(k, file, im, misfit);
	result = known_add(&k->known, &im->identity, im->path, false);
	if (result || backlog_take(&k->backlog, &im->identity, NULL))
		return result;
	result = old || tables_have_room(k->t) ? install(k, im, old, true) : -ENOSPC;
	k->left += result == -ENOSPC;
	return result == -ENOSPC ? 0 : result;
}

static void tell_of_left(struct keeper *k)
{
	char message[REASON];

	if (!k->left)
		return;
	snprintf(message, sizeof(message),
		 "%u of %zu profiles find no room, and stay on disk until their programs "
		 "run: see --max-profiles and --max-pairs-memory",
		 k->left, k->known.count);
	warn(k, NULL, message);
}

static void load_problem(void *context, const struct store_problem *p)
{
	char reason[REASON];

	snprintf(reason, sizeof(reason), "this profile is not used: %s: %s%s%s",
		 store_fault_text(p->fault), p->why, p->aside ? "; it is kept as " : "",
		 p->aside ? p->aside : "");
	warn(context, p->file, reason);
}

/* ---- when a program comes ---- */

struct search {
	struct keeper *k;
	struct image *im;
	bool found;
};

static int found(void *context, const char *file, struct image *im)
{
	struct search *s = context;

	(void)file;
	*s->im = *im;
	memset(im, 0, sizeof(*im));
	s->found = true;
	return 0;
}

static void found_bad(void *context, const struct store_problem *p)
{
	load_problem(((struct search *)context)->k, p);
}

/*
 * The profile that the store has of ID, into IM: 0; -ENOENT; -EBADMSG when it had to be
 * set aside; or another -errno when it cannot be read now.
 */
static int find(struct keeper *k, const struct identity *id, struct image *im)
{
	struct search s = {.k = k, .im = im};
	const struct store_visitor visitor = {
		.context = &s, .image = found, .problem = found_bad};
	char name[STORE_NAME], why[REASON];
	int result;

	store_name(id, name);
	result = store_load_file(&k->store, name, &visitor, why, sizeof(why));
	return result || s.found ? result : -EBADMSG;
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
	const struct known *old = known_predecessor(&k->known, id, path);
	struct image im;
	bool adopted = false;

	if (old && k->o.adopt && !find(k, &old->identity, &im)) {
		image_adopt(&im, id);
		adopted =
			!image_misfit(&im, k->o.window) && !replace(k, &im, slot, false);
		image_free(&im);
	}
	if (old)
		tell_of_replacement(k, old, path, adopted);
	known_add(&k->known, id, path, false);
}

/*
 * What was known of ID, whose program runs in SLOT, takes the place of what is there. If
 * that cannot be now, SLOT waits for it.
 */
static void bring_back(struct keeper *k, u32 slot, const struct identity *id,
		       const char *path)
{
	bool was_waiting = k->kept[slot].waiting, is_saved = false;
	struct image im = {.calls = 0};
	int result = 0;

	if (!backlog_take(&k->backlog, id, &im)) {
		result = find(k, id, &im);
		is_saved = true;
	}
	if (!result)
		result = replace(k, &im, slot, is_saved);
	if (!result || result == -ENOENT || result == -EBADMSG) {
		k->kept[slot].waiting = false;
		image_free(&im);
		return;
	}
	k->kept[slot].waiting = k->is_waiting = true;
	if (!is_saved)
		backlog_put(&k->backlog, &im, k->backlog.count + 1);
	image_free(&im);
	if (!was_waiting)
		warn(k, path,
		     "its profile finds no room and waits on disk; until it does, what "
		     "is learned is not saved: see --max-profiles and "
		     "--max-pairs-memory");
}

void keeper_arrived(struct keeper *k, u32 slot, const struct identity *id,
		    const char *path)
{
	const struct known *known = known_find(&k->known, id);

	k->kept[slot] = (struct kept){.arrived = true};
	if (!k->is_open)
		return;
	if (known && !known->misfit)
		bring_back(k, slot, id, path);
	else if (!known && k->o.load)
		arrived_anew(k, slot, id, path);
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

/* A file of ID that this run could make no use of is not written over. */
static int spare_misfit(struct keeper *k, const struct identity *id, char *why,
			size_t why_size)
{
	struct known *known = known_find(&k->known, id);
	char name[STORE_NAME], aside[STORE_NAME + 32];
	int result;

	if (!known || !known->misfit)
		return 0;
	store_name(id, name);
	result = store_set_aside(&k->store, name, "misfit", aside, sizeof(aside));
	if (result && result != -ENOENT) {
		snprintf(why, why_size, "cannot set %s aside: %s", name,
			 strerror(-result));
		return result;
	}
	known->misfit = false;
	return 0;
}

static int write_image(struct keeper *k, const struct image *im, char *why,
		       size_t why_size)
{
	int result = spare_misfit(k, &im->identity, why, why_size);

	if (!result)
		result = store_save(&k->store, im, why, why_size);
	if (!result)
		known_add(&k->known, &im->identity, im->path, false);
	return result;
}

static int save_image(struct keeper *k, u32 slot, const struct image *im)
{
	struct kept *kept = &k->kept[slot];
	char why[REASON], message[REASON + 64];
	int result = write_image(k, im, why, sizeof(why));

	if (result && !kept->failed) {
		snprintf(message, sizeof(message),
			 "its profile could not be saved, and will be tried again: %s",
			 why);
		warn(k, im->path, message);
	}
	kept->failed = result != 0;
	return result;
}

/* Save what could not be saved until NOW_NS() is UNTIL, or one cannot; 0 or -errno. */
static int save_backlog(struct keeper *k, u64 until)
{
	char why[REASON];
	int result = 0;

	while (k->backlog.count && !result && now_ns() < until) {
		struct image *im = &k->backlog.image[k->backlog.count - 1];

		result = write_image(k, im, why, sizeof(why));
		if (!result) {
			image_free(im);
			k->backlog.count--;
		}
	}
	return result;
}

/* 1 when P is to be saved: it is known whose it is, and it is not what was saved. */
static bool has_changed(const struct kept *kept, const struct profile *p)
{
	return kept->arrived &&
	       (kept->soon || kept->failed || kept->count != p->count ||
		kept->sequences != p->sequences || kept->epoch != p->epoch);
}

/* Save what is in SLOT if it has changed: 0 or -errno. */
static int save_slot(struct keeper *k, u32 slot)
{
	struct profile p;
	struct image im;
	int result;

	if (tables_read(k->t, slot, &p))
		return 0;
	if (k->kept[slot].waiting) {
		bring_back(k, slot, &p.identity,
			   k->c.path_of(k->c.context, slot, &p.identity));
		return 0;
	}
	if (!has_changed(&k->kept[slot], &p))
		return 0;
	result = take_image(k, slot, &im);
	if (result)
		return result == -ENOENT ? 0 : result;
	result = save_image(k, slot, &im);
	image_free(&im);
	if (!result)
		k->kept[slot] = (struct kept){.count = p.count,
					      .sequences = p.sequences,
					      .epoch = p.epoch,
					      .arrived = true};
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
	struct image im;
	int result = 0;

	k->kept[slot] = (struct kept){0};
	known_remove(&k->known, id);
	if (backlog_take(&k->backlog, id, &im))
		image_free(&im);
	store_name(id, name);
	if (k->is_open && k->o.save)
		result = store_remove(&k->store, name);
	if (result && result != -ENOENT)
		warn(k, k->c.path_of(k->c.context, slot, id),
		     "its profile could not be removed from the disk");
}

/* IM, which has left its slot, could not be saved: keep it here. */
static void keep(struct keeper *k, struct image *im)
{
	if ((known_find(&k->known, &im->identity) ||
	     !known_add(&k->known, &im->identity, im->path, false)) &&
	    !backlog_put(&k->backlog, im, k->t->bounds->profiles))
		return;
	warn(k, im->path,
	     "its profile left the kernel and is lost: it could not be saved, and no "
	     "memory is left to keep it");
	image_free(im);
}

void keeper_leaves(struct keeper *k, u32 slot, const struct profile *p)
{
	const char *path = k->c.path_of(k->c.context, slot, &p->identity);
	const bool is_unsaved = k->is_open && k->o.save && !k->kept[slot].waiting &&
				has_changed(&k->kept[slot], p);
	struct row_table rows = tables_rows(k->t);
	struct instant now = instant_now();
	struct image im;

	if (is_unsaved && image_from_kernel(&im, p, path, k->o.window, &now, &rows))
		warn(k, path,
		     "its profile left the kernel and is lost: it could not be "
		     "read");
	else if (is_unsaved && save_image(k, slot, &im))
		keep(k, &im);
	else if (is_unsaved)
		image_free(&im);
	if (k->kept[slot].waiting)
		tell_of_loss(k, p->count);
	k->kept[slot] = (struct kept){0}; /* whoever is next in it has not arrived */
}

void keeper_tick(struct keeper *k, u64 now)
{
	const u64 until = now + TICK_BUDGET_NS;

	if (!k->is_open || !k->o.save)
		return;
	if (now >= k->next_save) {
		k->next_save = now + k->o.save_interval_ns;
		k->next_slot = 1;
		k->try_backlog = true;
	}
	if (k->is_waiting && !k->next_slot && tables_have_room(k->t)) {
		k->is_waiting = false;
		k->next_slot = 1;
	}
	while (k->next_slot && now_ns() < until) {
		save_slot(k, k->next_slot);
		k->next_slot =
			k->next_slot < k->t->bounds->profiles ? k->next_slot + 1 : 0;
	}
	if (k->try_backlog && now_ns() < until &&
	    (save_backlog(k, until) || !k->backlog.count))
		k->try_backlog = false;
}

u64 keeper_calls(const struct keeper *k)
{
	return k->calls;
}

u64 keeper_lost(const struct keeper *k)
{
	return k->lost;
}

u32 keeper_save(struct keeper *k)
{
	u32 failed = 0;

	if (!k->is_open || !k->o.save)
		return 0;
	for (u32 slot = 1; slot <= k->t->bounds->profiles; slot++)
		failed += save_slot(k, slot) != 0;
	k->next_slot = 0;
	save_backlog(k, UINT64_MAX);
	return failed + k->backlog.count;
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
	k->left = 0;
	result = store_load(&k->store, &visitor, why, sizeof(why));
	tell_of_left(k);
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
	known_free(&k->known);
	backlog_free(&k->backlog);
	free(k->kept);
	free(k);
}
