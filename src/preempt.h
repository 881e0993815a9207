/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the kernel may preempt the programs of raw tracepoints, which loses calls. */
#ifndef EBPH_PREEMPT_H
#define EBPH_PREEMPT_H

/*
 * Look: 1 when programs attached to raw_tracepoint/sys_enter may be preempted on the
 * running kernel, 0 when not, -errno when it cannot be told (no BTF, no permission, or
 * neither the count nor the task's migration state in BTF). Loads a program and a map
 * and is done with them in about a millisecond; needs CAP_BPF and CAP_PERFMON.
 */
int preempt_raw_tracepoints(void);

struct btf;

/* The same with the running kernel's BTF at hand: to read it takes 20 ms. */
int preempt_raw_tracepoints_by(const struct btf *btf);

/*
 * The same for raw tracepoint NAME, without a look at what the kernel's version must
 * answer; TRIGGER makes the tracepoint happen. -ENODATA when the program never ran.
 */
int preempt_at(const char *name, void (*trigger)(void));

#endif
