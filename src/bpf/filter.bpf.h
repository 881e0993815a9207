/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose calls are watched. */

INLINE u32 uid_of(u64 task)
{
#if USE_TASK_STORAGE
	u64 cred = *(u64 *)MEMBER(task, task_cred);

	return *(u32 *)MEMBER(cred, cred_uid);
#else
	return bpf_get_current_uid_gid();
#endif
}

#if USE_CGROUP
/*
 * 1 when TASK is in the cgroup that is watched, or in one below it. That is asked for once
 * for each cgroup: what is above one never changes, nor is its id given to another.
 */
INLINE int is_in_cgroup(u64 task)
{
	int result;
#if USE_TASK_STORAGE
	u64 set = *(u64 *)MEMBER(task, task_cgroups);
	u64 cgroup = *(u64 *)MEMBER(set, css_set_dfl_cgrp);
	u64 node = *(u64 *)MEMBER(cgroup, cgroup_kn);
	u64 id = *(u64 *)MEMBER(node, kernfs_node_id), *answer;
	u32 place = id % CGROUP_ANSWERS;

	answer = cgroup_answers.lookup(&place);
	if (answer && *answer == (id << 1 | 1))
		return 1;
	if (answer && *answer == id << 1 && id)
		return 0;
#endif
	result = cgroups.check_current_task(0);
#if USE_TASK_STORAGE
	if (answer && result >= 0)
		*answer = id << 1 | result;
#endif
	return result > 0;
}
#endif

#if USE_EXES || USE_RESPONSE_EXES
/* By which options the file ID is named: enum exe. */
INLINE u32 exe_named(const struct identity *id)
{
	struct file_id file = {
		.device = id->device, .inode = id->inode, .generation = id->generation};
	u32 *how = exes.lookup(&file);

	return how ? *how : 0;
}
#endif

#if USE_EXES
INLINE u64 exes_epoch_now(void)
{
	u32 zero = 0;
	u64 *epoch = exes_epoch.lookup(&zero);

	return epoch ? *epoch : 0;
}
#endif

/*
 * 1 when T, which is TASK, runs a program that is not watched. 0 also when that must be asked
 * again: another file is named since, or TASK may run another program.
 */
INLINE int is_excluded(const struct thread *t, u64 task)
{
#if USE_EXES
	return t->flags & THREAD_EXCLUDED && t->epoch == (u32)exes_epoch_now() &&
	       !HAS_OTHER_MEMORY(t, task);
#endif
	return 0;
}

/* What must hold at each call, because it may change at any time. */
INLINE int filtered_out(u64 task)
{
#if USE_UID || USE_NOT_UID
	u32 uid = uid_of(task);
#endif
#if USE_UID
	if (uid != FILTER_UID)
		return 1;
#endif
#if USE_NOT_UID
	if (FILTER_NOT_UID(uid))
		return 1;
#endif
#if USE_COMM
	u64 comm[2] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	if (comm[0] != FILTER_COMM_0 || comm[1] != FILTER_COMM_1)
		return 1;
#endif
#if USE_CGROUP
	if (!is_in_cgroup(task))
		return 1;
#endif
	return 0;
}

/*
 * 1 when the filters leave the current call out. A thread that is followed then has a
 * gap; that one is not followed its hint tells, so that this is asked for once only.
 */
INLINE int left_out(u64 task)
{
#if USE_UID || USE_NOT_UID || USE_COMM || USE_CGROUP
	u32 tid, place;
	struct handover *left;
	struct thread *t = 0;
	u64 *hint;

	if (!filtered_out(task))
		return 0;
	tid = tid_of(task);
	place = tid % HINTS;
	hint = hints.lookup(&place);
	if (hint && *hint == (HINT_LEFT_OUT | tid))
		return 1;
	if (owner(task, &t) == OWNER_THREAD) {
		thread_gap(t);
		return 1;
	}
	left = handovers.lookup(&tid);
	t = left ? threads.lookup(&left->slot) : 0;
	if (t)
		thread_gap(t);
	hint_set(tid, HINT_LEFT_OUT | tid);
	return 1;
#else
	return 0;
#endif
}

#if USE_TARGETS && !RAW_TRACEPOINTS
enum { PF_FORKNOEXEC = 0x40 }; /* the kernel's flag: no exec since the fork */

/*
 * 1 when TGID, the current process, would be a target by now, had the kernel skipped
 * nothing: COMMAND after its exec, or another target's child. TARGET is what it is so far.
 */
INLINE int is_missed_target(u32 tgid, const u32 *target)
{
	u64 parent = task_u64(TASK, OFFSET_task_real_parent);
	u32 key = read32(MEMBER(parent, task_tgid)), now = TARGET_NOW, *above;

	if (target && task_u32(TASK, OFFSET_task_flags) & PF_FORKNOEXEC)
		return 0;
	above = targets.lookup(&key);
	if (!target && (!above || *above != TARGET_NOW))
		return 0;
	if (targets.update(&tgid, &now))
		lose(LOST_TARGET, 1);
	return 1;
}
#endif

/* 1 when this process will be COMMAND: its exec decides, even if that is skipped. */
INLINE int is_command(void)
{
#if USE_TARGETS && !RAW_TRACEPOINTS
	u32 tgid = bpf_get_current_pid_tgid() >> 32, *target = targets.lookup(&tgid);

	return target && *target == TARGET_AFTER_EXEC;
#endif
	return 0;
}

/* 1 when this process may be watched at all: not ebph, nor what it starts for itself. */
INLINE int is_target(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (tgid == SELF)
		return 0;
#if USE_TARGETS
	u32 *target = targets.lookup(&tgid);

#if !RAW_TRACEPOINTS
	if (!target || *target != TARGET_NOW)
		return is_missed_target(tgid, target);
#endif
	return target && *target == TARGET_NOW;
#else
	u64 parent = read64(MEMBER(bpf_get_current_task(), task_real_parent));

	return read32(MEMBER(parent, task_tgid)) != SELF;
#endif
}
