/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Responses: what is not asked for is not compiled in; how much is, may be set.
 *
 * Where they are switched on later, programs with them take the place of the tail programs
 * and of on_exit() (RESPONDING in src/compile.c), one by one while calls are made. The
 * other programs stay, and must do the same with responses as without.
 */

/* 1 when T has a delay that is not known to be over. */
INLINE int is_held(const struct thread *t)
{
#if USE_DELAY
	u32 slot = t->slot;
	struct delay *d = delays.lookup(&slot);

	return d && d->due;
#endif
	return 0;
}

/*
 * The current call has been judged: what follows from it. RESTARTED: it is no call of its
 * own. Does not come back if there is anything to do.
 */
INLINE void respond_to(context *ctx, const struct thread *t, u8 restarted)
{
#if USE_RESPONSE
	struct scratch *s = scratch_get();

	if (!s || (!t->lfc && !is_held(t)))
		return;
	s->verdict.restarted = restarted;
	tails.call(ctx, TAIL_RESPOND);
#endif
}

/*
 * 1 when the call of SYMBOL is T's last one, entered again because its process was stopped:
 * that announces itself to one thread only. An attack gains one call for each delay of
 * another thread of the same process, and only the one that it has just made.
 */
INLINE int is_entered_again(const struct thread *t, const struct profile *p, u64 symbol)
{
#if USE_DELAY
	u32 tgid = t->tgid, slot = t->slot;
	u64 *count = halts.lookup(&tgid), seen;
	struct delay *d = delays.lookup(&slot);
	u8 last = t->window;

	if (!count || !d)
		return 0;
	seen = d->halts;
	/* a stop that is under way has yet to interrupt this call, and may be counted already */
	d->halts = stops.lookup(&tgid) ? *count - 1 : *count;
	return seen != *count && last && p->symbol[last] == symbol;
#endif
	return 0;
}

#if USE_RESPONSE
/* T's LFC, when P has not emptied its frame since. */
INLINE u32 lfc_now(const struct thread *t, const struct profile *p)
{
	return t->frame_gen == p->frame_gen ? t->lfc : 0;
}

/* What is in force: never compiled in, as it may be set. */
INLINE const struct response *response_now(void)
{
	u32 zero = 0;

	return response.lookup(&zero);
}

/* 1 when nothing may be done to the current process, which runs P. */
INLINE int is_exempt(const struct profile *p)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (exempt.lookup(&tgid))
		return 1;
#if USE_RESPONSE_EXES
	u32 found = exe_named(&p->identity);

	return (ONLY_RESPONSE_EXES && !(found & EXE_RESPOND)) || found & EXE_NEVER;
#endif
	return 0;
}
#endif

#if USE_DELAY
enum { SIGCONT = 18, SIGSTOP = 19, SIGTTOU = 22 };
enum { STOP_SIGNALS = 0xf << (SIGSTOP - 1) };
enum { JOBCTL_STOP_PENDING = 1 << 17, SIGNAL_STOP_STOPPED = 1 };

/* The unit of R * 2^LFC ns, but its longest at most. */
INLINE u64 delay_of(const struct response *r, u64 lfc)
{
	u64 unit = r->delay_unit, longest = r->delay_max;

	if (lfc > 63 || unit > longest >> lfc)
		return longest;
	return unit << lfc;
}

/* 1 when somebody else is stopping the process of TASK, or has. */
INLINE int is_stopping(u64 task)
{
	u64 signal = read64(MEMBER(task, task_signal));
	u64 pending = read64(MEMBER(task, task_pending)) |
		      read64(MEMBER(signal, signal_pending));

	return read64(MEMBER(task, task_jobctl)) & JOBCTL_STOP_PENDING ||
	       read32(MEMBER(signal, signal_flags)) & SIGNAL_STOP_STOPPED ||
	       pending & STOP_SIGNALS;
}

