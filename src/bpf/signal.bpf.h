/* SPDX-License-Identifier: GPL-2.0-only */
/* A signal handler has a window of its own; then the interrupted one goes on. */

/* A handler was left without sigreturn when the stack pointer lies outside its range. */
INLINE void unwind(struct thread *t, u64 stack_pointer)
{
	UNROLL
	for (int i = SIGNAL_DEPTH - 1; i >= 0; i--) {
		struct interrupted *in = &t->signal[i];

		if (t->depth > i &&
		    (stack_pointer < in->low || stack_pointer >= in->high)) {
			t->depth = i;
			t->window = 0;
			t->restart = 0;
		}
	}
}

/* 1 when T is in the only handler that it has entered, and nothing else is special. */
INLINE int is_in_handler(const struct thread *t, u64 task)
{
	u64 stack_pointer = REG(USER_REGS(t, task), sp);

	return t->special == 1ULL << 16 && stack_pointer >= t->signal[0].low &&
	       stack_pointer < t->signal[0].high;
}

/* The current thread, also when it has made no call yet; NULL: it is not followed. */
INLINE struct thread *signalled(u64 task)
{
	struct handover *left;
	struct thread *t = 0;
	u32 kind = owner(task, &t), tid;

	if (kind != OWNER_UNKNOWN)
		return kind == OWNER_THREAD ? t : 0;
	tid = bpf_get_current_pid_tgid();
	left = handovers.lookup(&tid);
	if (!left)
		return 0;
	t = threads.lookup(&left->slot);
	if (t && !t->regs)
		t->window = 0; /* what the handler calls must not be mixed with it */
	return t;
}

/* signal_deliver */
FIRST_HALF int on_signal(context *ctx)
{
	u64 task = TASK;
	struct thread *t = signalled(task);
	struct interrupted in = {};
	u64 regs, handler, flags, stack, altstack, altsize;
	long result, number;

	if (!t || !t->regs)
		return 0;
	SIGNAL_ACTION(ctx, handler, flags);
	regs = USER_REGS(t, task);
	result = REG_INT(regs, result);
	number = REG_INT(regs, number);
	stack = REG(regs, sp);
	/* -ERESTARTNOINTR always, -ERESTARTSYS with SA_RESTART or without a handler */
	if (number >= 0 &&
	    (result == -513 || (result == -512 && (handler <= 1 || flags & 0x10000000)) ||
	     (result == -514 && handler <= 1)))
		in.restart = symbol_now(number) + 1;
	if (handler <= 1) { /* SIG_DFL, SIG_IGN */
		t->restart = in.restart;
		return 0;
	}
	in.window = t->window;
	in.low = 0;
	in.high = stack - SIGNAL_FRAME_MIN;
	if (flags & 0x08000000) { /* SA_ONSTACK */
		altstack = read64(MEMBER(bpf_get_current_task(), task_sas_ss_sp));
		altsize = read64(MEMBER(bpf_get_current_task(), task_sas_ss_size));
		if (altsize && stack - altstack > altsize) {
			in.low = altstack;
			in.high = altstack + altsize;
		}
	}
	if (t->depth < SIGNAL_DEPTH)
		t->signal[t->depth & (SIGNAL_DEPTH - 1)] = in;
	t->depth++;
	t->window = 0;
	t->restart = 0;
	return 0;
}
