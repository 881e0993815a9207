/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILEID_KERNFS = 0xfe }; /* include/linux/exportfs.h */

void cgroups_init(struct cgroups *c)
{
	memset(c, 0, sizeof(*c));
	c->mount = -1;
}

void cgroups_free(struct cgroups *c)
{
	for (u32 i = 0; i < CGROUP_CACHE; i++)
		free(c->cache[i].path);
	free(c->root);
	if (c->mount >= 0)
		close(c->mount);
	cgroups_init(c);
}

static void find_mount(struct cgroups *c)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (mounts && !c->root && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			c->root = strdup(m->mnt_dir);
	if (mounts)
		endmntent(mounts);
	if (c->root)
		c->mount = open(c->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* PATH, which lies in the mount, as seen from its root; to be freed. */
static char *below_root(const struct cgroups *c, const char *path)
{
	size_t length = strlen(c->root);

	if (strncmp(path, c->root, length) || (path[length] && path[length] != '/'))
		return NULL;
	return strdup(path[length] ? path + length : "/");
}

/* A cgroup's number is its file handle. NULL with errno set, or 0 where it is gone. */
static char *by_handle(const struct cgroups *c, u64 id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} h = {.handle = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};
	char link[64], path[PATH_MAX];
	ssize_t length;
	int fd;

	memcpy(h.room + offsetof(struct file_handle, f_handle), &id, sizeof(id));
	fd = open_by_handle_at(c->mount, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		errno = errno == ESTALE ? 0 : errno;
		return NULL;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	close(fd);
	if (length < 0)
		return NULL;
	path[length] = '\0';
	return below_root(c, path);
}

/* Without CAP_DAC_READ_SEARCH: its number is also its directory's inode number. */
static char *by_search(const struct cgroups *c, u64 id)
{
	char *const roots[] = {c->root, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	char *found = NULL;
	FTSENT *f;

	while (tree && !found && (f = fts_read(tree)))
		if (f->fts_info == FTS_D && f->fts_statp->st_ino == id)
			found = below_root(c, f->fts_path);
	if (tree)
		fts_close(tree);
	return found;
}

static char *look_up(struct cgroups *c, u64 id)
{
	char *path = NULL;

	if (!c->root)
		find_mount(c);
	if (c->mount >= 0) {
		path = by_handle(c, id);
		if (!path && errno)
			path = by_search(c, id);
	}
	if (!path && asprintf(&path, "(id %" PRIu64 ")", id) < 0)
		return NULL;
	return path;
}

const char *cgroups_path(struct cgroups *c, u64 id)
{
	u32 place = c->next;

	for (u32 i = 0; i < CGROUP_CACHE; i++)
		if (c->cache[i].path && c->cache[i].id == id)
			return c->cache[i].path;
	free(c->cache[place].path);
	c->cache[place].id = id;
	c->cache[place].path = look_up(c, id);
	c->next = (place + 1) % CGROUP_CACHE;
	return c->cache[place].path ? c->cache[place].path : "(no memory)";
}
