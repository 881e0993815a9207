/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the members of kernel structs lie, as a kernel's own headers have it. */
#ifndef EBPH_OFFSETS_H
#define EBPH_OFFSETS_H

#include <stddef.h>

#include "tree.h"

/*
 * The C source, to be freed, whose function offset_N() returns the value of member N, for
 * the kernel headers in folder SOURCE/include.
 */
char *offsets_source(const char *source);

/*
 * Have libbcc compile, in a child process, a source that asks the compiler for each
 * member, and put the answers into VALUES (member_count long; members without a header
 * are left as they are). 0, or -errno with a sentence in ERROR; the compiler's own
 * words go to standard error.
 */
int offsets_compile(const struct tree *t, unsigned int *values, char *error, size_t size);

#endif
