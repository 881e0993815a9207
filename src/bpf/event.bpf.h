/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space is told. */

INLINE void event_fill(struct event *e, u32 type, u32 slot, const struct profile *p)
{
	u64 task = bpf_get_current_task(), id = bpf_get_current_pid_tgid(), parent,
	    pid_struct;
	u32 level;

	e->type = type;
	e->slot = slot;
	e->time = bpf_ktime_get_boot_ns();
	e->cgroup = bpf_get_current_cgroup_id();
	e->train_count = p->train_count;
	e->sequences = p->sequences;
	e->normal_time = p->normal_time;
	e->anomalies = p->anomalies;
	e->identity = p->identity;
	e->pid = id >> 32;
	e->tid = id;
	parent = read64(MEMBER(task, task_real_parent));
	e->ppid = read32(MEMBER(parent, task_tgid));
	e->uid = bpf_get_current_uid_gid();
	pid_struct = read64(MEMBER(task, task_group_leader));
	pid_struct = read64(MEMBER(pid_struct, task_thread_pid));
	level = read32(MEMBER(pid_struct, pid_level));
	e->container_pid =
		read32(MEMBER(pid_struct, pid_numbers) + SIZE_upid * (u64)level);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	e->lfc = 0;
	e->missed = 0;
	e->truncated = 0;
	e->path_length = 0;
}

INLINE void event_sequence(struct event *e, u8 index, u64 window, u8 missed,
			   const struct profile *p)
{
	e->missed = missed;
	e->sequence[0] = index == INDEX_OVERFLOW ? SYMBOL_OTHER : p->symbol[index];
	UNROLL
	for (u32 d = 1; d <= DISTANCES; d++) {
		u8 earlier = window_at(window, d);

		e->sequence[d] = earlier ? p->symbol[earlier] : SYMBOL_NONE;
		if (earlier == INDEX_OVERFLOW)
			e->sequence[d] = SYMBOL_OTHER;
	}
}

/*
 * 1 when half of the ring buffer is full. libbcc does not offer the helper that tells it
 * for a map of its own.
 */
INLINE int is_crowded(void)
{
	u32 in = RING_WRITTEN, out = RING_READ;
	u64 *written = ring.lookup(&in), *read = ring.lookup(&out);

	return written && read && ring_is_crowded(*written, *read, RING_BYTES);
}

/* 0, or not when there is no room. */
INLINE int event_send(void *event, u64 size)
{
	u32 in = RING_WRITTEN;
	u64 *written = ring.lookup(&in);

	if (events.ringbuf_output(event, size, 0))
		return -1;
	if (written)
		__sync_fetch_and_add(written, ring_bytes(size));
	return 0;
}

/*
 * 1 when P may have one more event of TYPE told at NOW: a flood must neither fill a disk
 * nor take the room of another program's events. What is not limited cannot become many.
 */
INLINE int may_tell(u32 type, struct profile *p, u64 now)
{
	u64 size = is_crowded() ? BUCKET_SHARE : BUCKET_SIZE;

	switch (type) {
	case EVENT_ANOMALY:
		return bucket_take(&p->full_at[LIMITED_ANOMALY], now, size);
	case EVENT_TOLERIZE_LIMIT:
		return bucket_take(&p->full_at[LIMITED_TOLERIZE], now, size);
	case EVENT_ABORT_EXEC:
		return bucket_take(&p->full_at[LIMITED_ABORT], now, size);
	case EVENT_DELAY: /* one that is done must be known, and takes time */
		return !DRY_RUN || bucket_take(&p->full_at[LIMITED_DELAY], now, size);
	case EVENT_SEQUENCE:
	case EVENT_EXEC:
	case EVENT_EXIT:
		return size == BUCKET_SIZE; /* who asks for these wants them all */
	default:
		return 1;
	}
}

/* Tell user space of E, of P, as TYPE, or count that it is not told. */
INLINE void tell(struct event *e, u32 type, struct profile *p)
{
	e->type = type;
	if (!may_tell(type, p, e->time) || event_send(e, sizeof(*e)))
		lose(type == EVENT_ANOMALY ? LOST_ANOMALY : LOST_EVENT, 1);
}

INLINE void profile_event(u32 type, u32 slot, struct profile *p)
{
	struct scratch *s = scratch_get();

	if (!s)
		return;
	event_fill(&s->event, type, slot, p);
	tell(&s->event, type, p);
}
