/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two things in a log are known only later than they are needed. A child may run
 * before its parent's clone() is seen to return: its lines are held until it is known
 * whose child it is. And a name such as "brk" does not tell whether a program that has
 * just begun is a 32-bit one: its lines are held until a name does.
 */
#define _GNU_SOURCE
#include "tasks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "strace.h"
#include "task.h"

enum { HELD_MAX = 32 }; /* lines held for a name that tells the ABI */

struct tasks {
	struct judge *judge;
	struct symbols *symbols;
	struct task_table table;
	u32 forking; /* tasks in an unfinished fork */
	u32 orphans;
	u32 *ready; /* tids of children whose parent was found: their lines may go on */
	size_t ready_count, ready_room;
	u64 line;
	char error[160];
	struct lines lines;
};

static int apply(struct tasks *t, struct task *task, const struct strace_line *l);

/* ---- tasks ---- */

static bool is_forking(const struct task *task)
{
	return task->in_call && task->call && task->call->call == CALL_FORK;
}

static void task_gone(struct tasks *t, struct task *task)
{
	t->forking -= is_forking(task);
	t->orphans -= task->orphan;
	task_free(&t->table, task);
}

/* A task whose beginning is not in the log. */
static int task_is_root(struct tasks *t, struct task *task)
{
	task->group = group_new(&t->table, task->tid);
	if (!task->group)
		return -ENOMEM;
	task->undecided = true;
	return 0;
}

/* ---- lines that wait ---- */

static int task_line(struct tasks *t, struct task *task, const char *text,
		     const struct strace_line *l);

/* What was held for TASK happens now; TASK may be gone afterwards. */
static int release(struct tasks *t, struct task *task)
{
	struct held *h = task->held, *next;
	u32 tid = task->tid;
	int result = 0;

	task->held = NULL;
	task->held_end = &task->held;
	task->held_count = 0;
	for (; h; h = next) {
		struct strace_line l;
		const char *why;

		next = h->next;
		task = task_find(&t->table, tid);
		if (task && !result && !strace_parse(h->text, &l, &why))
			result = task_line(t, task, h->text, &l);
		free(h);
	}
	return result;
}

/* 1 when L, of a task whose ABI is not known, tells it or cannot wait for it. */
static int decides(struct tasks *t, struct task *task, const struct strace_line *l)
{
	const struct symbol_names *names;

	if (l->kind == STRACE_EXIT || l->kind == STRACE_SUPERSEDED)
		return 1;
	if (l->kind != STRACE_CALL && l->kind != STRACE_UNFINISHED)
		return 0;
	names = symbols_name(t->symbols, l->name, l->name_length);
	if (!names)
		return -ENOMEM;
	if (names->native_only || names->compat_only || l->number >= 0) {
		task->group->compat = names->compat_only;
		if (l->number >= 0 && names->compat != names->native)
			task->group->compat =
				symbols_nr(t->symbols, names->compat) == l->number;
		return 1;
	}
	return names->call == CALL_FORK || names->call == CALL_EXEC ||
	       task->held_count >= HELD_MAX;
}

static int decided(struct tasks *t, struct task *task)
{
	task->undecided = false;
	return release(t, task);
}

/* A line of TASK: now, or when more is known. */
static int task_line(struct tasks *t, struct task *task, const char *text,
		     const struct strace_line *l)
{
	u32 tid = task->tid;
	int result;

	if (task->orphan)
		return task_hold(task, text);
	if (!task->undecided)
		return apply(t, task, l);
	result = decides(t, task, l);
	if (!result)
		return task_hold(task, text);
	if (result > 0)
		result = decided(t, task);
	task = task_find(&t->table, tid);
	return result || !task ? result : apply(t, task, l);
}

/* ---- what calls do ---- */

static char *exe_of(const char *args)
{
	char path[PATH_MAX + 1];

	if (!strace_string(args, path, sizeof(path)) || !*path)
		return strdup("(unknown)");
	return strdup(path);
}

/* The symbol of a call in the ABI of its program. */
static u32 symbol_in(const struct tasks *t, const struct task *task,
		     const struct symbol_names *names, long number)
{
	if (number >= 0 && symbols_nr(t->symbols, names->native) == number)
		return names->native;
	if (number >= 0 && symbols_nr(t->symbols, names->compat) == number)
		return names->compat;
	return task->group->compat ? names->compat : names->native;
}

/* What the call will need when it returns. */
static int remember(struct task *task, const struct symbol_names *names,
		    const struct strace_line *l)
{
	switch (names->call) {
	case CALL_FORK:
		task->new_thread = strstr(l->args, "CLONE_THREAD") != NULL;
		return 0;
	case CALL_EXEC:
		free(task->exe);
		task->exe = exe_of(l->args);
		return task->exe ? 0 : -ENOMEM;
	case CALL_SIGACTION:
		handlers_sigaction(&task->group->handlers, l->args);
		return 0;
	case CALL_SIGNAL:
		handlers_signal(&task->group->handlers, l->args);
		return 0;
	default:
		return 0;
	}
}

