/* SPDX-License-Identifier: GPL-2.0-only */
#include "shelf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { REASON = 256 };

int shelf_open(struct shelf *s, const char *path, enum store_mode mode, char *error,
	       size_t size)
{
	int result = store_open(&s->store, path, mode, error, size);

	s->is_open = !result;
	return result == -ENOENT && mode == STORE_READ ? 0 : result;
}

void shelf_close(struct shelf *s)
{
	if (s->is_open)
		store_close(&s->store);
	s->is_open = false;
	known_free(&s->known);
	backlog_free(&s->backlog);
}

bool shelf_is_writable(const struct shelf *s)
{
	return s->is_open && s->store.mode == STORE_WRITE;
}

/* ---- reading ---- */

static void tell_of_problem(const struct shelf *s, const struct store_problem *p)
{
	char reason[REASON];

	snprintf(reason, sizeof(reason), "this profile is not used: %s: %s%s%s",
		 store_fault_text(p->fault), p->why, p->aside ? "; it is kept as " : "",
		 p->aside ? p->aside : "");
	s->warn(s->context, p->file, reason);
}

static void tell_of_misfit(const struct shelf *s, const char *subject, const char *misfit)
{
	char reason[REASON];

	snprintf(reason, sizeof(reason), "its profile is not used: %s", misfit);
	s->warn(s->context, subject, reason);
}

struct loading {
	struct shelf *s;
	int (*image)(void *context, struct image *im);
	void *context;
};

static int load_one(void *context, const char *file, struct image *im)
{
	const struct loading *l = context;
	const char *misfit = image_misfit(im, l->s->window);
	int result;

	if (misfit)
		tell_of_misfit(l->s, im->path ? im->path : file, misfit);
	result = known_add(&l->s->known, &im->identity, im->path, misfit != NULL);
	if (result || misfit || backlog_take(&l->s->backlog, &im->identity, NULL))
		return result;
	return l->image(l->context, im);
}

static void load_problem(void *context, const struct store_problem *p)
{
	tell_of_problem(((struct loading *)context)->s, p);
}

int shelf_load(struct shelf *s, int (*image)(void *context, struct image *im),
	       void *context, char *why, size_t why_size)
{
	struct loading l = {.s = s, .image = image, .context = context};
	const struct store_visitor visitor = {
		.context = &l, .image = load_one, .problem = load_problem};

	if (!s->is_open)
		return 0;
	return store_load(&s->store, &visitor, why, why_size);
}

struct search {
	struct shelf *s;
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
	tell_of_problem(((struct search *)context)->s, p);
}

int shelf_read(struct shelf *s, const struct identity *id, struct image *im)
{
	struct search search = {.s = s, .im = im};
	const struct store_visitor visitor = {
		.context = &search, .image = found, .problem = found_bad};
	char name[STORE_NAME], why[REASON];
	int result;

	memset(im, 0, sizeof(*im));
	if (!s->is_open)
		return -ENOENT;
	store_name(id, name);
	result = store_load_file(&s->store, name, &visitor, why, sizeof(why));
	return result || search.found ? result : -EBADMSG;
}

int shelf_take(struct shelf *s, const struct identity *id, struct image *im,
	       bool *is_saved)
{
	*is_saved = !backlog_take(&s->backlog, id, im);
	return *is_saved ? shelf_read(s, id, im) : 0;
}

/* ---- writing ---- */

/* A file of ID that this run could make no use of is not written over. */
static int spare_misfit(struct shelf *s, const struct identity *id, char *why,
			size_t why_size)
{
	struct known *known = known_find(&s->known, id);
	char name[STORE_NAME], aside[STORE_NAME + 32];
	int result;

	if (!known || !known->misfit)
		return 0;
	store_name(id, name);
	result = store_set_aside(&s->store, name, "misfit", aside, sizeof(aside));
	if (result && result != -ENOENT) {
		snprintf(why, why_size, "cannot set %s aside: %s", name,
			 strerror(-result));
		return result;
	}
	known->misfit = false;
	return 0;
}

int shelf_save(struct shelf *s, const struct image *im, char *why, size_t why_size)
{
	int result = spare_misfit(s, &im->identity, why, why_size);

	if (!result)
		result = store_save(&s->store, im, why, why_size);
	if (!result)
		known_add(&s->known, &im->identity, im->path, false);
	return result;
}

void shelf_keep(struct shelf *s, struct image *im)
{
	if ((known_find(&s->known, &im->identity) ||
	     !known_add(&s->known, &im->identity, im->path, false)) &&
	    !backlog_put(&s->backlog, im, s->max))
		return;
	s->warn(s->context, im->path,
		"its profile left the kernel and is lost: it could not be saved, and no "
		"memory is left to keep it");
	image_free(im);
}

int shelf_save_kept(struct shelf *s)
{
	struct image *im = &s->backlog.image[s->backlog.count - 1];
	char why[REASON];
	int result = shelf_save(s, im, why, sizeof(why));

	if (result)
		return result;
	image_free(im);
	s->backlog.count--;
	return 0;
}

int shelf_forget(struct shelf *s, const struct identity *id)
{
	char name[STORE_NAME];
	struct image im;
	int result = 0;

	known_remove(&s->known, id);
	if (backlog_take(&s->backlog, id, &im))
		image_free(&im);
	store_name(id, name);
	if (shelf_is_writable(s))
		result = store_remove(&s->store, name);
	return result == -ENOENT ? 0 : result;
}
