/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose call it is: the slot of the current task's thread, if it has one. */

enum { OWNER_UNKNOWN, OWNER_IGNORED, OWNER_THREAD };

INLINE u32 tid_of(u64 task)
{
#if USE_TASK_STORAGE
	return *(u32 *)MEMBER(task, task_pid);
#else
	return bpf_get_current_pid_tgid();
#endif
}

/* What stands at OFFSET of the current task, which is TASK. */
INLINE u64 task_u64(u64 task, u32 offset)
{
#if USE_TASK_STORAGE
	return *(u64 *)(task + offset);
#else
	return read64(bpf_get_current_task() + offset);
#endif
}

INLINE u32 task_u32(u64 task, u32 offset)
{
#if USE_TASK_STORAGE
	return *(u32 *)(task + offset);
#else
	return read32(bpf_get_current_task() + offset);
#endif
}

#if !USE_TASK_STORAGE
/* Can who was ID be NOW? Who execs takes the id of its leader, which no new thread gets. */
INLINE int has_leaders_id(u64 id, u64 now)
{
	return id >> 32 == now >> 32 && (u32)now == now >> 32;
}
#endif

/* What the current task owns: the slot of its thread, 0 when it is ignored; or NULL. */
INLINE u32 *owned(u64 task)
{
#if USE_TASK_STORAGE
	return owners.task_storage_get((void *)task, 0, 0);
#else
	u64 key = bpf_get_current_task(), id = bpf_get_current_pid_tgid();
	struct owner *own = owners.lookup(&key);

	/* A thread whose end was skipped leaves it to the next task at its address. */
	if (!own || (own->id != id && !has_leaders_id(own->id, id)))
		return 0;
	return &own->slot;
#endif
}

/*
 * Whose call it is. The hint at the thread's id costs half of what asking for the
 * task's own storage does; two threads may want the same place, so it may be of
 * another one.
 */
INLINE u32 owner(u64 task, struct thread **thread)
{
	u32 tid = tid_of(task), place = tid % HINTS, slot, *own;
	u64 *hint = hints.lookup(&place);
	struct thread *t;

	if (hint) {
		slot = *hint;
		if (slot == (HINT_IGNORED | tid))
			return OWNER_IGNORED;
		t = threads.lookup(&slot);
		if (t && t->tid == tid) {
			*thread = t;
			return OWNER_THREAD;
		}
	}
	own = owned(task);
	if (!own)
		return OWNER_UNKNOWN;
	slot = *own;
	if (!slot)
		return OWNER_IGNORED;
	*thread = threads.lookup(&slot);
	if (!*thread)
		return OWNER_IGNORED;
#if !RAW_TRACEPOINTS
	(*thread)->tid = tid; /* an exec, which gave it another, may have been skipped */
#endif
	return OWNER_THREAD;
}

/*
 * 1 when T, which is TASK, may run another program than when it was last asked what it runs:
 * an exec may have been missed. While bpf(2), whoever's, copies what is in a map, the kernel
 * skips the programs of classic tracepoints on its CPU, and a preemptible kernel may let
 * others run there meanwhile. A fork too gives a process other memory.
 */
#if RAW_TRACEPOINTS
#define HAS_OTHER_MEMORY(t, task) 0
#else
#define HAS_OTHER_MEMORY(t, task) ((t)->memory != task_u64(task, OFFSET_task_mm))
#endif

/* The profile of the current thread, which THREAD becomes; NULL: it has none. */
INLINE struct profile *profile_now(u64 task, struct thread **thread)
{
	u32 slot;

	if (owner(task, thread) != OWNER_THREAD)
		return 0;
	slot = (*thread)->profile;
	return slot ? profiles.lookup(&slot) : 0;
}

/*
 * Let HINT be TID's, unless another thread has nothing but the hint in its place, or takes
 * the place just now: -1.
 */
INLINE int hint_set(u32 tid, u32 hint)
{
	u32 place = tid % HINTS, slot;
	u64 *old = hints.lookup(&place), was;
	struct thread *t;

	if (!old)
		return -1;
	was = *old;
	if (was == hint)
		return 0;
	slot = was;
	t = threads.lookup(&slot);
	if (t && t->flags & THREAD_HINTED && t->tid != tid && t->tid % HINTS == place)
		return -1;
#if HAS_EXCHANGE
	return __sync_val_compare_and_swap(old, was, (u64)hint) == was ? 0 : -1;
#else
	*old = hint;
	return 0;
#endif
}

/* The thread TID, if it is one that only its hint tells of. */
INLINE struct thread *hinted(u32 tid)
{
	u32 place = tid % HINTS, slot;
	u64 *hint = hints.lookup(&place);
	struct thread *t;

	slot = hint ? *hint : 0;
	t = threads.lookup(&slot);

	return t && t->tid == tid && t->flags & THREAD_HINTED ? t : 0;
}

INLINE int owner_set(u32 slot)
{
	u32 tid = bpf_get_current_pid_tgid();
#if USE_TASK_STORAGE
	u32 *own = owners.task_storage_get(bpf_get_current_task_btf(), &slot,
					   BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!own)
		return -1;
	*own = slot;
#else
	u64 key = bpf_get_current_task();
	struct owner own = {.id = bpf_get_current_pid_tgid(), .slot = slot};

	if (owners.update(&key, &own))
		return -1;
#endif
	hint_set(tid, slot ? slot : HINT_IGNORED | tid);
	return 0;
}

/* The slot of the current thread, which owns nothing from now on; 0: it had none. */
INLINE u32 disown(void)
{
	u32 tid = bpf_get_current_pid_tgid(), slot = 0, *own;
	struct thread *t = hinted(tid);
	struct handover *left;

	if (t) {
		hint_set(tid, 0);
		return t->slot;
	}
	own = owned(TASK);
	left = handovers.lookup(&tid);
	if (own) {
		slot = *own;
		*own = 0;
	}
	if (left) { /* one who is ignored may have been left a thread all the same */
		slot = slot ? slot : left->slot;
		handovers.delete(&tid);
	}
#if !USE_TASK_STORAGE
	u64 key = bpf_get_current_task();

	owners.delete(&key);
#endif
	hint_set(tid, 0);
	return slot;
}
