/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "task.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_tid(const void *a, const void *b)
{
	u32 left = ((const struct task *)a)->tid, right = ((const struct task *)b)->tid;

	return (left > right) - (left < right);
}

struct task *task_find(struct task_table *t, u32 tid)
{
	struct task key = {.tid = tid}, **found;

	if (t->last && t->last->tid == tid)
		return t->last;
	found = tfind(&key, &t->by_tid, by_tid);
	if (!found)
		return NULL;
	t->last = *found;
	return *found;
}

struct task *task_new(struct task_table *t, u32 tid)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->tid = tid;
	task->held_end = &task->held;
	if (tsearch(task, &t->by_tid, by_tid))
		return task;
	free(task);
	return NULL;
}

static void destroy(void *node)
{
	struct task *task = node;
	struct held *next;

	for (struct held *h = task->held; h; h = next) {
		next = h->next;
		free(h);
	}
	free(task->exe);
	free(task);
}

struct group *group_new(struct task_table *t, u32 pid)
{
	struct group *g;

	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		struct group **grown =
			reallocarray(t->groups, room, sizeof(struct group *));

		if (!grown)
			return NULL;
		t->groups = grown;
		t->room = room;
	}
	g = calloc(1, sizeof(*g));
	if (g)
		t->groups[t->count++] = g;
	if (g)
		g->process.pid = pid;
	return g;
}

int task_hold(struct task *task, const char *text)
{
	size_t length = strlen(text);
	struct held *h = malloc(sizeof(*h) + length + 1);

	if (!h)
		return -ENOMEM;
	h->next = NULL;
	memcpy(h->text, text, length + 1);
	*task->held_end = h;
	task->held_end = &h->next;
	task->held_count++;
	return 0;
}

void task_free(struct task_table *t, struct task *task)
{
	tdelete(task, &t->by_tid, by_tid);
	if (t->last == task)
		t->last = NULL;
	destroy(task);
}

int task_rename(struct task_table *t, struct task *task, u32 tid)
{
	tdelete(task, &t->by_tid, by_tid);
	t->last = NULL;
	task->tid = tid;
	if (tsearch(task, &t->by_tid, by_tid))
		return 0;
	destroy(task);
	return -ENOMEM;
}

struct waiting {
	bool orphans, failed;
	u32 *tids;
	size_t count, room;
};

static void waits(const void *node, VISIT which, void *context)
{
	const struct task *task = *(struct task *const *)node;
	struct waiting *w = context;

	if ((which != preorder && which != leaf) ||
	    !(w->orphans ? task->orphan : task->undecided))
		return;
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		u32 *grown = reallocarray(w->tids, room, sizeof(*grown));

		if (!grown) {
			w->failed = true;
			return;
		}
		w->tids = grown;
		w->room = room;
	}
	w->tids[w->count++] = task->tid;
}

int task_waiting(const struct task_table *t, bool orphans, u32 **tids, size_t *count)
{
	struct waiting w = {.orphans = orphans};

	twalk_r(t->by_tid, waits, &w);
	*tids = w.tids;
	*count = w.count;
	return w.failed ? -ENOMEM : 0;
}

void task_table_free(struct task_table *t)
{
	tdestroy(t->by_tid, destroy);
	for (size_t i = 0; i < t->count; i++)
		free(t->groups[i]);
	free(t->groups);
	memset(t, 0, sizeof(*t));
}
