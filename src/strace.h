/* SPDX-License-Identifier: GPL-2.0-only */
/* What one line of an strace log says. What it means is up to tasks.h. */
#ifndef EBPH_STRACE_H
#define EBPH_STRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

enum strace_kind {
	STRACE_NOISE,	   /* says nothing about calls */
	STRACE_CALL,	   /* entered and returned */
	STRACE_UNFINISHED, /* entered */
	STRACE_RESUMED,	   /* returned */
	STRACE_SIGNAL,	   /* reached the thread, handled or not */
	STRACE_EXIT,	   /* the thread is gone */
	STRACE_SUPERSEDED, /* thread OTHER goes on as this one, by execve */
	STRACE_MODE,	   /* thread OTHER runs in 32-bit mode, or not */
};

/* Pointers lead into the line that was parsed. */
struct strace_line {
	enum strace_kind kind;
	u32 tid;	  /* 0: strace wrote none */
	u64 time;	  /* of -ttt, ns since 1970; 0: none */
	const char *name; /* of the call or signal */
	size_t name_length;
	const char *args; /* what is behind the opening parenthesis, or "resumed>" */
	long number;	  /* of the call, with -n; -1: not told */
	bool returned;	  /* RESULT is the call's */
	long long result;
	u32 restart; /* 512..516: ERESTARTSYS and its kin; 0: none */
	u32 other;
	bool compat; /* STRACE_MODE */
};

/*
 * Parse LINE, which has no newline. 0, or -1 with *WHY (static) for what strace does
 * not write.
 */
int strace_parse(const char *line, struct strace_line *out, const char **why);

/* The number of the signal NAME of LENGTH bytes, such as SIGUSR1 or SIGRT_3; 0: none. */
int strace_signal(const char *name, size_t length);

/*
 * The first string among ARGS without its quotes and escapes into the SIZE bytes of
 * TEXT; false if there is none that fits.
 */
bool strace_string(const char *args, char *text, size_t size);

#endif
