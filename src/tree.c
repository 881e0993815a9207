/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KHEADERS "/sys/kernel/kheaders.tar.xz"

extern char **environ;

int tree_parse_release(const char *text, char *release, size_t size)
{
	static const char define[] = "#define UTS_RELEASE \"";
	const char *at = strstr(text, define);
	size_t length;

	if (!at)
		return -EINVAL;
	at += sizeof(define) - 1;
	length = strcspn(at, "\"\n");
	if (!length || length >= size || at[length] != '"')
		return -EINVAL;
	memcpy(release, at, length);
	release[length] = 0;
	return 0;
}

/* Whether there is a file DIR/NAME; its path without links and dots goes to PATH. */
static bool has(const char *dir, const char *name, char *path)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s/%s", dir, name) < (int)sizeof(full) &&
	       !access(full, R_OK) && realpath(dir, path);
}

static bool is_source(const char *dir, char *path)
{
	return has(dir, "include/linux/kconfig.h", path);
}

static bool is_build(const char *dir, char *path)
{
	return has(dir, "include/generated/utsrelease.h", path);
}

static ssize_t read_file(const char *dir, const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t length;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = 0;
	return length;
}

/* The other directory that the Makefile of a build directory includes. */
static bool included(const char *build, char *dir, size_t size)
{
	static const char end[] = "/Makefile\n";
	char text[4096];
	const char *at, *last;

	if (read_file(build, "Makefile", text, sizeof(text)) <= 0)
		return false;
	at = !strncmp(text, "include /", 9) ? text : strstr(text, "\ninclude /");
	at = at ? strchr(at, '/') : NULL;
	last = at ? strstr(at, end) : NULL;
	if (!last || memchr(at, '\n', last - at) || (size_t)(last - at) >= size)
		return false;
	snprintf(dir, size, "%.*s", (int)(last - at), at);
	return true;
}

/* Where the half is that every flavour of a kernel has in common. */
static bool find_source(const char *dir, struct tree *t)
{
	/* as `make O=` leaves it, and beside a link /lib/modules/RELEASE/build */
	static const char *const places[] = {"source", "../source"};
	char path[PATH_MAX];

	if (is_source(t->build, t->source))
		return true;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (snprintf(path, sizeof(path), "%s/%s", dir, places[i]) <
			    (int)sizeof(path) &&
		    is_source(path, t->source))
			return true;
	return included(t->build, path, sizeof(path)) && is_source(path, t->source);
}

int tree_open(const char *dir, struct tree *t, char *error, size_t size)
{
	char build[PATH_MAX], text[4096];

	if (access(dir, R_OK | X_OK)) {
		snprintf(error, size, "cannot read the headers in %s: %s", dir,
			 strerror(errno));
		return -ENOENT;
	}
	snprintf(build, sizeof(build), "%s/build", dir);
	if (!is_build(dir, t->build) && !is_build(build, t->build)) {
		snprintf(error, size,
			 "%s is no kernel build directory: it has no "
			 "include/generated/utsrelease.h; give one such as "
			 "/lib/modules/RELEASE/build",
			 dir);
		return -ENOENT;
	}
	if (read_file(t->build, "include/generated/utsrelease.h", text, sizeof(text)) <
		    0 ||
	    tree_parse_release(text, t->release, sizeof(t->release))) {
		snprintf(error, size,
			 "include/generated/utsrelease.h in %s names no kernel release",
			 dir);
		return -EINVAL;
	}
	if (find_source(dir, t))
		return 0;
	snprintf(error, size,
		 "%s has but half of the headers: there is no include/linux/kconfig.h in "
		 "it, in %s/source or where its Makefile points; install the other half "
		 "(Debian: linux-headers-...-common)",
		 dir, dir);
	return -ENOENT;
}

int tree_check(const struct tree *t, const char *dir, const char *release, char *error,
	       size_t size)
{
	if (!strcmp(t->release, release))
		return 0;
	snprintf(error, size,
		 "the headers in %s are those of Linux %s, but the kernel that runs is "
		 "%s; install linux-headers-%s, or use --kernel-headers btf",
		 dir, t->release, release, release);
	return -EXDEV;
}

/* Run a program without output; its exit status, or -1. */
static int run(char *const argv[])
{
	posix_spawn_file_actions_t to_null;
	int status = -1, result;
	pid_t pid;

	posix_spawn_file_actions_init(&to_null);
	posix_spawn_file_actions_addopen(&to_null, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&to_null, 2, "/dev/null", O_WRONLY, 0);
	result = posix_spawnp(&pid, argv[0], &to_null, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to_null);
	if (result || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int tree_unpack(const char *into)
{
	char *load[] = {"modprobe", "kheaders", NULL};
	char *unload[] = {"modprobe", "-r", "kheaders", NULL};
	char *unpack[] = {"tar", "-C", (char *)into, "-xJf", KHEADERS, NULL};
	bool loaded = false;
	int result;

	if (access(KHEADERS, R_OK))
		loaded = !run(load);
	result = access(KHEADERS, R_OK) ? -ENOENT : run(unpack) ? -EIO : 0;
	if (loaded)
		run(unload);
	return result;
}
