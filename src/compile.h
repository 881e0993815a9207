/* SPDX-License-Identifier: GPL-2.0-only */
/* Compile and load the BPF source in child processes, so that LLVM stays out of ours. */
#ifndef EBPH_COMPILE_H
#define EBPH_COMPILE_H

#include <stdbool.h>
#include <stddef.h>

/* Descriptors of what was loaded, close-on-exec, owned by the caller; -1: not there. */
struct loaded {
	int enter, attach, known, judge, name, report;
	int on_fork, on_exec, on_exit, on_signal;
	int command;			      /* to be run by test-run, not attached */
	int resolve;			      /* likewise; with -e or --not-exe */
	int respond, on_generate, bprm_check; /* with responses that need them */
	int release;			      /* as command; with delays */
	int delays, stops, halts, exempt, response;
	int profiles, rows, threads, losses, taken, settings, events, ring, tails,
		by_identity;
	int free_profiles, free_rows, free_threads, targets, cgroups, cgroup_answers;
	int locks, kept_thread, handovers, scratches, owners, exes, hints,
		spares; /* held for their size only */
};

/* RAW: a raw tracepoint's, always; LSM: called by the kernel's security hooks. */
enum part_kind { MAP, ATTACHED, TESTRUN, RAW, LSM };

/* A program or a map of a BPF source, and where its descriptor goes. */
struct part {
	const char *name;
	size_t offset; /* of an int, in whatever struct the caller keeps them */
	enum part_kind kind;
	int half; /* of the source it is in, when HALF is 1 or 2; 0: in each */
};

/*
 * Compile TEXT against the headers in folder HEADERS, load its programs and give the
 * descriptors of COUNT PARTS (-1: not there) to the struct at BASE. RAW: what is to be
 * attached is for raw tracepoints, else for classic ones. Where there are two processors and
 * parts in halves, one process compiles each half, with HALF defined as 1 or 2. 0, or -errno
 * with a sentence in ERROR, and then all are -1. What libbcc has to say goes to standard
 * error.
 */
int compile_parts(const char *text, const char *headers, bool raw,
		  const struct part *parts, int count, void *base, char *error,
		  size_t size);

/* Close all that compile_parts() gave. */
void parts_close(const struct part *parts, int count, void *base);

/*
 * Compile TEXT against the headers in folder HEADERS and load all programs, RAW: those
 * that are attached for raw tracepoints, else for classic ones. 0, or -errno with a
 * sentence in ERROR. What libbcc has to say goes to standard error.
 */
int compile(const char *text, const char *headers, bool raw, struct loaded *l,
	    char *error, size_t size);

/* The descriptor of map number I = 0, 1, ...: -1: it is not there; -ENOENT: past all. */
int loaded_map(const struct loaded *l, int i);

/* Close all descriptors of L. */
void loaded_close(struct loaded *l);

#endif
