/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads and processes of a log, by id, and the lines that wait for them. */
#ifndef EBPH_TASK_H
#define EBPH_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers.h"
#include "judge.h"
#include "symbols.h"
#include "types.h"

/* The threads of a process. */
struct group {
	struct process process;
	struct handlers handlers;
	bool compat;
};

/* A line that waits. */
struct held {
	struct held *next;
	char text[];
};

struct task {
	u32 tid;
	bool orphan;	/* its parent is not known yet */
	bool undecided; /* its ABI is not known yet */
	bool begun;	/* a call of it was seen, or it is a child */
	struct group *group;
	struct model *model;
	struct thread thread;
	/* the call that it is in, or that returned last */
	const struct symbol_names *call; /* NULL: none */
	bool in_call, new_thread;
	u32 symbol;
	u32 interrupted; /* error code of a call that may be entered again; 0: none */
	char *exe;	 /* what its execve() names */
	struct held *held, **held_end;
	u32 held_count;
};

/* All zero to begin with. */
struct task_table {
	void *by_tid; /* tsearch() tree of struct task */
	struct task *last;
	struct group **groups; /* in order of appearance, also those that ended */
	size_t count, room;
};

/* The task TID; NULL: there is none. */
struct task *task_find(struct task_table *t, u32 tid);

/* A new one, where there is none; NULL: no memory. */
struct task *task_new(struct task_table *t, u32 tid);

/* TASK is gone; its group stays. */
void task_free(struct task_table *t, struct task *task);

/* TASK's id is TID from now on, which nobody has; 0, or -ENOMEM and TASK is gone. */
int task_rename(struct task_table *t, struct task *task, u32 tid);

/* Keep the line TEXT for TASK; 0 or -ENOMEM. */
int task_hold(struct task *task, const char *text);

/* A new process; NULL: no memory. */
struct group *group_new(struct task_table *t, u32 pid);

/*
 * The ids of the COUNT tasks that wait for a parent (ORPHANS), or for their ABI, into
 * *TIDS, which the caller frees; 0 or -ENOMEM.
 */
int task_waiting(const struct task_table *t, bool orphans, u32 **tids, size_t *count);

void task_table_free(struct task_table *t);

#endif
