/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the kernel may preempt the programs of raw tracepoints, which loses calls. */
#ifndef EBPH_PREEMPT_H
#define EBPH_PREEMPT_H

#include <stdbool.h>

struct btf;

/*
 * Look: 1 when programs attached to raw_tracepoint/sys_enter may be preempted on the
 * running kernel, whose BTF this is, 0 when not, -errno when it cannot be told (no
 * permission, or neither the count nor the task's migration state in BTF). Loads a
 * program and a map and is done with them in about a millisecond; needs CAP_BPF and
 * CAP_PERFMON.
 */
int preempt_raw_tracepoints_by(const struct btf *btf);

/* Which tracepoints are taken, and why. */
struct preempt_choice {
	bool raw;      /* else classic ones */
	bool wished;   /* EBPH_TRACEPOINTS says so */
	int preempted; /* as preempt_raw_tracepoints_by() says; -ENOENT: there is no BTF */
};

/*
 * Raw tracepoints, unless their programs can be preempted: calls would be lost. BTF: the
 * running kernel's; NULL: there is none.
 */
struct preempt_choice preempt_choose(const struct btf *btf);

/*
 * The same for raw tracepoint NAME, without a look at what the kernel's version must
 * answer; TRIGGER makes the tracepoint happen. -ENODATA when the program never ran.
 */
int preempt_at(const char *name, void (*trigger)(void));

#endif
