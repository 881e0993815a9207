/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "store.h"

#include <dirent.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"
#include "durable.h"
#include "identity.h"

static const char suffix[] = ".ebph";

enum { ASIDE_MAX = 10000 };

const char *store_fault_text(enum store_fault fault)
{
	static const char *const words[] = {
		[STORE_DAMAGED] = "damaged",	   [STORE_NEWER] = "newer",
		[STORE_FOREIGN] = "foreign",	   [STORE_UNSAFE] = "unsafe",
		[STORE_NOT_FILE] = "not-file",	   [STORE_MISNAMED] = "misnamed",
		[STORE_UNREADABLE] = "unreadable",
	};

	return words[fault];
}

const char *store_directory(void)
{
	const char *wish = getenv("EBPH_PROFILE_DIR");

	return wish && *wish ? wish : STORE_DIRECTORY;
}

/* ---- names ---- */

void store_name(const struct identity *id, char name[STORE_NAME])
{
	const u64 parts[] = {id->device, id->inode, id->generation, id->size, id->mtime};
	u64 hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (int shift = 0; shift < 64; shift += 8)
			hash = (hash ^ (parts[i] >> shift & 0xff)) * 0x100000001b3ULL;
	snprintf(name, STORE_NAME, "%016" PRIx64 "-%016" PRIx64 "%s", identity_key(id),
		 hash, suffix);
}

/* Profiles and what looks like one by its end; not what was set aside. */
static bool is_profile_name(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > sizeof(suffix) - 1 &&
	       !strcmp(name + length - (sizeof(suffix) - 1), suffix);
}

/* ---- opening ---- */

static __attribute__((format(printf, 4, 5))) int
refuse(int result, char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return result;
}

/* Like `mkdir -p`, mode 0700 for each that is missing. */
static int make_directories(char *path)
{
	for (char *slash = path + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST) {
			*slash = '/';
			return -errno;
		}
		*slash = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

/* Who may own what we believe: this user and root, and for root looking on, anyone. */
static bool owner_is_fine(const struct store *s, uid_t owner)
{
	return owner == geteuid() || !owner || (s->mode == STORE_READ && !geteuid());
}

static int check_directory(const struct store *s, char *error, size_t size)
{
	struct stat st;

	if (fstat(s->dir, &st))
		return refuse(-errno, error, size,
			      "cannot examine the profile directory %s: %s", s->path,
			      strerror(errno));
	if (!owner_is_fine(s, st.st_uid))
		return refuse(-EPERM, error, size,
			      "the profile directory %s belongs to someone else (user "
			      "%u): give another with --profile-dir, or chown it",
			      s->path, st.st_uid);
	if (st.st_mode & 022)
		return refuse(-EPERM, error, size,
			      "others may write to the profile directory %s (mode %04o): "
			      "chmod go-w it once you trust what is in it",
			      s->path, st.st_mode & 07777);
	return 0;
}

static int lock(struct store *s, char *error, size_t size)
{
	char pid[24] = "";
	ssize_t got;

	s->lock = openat(s->dir, STORE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			 0600);
	if (s->lock < 0)
		return refuse(-errno, error, size, "cannot lock %s: %s/%s: %s", s->path,
			      s->path, STORE_LOCK, strerror(errno));
	if (flock(s->lock, LOCK_EX | LOCK_NB)) {
		int result = -errno;

		if (result != -EWOULDBLOCK)
			return refuse(result, error, size, "cannot lock %s: %s", s->path,
				      strerror(-result));
		got = pread(s->lock, pid, sizeof(pid) - 1, 0);
		pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
		return refuse(-EBUSY, error, size,
			      "the profile directory %s is in use by process %s: end it "
			      "first, or give another with --profile-dir",
			      s->path, *pid ? pid : "(not known yet)");
	}
	snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	/* On a full disk only the pid is missing: the lock holds all the same. */
	if (!ftruncate(s->lock, 0))
		(void)!pwrite(s->lock, pid, strlen(pid), 0);
	return 0;
}

/* What a process left that was killed while it saved. */
static void remove_leftovers(struct store *s)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d)))
		if (durable_is_temporary(e->d_name))
			unlinkat(s->dir, e->d_name, 0);
	if (d)
		closedir(d);
}

