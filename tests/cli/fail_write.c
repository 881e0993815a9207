/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded: the FAIL_AT'th call of FAIL_CALL (write, fsync, renameat, close, openat)
 * fails with errno FAIL_ERRNO; FAIL_CALL=short makes that write take one byte only.
 * cc -shared -fPIC -o fail_write.so fail_write.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* 1 when this call of NAME is the one. */
static int is_chosen(const char *name)
{
	static int calls;
	const char *wanted = getenv("FAIL_CALL"), *at = getenv("FAIL_AT");
	const char *error = getenv("FAIL_ERRNO");

	if (!wanted || strcmp(wanted, name) || ++calls != atoi(at ? at : "1"))
		return 0;
	errno = error ? atoi(error) : EIO;
	return 1;
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))next("write");

	if (fd > 2 && is_chosen("write"))
		return -1;
	if (fd > 2 && size > 1 && is_chosen("short"))
		return real(fd, data, 1);
	return real(fd, data, size);
}

int fsync(int fd)
{
	return is_chosen("fsync") ? -1 : ((int (*)(int))next("fsync"))(fd);
}

int close(int fd)
{
	bool written = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
	int result = ((int (*)(int))next("close"))(fd);

	return fd > 2 && written && is_chosen("close") ? -1 : result;
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
	if (is_chosen("renameat"))
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
	if (flags & O_EXCL && is_chosen("openat"))
		return -1;
	return ((int (*)(int, const char *, int, ...))next("openat"))(dir, path, flags,
								      mode);
}
