/* SPDX-License-Identifier: GPL-2.0-only */
/* One recorded call: what the detector says of it, summed up by process, told as events. */
#ifndef EBPH_JUDGE_H
#define EBPH_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"
#include "detector.h"
#include "model.h"

enum judge_mode {
	JUDGE_LEARN, /* learn everything */
	JUDGE_TEST,  /* test against what was learned, which does not change */
	JUDGE_LIVE,  /* the life cycle, as in the kernel */
};

/* One traced process of one file; its row in the output. */
struct process {
	u32 pid, ppid; /* 0: not known */
	u64 calls, anomalies, misses;
	u32 max_lfc;
	char comm[16];
};

struct judge {
	enum judge_mode mode;
	bool verbose;	   /* events also of what is learned (live) */
	bool follow_links; /* on this machine, from a program's path to one with a profile */
	bool has_clock; /* NOW is the trace's own, ns since 1970; else a second a call */
	u64 now;
	struct detector detector;
	/* Told of what happens, EXE being the path of the profile. NULL: nobody is. */
	void (*tell)(void *context, const struct event *e, const char *exe);
	void *context;
};

/* Begin with no profile; as detector_init(). judge_free() ends it. */
void judge_init(struct judge *j, const struct rules *rules, u32 window, u32 frame);
void judge_free(struct judge *j);

/* The model of the program EXE, begun by P's thread TID if it is new; NULL: no memory. */
struct model *judge_model(struct judge *j, const char *exe, const struct process *p,
			  u32 tid);

/*
 * Call SYMBOL of P's thread T, TID, which runs M (NULL: a program that is not known).
 * 0 or -ENOMEM.
 */
int judge_call(struct judge *j, struct process *p, struct thread *t, u32 tid,
	       struct model *m, u32 symbol);

/* The same of COUNT calls, faster. */
int judge_calls(struct judge *j, struct process *p, struct thread *t, u32 tid,
		struct model *m, const u32 *symbols, size_t count);

/* A call that is counted and nothing else: the kernel entered it again. */
void judge_count(struct judge *j, struct process *p, struct model *m);

#endif