/* The process of T is stopped once more, which T itself knows. */
INLINE void count_halt(const struct thread *t, u32 tgid)
{
	u32 slot = t->slot;
	u64 *count = halts.lookup(&tgid), one = 1;
	struct delay *d = delays.lookup(&slot);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		halts.update(&tgid, &one);
	if (d)
		d->halts = count ? *count : one;
}

/*
 * The note that the current process, TGID, is stopped until DUE, as it is in the table; in
 * NOTE a copy. NULL: no room. Threads that are delayed at one instant make one note: who
 * comes second must not take the first one's SIGSTOP for a stranger's.
 */
INLINE struct stop *note_stop(struct stop *note, u32 tgid, u64 due)
{
	u64 task = bpf_get_current_task();
	struct stop *known = stops.lookup(&tgid);

	if (!known) {
		note->start = read64(
			MEMBER(read64(MEMBER(task, task_group_leader)), task_start));
		note->foreign = is_stopping(task);
		stops.insert(&tgid, note);
		known = stops.lookup(&tgid);
	}
	if (!known)
		return 0;
	if (known->due <= due) {
		known->tid = note->tid;
		known->slot = note->slot;
		known->lfc = note->lfc;
		known->due = due;
	}
	*note = *known;
	return known;
}

/*
 * Stop the current process. First it is noted: were ebph to end right now, its guardian
 * must know. And again afterwards: that it was to be continued may have removed the note.
 */
INLINE int stop(const struct thread *t, u64 due, u32 lfc)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct stop note = {};

	note.due = due;
	note.tid = bpf_get_current_pid_tgid();
	note.slot = t->profile;
	note.lfc = lfc;
	if (!note_stop(&note, tgid, due))
		return -1;
	if (!note.foreign && bpf_send_signal(SIGSTOP))
		return -1;
	count_halt(t, tgid);
	if (!stops.lookup(&tgid))
		stops.update(&tgid, &note);
	return 0;
}

/* Hold the current thread up until its delay is over, or for as long as its LFC says. */
INLINE void hold(struct scratch *s, struct thread *t, struct profile *p)
{
	u64 now = bpf_ktime_get_boot_ns(), length;
	u32 slot = t->slot, lfc = lfc_now(t, p), nobody = 0;
	struct delay *d = delays.lookup(&slot);
	struct stop *end = stops.lookup(&nobody);
	const struct response *r = response_now();

	if (!r)
		return;
	if (!DRY_RUN &&
	    (!end || end->due)) /* ebph does not stop anybody yet, or any more */
		return;
	/* a tracer could take the stop away, or trip over it */
	if (!d || read32(MEMBER(bpf_get_current_task(), task_ptrace)))
		return;
	if (!r->delay_unit) /* set to 0 since it began */
		d->due = 0;
	if (now < d->due) { /* somebody has continued it */
		if (stop(t, d->due, lfc))
			lose(LOST_DELAY, 1);
		t->full = 0; /* its next call must come here also when LFC is 0 */
		return;
	}
	d->due = 0;
	if (!lfc || s->verdict.restarted || !r->delay_unit)
		return;
	length = delay_of(r, lfc);
	if (!DRY_RUN && stop(t, now + length, lfc)) {
		lose(LOST_DELAY, 1);
		return;
	}
	if (!DRY_RUN)
		d->due = now + length;
	event_fill(&s->event, EVENT_DELAY, t->profile, p);
	s->event.lfc = lfc;
	s->event.delay = length;
	s->event.due = now + length;
	s->event.dry_run = DRY_RUN;
	tell(&s->event, EVENT_DELAY, p);
}

/*
 * signal_generate, of each signal that is sent: who stops a process that we have stopped
 * wants it to stay so, whatever becomes of our delay.
 */
