/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
/* ebph profile rm, normalize, reset, import: what changes the directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "durable.h"
#include "image_json.h"
#include "lookahead.h"
#include "profile_cmd.h"

enum { JSON_MAX = 1 << 30 };

/* The directory for writing; an error is printed. A missing one is made only if MAKE. */
static int open_store(const struct profile_args *a, bool make, struct store *s)
{
	char error[512] = "out of memory";
	int result;

	if (!make && access(a->dir, F_OK)) {
		result = -errno;
		profile_error("cannot open the profile directory %s: %s", a->dir,
			      strerror(-result));
		return result;
	}
	result = store_open(s, a->dir, STORE_WRITE, error, sizeof(error));
	if (result == -EBUSY)
		profile_error("%s (a running ebph is changed with ebph admin)", error);
	else if (result)
		profile_error("%s", error);
	return result;
}

static int write_image(const char *path, const struct image *im)
{
	const char *fault = image_fault(im);
	char why[256] = "out of memory";
	size_t size;
	u8 *data;
	int result = codec_encode(im, &data, &size);

	if (!result) {
		result = durable_write_path(path, data, size, why, sizeof(why));
		free(data);
	}
	if (result)
		profile_error("cannot write %s: %s", path, fault ? fault : why);
	return result;
}

/* ---- one change to each profile named ---- */

/* What to do with a profile, its directory being ours. */
typedef int change(const struct profile_args *a, const struct found *f);

/* The directory that FILE is in: free() it. */
static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		return strdup(".");
	return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

/*
 * Take the lock of the directory that F is in, if that is one which ebph uses, or the
 * change would be undone by its next save. -EAGAIN: taken, F has to be read again.
 */
static int own_folder(const struct profile_args *a, const struct found *f,
		      struct store *s)
{
	struct profile_args there = *a;
	char *folder = folder_of(f->file);
	int result = 0, dir;

	if (!folder)
		return -ENOMEM;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	there.dir = folder;
	if (f->stored || (dir >= 0 && !faccessat(dir, STORE_LOCK, F_OK, 0)))
		result = open_store(&there, false, s);
	if (!result && s->dir >= 0)
		result = -EAGAIN;
	if (dir >= 0)
		close(dir);
	free(folder);
	return result;
}

static int change_one(const struct profile_args *a, const char *name, change *make)
{
	struct store s = {.dir = -1, .lock = -1};
	struct found f;
	int result = profile_find(a, name, &f);

	if (result)
		return result;
	result = own_folder(a, &f, &s);
	if (result == -EAGAIN) {
		found_free(&f);
		result = profile_find(a, name, &f);
	}
	if (!result)
		result = make(a, &f);
	found_free(&f);
	store_close(&s);
	return result;
}

static int change_each(const struct profile_args *a, change *make)
{
	int status = 0;

	for (int i = 0; i < a->count; i++)
		if (change_one(a, a->names[i], make))
			status = 1;
	return profile_flush() || status ? 1 : 0;
}

static int remove_one(const struct profile_args *a, const struct found *f)
{
	int result = unlink(f->file) ? -errno : 0;

	if (result)
		profile_error("cannot remove %s: %s", f->file, strerror(-result));
	else
		profile_done(a, &f->image, f->file);
	return result;
}

int profile_cmd_rm(const struct profile_args *a)
{
	return change_each(a, remove_one);
}

static int save(const struct profile_args *a, const char *file, const struct image *im)
{
	int result = write_image(file, im);

	if (!result)
		profile_done(a, im, file);
	return result;
}

static int normalize_one(const struct profile_args *a, const struct found *f)
{
	struct image changed = f->image;

	if (!image_pairs(&f->image, TRAIN_SHIFT)) {
		profile_error("cannot make %s normal: nothing has been learned: every "
			      "call would be an anomaly",
			      f->file);
		return -EINVAL;
	}
	image_normalize(&changed);
	return save(a, f->file, &changed);
}

int profile_cmd_normalize(const struct profile_args *a)
{
	return change_each(a, normalize_one);
}

static int reset_one(const struct profile_args *a, const struct found *f)
{
	struct image changed = f->image;

	image_reset(&changed);
	return save(a, f->file, &changed);
}

int profile_cmd_reset(const struct profile_args *a)
{
	return change_each(a, reset_one);
}

/* ---- import ---- */

static int decode_json(const u8 *data, size_t size, struct image *im, char *why,
		       size_t why_size)
{
	json_error_t error;
	json_t *j = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error);
	int result;

	if (!j) {
		snprintf(why, why_size, "it is neither a profile nor JSON (line %d: %s)",
			 error.line, error.text);
		return -EINVAL;
	}
	result = image_from_json(j, im, why, why_size);
	json_decref(j);
	return result;
}

/* The profile in FILE ("-": standard input), saved or JSON; an error is printed. */
static int read_any(const char *file, struct image *im)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY)
				   : STDIN_FILENO;
	char why[512] = "";
	size_t size = 0;
	u8 *data = NULL;
	int result = fd < 0 ? -errno : durable_read(fd, JSON_MAX, &data, &size);

	if (fd > STDIN_FILENO)
		close(fd);
	if (result) {
		profile_error("cannot read %s: %s", file, strerror(-result));
		return result;
	}
	if (codec_is_profile(data, size))
		result = codec_decode(data, size, im, why, sizeof(why));
	else
		result = decode_json(data, size, im, why, sizeof(why));
	free(data);
	if (result)
		profile_error("cannot import %s: %s", file, why);
	return result;
}

/* Say that IM is in file NAME of S now. */
static void import_done(const struct profile_args *a, const struct store *s,
			const char *name, const struct image *im)
{
	char *path;

	if (asprintf(&path, "%s/%s", s->path, name) < 0)
		return;
	profile_done(a, im, path);
	free(path);
}

static int import_one(const struct profile_args *a, struct store *s, const char *file)
{
	char name[STORE_NAME], why[512];
	struct image im;
	int result = read_any(file, &im);

	if (result)
		return result;
	store_name(&im.identity, name);
	if (!s) {
		result = save(a, a->output, &im);
	} else if (!a->replace && !faccessat(s->dir, name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		profile_error("cannot import %s: %s/%s is there already (--replace to "
			      "write over it)",
			      file, s->path, name);
		result = -EEXIST;
	} else {
		result = store_save(s, &im, why, sizeof(why));
		if (result)
			profile_error("%s", why);
		else
			import_done(a, s, name, &im);
	}
	image_free(&im);
	return result;
}

int profile_cmd_import(const struct profile_args *a)
{
	struct store s = {.dir = -1, .lock = -1};
	int status = 0;

	if (a->output && a->count > 1) {
		profile_error("-o takes one profile only");
		return 2;
	}
	if (!a->output && open_store(a, true, &s))
		return 1;
	for (int i = 0; i < a->count; i++)
		if (import_one(a, a->output ? NULL : &s, a->names[i]))
			status = 1;
	store_close(&s);
	return profile_flush() || status ? 1 : 0;
}
