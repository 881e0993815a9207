/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of recorded traces: found in folders, unpacked, read block by block. */
#ifndef EBPH_TRACE_H
#define EBPH_TRACE_H

#include <stddef.h>
#include <sys/types.h>

enum { TRACE_BLOCK = 256 << 10 }; /* bytes that one trace_read() gives at most */

struct trace; /* an open file */

/*
 * Open PATH, "-" being standard input; what gzip, xz or zstd packed is unpacked.
 * Gives 0 with *TRACE to be closed by trace_close(), or -1 with the reason, without
 * the path, in the SIZE bytes of ERROR.
 */
int trace_open(struct trace **trace, const char *path, char *error, size_t size);

/* The same of an open descriptor, which stays the caller's. */
int trace_open_fd(struct trace **trace, int fd, char *error, size_t size);

/*
 * The next bytes into *DATA, valid until the next call. Gives their number: TRACE_BLOCK
 * except at the end or before damage, 0 behind it, -1 when the file is damaged or cannot be read, with
 * the reason in ERROR; what came before is good.
 */
ssize_t trace_read(struct trace *trace, const char **data, char *error, size_t size);

void trace_close(struct trace *trace);

/* What trace_walk() found; ERROR is NULL, or why PATH cannot be read. */
typedef int trace_visit(void *context, const char *path, const char *error);

/*
 * Call VISIT for PATH if it is a file or "-", or for each file in the folder PATH and
 * below, in byte order of the names; symbolic links are followed. Stops when VISIT
 * gives other than 0, and gives that.
 */
int trace_walk(const char *path, trace_visit *visit, void *context);

#endif
