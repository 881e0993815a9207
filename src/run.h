/* SPDX-License-Identifier: GPL-2.0-only */
/* Recorded traces of any format, from files to judged processes. */
#ifndef EBPH_RUN_H
#define EBPH_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "judge.h"
#include "symbols.h"
#include "types.h"

enum trace_format {
	FORMAT_AUTO,	   /* by the file's first lines */
	FORMAT_NUMBERS,	   /* one process a file, numbers between blanks */
	FORMAT_PID_NUMBER, /* lines of PID NUMBER */
	FORMAT_STRACE,	   /* of strace -f -o FILE */
};

struct run {
	enum trace_format format;
	struct judge *judge;
	struct symbols *symbols;
	/* A file begins. */
	void (*begin)(void *context, const char *file);
	/* A process of it ended with it; NULL: nobody is told. */
	int (*row)(void *context, const char *file, const struct process *p);
	/* PATH cannot be read (further); LINE is 0 where it has none. */
	void (*error)(void *context, const char *path, u64 line, const char *why);
	/* Now and then: BYTES more were read. */
	void (*progress)(void *context, size_t bytes);
	void *context;
};

/* The format of a trace that begins with the SIZE bytes at DATA; AUTO: cannot be told. */
enum trace_format run_format(const char *data, size_t size);

/*
 * Read PATH, a file, a folder or "-". What is wrong with a file is told to R->error,
 * and the others are still read. 0, -ENOMEM, or what R->row gave.
 */
int run_path(struct run *r, const char *path);

#endif
