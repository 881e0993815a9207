/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The profiles that are outside the kernel: on disk, and in memory those that could not
 * be written there yet.
 */
#ifndef EBPH_SHELF_H
#define EBPH_SHELF_H

#include <stdbool.h>
#include <stddef.h>

#include "backlog.h"
#include "image.h"
#include "known.h"
#include "store.h"

struct shelf {
	u32 window; /* length, of this run: profiles with another are no use to it */
	u32 max;    /* as many profiles may be kept in memory */
	/* Something is wrong, or worth knowing, with SUBJECT (a path; NULL: none). */
	void (*warn)(void *context, const char *subject, const char *message);
	void *context;
	bool is_open; /* there is a directory; else all that follows is empty */
	struct store store;
	struct known_list known; /* the profiles on the shelf */
	struct backlog backlog;	 /* those of them that are in memory */
};

/*
 * Open the directory PATH; S's members above is_open are set, the others zero. 0, also
 * when it is to be read only and is not there; or -errno with a sentence in ERROR (SIZE
 * bytes). shelf_close() in any case.
 */
int shelf_open(struct shelf *s, const char *path, enum store_mode mode, char *error,
	       size_t size);
void shelf_close(struct shelf *s);

/* 1 when profiles can be saved on S. */
bool shelf_is_writable(const struct shelf *s);

/*
 * Show IMAGE each profile on disk that this run can use and that is not newer in memory.
 * IM is freed afterwards, unless IMAGE has moved its contents away and cleared it. What
 * IMAGE gives that is not 0 ends the loading. 0, that, or -errno with WHY (why_size
 * bytes). Files of no use are told of.
 */
int shelf_load(struct shelf *s, int (*image)(void *context, struct image *im),
	       void *context, char *why, size_t why_size);

/*
 * The profile that the disk has of ID, into IM: 0; -ENOENT; -EBADMSG when it had to be
 * set aside; or another -errno when it cannot be read now. IM is empty after a failure.
 * Whether this run can use it is not looked at.
 */
int shelf_read(struct shelf *s, const struct identity *id, struct image *im);

/*
 * The newest profile of ID, into IM: as shelf_read(), unless it is in memory. Then it is
 * moved (IS_SAVED is false): shelf_keep() gives it back.
 */
int shelf_take(struct shelf *s, const struct identity *id, struct image *im,
	       bool *is_saved);

/*
 * Save IM on disk: 0, or -errno with WHY (why_size bytes). A file that it would replace
 * and that this run could make no use of is set aside first.
 */
int shelf_save(struct shelf *s, const struct image *im, char *why, size_t why_size);

/* Keep IM, which could not be saved, in memory; IM is then empty. */
void shelf_keep(struct shelf *s, struct image *im);

/* Save one of those in memory, of which there is one: 0, or -errno and it stays there. */
int shelf_save_kept(struct shelf *s);

/* Throw the profile of ID away: 0, or -errno when its file cannot be removed. */
int shelf_forget(struct shelf *s, const struct identity *id);

#endif
