/* SPDX-License-Identifier: GPL-2.0-only */
/* Tail programs that tell user space of a call, and of a profile's path. */

/* 1 when report() has something to say of V. */
INLINE int is_news(const struct verdict *v)
{
	return v->thawed || v->froze || v->ripened || v->missed || v->crossed ||
	       v->exceeded || (VERBOSE && (v->execed || (v->fresh && v->learns)));
}

/* Tail program: what judge() saw in this thread's current call becomes events. */
SECOND_HALF int report(context *ctx)
{
	struct scratch *s = scratch_get();
	struct thread *t = 0;
	struct profile *p;
	struct verdict *v;
	u32 slot;

	p = profile_now(TASK, &t);
	if (!s || !p)
		return 0;
	slot = t->profile;
	v = &s->verdict;
	event_fill(&s->event, EVENT_THAW, slot, p);
	s->event.lfc = t->lfc;
	event_sequence(&s->event, v->index, v->window, v->missed ? v->missed : v->fresh,
		       p);
	if (VERBOSE && v->execed)
		tell(&s->event, EVENT_EXEC, p);
	if (v->thawed)
		tell(&s->event, EVENT_THAW, p);
	if (v->froze)
		tell(&s->event, EVENT_FREEZE, p);
	if (v->ripened)
		tell(&s->event, EVENT_NORMAL, p);
	if (v->missed)
		tell(&s->event, EVENT_ANOMALY, p);
	else if (VERBOSE && v->fresh && v->learns)
		tell(&s->event, EVENT_SEQUENCE, p);
	if (v->crossed)
		tell(&s->event, EVENT_TOLERIZE_LIMIT, p);
	if (v->exceeded)
		tell(&s->event, EVENT_ANOMALY_LIMIT, p);
	respond_to(ctx, t, 0);
	return 0;
}

/*
 * Tail program: tell user space of a new profile and its path, at each judged call
 * until that has found room in the ring.
 */
SECOND_HALF int name(context *ctx)
{
	struct scratch *s = scratch_get();
	u64 task = bpf_get_current_task();
	u64 file = read64(MEMBER(read64(MEMBER(task, task_mm)), mm_exe_file));
	u64 fs = read64(MEMBER(task, task_fs));
	struct thread *t = 0;
	struct profile *p;
	u32 at, size, slot;

	p = profile_now(TASK, &t);
	if (!s || !p)
		return 0;
	slot = t->profile;
	if (p->named) /* another thread told just now */
		goto told;
	s->walk.mount = read64(MEMBER(file, file_path_mnt));
	s->walk.dentry = read64(MEMBER(file, file_path_dentry));
	s->walk.root_mount = read64(MEMBER(fs, fs_root_mnt));
	s->walk.root_dentry = read64(MEMBER(fs, fs_root_dentry));
	s->walk.at = PATH_BYTES;
	s->walk.done = 0;
	s->walk.full = 0;
	NO_UNROLL
	for (int i = 0; i < PATH_STEPS; i++)
		walk_step(&s->walk, s->path);
	at = s->walk.at;
	event_fill(&s->event, EVENT_PROFILE, slot, p);
	s->event.truncated = !s->walk.done || s->walk.full;
	s->event.path_length = PATH_BYTES - at;
	at -= sizeof(struct event);
	size = PATH_BYTES - at;
	at &= PATH_BYTES - 1;
	KEEP(size);
	if (size > PATH_BYTES)
		return 0;
	bpf_probe_read_kernel(&s->path[at], sizeof(struct event), &s->event);
	if (!event_send(&s->path[at], size)) {
		p->named = 1;
		if (s->event.truncated)
			lose(LOST_PATH, 1);
	}
told:
	if (is_news(&s->verdict))
		tails.call(ctx, TAIL_REPORT);
	respond_to(ctx, t, 0);
	return 0;
}
