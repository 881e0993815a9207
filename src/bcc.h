/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbcc, opened at run time: it brings LLVM into the process that opens it, so only
 * child processes do.
 */
#ifndef EBPH_BCC_H
#define EBPH_BCC_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

/* libbcc's functions, with the types that bcc_common.h declares. */
struct bcc {
	void *(*create)(const char *, unsigned, const char **, int, bool, const char *);
	void *(*start)(void *, const char *);
	size_t (*length)(void *, const char *);
	char *(*license)(void *);
	unsigned (*version)(void *);
	int (*table)(void *, const char *);
	int (*load)(void *, int, const char *, const struct bpf_insn *, int, const char *,
		    unsigned, int, char *, unsigned, const char *, int);
};

/*
 * The version in a library's file name (libbcc.so.0.26.0: 0.26) as major * 1000 +
 * minor; -1: it has none.
 */
int bcc_version_of(const char *path);

/* Open libbcc for good. 0, or -errno with a sentence in ERROR: not there, too old. */
int bcc_open(struct bcc *b, char *error, size_t size);

#endif
