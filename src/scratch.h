/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private directories that do not outlive their use, even when ebph is killed: while
 * one is in use its owner holds a lock on it, and whoever makes the next one removes
 * those that nobody locks.
 */
#ifndef EBPH_SCRATCH_H
#define EBPH_SCRATCH_H

#include <stddef.h>

struct scratch_dir {
	char path[64];
	int fd; /* of the directory, with the lock; child processes share it */
};

/*
 * Make a directory (mode 0700, a name nobody can guess) in /run, or in /tmp for who
 * may not write there. 0 or -errno, and then nothing is left behind.
 */
int scratch_make(struct scratch_dir *s);

/* Remove the directory and all that is in it. */
void scratch_remove(struct scratch_dir *s);

/* Remove this user's directories in folder BASE whose owner is gone. */
void scratch_sweep(const char *base);

#endif
