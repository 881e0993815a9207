/* SPDX-License-Identifier: GPL-2.0-only */
/* Tying the programs to the kernel's tracepoints, and untying them. */
#ifndef EBPH_ATTACH_H
#define EBPH_ATTACH_H

#include <stdbool.h>

#include "compile.h"

enum { ATTACH_POINTS = 7 };

/* What holds the programs; -1: nothing. */
struct links {
	int fd[ATTACH_POINTS];
	int id[ATTACH_POINTS]; /* of classic tracepoints; 0: not asked for yet */
};

/*
 * Attach the programs of L that follow the life of threads, RAW: to raw tracepoints,
 * else to classic ones (perf events), and those of responses. 0, or -errno with a sentence
 * in ERROR (SIZE bytes). Whatever came of it, attach_none() lets go.
 */
int attach_life(struct links *k, const struct loaded *l, bool raw, char *error,
		size_t size);

/* The same for system calls: from here on calls are seen. */
int attach_calls(struct links *k, const struct loaded *l, bool raw, char *error,
		 size_t size);

/*
 * Attach to BESIDE the programs of L, other than that of system calls, that are not the
 * same in BEFORE, whose programs stay attached through K. 0, or -errno with a sentence, and
 * then BESIDE has none. Until attach_replace() two of them see each thread's end: the second
 * finds nothing left to do.
 */
int attach_beside(struct links *beside, const struct links *k, const struct loaded *l,
		  const struct loaded *before, bool raw, char *error, size_t size);

/* Let K have what BESIDE has, and detach what it had in its place. */
void attach_replace(struct links *k, const struct links *beside);

/* From here on calls are not seen, until attach_calls() again: threads have a gap. */
void attach_calls_end(struct links *k);

/* Nothing is attached: what K must be made of first. */
void attach_init(struct links *k);

/* The number of the classic tracepoint GROUP:NAME, or -errno; -ENOENT: there is no tracefs. */
int attach_classic_id(const char *group, const char *name);

/*
 * Attach PROGRAM to that of number ID on all CPUs: the descriptor that holds it, or -errno,
 * which ID may be already.
 */
int attach_classic(int id, int program);

/* What to do about ERROR of attach_classic(), after a semicolon; "": nothing is known. */
const char *attach_classic_advice(int error);

/*
 * Whether this process may open perf events, as classic tracepoints take. Where Debian's
 * kernels restrict that (kernel.perf_event_paranoid above 2), CAP_PERFMON may not be enough.
 */
bool attach_may_open_events(void);

/* Detach all. May be called again. */
void attach_none(struct links *k);

#endif
