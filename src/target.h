/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom to watch: what -p, -e, --not-exe and -c name, told to the kernel side. */
#ifndef EBPH_TARGET_H
#define EBPH_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "compile.h"
#include "options.h"
#include "types.h"
#include "model.h"

/* A file of -e or --not-exe, as stat knew it when it was last looked at. */
struct target_exe {
	const char *path;
	enum exe how;
	dev_t device;
	ino_t inode;
	struct timespec changed; /* a new file may have an old one's inode */
	bool failed;		 /* it could not be added, which was told */
};

struct targets {
	const struct loaded *l;
	const struct options *o;
	struct target_exe *exes;
	size_t exe_count;
	int *pidfds; /* of -p, in its order; -1: closed */
};

/*
 * Check what O names, and tell L's maps of -e, --not-exe and -c. 0, or -errno with a
 * sentence in ERROR (SIZE bytes). targets_free() frees T whatever came of it.
 */
int targets_init(struct targets *t, const struct loaded *l, const struct options *o,
		 char *error, size_t size);
void targets_free(struct targets *t);

/*
 * Tell L's maps of --respond-to and --never-respond-to, as targets_init() does when O has
 * responses; again if that has failed. Result likewise.
 */
int targets_respond(struct targets *t, char *error, size_t size);

/*
 * Make the processes of -p and all their descendants targets. To be called when forks
 * are followed already and calls are not: then none slips through.
 */
int targets_add_processes(struct targets *t, char *error, size_t size);

/* When calls are followed: 0 if all processes of -p still live, else as above. */
int targets_check_alive(const struct targets *t, char *error, size_t size);

/* Make process PID a target from its next exec on: 0 or -errno. */
int targets_add_after_exec(struct targets *t, pid_t pid);

/*
 * Look whether another file has taken the place of one of -e, --not-exe and the like: if so
 * it counts from then on; who runs one of -e already is watched from its next call on.
 * 0, or -errno with a sentence in ERROR (SIZE bytes), once for each of those files; it is
 * tried again the next time.
 */
int targets_refresh(struct targets *t, char *error, size_t size);

#endif
