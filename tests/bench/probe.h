/* SPDX-License-Identifier: GPL-2.0-only */
/* An empty BPF program at the entry of system calls: the least that watching costs. */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

struct probe {
	int program, link;
};

/* Attach an empty program to raw_tracepoint/sys_enter, for every process. 0 or -errno. */
int probe_raw(struct probe *p);

/* The same at the classic tracepoint raw_syscalls/sys_enter. 0 or -errno. */
int probe_classic(struct probe *p);

/* Take it away. */
void probe_detach(struct probe *p);

/* How many raw tracepoints' programs watch system calls now, whoever attached them. */
int probe_count(void);

#endif