static int open_directory(struct store *s, char *error, size_t size)
{
	size_t length = strlen(s->path);
	int result = 0;

	/* "dir/" would follow a link named dir */
	while (length > 1 && s->path[length - 1] == '/')
		s->path[--length] = '\0';
	if (s->mode == STORE_WRITE)
		result = make_directories(s->path);
	if (result)
		return refuse(result, error, size,
			      "cannot make the profile directory %s: %s", s->path,
			      strerror(-result));
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir < 0 && (errno == ENOTDIR || errno == ELOOP))
		return refuse(-errno, error, size,
			      "the profile directory %s is no directory (a symbolic "
			      "link to one is not followed)",
			      s->path);
	if (s->dir < 0)
		return refuse(-errno, error, size,
			      "cannot open the profile directory %s: %s", s->path,
			      strerror(errno));
	return check_directory(s, error, size);
}

int store_open(struct store *s, const char *path, enum store_mode mode, char *error,
	       size_t size)
{
	int result;

	*s = (struct store){.dir = -1, .lock = -1, .mode = mode, .path = strdup(path)};
	if (!s->path)
		return refuse(-ENOMEM, error, size, "out of memory");
	result = open_directory(s, error, size);
	if (!result && mode == STORE_WRITE) {
		result = lock(s, error, size);
		if (!result)
			remove_leftovers(s);
	}
	if (result)
		store_close(s);
	return result;
}

void store_close(struct store *s)
{
	if (s->lock >= 0)
		close(s->lock);
	if (s->dir >= 0)
		close(s->dir);
	free(s->path);
	*s = (struct store){.dir = -1, .lock = -1};
}

/* ---- changing ---- */

