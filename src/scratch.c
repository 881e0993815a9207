/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "ebph-private-"
#define UNIQUE "XXXXXX"

enum { TRIES = 100 };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(const char *path)
{
	/* with one open directory: there may be no room for more */
	nftw(path, remove_one, 1, FTW_DEPTH | FTW_PHYS);
}

/* Whether PATH is still the directory that is open as FD. */
static bool is_same(const char *path, int fd)
{
	struct stat there, here;

	return !lstat(path, &there) && !fstat(fd, &here) && there.st_ino == here.st_ino &&
	       there.st_dev == here.st_dev;
}

/* Ours, private, and nobody's lock on it. */
static void sweep_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_uid == geteuid() && (st.st_mode & 07777) == 0700 &&
	    !flock(fd, LOCK_EX | LOCK_NB) && is_same(path, fd))
		remove_all(path);
	close(fd);
}

void scratch_sweep(const char *base)
{
	DIR *dir = opendir(base);
	const struct dirent *entry;
	char path[64 + sizeof(entry->d_name)];

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) ||
		    strlen(entry->d_name) != strlen(PREFIX UNIQUE))
			continue;
		snprintf(path, sizeof(path), "%.60s/%s", base, entry->d_name);
		sweep_one(path);
	}
	if (dir)
		closedir(dir);
}

/* Between the making and the lock, someone's sweep may take it away: then once more. */
static int make_locked(const char *base, struct scratch_dir *s)
{
	for (int i = 0; i < TRIES; i++) {
		snprintf(s->path, sizeof(s->path), "%s/" PREFIX UNIQUE, base);
		if (!mkdtemp(s->path))
			return -errno;
		s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (s->fd >= 0 && !flock(s->fd, LOCK_EX) && is_same(s->path, s->fd))
			return 0;
		if (s->fd < 0 && errno != ENOENT) {
			int result = -errno;

			rmdir(s->path);
			return result;
		}
		if (s->fd >= 0)
			close(s->fd);
	}
	return -EAGAIN;
}

int scratch_make(struct scratch_dir *s)
{
	static const char *const bases[] = {"/run", "/tmp"};
	int result = -ENOENT;

	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases) && result; i++) {
		scratch_sweep(bases[i]);
		result = make_locked(bases[i], s);
	}
	if (result)
		s->fd = -1;
	return result;
}

void scratch_remove(struct scratch_dir *s)
{
	if (s->fd < 0)
		return;
	close(s->fd); /* it may be the only descriptor that is left for what follows */
	s->fd = -1;
	remove_all(s->path);
}
