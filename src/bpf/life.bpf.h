/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads fork, run another program, and end. */

/*
 * Let nothing but the hint tell of CHILD, which TASK may be: 0, or -1 when that cannot be.
 * Never of a thread beside its process's first: it may exec, and then has another id long
 * before on_exec() or, when the exec fails too late, on_exit() hears of it.
 */
INLINE int begin_hinted(struct thread *child, u64 task)
{
#if USE_HINTED
	if (read32(MEMBER(task, task_pid)) != child->tid ||
	    read32(MEMBER(task, task_tgid)) != child->tid)
		return -1;
	child->flags = THREAD_HINTED;
	if (!hint_set(child->tid, child->slot))
		return 0;
	child->flags = 0;
#endif
	return -1;
}

/* 1 when the new child TID is known to be only a thread of its parent's process. */
INLINE int is_thread(context *ctx, u32 tid)
{
#if RAW_TRACEPOINTS
	return read32(MEMBER(FORK_CHILD_TASK(ctx), task_tgid)) != tid;
#endif
	return 0;
}

/*
 * Where the new child's user registers are: as far into its kernel stack as those of its
 * parent T are into their own; 0: that is not known.
 */
INLINE u64 child_regs(context *ctx, const struct thread *t)
{
#if RAW_TRACEPOINTS && !USE_TASK_REGS
	if (t->regs)
		return read64(MEMBER(FORK_CHILD_TASK(ctx), task_stack)) + t->regs -
		       read64(MEMBER(bpf_get_current_task(), task_stack));
#endif
	return t->regs;
}

/* sched_process_fork, in the parent. */
SECOND_HALF int on_fork(context *ctx)
{
	struct thread *t = 0, *child;
	struct handover h = {};
	struct profile *p;
	u32 tid = FORK_CHILD(ctx), slot;

	/* Who had this id before may be in the middle of an exec. */
	hint_set(tid, 0);
#if USE_TARGETS
	u32 parent = bpf_get_current_pid_tgid() >> 32, *target;

	targets.delete(&tid); /* first: user space notes the parent before the child */
	target = targets.lookup(&parent);
	if (target && *target == TARGET_NOW && !is_thread(ctx, tid)) {
		u32 now = TARGET_NOW;

		if (targets.update(&tid, &now))
			lose(LOST_TARGET, 1);
	}
#endif
	if (owner(TASK, &t) != OWNER_THREAD || !t->profile)
		return 0;
	slot = t->profile;
	p = profiles.lookup(&slot);
	h.slot = take_thread();
	child = threads.lookup(&h.slot);
	if (!p || !h.slot || !child) {
		lose(LOST_FORK, 1);
		return 0;
	}
	__builtin_memcpy(child, t, sizeof(*child));
	delay_clear(h.slot);
	child->pending = 0;
	child->flags = 0;
	child->max_lfc = child->lfc;
	child->slot = h.slot;
	child->regs = child_regs(ctx, t);
	child->tid = tid;
	child->tgid = tid;
	__sync_fetch_and_add(&p->threads, 1);
	if (!begin_hinted(child, FORK_CHILD_TASK(ctx)))
		return 0;
	if (handovers.update(&tid, &h)) {
		thread_drop(child);
		lose(LOST_FORK, 1);
	}
	return 0;
}

/*
 * Is the current thread, that nobody followed so far, followed from its exec on? A child
 * that its parent left a thread must not keep the parent's profile in any case.
 */
INLINE int begins_at_exec(u32 tid)
{
	return handovers.lookup(&tid) || (is_target() && !filtered_out(TASK));
}

/* The current thread has another id than OLD, which may be a new process's by now. */
INLINE void give_up_id(u32 old)
{
	if (hinted(old))
		return;
	hint_set(old, 0);
#if USE_TARGETS && !RAW_TRACEPOINTS
	targets.delete(&old); /* see is_thread() */
#endif
}

/* sched_process_exec: after it has succeeded. */
SECOND_HALF int on_exec(context *ctx)
{
	struct thread *t = 0;
	u32 tid = bpf_get_current_pid_tgid(), old = EXEC_OLD_TID(ctx);

	if (old != tid) { /* not the leader called: it takes the leader's id */
		give_up_id(old);
		hint_set(tid, 0);
	}
#if USE_TARGETS
	u32 tgid = bpf_get_current_pid_tgid() >> 32, now = TARGET_NOW;
	u32 *target = targets.lookup(&tgid);

	if (target && *target == TARGET_AFTER_EXEC)
		targets.update(&tgid, &now);
#endif
	if (owner(TASK, &t) != OWNER_THREAD)
		t = begins_at_exec(tid) ? thread_begin(tid) : 0;
	if (!t)
		return 0;
	run_another(t, tid);
	return 0;
}

/* 1 when the current thread is its process's last, where somebody needs to know. */
INLINE int is_last_thread(void)
{
#if USE_TARGETS || USE_RESPONSE || VERBOSE
	u64 signal = read64(MEMBER(bpf_get_current_task(), task_signal));

	return !read32(MEMBER(signal, signal_live));
#endif
	return 0;
}

/* Process TGID is gone: another may have its id. */
INLINE void process_gone(u32 tgid)
{
#if USE_TARGETS
	targets.delete(&tgid);
#endif
#if USE_RESPONSE
	exempt.delete(&tgid);
#endif
#if USE_DELAY
	stops.delete(&tgid);
	halts.delete(&tgid);
#endif
}

/* T is gone, which had SLOT. */
INLINE void thread_gone(struct thread *t, u32 slot)
{
	leave(t);
	t->tid = 0;
	give_thread(slot);
}

/* sched_process_exit, of each thread. */
SECOND_HALF int on_exit(context *ctx)
{
	u32 tid = bpf_get_current_pid_tgid(), tgid = bpf_get_current_pid_tgid() >> 32;
	u32 slot = disown();
	struct thread *t = threads.lookup(&slot);
	int is_last = is_last_thread();

	if (is_last)
		process_gone(tgid);
#if USE_TARGETS
	if (tid != tgid)
		targets.delete(&tid);
#endif
	if (!t || !slot || !t->tid)
		return 0;
	if (VERBOSE && is_last) {
		u32 profile = t->profile;
		struct profile *p = profiles.lookup(&profile);

		if (profile && p)
			profile_event(EVENT_EXIT, profile, p);
	}
	thread_gone(t, slot);
	return 0;
}

#if !RAW_TRACEPOINTS
/*
 * Run by ebph itself, by test-run: slot and id of a thread that is gone, and the id of its
 * process if that is gone too, or 0. The kernel has skipped on_exit() (see
 * HAS_OTHER_MEMORY()): the slot is given back, and the profile left.
 */
SECOND_HALF int reap(struct bpf_raw_tracepoint_args *ctx)
{
	u32 slot = ctx->args[0], tid = ctx->args[1], tgid = ctx->args[2];
	struct thread *t = threads.lookup(&slot);
	struct handover *left = handovers.lookup(&tid);

	if (!slot || !t || t->tid != tid)
		return 0;
	if (left && left->slot == slot)
		handovers.delete(&tid);
	hint_set(tid, 0);
	if (tgid)
		process_gone(tgid);
	thread_gone(t, slot);
	return 1;
}
#endif
