/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are either the old one or the new one, whatever happens meanwhile. */
#ifndef EBPH_DURABLE_H
#define EBPH_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { DURABLE_NAME = 256 }; /* bytes that hold any file name */

/*
 * Make NAME in directory DIR (a descriptor) hold the SIZE bytes of DATA: a temporary file
 * beside it, with MODE, is written, synced and renamed, and DIR synced. 0, or -errno; WHY
 * (why_size bytes) then says which step failed. Then NAME is as before, or, if only DIR
 * could not be synced, already new but perhaps not yet on the disk.
 */
int durable_write(int dir, const char *name, mode_t mode, const void *data, size_t size,
		  char *why, size_t why_size);

/*
 * The same for a path, which keeps its mode or, if it is new, gets what umask leaves of
 * 0666. What is no regular file (a pipe, a terminal) is just written.
 */
int durable_write_path(const char *path, const void *data, size_t size, char *why,
		       size_t why_size);

/* 1 when NAME is what durable_write() calls its temporary files. */
bool durable_is_temporary(const char *name);

/*
 * All of the descriptor FD, at most MAX bytes, into *DATA: free() it. 0, -EFBIG or
 * another -errno.
 */
int durable_read(int fd, size_t max, unsigned char **data, size_t *size);

#endif
