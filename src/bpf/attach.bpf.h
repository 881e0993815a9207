/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread finds its profile, that of what its process runs, and leaves it. */

INLINE int identify(struct identity *id)
{
	u64 mm = read64(MEMBER(bpf_get_current_task(), task_mm)), file, inode;

	if (!mm)
		return -1;
	file = read64(MEMBER(mm, mm_exe_file));
	inode = read64(MEMBER(file, file_inode));
	if (!file || !inode)
		return -1;
	id->device = read32(MEMBER(read64(MEMBER(inode, inode_sb)), sb_dev));
	id->inode = read64(MEMBER(inode, inode_ino));
	id->generation = read32(MEMBER(inode, inode_generation));
	id->size = read64(MEMBER(inode, inode_size));
	id->mtime = read64(MEMBER(inode, inode_mtime_sec)) * 1000000000ULL +
		    read32(MEMBER(inode, inode_mtime_nsec));
	return 0;
}

/* Note whether T runs ID, and that is not to be watched: 1 then. */
INLINE int exclude(struct thread *t, const struct identity *id)
{
#if USE_EXES
	u32 epoch = exes_epoch_now(), how; /* first: a file may come meanwhile */

	how = exe_named(id);
	t->flags &= ~THREAD_EXCLUDED;
	if ((ONLY_EXES && !(how & EXE_ONLY)) || how & EXE_NOT) {
		t->flags |= THREAD_EXCLUDED;
		t->epoch = epoch;
		return 1;
	}
#endif
	return 0;
}

/* The slot of the profile of ID, made if there is none; 0: no room. */
INLINE u32 profile_find(struct identity *id)
{
	u32 *found = by_identity.lookup(id), slot = 0, is_other;
	struct profile *p;

	if (found)
		return *found;
	slot = take_profile();
	p = profiles.lookup(&slot);
	if (!slot || !p) {
		lose(LOST_PROFILE, 1);
		return 0;
	}
	/* Not to be evicted before it can be found. */
	__sync_fetch_and_add(&p->threads, 1);
	p->identity = *id;
	profile_reset(p);
	is_other = by_identity.insert(id, &slot);
	__sync_fetch_and_add(&p->threads, -1);
	if (!is_other)
		return slot;
	p->state = STATE_FREE;
	give_profile(slot);
	found = by_identity.lookup(id);
	return found ? *found : 0;
}

/* A slot for the current task: its parent left it one, or a new one; 0: none. */
INLINE u32 thread_slot(u32 tid)
{
	struct handover *left = handovers.lookup(&tid);
	u32 slot = 0;

	if (left) {
		slot = left->slot;
		handovers.delete(&tid);
		return slot;
	}
	slot = take_thread();
	struct thread *t = threads.lookup(&slot);

	if (!slot || !t) {
		lose(LOST_THREAD, 1);
		return 0;
	}
	__builtin_memset(t, 0, sizeof(*t));
	t->slot = slot;
	t->tid = tid;
	t->tgid = bpf_get_current_pid_tgid() >> 32;
	return slot;
}

/* T, which has made no call yet, cannot be followed. */
INLINE void thread_drop(struct thread *t)
{
	u32 slot = t->profile;
	struct profile *p = profiles.lookup(&slot);

	if (slot && p)
		__sync_fetch_and_add(&p->threads, -1);
	t->profile = 0;
	t->tid = 0;
	give_thread(t->slot);
}

/* The current task is followed from now on. */
INLINE struct thread *thread_begin(u32 tid)
{
	u32 slot = thread_slot(tid);
	struct thread *t = threads.lookup(&slot);

	if (!slot || !t)
		return 0;
	if (!owner_set(slot))
		return t;
	thread_drop(t);
	lose(LOST_THREAD, 1);
	return 0;
}

INLINE int is_same(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->generation == b->generation && a->size == b->size &&
	       a->mtime == b->mtime;
}

/* Give T the profile of what its process runs; 0 when it has one now. */
INLINE int associate(struct thread *t)
{
	struct identity id = {};
	struct profile *p;
	u32 slot;

	if (identify(&id))
		return -1;
	if (exclude(t, &id))
		return -1;
	slot = profile_find(&id);
	p = profiles.lookup(&slot);
	if (!slot || !p)
		return -1;
	__sync_fetch_and_add(&p->threads, 1);
	/* Counted first, checked then: what is retired meanwhile is seen by one side. */
	if (p->state == STATE_RETIRED || !is_same(&p->identity, &id)) {
		__sync_fetch_and_add(&p->threads, -1);
		return -1;
	}
	p->last_used = bpf_ktime_get_boot_ns();
	t->frame_gen = p->frame_gen;
	t->epoch = p->epoch - 1;
	t->profile = slot;
	return 0;
}

/* Leave the profile: what was held back is added. */
INLINE void leave(struct thread *t)
{
	struct scratch *s = scratch_get();
	u32 slot = t->profile;
	struct profile *p = profiles.lookup(&slot);
	u64 now = bpf_ktime_get_boot_ns();

	if (!slot || !p || !s)
		return;
	if (!lock(slot)) {
		int froze;

		settle_thread(p, t);
		froze = freeze(p, rules_now(s), now);
		unlock(slot);
		if (froze)
			profile_event(EVENT_FREEZE, slot, p);
	} else if (t->pending) {
		lose(LOST_LOCK, t->pending);
	}
	t->pending = 0;
	t->profile = 0;
	p->last_used = now;
	__sync_fetch_and_add(&p->threads, -1);
}

/* T, whose id is TID now, runs another program. */
INLINE void run_another(struct thread *t, u32 tid)
{
	leave(t);
	thread_gap(t);
	frame_clear(t);
	t->max_lfc = 0;
	t->flags = THREAD_EXECED | (t->flags & THREAD_HINTED);
	t->tid = tid;
}

#if !RAW_TRACEPOINTS
/* 1 when T's process runs another program than T's profile is of. */
INLINE int runs_another(struct thread *t)
{
	u32 slot = t->profile;
	struct profile *p = profiles.lookup(&slot);
	struct identity id = {};

	return slot && p && !identify(&id) &&
	       (id.device != p->identity.device || id.inode != p->identity.inode ||
		id.generation != p->identity.generation);
}
#endif

/* Tail program: the current thread has no profile, or may have a wrong one. */
FIRST_HALF int attach(context *ctx)
{
	struct thread *t = 0;

	if (owner(TASK, &t) == OWNER_UNKNOWN) {
		if (!is_target()) {
			if (!is_command())
				owner_set(0);
			return 0;
		}
		t = thread_begin(bpf_get_current_pid_tgid());
	}
	if (!t || is_excluded(t, TASK))
		return 0;
#if RAW_TRACEPOINTS
	t->regs = CALL_REGS(ctx);
#else
	if (HAS_OTHER_MEMORY(t, TASK) && runs_another(t))
		run_another(t, bpf_get_current_pid_tgid());
	t->memory = task_u64(TASK, OFFSET_task_mm);
#endif
	t->tgid = bpf_get_current_pid_tgid() >> 32;
	if (!t->profile && associate(t)) {
		thread_gap(t);
		return 0;
	}
	tails.call(ctx, TAIL_JUDGE);
	return 0;
}
