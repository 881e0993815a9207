/* SPDX-License-Identifier: GPL-2.0-only */
/* What ebph needs of the kernel and of its own rights, asked of the kernel itself. */
#ifndef EBPH_FEATURE_H
#define EBPH_FEATURE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Cheap questions ahead of all work: capabilities, the host's process ids, the bpf()
 * system call, raw tracepoint programs, lockdown. 0, or -errno with a sentence in ERROR.
 */
int feature_check(char *error, size_t size);

/*
 * After the kernel has refused something: look for a map type or helper that it does
 * not have, or a limit on locked memory or open files. 1 with a sentence in ERROR, or 0 when nothing
 * that ebph needs is missing. TASK_STORAGE: whether tasks' local storage is used.
 */
int feature_missing(bool task_storage, char *error, size_t size);

/*
 * Which capabilities beside those in EFFECTIVE (as in /proc/self/status) the kernel wants
 * for tracing programs: a text, or NULL. KNOWS_CAP_BPF: it has smaller ones than
 * CAP_SYS_ADMIN, as of Linux 5.8.
 */
const char *feature_capabilities(unsigned long long effective, bool knows_cap_bpf);

/* Whether the kernel has CAP_BPF, whoever has it. */
bool feature_knows_cap_bpf(void);

/*
 * Whether BPF programs can forbid anything here: 0, or -errno with a sentence in ERROR that
 * says how to make it so.
 */
int feature_lsm(char *error, size_t size);

/* Load the smallest program of KIND: its descriptor, or -errno. */
int feature_program(enum bpf_prog_type kind);

/* 1 or 0: whether programs of KIND may call FUNCTION; -errno: cannot be told. */
int feature_helper(enum bpf_prog_type kind, enum bpf_func_id function);

/*
 * 1 or 0: whether maps count against the memory cgroup, as of Linux 5.11, and not as locked
 * memory; -errno: cannot be told.
 */
int feature_charges_cgroup(void);

/*
 * 1 or 0: whether programs may exchange a word of memory at once and are as fast as others;
 * -errno: cannot be told.
 */
int feature_exchange(void);

/* Whether this process may send a signal to any other: it takes CAP_KILL. */
bool feature_may_signal(void);

/* Whether it may see what any process runs: it takes CAP_SYS_PTRACE. */
bool feature_may_look(void);

/* Whether NAME is in the list TEXT, between commas. */
bool feature_lists(const char *text, const char *name);

/* The lockdown level in the text of /sys/kernel/security/lockdown that forbids reading. */
bool feature_locked_down(const char *text);

#endif
