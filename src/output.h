/* SPDX-License-Identifier: GPL-2.0-only */
/* Where events and summaries go: a file, or standard output. */
#ifndef EBPH_OUTPUT_H
#define EBPH_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Give each closed standard stream something that fails when it is used, before another
 * file takes its number. To be called first in main().
 */
void output_standard_streams(void);

/*
 * Open PATH for writing and leave what it holds; NULL: standard output. NULL with a
 * sentence in ERROR (SIZE bytes) when it cannot be written.
 */
FILE *output_open(const char *path, char *error, size_t size);

/* Empty OUT, if it is a regular file of output_open(): what comes takes the place. */
void output_empty(FILE *out);

/*
 * Write out what OUT holds back, and close it unless it is standard output: 0 or -errno.
 * To be called right after the last write, whose error it tells too.
 */
int output_close(FILE *out);

/*
 * To be called after the last write to standard output: 0, or 1 with a message (a closed
 * pipe needs none).
 */
int output_printed(void);

#endif