SECOND_HALF int on_generate(struct bpf_raw_tracepoint_args *ctx)
{
	u32 number = ctx->args[0], tgid;
	int is_kernels = ctx->args[1] == 1, is_taken = !ctx->args[4]; /* SEND_SIG_PRIV */
	struct stop *s;

	if (number < SIGCONT || number > SIGTTOU)
		return 0;
	if (number == SIGSTOP && is_kernels) /* ours */
		return 0;
	if (bpf_get_current_pid_tgid() >> 32 == SELF)
		return 0;
	tgid = read32(MEMBER(ctx->args[2], task_tgid));
	s = stops.lookup(&tgid);
	if (!s)
		return 0;
	if (number == SIGCONT)
		s->foreign = 0;
	else if (number == SIGSTOP || is_taken)
		s->foreign = 1;
	return 0;
}

/* Run by ebph itself, by test-run: the slot of a thread, its process; lets it go. */
FIRST_HALF int release(struct bpf_raw_tracepoint_args *ctx)
{
	u32 slot = ctx->args[0], tgid = ctx->args[1], profile;
	struct thread *t = threads.lookup(&slot);
	struct profile *p;

	if (!t || !t->tid || t->tgid != tgid)
		return -1;
	delay_clear(slot);
	profile = t->profile;
	p = profiles.lookup(&profile);
	if (!profile || !p) {
		frame_clear(t);
		return 0;
	}
	/* The thread may be changing its frame just now, so it empties that by itself. */
	t->frame_gen = p->frame_gen - 1;
	t->full = 0;
	return 0;
}
#endif

#if USE_ABORT_KILL || USE_ABORT_LSM
/* 1 when a thread with LFC may run no other program. */
INLINE int must_abort(u32 lfc)
{
	const struct response *r = response_now();

	return r && r->abort_lfc && lfc >= r->abort_lfc;
}
#endif

#if USE_ABORT_KILL
enum { SIGKILL = 9 };

/* End the process when it is about to run another program: 1 when that is so. */
INLINE int abort_exec(struct scratch *s, u64 symbol, const struct thread *t,
		      struct profile *p)
{
	u32 lfc = lfc_now(t, p);

	if (!must_abort(lfc) || s->verdict.restarted || !IS_EXEC(symbol))
		return 0;
	event_fill(&s->event, EVENT_ABORT_EXEC, t->profile, p);
	s->event.lfc = lfc;
	s->event.dry_run = DRY_RUN;
	if (!DRY_RUN && bpf_send_signal(SIGKILL))
		return 0;
	tell(&s->event, EVENT_ABORT_EXEC, p);
	return !DRY_RUN;
}
#endif

#if USE_ABORT_LSM
/*
 * LSM: the current thread is about to run another program; its call has been judged. An
 * event on the stack: this program can be preempted by others that use the scratch.
 */
FIRST_HALF int lsm__bprm_check_security(u64 *ctx)
{
	struct thread *t = 0;
	struct profile *p;
	struct event e;
	u32 slot, lfc;

	if (owner(TASK, &t) != OWNER_THREAD)
		return 0;
	slot = t->profile;
	p = profiles.lookup(&slot);
	if (!slot || !p)
		return 0;
	lfc = lfc_now(t, p);
	if (!must_abort(lfc) || is_exempt(p))
		return 0;
	__builtin_memset(&e, 0, sizeof(e));
	event_fill(&e, EVENT_ABORT_EXEC, slot, p);
	e.lfc = lfc;
	e.dry_run = DRY_RUN;
	tell(&e, EVENT_ABORT_EXEC, p);
	return DRY_RUN ? 0 : -1; /* EPERM */
}
#endif

#if USE_DELAY || USE_ABORT_KILL
/* Tail program: the current call was judged, and the thread's LFC is not 0. */
FIRST_HALF int respond(context *ctx)
{
	struct scratch *s = scratch_get();
	struct thread *t = 0;
	struct profile *p = profile_now(TASK, &t);

	if (!s || !p || is_exempt(p))
		return 0;
#if USE_ABORT_KILL
	if (abort_exec(s, symbol_now(CALL_NUMBER(ctx)), t, p))
		return 0;
#endif
#if USE_DELAY
	hold(s, t, p);
#endif
	return 0;
}
#endif
