/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "image_kernel.h"
#include "moment.h"
#include "shelf.h"
#include "slots.h"
#include "wait.h"

/* How long saving may keep events waiting. */
#define TICK_BUDGET_NS 20000000ULL
#define PAUSE_NS 5000000ULL /* between two looks at what goes on meanwhile */
enum { REASON = 256 };

struct keeper {
	struct keeper_options o;
	struct keeper_callbacks c;
	struct tables *t;
	struct slots slots; /* of t: the profiles in the kernel */
	struct shelf shelf; /* and those outside */
	u64 calls;	    /* that the profiles which were installed had seen */
	u64 lost;	    /* calls: see tell_of_loss() */
	u32 left;	    /* profiles that the loading under way has left on disk */
	u64 next_save;
	u32 next_slot;	 /* where the saving that is under way goes on; 0: none is */
	bool is_waiting; /* a slot is */
	bool try_kept;	 /* at the next tick: what the shelf has in memory */
};

static void warn(void *context, const char *subject, const char *message)
{
	const struct keeper *k = context;

	k->c.warn(k->c.context, subject, message);
}

static const char *path_of(const struct keeper *k, u32 slot, const struct identity *id)
{
	return k->c.path_of(k->c.context, slot, id);
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

/* Put IM into the tables in place of OLD: as slots_install(). */
static int install(struct keeper *k, const struct image *im, u32 old, bool is_saved)
{
	u32 slot;
	int result = slots_install(&k->slots, im, deadline(k, im), old, is_saved, &slot);

	if (result)
		return result;
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

/* ---- all of them ---- */

/* Put IM into the tables in place of what they have of its program. */
static int load_one(void *context, struct image *im)
{
	struct keeper *k = context;
	int result;

	do {
		u32 old = tables_find(k->t, &im->identity);

		result = old || tables_have_room(k->t) ? install(k, im, old, true)
						       : -ENOSPC;
	} while (result == -EEXIST); /* its program began just now */
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
		 k->left, k->shelf.known.count);
	warn(k, NULL, message);
}

int keeper_load(struct keeper *k, char *error, size_t size)
{
	char why[REASON];
	int result;

	if (!k->o.load)
		return 0;
	k->left = 0;
	result = shelf_load(&k->shelf, load_one, k, why, sizeof(why));
	tell_of_left(k);
	if (result)
		snprintf(error, size, "cannot load the profiles in %s: %s",
			 k->o.directory, why);
	return result;
}

/* ---- when a program comes ---- */

static void tell_of_replacement(struct keeper *k, const struct known *old,
				enum relation relation, const char *path, bool adopted)
{
	static const char *const words[] = {
		[RELATION_PATH] = "another file system had a program at this path",
		[RELATION_KEY] = "a program at another path had this key",
		[RELATION_REPLACED] = "the program was replaced",
	};
	char message[REASON], key[IDENTITY_KEY_TEXT];

	snprintf(message, sizeof(message),
		 "%s: the profile of the file before (key %s) is kept, %s",
		 words[relation], identity_key_text(&old->identity, key),
		 adopted ? "a new one starts from what it knew" : "a new one starts");
	warn(k, path, message);
}

/*
 * What is known of ID, into IM: 0 or -errno. What is in the kernel is newer than the disk's,
 * unless it stands in for that.
 */
static int read_newest(struct keeper *k, const struct identity *id, struct image *im)
{
	u32 slot = tables_find(k->t, id);
	struct profile p;

	if (slot && !keeper_waits(k, slot) &&
	    !slots_read(&k->slots, slot, path_of(k, slot, id), &p, im))
		return 0;
	return shelf_read(&k->shelf, id, im);
}

/* ID is new: tell of what it took the place of, and start from that if so wished. */
static void arrived_anew(struct keeper *k, u32 slot, const struct identity *id,
			 const char *path)
{
	enum relation relation;
	const struct known *old = known_predecessor(&k->shelf.known, id, path, &relation);
	bool adopted = false;
	struct image im;

	if (relation == RELATION_REPLACED && k->o.adopt &&
	    !read_newest(k, &old->identity, &im)) {
		image_adopt(&im, id);
		adopted =
			!image_misfit(&im, k->o.window) && !replace(k, &im, slot, false);
		image_free(&im);
	}
	if (old)
		tell_of_replacement(k, old, relation, path, adopted);
	known_add(&k->shelf.known, id, path, false);
}

/* IM, of the program that runs in SLOT, finds no room: SLOT waits for it. */
static void make_wait(struct keeper *k, u32 slot, const char *path)
{
	if (!k->slots.slot[slot].waiting)
		warn(k, path,
		     "its profile finds no room and waits on disk; until it does, what "
		     "is learned is not saved: see --max-profiles and "
		     "--max-pairs-memory");
	k->slots.slot[slot].waiting = k->is_waiting = true;
}

/*
 * What was known of ID, whose program runs in SLOT, takes the place of what is there. If
 * that cannot be now, SLOT waits for it.
 */
static void bring_back(struct keeper *k, u32 slot, const struct identity *id,
		       const char *path)
{
	struct image im;
	bool is_saved;
	int result = shelf_take(&k->shelf, id, &im, &is_saved);

	if (!result)
		result = replace(k, &im, slot, is_saved);
	if (!result || result == -ENOENT || result == -EBADMSG) {
		k->slots.slot[slot].waiting = false;
		image_free(&im);
		return;
	}
	if (!is_saved)
		shelf_keep(&k->shelf, &im);
	image_free(&im);
	make_wait(k, slot, path);
}

/* Whether ID's profile is in SLOT. Not asked by tables_find(): see array.h. */
static bool is_in(const struct keeper *k, u32 slot, const struct identity *id)
{
	struct profile p;

	return !tables_read(k->t, slot, &p) && identity_equal(&p.identity, id);
}

void keeper_arrived(struct keeper *k, u32 slot, const struct identity *id,
		    const char *path)
{
	const struct known *known = known_find(&k->shelf.known, id);

	/* Two threads told of it at once, or it has left already. */
	if (!is_in(k, slot, id) || k->slots.slot[slot].arrived)
		return;
	slots_clear(&k->slots, slot);
	k->slots.slot[slot].arrived = true;
	if (!k->shelf.is_open)
		return;
	if (known && !known->misfit)
		bring_back(k, slot, id, path);
	else if (!known && k->o.load)
		arrived_anew(k, slot, id, path);
}

/* ---- out of the kernel ---- */

/* The profile in SLOT, of PATH, could not be saved: told of unless the last try failed too. */
static void tell_of_failure(struct keeper *k, u32 slot, const char *path, const char *why)
{
	struct slot *s = &k->slots.slot[slot];
	char message[REASON + 64];

	snprintf(message, sizeof(message),
		 "its profile could not be saved, and will be tried again: %s", why);
	if (!s->failed)
		warn(k, path, message);
	s->failed = true;
}

/* Save IM, of SLOT: 0, or -errno, told of. */
static int save_image(struct keeper *k, u32 slot, const struct image *im)
{
	char why[REASON];
	int result = shelf_save(&k->shelf, im, why, sizeof(why));

	if (result)
		tell_of_failure(k, slot, im->path, why);
	else
		k->slots.slot[slot].failed = false;
	return result;
}

/* Save what is in SLOT if it has changed: 0 or -errno. */
static int save_slot(struct keeper *k, u32 slot)
{
	const char *path;
	struct profile p;
	struct image im;
	int result;

	if (slots_profile(&k->slots, slot, &p))
		return 0;
	path = path_of(k, slot, &p.identity);
	if (k->slots.slot[slot].waiting) {
		bring_back(k, slot, &p.identity, path);
		return 0;
	}
	if (!slots_has_changed(&k->slots, slot, &p))
		return 0;
	result = slots_read(&k->slots, slot, path, &p, &im);
	if (result == -ENOENT)
		return 0;
	if (result && result != -EAGAIN)
		tell_of_failure(k, slot, path, strerror(-result));
	if (result)
		return result;
	result = save_image(k, slot, &im);
	image_free(&im);
	if (!result)
		slots_saved(&k->slots, slot, &p);
	return result;
}

struct pause {
	const struct meanwhile *meanwhile;
	u64 next; /* monotonic clock, ns */
};

/* Between two things that may take long. P: NULL for no pause. */
static void pause_if_due(struct pause *p)
{
	if (!p || moment_monotonic() < p->next)
		return;
	p->meanwhile->act(p->meanwhile->context);
	p->next = moment_monotonic() + PAUSE_NS;
}

/*
 * Save what the shelf has in memory until the clock shows UNTIL or one cannot: 0 or
 * -errno. PAUSE: as of pause_if_due().
 */
static int save_kept(struct keeper *k, u64 until, struct pause *pause)
{
	int result = 0;

	while (k->shelf.backlog.count && !result && moment_monotonic() < until) {
		result = shelf_save_kept(&k->shelf);
		pause_if_due(pause);
	}
	return result;
}

void keeper_ripened(struct keeper *k, u32 slot)
{
	k->slots.slot[slot].soon = true;
	if (!k->next_slot && shelf_is_writable(&k->shelf))
		k->next_slot = 1;
}

void keeper_forget(struct keeper *k, u32 slot, const struct identity *id)
{
	slots_clear(&k->slots, slot);
	if (shelf_forget(&k->shelf, id))
		warn(k, path_of(k, slot, id),
		     "its profile could not be removed from the disk");
}

bool keeper_waits(const struct keeper *k, u32 slot)
{
	return k->slots.slot[slot].waiting;
}

/* Save P, which leaves SLOT; if that cannot be now, the shelf keeps it. */
static void save_leaving(struct keeper *k, u32 slot, const struct profile *p)
{
	const char *path = path_of(k, slot, &p->identity);
	struct image im;

	if (slots_read_leaving(&k->slots, p, path, &im)) {
		warn(k, path,
		     "its profile left the kernel and is lost: it could not be read");
		return;
	}
	if (save_image(k, slot, &im))
		shelf_keep(&k->shelf, &im);
	image_free(&im);
}

void keeper_leaves(struct keeper *k, u32 slot, const struct profile *p)
{
	if (k->slots.slot[slot].waiting)
		tell_of_loss(k, p->count);
	else if (shelf_is_writable(&k->shelf) && slots_has_changed(&k->slots, slot, p))
		save_leaving(k, slot, p);
	slots_clear(&k->slots, slot); /* whoever is next in it has not arrived */
}

void keeper_tick(struct keeper *k, u64 now)
{
	u64 until;

	if (!shelf_is_writable(&k->shelf))
		return;
	/* Not anew while it is under way: the last slots' turn must come. */
	if (now >= k->next_save && !k->next_slot) {
		k->next_save = now + k->o.save_interval_ns;
		k->next_slot = 1;
		k->try_kept = true;
	}
	if (k->is_waiting && !k->next_slot && tables_have_room(k->t)) {
		k->is_waiting = false;
		k->next_slot = 1;
	}
	if (k->next_slot)
		slots_look(&k->slots); /* or less is saved: not what threads hold back */
	/* Looking is no part of it: where that is slow, nothing would ever be saved. */
	until = moment_monotonic() + TICK_BUDGET_NS;
	while (k->next_slot && moment_monotonic() < until) {
		save_slot(k, k->next_slot);
		k->next_slot = k->next_slot < k->slots.count ? k->next_slot + 1 : 0;
	}
	if (k->try_kept && moment_monotonic() < until &&
	    (save_kept(k, until, NULL) || !k->shelf.backlog.count))
		k->try_kept = false;
}

u32 keeper_save(struct keeper *k, const struct meanwhile *meanwhile)
{
	struct pause pause = {.meanwhile = meanwhile};
	u32 failed = 0;

	if (!shelf_is_writable(&k->shelf))
		return 0;
	if (slots_look(&k->slots))
		warn(k, NULL, "no memory: calls that threads hold back are not saved");
	k->next_slot = 0; /* what is new meanwhile is saved at the next tick */
	for (u32 slot = 1; slot <= k->slots.count; slot++) {
		/* what one waits for is on the disk, or among those kept */
		if (!k->slots.slot[slot].waiting)
			failed += save_slot(k, slot) != 0;
		pause_if_due(&pause);
	}
	save_kept(k, UINT64_MAX, &pause);
	return failed + k->shelf.backlog.count;
}

bool keeper_is_busy(const struct keeper *k)
{
	return k->next_slot != 0;
}

u64 keeper_calls(const struct keeper *k)
{
	return k->calls;
}

u64 keeper_lost(const struct keeper *k)
{
	return k->lost;
}

/* ---- opening and closing ---- */

static int open_shelf(struct keeper *k, char *error, size_t size)
{
	int result;

	if (!k->o.load && !k->o.save)
		return 0;
	result = shelf_open(&k->shelf, k->o.directory,
			    k->o.save ? STORE_WRITE : STORE_READ, error, size);
	if (result == -EACCES || result == -EROFS) {
		size_t length = strlen(error);

		snprintf(error + length, size - length,
			 " (--profile-dir DIR: take another; --no-load --no-save: none)");
	}
	return result ? result : keeper_load(k, error, size);
}

struct keeper *keeper_open(const struct keeper_options *o,
			   const struct keeper_callbacks *c, struct tables *t,
			   char *error, size_t size)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (!k || slots_init(&k->slots, t, o->window)) {
		snprintf(error, size, "no memory for %u profiles", t->bounds->profiles);
		free(k);
		return NULL;
	}
	k->o = *o;
	k->c = *c;
	k->t = t;
	k->shelf = (struct shelf){.window = o->window,
				  .max = t->bounds->profiles,
				  .warn = warn,
				  .context = k};
	k->next_save = moment_monotonic() + o->save_interval_ns;
	if (!open_shelf(k, error, size))
		return k;
	keeper_close(k);
	return NULL;
}

void keeper_close(struct keeper *k)
{
	if (!k)
		return;
	shelf_close(&k->shelf);
	slots_free(&k->slots);
	free(k);
}
