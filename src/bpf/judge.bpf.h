/* SPDX-License-Identifier: GPL-2.0-only */
/* The tail program that does what SEMANTICS calls "one system call, in order". */

/* Steps 2 to 6 of SEMANTICS, under the lock. */
INLINE void decide(struct thread *t, struct profile *p, u64 symbol, struct scratch *s)
{
	const struct rules *rules = rules_now(s);
	struct verdict *v = &s->verdict;
	u64 now = bpf_ktime_get_boot_ns(), window = t->window;
	u32 lfc;

	settle_thread(p, t);
	frame_follow(t, p);
	v->learns = t->lfc <= rules->tolerize_limit;
	v->index = p->index[symbol];
	if (!v->index) {
		v->index = symbol_add(p, symbol);
		if (v->index == INDEX_OVERFLOW)
			lose(LOST_OVERFLOW, 1);
	}
	train(p, v, window);
	verdict_count(v, p, rules, now);
	frame_follow(t, p);
	if (p->state == STATE_NORMAL)
		test(p, v->index, window, &v->missed);
	lfc = t->lfc;
	frame_push(t, v->missed != 0);
	verdict_limit(v, p, rules, lfc, t->lfc);
	t->window = window_push(window, v->index, WINDOW_MASK);
	t->epoch = p->epoch;
	t->state = p->state;
	t->full = p->state == STATE_TRAINING ? PENDING_TRAINING - 1 : PENDING_MAX - 1;
	/* In the last second before a profile ripens every call looks at the clock. */
	p->check_at = 0;
	if (p->state == STATE_FROZEN && p->normal_time > now + 1000000000)
		p->check_at = bpf_jiffies64() + CLOCK_JIFFIES;
}

/*
 * P, whose lock is held, is retired: T has none until it finds another. That gives its
 * calls other indices: those in T's window would be taken for other calls.
 */
INLINE void abandon(struct thread *t, struct profile *p)
{
	settle_thread(p, t);
	frame_follow(t, p);
	thread_gap(t);
	t->profile = 0;
	__sync_fetch_and_add(&p->threads, -1);
}

/* V was found of T's current call: what is next. Does not come back if there is anything. */
INLINE void follow_up(context *ctx, const struct thread *t, const struct profile *p,
		      const struct verdict *v)
{
	if (!p->named)
		tails.call(ctx, TAIL_NAME);
	else if (is_news(v))
		tails.call(ctx, TAIL_REPORT);
	respond_to(ctx, t, 0);
}

/* Tail program: the call is, or may be, something new. */
FIRST_HALF int judge(context *ctx)
{
	struct scratch *s = scratch_get();
	u64 task = TASK;
	struct thread *t = 0;
	struct profile *p;
	struct verdict *v;
	u32 slot, restart;
	u64 symbol;

	p = profile_now(task, &t);
	if (!s || !p)
		return 0;
	if (HAS_OTHER_MEMORY(t, task))
		tails.call(ctx, TAIL_ATTACH);
	slot = t->profile;
	hint_set(t->tid, t->slot);
	/* First of all: the verifier follows the wait once for each way that leads to it. */
	if (lock(slot)) {
		lose(LOST_LOCK, 1);
		t->window = 0;
		respond_to(ctx, t, 0);
		return 0;
	}
	symbol = symbol_now(CALL_NUMBER(ctx));
	if (t->depth)
		unwind(t, REG(USER_REGS(t, task), sp));
	restart = t->restart;
	t->restart = 0;
	if (symbol >= SYMBOLS) {
		unlock(slot);
		return 0;
	}
	restart = symbol == SYMBOL_RESTART || symbol == SYMBOL_COMPAT_RESTART ||
		  restart == symbol + 1 || is_entered_again(t, p, symbol);
	v = &s->verdict;
	__builtin_memset(v, 0, sizeof(*v));
	if (is_before_gap(t, p))
		thread_gap(t);
	v->window = t->window;
	v->execed = (t->flags & THREAD_EXECED) != 0;
	if (restart) { /* noise from outside the program: counted, and that is all */
		p->count++;
		unlock(slot);
		respond_to(ctx, t, 1);
		return 0;
	}
	t->flags &= ~THREAD_EXECED;
	if (p->state == STATE_RETIRED) {
		abandon(t, p);
		unlock(slot);
		tails.call(ctx, TAIL_ATTACH);
		return 0;
	}
	decide(t, p, symbol, s);
	unlock(slot);
	if (is_sigreturn(symbol))
		thread_sigreturn(t);
	follow_up(ctx, t, p, v);
	return 0;
}