/* Rename unless NEW is there: -EEXIST. */
static int rename_new(int dir, const char *old, const char *new)
{
	struct stat st;

	if (!renameat2(dir, old, dir, new, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system without that flag; the lock keeps others away */
	if (!fstatat(dir, new, &st, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	return renameat(dir, old, dir, new) ? -errno : 0;
}

int store_set_aside(struct store *s, const char *file, const char *reason, char *aside,
		    size_t aside_size)
{
	int result = -EEXIST;

	for (int i = 0; result == -EEXIST && i < ASIDE_MAX; i++) {
		int length = i ? snprintf(aside, aside_size, "%s.%s.%d", file, reason, i)
			       : snprintf(aside, aside_size, "%s.%s", file, reason);

		if ((size_t)length >= aside_size)
			return -ENAMETOOLONG;
		result = rename_new(s->dir, file, aside);
	}
	if (!result && fsync(s->dir))
		result = -errno;
	return result;
}

int store_remove(struct store *s, const char *file)
{
	if (unlinkat(s->dir, file, 0) || fsync(s->dir))
		return -errno;
	return 0;
}

int store_save(struct store *s, const struct image *im, char *why, size_t why_size)
{
	char name[STORE_NAME], step[256] = "";
	const char *fault = image_fault(im);
	size_t size;
	u8 *data;
	int result = codec_encode(im, &data, &size);

	store_name(&im->identity, name);
	if (result)
		return refuse(result, why, why_size, "cannot save %s/%s: %s", s->path,
			      name, fault ? fault : "out of memory");
	result = durable_write(s->dir, name, 0600, data, size, step, sizeof(step));
	free(data);
	if (result)
		return refuse(result, why, why_size, "cannot save %s/%s: %s", s->path,
			      name, step);
	return 0;
}

/* ---- loading ---- */

static int read_image(int fd, struct image *im, char *why, size_t why_size)
{
	size_t size;
	u8 *data;
	int result = durable_read(fd, CODEC_MAX, &data, &size);

	memset(im, 0, sizeof(*im));
	if (result == -EFBIG) {
		refuse(result, why, why_size, "it is too large");
		return -EBADMSG;
	}
	if (result)
		return refuse(result, why, why_size, "it cannot be read: %s",
			      strerror(-result));
	result = codec_decode(data, size, im, why, why_size);
	free(data);
	return result;
}

int store_read(int dir, const char *file, struct image *im, char *why, size_t why_size)
{
	int fd = openat(dir, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), result;

	memset(im, 0, sizeof(*im));
	if (fd < 0)
		return refuse(-errno, why, why_size, "it cannot be opened: %s",
			      strerror(errno));
	result = read_image(fd, im, why, why_size);
	close(fd);
	return result;
}

static bool is_shortage(int result)
{
	return result == -ENOMEM || result == -EMFILE || result == -ENFILE;
}

/* Whether the open file FD may be believed: 0, or -1 with the fault and why. */
static int check_file(const struct store *s, int fd, enum store_fault *fault, char *why,
		      size_t why_size)
{
	struct stat st;

	if (fstat(fd, &st)) {
		*fault = STORE_UNREADABLE;
		return refuse(-1, why, why_size, "%s", strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		*fault = STORE_NOT_FILE;
		return refuse(-1, why, why_size, "it is no regular file");
	}
	if (!owner_is_fine(s, st.st_uid)) {
		*fault = STORE_FOREIGN;
		return refuse(-1, why, why_size, "it belongs to someone else (user %u)",
			      st.st_uid);
	}
	if (st.st_mode & 022) {
		*fault = STORE_UNSAFE;
		return refuse(-1, why, why_size, "others may write to it (mode %04o)",
			      st.st_mode & 07777);
	}
	return 0;
}

/* 1: loaded; 0: not, for FAULT; -ENOENT; or -errno when nothing can be loaded now. */
static int load_file(struct store *s, const char *file, struct image *im,
		     enum store_fault *fault, char *why, size_t why_size)
{
	char name[STORE_NAME];
	int fd, result = 0;

	memset(im, 0, sizeof(*im));
	fd = openat(s->dir, file,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		result = -errno;
		*fault = result == -ELOOP || result == -ENXIO ? STORE_NOT_FILE
							      : STORE_UNREADABLE;
		refuse(0, why, why_size, "%s",
		       result == -ELOOP ? "it is a symbolic link" : strerror(-result));
		return is_shortage(result) || result == -ENOENT ? result : 0;
	}
	if (!check_file(s, fd, fault, why, why_size)) {
		result = read_image(fd, im, why, why_size);
		*fault = result == -EBADMSG   ? STORE_DAMAGED
			 : result == -ENOTSUP ? STORE_NEWER
					      : STORE_UNREADABLE;
		if (!result)
			result = 1;
	}
	close(fd);
	if (result <= 0)
		return is_shortage(result) ? result : 0;
	store_name(&im->identity, name);
	if (!strcmp(name, file))
		return 1;
	image_free(im);
	*fault = STORE_MISNAMED;
	return refuse(0, why, why_size, "its name should be %s (use ebph profile import)",
		      name);
}

int store_load_file(struct store *s, const char *file, const struct store_visitor *v,
		    char *why, size_t why_size)
{
	char reason[256] = "", aside[DURABLE_NAME];
	struct store_problem p = {.file = file, .why = reason};
	struct image im;
	int result = load_file(s, file, &im, &p.fault, reason, sizeof(reason));

	if (result < 0)
		return refuse(result, why, why_size, "cannot load %s/%s: %s", s->path,
			      file, reason);
	if (result) {
		result = v->image(v->context, file, &im);
		image_free(&im);
		return result;
	}
	if (s->mode == STORE_WRITE &&
	    !store_set_aside(s, file, store_fault_text(p.fault), aside, sizeof(aside)))
		p.aside = aside;
	if (v->problem)
		v->problem(v->context, &p);
	return 0;
}

static int select_profile(const struct dirent *e)
{
	return is_profile_name(e->d_name);
}

int store_load(struct store *s, const struct store_visitor *v, char *why, size_t why_size)
{
	struct dirent **names;
	int result = 0, count = scandirat(s->dir, ".", &names, select_profile, alphasort);

	if (count < 0)
		return refuse(-errno, why, why_size,
			      "cannot read the profile directory %s: %s", s->path,
			      strerror(errno));
	for (int i = 0; i < count; i++) {
		if (!result)
			result = store_load_file(s, names[i]->d_name, v, why, why_size);
		if (result == -ENOENT) /* gone meanwhile */
			result = 0;
		free(names[i]);
	}
	free(names);
	return result;
}
