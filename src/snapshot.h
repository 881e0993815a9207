/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's tables say of threads and profiles at one moment, in short. */
#ifndef EBPH_SNAPSHOT_H
#define EBPH_SNAPSHOT_H

#include "tables.h"

struct snapshot_profile {
	u32 slot;
	u32 state;   /* enum profile_state */
	u32 threads; /* of the snapshot that run it */
	u32 symbols; /* distinct calls seen */
	struct identity identity;
	u64 count, train_count, last_mod_count;
	u64 sequences, anomalies;
	u64 normal_time; /* boot clock, ns; when frozen */
};

struct snapshot_thread {
	u32 tid, pid;
	u32 profile; /* place in the list of profiles */
	u32 lfc, max_lfc;
};

/* A thread's profile is always there, in the state that it had. */
struct snapshot {
	struct snapshot_profile *profiles;
	struct snapshot_thread *threads; /* by pid, then tid */
	u32 profile_count, thread_count, process_count;
};

/* Read T into S, which snapshot_free() frees: 0 or -ENOMEM. */
int snapshot_take(struct snapshot *s, const struct tables *t);
void snapshot_free(struct snapshot *s);

/* How many of S's threads are of the process of thread number I, which is its first. */
u32 snapshot_process(const struct snapshot *s, u32 i);

#endif