/* TASK enters a call. */
static int entry(struct tasks *t, struct task *task, const struct strace_line *l)
{
	const struct symbol_names *names =
		symbols_name(t->symbols, l->name, l->name_length);
	struct process *p = &task->group->process;
	bool first = !task->begun;
	int result = 0;

	if (!names)
		return -ENOMEM;
	task->begun = true;
	task->call = names;
	task->interrupted = 0;
	task->symbol = symbol_in(t, task, names, l->number);
	if (remember(task, names, l))
		return -ENOMEM;
	/* The execve() that a log begins with is the tracer's, not the program's. */
	if (first && names->call == CALL_EXEC)
		return 0;
	if (!task->model)
		task->model = judge_model(t->judge, "(unknown)", p, task->tid);
	if (!task->model)
		return -ENOMEM;
	if (thread_restarts(&task->thread, task->symbol) || names->call == CALL_RESTART) {
		judge_count(t->judge, p, task->model);
		return 0;
	}
	result = judge_call(t->judge, p, &task->thread, task->tid, task->model,
			    task->symbol);
	if (names->call == CALL_SIGRETURN)
		thread_sigreturn(&task->thread);
	return result;
}

/* Not at once: children of children of children would need as much stack. */
static int ready_add(struct tasks *t, u32 tid)
{
	if (t->ready_count == t->ready_room) {
		size_t room = t->ready_room ? 2 * t->ready_room : 16;
		u32 *grown = reallocarray(t->ready, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->ready = grown;
		t->ready_room = room;
	}
	t->ready[t->ready_count++] = tid;
	return 0;
}

static int ready_release(struct tasks *t)
{
	int result = 0;

	for (size_t i = 0; i < t->ready_count && !result; i++) {
		struct task *task = task_find(&t->table, t->ready[i]);

		if (task && !task->orphan && !task->undecided)
			result = release(t, task);
	}
	t->ready_count = 0;
	return result;
}

/* PARENT made CHILD_TID. */
static int fork_seen(struct tasks *t, struct task *parent, u32 child_tid)
{
	struct task *child = task_find(&t->table, child_tid);
	struct group *g = parent->group;

	if (child == parent)
		return 0;
	if (child && !child->orphan) { /* its end was not seen, or the id is another's */
		task_gone(t, child);
		child = NULL;
	}
	if (!child)
		child = task_new(&t->table, child_tid);
	if (child && !parent->new_thread)
		g = group_new(&t->table, child_tid);
	if (!child || !g)
		return -ENOMEM;
	if (g != parent->group) {
		struct process process = g->process;

		*g = *parent->group;
		process.ppid = g->process.pid;
		memcpy(process.comm, g->process.comm, sizeof(process.comm));
		g->process = process;
	}
	child->group = g;
	child->model = parent->model;
	child->begun = true;
	thread_fork(&child->thread, &parent->thread);
	if (child->thread.lfc > g->process.max_lfc)
		g->process.max_lfc = child->thread.lfc;
	t->orphans -= child->orphan;
	child->orphan = false;
	return child->held ? ready_add(t, child_tid) : 0;
}

/* TASK runs another program. */
static int exec_seen(struct tasks *t, struct task *task)
{
	struct group *g = task->group;
	const char *name;

	if (!task->exe)
		return 0;
	name = strrchr(task->exe, '/');
	snprintf(g->process.comm, sizeof(g->process.comm), "%.15s",
		 name ? name + 1 : task->exe);
	task->model = judge_model(t->judge, task->exe, &g->process, task->tid);
	if (!task->model)
		return -ENOMEM;
	thread_exec(&task->thread, task->model);
	handlers_exec(&g->handlers);
	g->compat = false;
	task->undecided = true;
	return 0;
}

/* The call that TASK is in returned, or will not. */
static int returned(struct tasks *t, struct task *task, const struct strace_line *l)
{
	const struct symbol_names *call = task->call;

	task->interrupted = l->restart;
	if (!call || !l->returned)
		return 0;
	if (call->call == CALL_FORK && l->result > 0 && l->result <= INT_MAX)
		return fork_seen(t, task, (u32)l->result);
	if (call->call == CALL_EXEC && !l->result)
		return exec_seen(t, task);
	return 0;
}

static void signal_seen(struct task *task, const struct strace_line *l)
{
	bool restarts,
		handled = handlers_arrival(&task->group->handlers, l->name,
					   l->name_length, task->interrupted, &restarts);

	thread_signal(&task->thread, handled, restarts ? task->symbol + 1 : 0);
	if (handled)
		task->interrupted = 0;
}

/* Thread OTHER of LEADER's process executed a program, and is the leader now. */
static int superseded(struct tasks *t, struct task *leader, u32 other_tid)
{
	struct task *other = task_find(&t->table, other_tid);
	u32 tid = leader->tid;

	if (!other || other == leader || other->orphan)
		return 0;
	task_gone(t, leader);
	return task_rename(&t->table, other, tid);
}

static void in_call(struct tasks *t, struct task *task, bool now)
{
	t->forking -= is_forking(task);
	task->in_call = now;
	t->forking += is_forking(task);
}

/* L, a line of TASK of which everything is known. */
static int apply(struct tasks *t, struct task *task, const struct strace_line *l)
{
	int result;

	if (l->time) {
		t->judge->has_clock = true;
		if (l->time > t->judge->now)
			t->judge->now = l->time;
	}
	switch (l->kind) {
	case STRACE_CALL:
		in_call(t, task, false);
		result = entry(t, task, l);
		return result ? result : returned(t, task, l);
	case STRACE_UNFINISHED:
		in_call(t, task, false);
		result = entry(t, task, l);
		in_call(t, task, true);
		return result;
	case STRACE_RESUMED:
		/* Of a call that was entered before the log began there is no entry. */
		if (!task->in_call)
			return 0;
		in_call(t, task, false);
		return returned(t, task, l);
	case STRACE_SIGNAL:
		signal_seen(task, l);
		return 0;
	case STRACE_EXIT:
		task_gone(t, task);
		return 0;
	case STRACE_SUPERSEDED:
		return superseded(t, task, l->other);
	default:
		return 0;
	}
}

/* ---- lines ---- */

/* A task that waited waits for nothing any more. */
static int wait_over(struct tasks *t, struct task *task)
{
	int result;

	if (!task->orphan)
		return task->undecided ? decided(t, task) : 0;
	task->orphan = false;
	t->orphans--;
	result = task_is_root(t, task);
	return result ? result : release(t, task);
}

/* All that wait now, in order of their ids. */
static int waits_over(struct tasks *t, bool orphans, size_t *count)
{
	u32 *tids;
	int result = task_waiting(&t->table, orphans, &tids, count);

	for (size_t i = 0; i < *count && !result; i++) {
		struct task *task = task_find(&t->table, tids[i]);

		if (task && (orphans ? task->orphan : task->undecided))
			result = wait_over(t, task);
		if (!result)
			result = ready_release(t);
	}
	free(tids);
	return result;
}

/* No fork is unfinished: those that wait for a parent have none in this log. */
static int orphans_left(struct tasks *t)
{
	size_t count;
	int result = 0;

	while (!result && t->orphans)
		result = waits_over(t, true, &count);
	return result;
}

static int mode_seen(struct tasks *t, const struct strace_line *l)
{
	struct task *task = task_find(&t->table, l->other);

	if (!task || task->orphan)
		return 0;
	task->group->compat = l->compat;
	return task->undecided ? decided(t, task) : 0;
}

static int one_line(struct tasks *t, const char *text)
{
	struct strace_line l;
	const char *why = "";
	struct task *task;
	int result = 0;

	if (strace_parse(text, &l, &why)) {
		snprintf(t->error, sizeof(t->error), "%s", why);
		return -EINVAL;
	}
	if (l.kind == STRACE_NOISE)
		return 0;
	if (l.kind == STRACE_MODE)
		return mode_seen(t, &l);
	task = task_find(&t->table, l.tid);
	if (!task) {
		if (l.kind == STRACE_EXIT)
			return 0;
		task = task_new(&t->table, l.tid);
		if (!task)
			return -ENOMEM;
		task->orphan = t->forking > 0;
		t->orphans += task->orphan;
		if (!task->orphan)
			result = task_is_root(t, task);
	}
	if (!result)
		result = task_line(t, task, text, &l);
	if (!result && t->ready_count)
		result = ready_release(t);
	if (!result && t->orphans && !t->forking)
		result = orphans_left(t);
	return result;
}

struct tasks *tasks_new(struct judge *j, struct symbols *s)
{
	struct tasks *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->judge = j;
	t->symbols = s;
	t->line = 1;
	return t;
}

void tasks_free(struct tasks *t)
{
	if (!t)
		return;
	task_table_free(&t->table);
	free(t->ready);
	lines_free(&t->lines);
	free(t);
}

int tasks_feed(struct tasks *t, const char *data, size_t size)
{
	const char *why = "";
	int result;

	while ((result = lines_next(&t->lines, &data, &size, &why)) > 0) {
		result = one_line(t, t->lines.text);
		if (result)
			return result;
		t->line++;
	}
	if (result == -EINVAL)
		snprintf(t->error, sizeof(t->error), "%s", why);
	return result;
}

int tasks_end(struct tasks *t, bool damaged)
{
	size_t count = 1;
	int result = 0, left;

	if (!t->error[0] && lines_last(&t->lines) && !damaged)
		result = one_line(t, t->lines.text);
	/* Whoever still waits, also after an error, waits for nothing. */
	left = orphans_left(t);
	while (!left && count)
		left = waits_over(t, false, &count);
	return result ? result : left;
}

u64 tasks_line(const struct tasks *t)
{
	return t->line;
}

const char *tasks_error(const struct tasks *t)
{
	return t->error;
}

const struct process *tasks_process(const struct tasks *t, size_t i)
{
	return i < t->table.count ? &t->table.groups[i]->process : NULL;
}
