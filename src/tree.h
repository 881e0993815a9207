/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel's headers on disk: in one directory, or in two halves as Debian has them. */
#ifndef EBPH_TREE_H
#define EBPH_TREE_H

#include <limits.h>
#include <stddef.h>

struct tree {
	char source[PATH_MAX]; /* has include/linux */
	char build[PATH_MAX];  /* has include/generated; the same or another one */
	char release[128];     /* whose headers they are, as uname -r says it */
};

/* The release in the text of a utsrelease.h; -EINVAL: there is none, or too long. */
int tree_parse_release(const char *text, char *release, size_t size);

/*
 * Find the headers that belong to kernel build directory DIR. 0, or -errno with a
 * sentence in ERROR that says what DIR lacks.
 */
int tree_open(const char *dir, struct tree *t, char *error, size_t size);

/* 0 when T is of RELEASE, else -EXDEV with a sentence in ERROR that names both. */
int tree_check(const struct tree *t, const char *dir, const char *release, char *error,
	       size_t size);

/*
 * Unpack the headers that the kernel itself carries (CONFIG_IKHEADERS) into folder
 * INTO; loads and unloads module kheaders where needed. 0, or -errno: it has none.
 */
int tree_unpack(const char *into);

#endif
