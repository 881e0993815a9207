/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void output_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			/* reading where one writes, and the reverse, is an error */
			(void)!open("/dev/null",
				    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static FILE *standard_output(char *error, size_t size)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return stdout;
	snprintf(error, size,
		 "standard output is closed: redirect it, or give a file with -o");
	return NULL;
}

FILE *output_open(const char *path, char *error, size_t size)
{
	FILE *out;
	int fd;

	if (!path)
		return standard_output(error, size);
	/* appending, so that who copies and empties it meanwhile loses nothing */
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		snprintf(error, size, "cannot write %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return out;
}

void output_empty(FILE *out)
{
	struct stat st;
	int fd = fileno(out);

	if (out != stdout && !fstat(fd, &st) && S_ISREG(st.st_mode))
		(void)!ftruncate(fd, 0);
}

int output_close(FILE *out)
{
	int result = 0, failed = ferror(out);

	if (!failed) /* else the failing call's is still there */
		errno = 0;
	if (fflush(out) || failed)
		result = errno ? -errno : -EIO;
	if (out != stdout && fclose(out) && !result)
		result = -errno;
	return result;
}

int output_printed(void)
{
	int result = output_close(stdout);

	if (result && result != -EPIPE)
		fprintf(stderr, "ebph: cannot write to standard output: %s\n",
			strerror(-result));
	return result ? 1 : 0;
}
