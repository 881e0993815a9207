/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths of cgroups (version 2) by the number that the kernel knows them by. */
#ifndef EBPH_CGROUP_H
#define EBPH_CGROUP_H

#include "types.h"

enum { CGROUP_CACHE = 64 };

struct cgroups {
	int mount;  /* descriptor of where they are mounted, -1: not yet looked for */
	char *root; /* its path; NULL: not mounted */
	struct {
		u64 id; /* 0: empty */
		char *path;
	} cache[CGROUP_CACHE];
	u32 next; /* place of the cache to be used */
};

/* Make C empty; cgroups_free() frees what it came to hold. */
void cgroups_init(struct cgroups *c);
void cgroups_free(struct cgroups *c);

/*
 * The path of cgroup ID below where cgroups are mounted, as /proc/PID/cgroup shows it
 * ("/" or "/a/b"), or "(id ID)" if it is gone or cannot be looked up. The kernel never
 * uses a number twice, so each is looked up once. Valid until 64 others were asked for.
 */
const char *cgroups_path(struct cgroups *c, u64 id);

#endif
