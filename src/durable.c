/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = ".new-";

bool durable_is_temporary(const char *name)
{
	return !strncmp(name, prefix, sizeof(prefix) - 1);
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t done = write(fd, at, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (!done)
			return -EIO;
		at += done;
		size -= (size_t)done;
	}
	return 0;
}

static int fail(char *why, size_t why_size, const char *step)
{
	int error = errno;

	snprintf(why, why_size, "cannot %s: %s", step, strerror(error));
	return -error;
}

/* Write and sync the temporary file; it is closed in any case. */
static int fill(int fd, const void *data, size_t size, char *why, size_t why_size)
{
	int result = write_all(fd, data, size);

	if (result) {
		errno = -result;
		result = fail(why, why_size, "write a new file beside it");
	} else if (fsync(fd)) {
		result = fail(why, why_size, "bring the new file to the disk");
	}
	if (close(fd) && !result)
		result = fail(why, why_size, "close the new file beside it");
	return result;
}

int durable_write(int dir, const char *name, mode_t mode, const void *data, size_t size,
		  char *why, size_t why_size)
{
	char temporary[DURABLE_NAME];
	int fd, result;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s%s", prefix, name) >=
	    sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return fail(why, why_size, "name a new file beside it");
	}
	if (unlinkat(dir, temporary, 0) && errno != ENOENT)
		return fail(why, why_size, "remove what was left of an earlier try");
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return fail(why, why_size, "make a new file beside it");
	if (fchmod(fd, mode)) {
		result = fail(why, why_size, "set the mode of the new file beside it");
		close(fd);
	} else {
		result = fill(fd, data, size, why, why_size);
	}
	if (!result && renameat(dir, temporary, dir, name))
		result = fail(why, why_size, "give the new file its name");
	if (result) {
		unlinkat(dir, temporary, 0);
		return result;
	}
	if (fsync(dir))
		return fail(why, why_size, "bring its new name to the disk");
	return 0;
}

/* Straight into a pipe or a device. */
static int write_special(const char *path, const void *data, size_t size, char *why,
			 size_t why_size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), result;

	if (fd < 0)
		return fail(why, why_size, "open it");
	result = write_all(fd, data, size);
	if (result) {
		errno = -result;
		result = fail(why, why_size, "write to it");
	}
	close(fd);
	return result;
}

/* It can only be read by setting it. */
static mode_t current_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

int durable_write_path(const char *path, const void *data, size_t size, char *why,
		       size_t why_size)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat st = {.st_mode = S_IFREG | (0666 & ~current_umask())};
	int dir, result;

	if (!folder)
		return fail(why, why_size, "get memory for its name");
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		free(folder);
		return write_special(path, data, size, why, why_size);
	}
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (dir < 0)
		return fail(why, why_size, "open the directory it is to be in");
	result = durable_write(dir, slash ? slash + 1 : path, st.st_mode & 0777, data,
			       size, why, why_size);
	close(dir);
	return result;
}

int durable_read(int fd, size_t max, unsigned char **data, size_t *size)
{
	size_t room = 16384, used = 0;
	unsigned char *bytes = malloc(room);
	ssize_t got = 1;

	while (bytes && got) {
		if (used == room) {
			unsigned char *more = realloc(bytes, room *= 2);

			if (!more)
				break;
			bytes = more;
		}
		got = read(fd, bytes + used, room - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || used + (size_t)got > max) {
			int error = got < 0 ? errno : EFBIG;

			free(bytes);
			return -error;
		}
		used += (size_t)got;
	}
	if (!bytes || got) {
		free(bytes);
		return -ENOMEM;
	}
	*data = bytes;
	*size = used;
	return 0;
}
