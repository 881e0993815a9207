/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded: the FAIL_AT'th call of FAIL_CALL (write, fsync, renameat, close, openat)
 * fails with errno FAIL_ERRNO; FAIL_CALL=short makes that write take one byte only.
 * Instead, FAIL_FILE names a file: as long as it is there and says "CALL ERRNO", each such
 * call fails. FAIL_IN: only calls on what is in this directory fail, or count.
 * cc -shared -fPIC -o fail_write.so fail_write.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static bool is_inside(int fd)
{
	const char *folder = getenv("FAIL_IN");
	char link[64], path[4096];
	ssize_t length;

	if (!folder)
		return true;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	return !strncmp(path, folder, strlen(folder));
}

/* The error of calls of NAME that the file at PATH asks for; 0: none. */
static int error_in(const char *path, const char *name)
{
	char call[16];
	int error = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	if (fscanf(f, "%15s %d", call, &error) != 2 || strcmp(call, name))
		error = 0;
	fclose(f);
	return error;
}

/* The same of FAIL_CALL. */
static int error_at(const char *name)
{
	static int calls;
	const char *wanted = getenv("FAIL_CALL"), *at = getenv("FAIL_AT");
	const char *error = getenv("FAIL_ERRNO");

	if (!wanted || strcmp(wanted, name) || ++calls != atoi(at ? at : "1"))
		return 0;
	return error ? atoi(error) : EIO;
}

/* 1, and errno is set, when this call of NAME, on FD, is to fail. */
static int is_chosen(const char *name, int fd)
{
	const char *file = getenv("FAIL_FILE");
	int error = 0;

	if (is_inside(fd))
		error = file ? error_in(file, name) : error_at(name);
	if (error)
		errno = error;
	return error != 0;
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))next("write");

	if (fd > 2 && is_chosen("write", fd))
		return -1;
	if (fd > 2 && size > 1 && is_chosen("short", fd))
		return real(fd, data, 1);
	return real(fd, data, size);
}

int fsync(int fd)
{
	return is_chosen("fsync", fd) ? -1 : ((int (*)(int))next("fsync"))(fd);
}

int close(int fd)
{
	bool written = fd > 2 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
	bool fails = written && is_chosen("close", fd);
	int error = errno, result = ((int (*)(int))next("close"))(fd);

	if (!fails)
		return result;
	errno = error;
	return -1;
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
	if (is_chosen("renameat", old_dir))
		return -1;
	return ((int (*)(int, const char *, int, const char *))next("renameat"))(
		old_dir, old, new_dir, new);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (flags & O_EXCL && is_chosen("openat", dir))
		return -1;
	return ((int (*)(int, const char *, int, ...))next("openat"))(dir, path, flags,
								      mode);
}
