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
	int reap;			      /* as command; with classic tracepoints */
	int delays, stops, halts, exempt, response;
	int profiles, rows, threads, losses, taken, settings, events, ring, tails,
		by_identity;
	int free_profiles, free_rows, free_threads, targets, cgroups, cgroup_answers;
	int locks, kept_thread, handovers, scratches, owners, exes, exes_epoch, hints,
		spares; /* held for their size only */
};

/*
 * RESPONDING: attached or called by those that are, and not the same with and without
 * responses; RAW: a raw tracepoint's, always; LSM: called by the kernel's security hooks.
 */
enum part_kind { MAP, ATTACHED, RESPONDING, TESTRUN, RAW, LSM };

/* A program or a map of a BPF source, and where its descriptor goes. */
struct part {
	const char *name;
	size_t offset; /* of an int, in whatever struct the caller keeps them */
	enum part_kind kind;
	int half; /* of the source it is in, when HALF is 1 or 2; 0: in each */
};

/*
 * Compile TEXT, load its programs and give the descriptors of COUNT PARTS (-1: not there)
 * to the struct at BASE. RAW: what is to be attached is for raw tracepoints, else for
 * classic ones. Where there are two processors and parts in halves, one process compiles
 * each half, with HALF defined as 1 or 2. 0, or -errno with a sentence in ERROR, and then
 * all are -1. What libbcc has to say goes to standard error.
 */
int compile_parts(const char *text, bool raw, const struct part *parts, int count,
		  void *base, char *error, size_t size);

/* Close all that compile_parts() gave. */
void parts_close(const struct part *parts, int count, void *base);

/* The same for the detector's source: L gets all its parts. */
int compile(const char *text, bool raw, struct loaded *l, char *error, size_t size);

/* Done again and again during what takes long: here, every few milliseconds. */
struct meanwhile {
	void (*act)(void *context);
	void *context;
};

/*
 * Compile TEXT, which has responses that L's programs have not: MORE gets the programs
 * that these make different and all that L has not, the rest is -1. They use L's maps.
 * L and what it is attached to go on as they are. Result as above.
 */
int compile_more(const char *text, bool raw, const struct loaded *l, struct loaded *more,
		 const struct meanwhile *meanwhile, char *error, size_t size);

/* Let L have what is in MORE; what it had in its place is the caller's to close. */
void loaded_add(struct loaded *l, const struct loaded *more);

/* Close the descriptors of L that OTHER has not; L is empty then. */
void loaded_close_but(struct loaded *l, const struct loaded *other);

/* The descriptor at OFFSET of L; -1: it is not there. */
int loaded_at(const struct loaded *l, size_t offset);

/* The descriptor of map number I = 0, 1, ...: -1: it is not there; -ENOENT: past all. */
int loaded_map(const struct loaded *l, int i);

/* Close all descriptors of L. */
void loaded_close(struct loaded *l);

#endif
