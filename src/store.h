/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory in which profiles outlive ebph: a file each. */
#ifndef EBPH_STORE_H
#define EBPH_STORE_H

#include "image.h"

#define STORE_LOCK ".lock" /* in it; holds the pid of who has it */

enum { STORE_NAME = 48 }; /* bytes that hold the name of any profile's file */

enum store_mode {
	/* For tools: nothing is changed, made or locked. */
	STORE_READ,
	/*
	 * The directory is made if it is missing, belongs to this one process until
	 * store_close(), and leftovers of a killed one are removed.
	 */
	STORE_WRITE,
};

#define STORE_DIRECTORY "/var/lib/ebph"

/* Where profiles live unless an option says it: $EBPH_PROFILE_DIR, else STORE_DIRECTORY. */
const char *store_directory(void);

struct store {
	char *path;
	int dir, lock;
	enum store_mode mode;
};

/*
 * Open the directory PATH. 0 or -errno, and ERROR (size bytes) then says what failed and
 * what to do: it is a symbolic link, others may write to it, it is someone else's
 * (-EPERM); another process has it (-EBUSY, its pid is named).
 */
int store_open(struct store *s, const char *path, enum store_mode mode, char *error,
	       size_t size);

/* Unlock and close. May be called after a failed store_open(), and twice. */
void store_close(struct store *s);

/* Why a file was not loaded. */
enum store_fault {
	STORE_DAMAGED,
	STORE_NEWER,	/* or of a machine that this version does not know */
	STORE_FOREIGN,	/* belongs to someone else */
	STORE_UNSAFE,	/* others may write to it */
	STORE_NOT_FILE, /* a symbolic link, a directory, ... */
	STORE_MISNAMED, /* not the name that its identity has */
	STORE_UNREADABLE,
};

struct store_problem {
	const char *file; /* its name in the directory */
	enum store_fault fault;
	const char *why;
	const char *aside; /* its name now; NULL: it stays where it was */
};

struct store_visitor {
	void *context;
	/*
	 * A profile, of file FILE. IM is freed afterwards, unless the callback has moved
	 * its contents away and cleared it. What is not 0 ends the loading.
	 */
	int (*image)(void *context, const char *file, struct image *im);
	/* A file that is not loaded. */
	void (*problem)(void *context, const struct store_problem *p);
};

/*
 * All profiles of S, in the order of their names. With STORE_WRITE, what cannot be loaded
 * is set aside. 0, what the image callback gave, or -errno (-ENOMEM, -EMFILE, ...) when
 * the directory cannot be read at all; WHY (why_size bytes) is then set.
 */
int store_load(struct store *s, const struct store_visitor *v, char *why,
	       size_t why_size);

/* The same for FILE alone, a name in the directory; -ENOENT where there is none. */
int store_load_file(struct store *s, const char *file, const struct store_visitor *v,
		    char *why, size_t why_size);

/*
 * Save IM in its file. 0 or -errno with WHY (why_size bytes): then the file is as it was,
 * or whole and new, never in between, and the caller tries again later.
 */
int store_save(struct store *s, const struct image *im, char *why, size_t why_size);

/*
 * Give FILE the name FILE.REASON (a number is added if there is one), which is not loaded
 * again; the new name into ASIDE (aside_size bytes). 0 or -errno.
 */
int store_set_aside(struct store *s, const char *file, const char *reason, char *aside,
		    size_t aside_size);

/* Delete FILE, for good. 0 or -errno. */
int store_remove(struct store *s, const char *file);

/* The name of the file of the profile of ID: key, and what tells equal keys apart. */
void store_name(const struct identity *id, char name[STORE_NAME]);

/*
 * Read the profile in FILE of directory DIR (AT_FDCWD: a path). Links are followed and
 * owner and mode looked at by nobody: for files that a person named. Errors as
 * codec_decode(), or -errno of reading.
 */
int store_read(int dir, const char *file, struct image *im, char *why, size_t why_size);

/* A word for FAULT: "damaged". Also the suffix of its name when it is set aside. */
const char *store_fault_text(enum store_fault fault);

#endif
