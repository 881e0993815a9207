/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "strace.h"
#include "tasks.h"
#include "trace.h"

/* ---- formats ---- */

/* How many numbers the line at P, before END, holds; -1: something else is there. */
static int count_numbers(const char *p, const char *end)
{
	int count = 0;

	while (p < end) {
		if (*p == ' ' || *p == '\t' || *p == '\r') {
			p++;
			continue;
		}
		if (*p < '0' || *p > '9')
			return -1;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
		count++;
	}
	return count;
}

/* 1: a line of strace; 0: one that strace may write, but others too; -1: neither. */
static int is_strace(const char *line, const char *end)
{
	struct strace_line l = {.kind = STRACE_NOISE};
	const char *why;
	char *text = strndup(line, end - line);
	int is = -1;

	if (text && !memchr(line, '\0', end - line) && !strace_parse(text, &l, &why))
		is = l.kind != STRACE_NOISE;
	free(text);
	return is;
}

enum trace_format run_format(const char *data, size_t size)
{
	const char *end = data + size, *line = data, *next;
	u32 pairs = 0;

	for (; line < end; line = next + 1) {
		int count;

		next = memchr(line, '\n', end - line);
		if (!next) {
			/* Only the end of the file may be without a newline. */
			if (size == TRACE_BLOCK && line > data)
				break;
			next = end;
		}
		count = count_numbers(line, next);
		if (count == 2)
			pairs++;
		else if (count > 0)
			return FORMAT_NUMBERS;
		else if (count < 0 && pairs) /* its reader names the line */
			return FORMAT_PID_NUMBER;
		else if (count < 0 && is_strace(line, next))
			return is_strace(line, next) > 0 ? FORMAT_STRACE : FORMAT_AUTO;
	}
	if (!pairs)
		return FORMAT_AUTO;
	/* A single line of two is one process that made two calls. */
	return pairs == 1 ? FORMAT_NUMBERS : FORMAT_PID_NUMBER;
}

/* ---- processes of bare numbers ---- */

struct counted {
	struct process process;
	struct thread thread;
	struct counted *next;
};

struct crowd {
	struct run *run;
	const char *comm;
	void *by_pid; /* tsearch() tree */
	struct counted *first, **end, *last;
	struct model *model;
};

static int by_pid(const void *a, const void *b)
{
	u32 left = ((const struct counted *)a)->process.pid;
	u32 right = ((const struct counted *)b)->process.pid;

	return (left > right) - (left < right);
}

static struct counted *counted_get(struct crowd *c, u32 pid)
{
	struct counted key = {.process.pid = pid}, *new, **found;

	if (c->last && c->last->process.pid == pid)
		return c->last;
	found = tfind(&key, &c->by_pid, by_pid);
	if (found)
		return c->last = *found;
	new = calloc(1, sizeof(*new));
	if (!new)
		return NULL;
	new->process.pid = pid;
	snprintf(new->process.comm, sizeof(new->process.comm), "%.15s", c->comm);
	if (!tsearch(new, &c->by_pid, by_pid)) {
		free(new);
		return NULL;
	}
	*c->end = new;
	c->end = &new->next;
	return c->last = new;
}

static int judge_numbers(void *context, u32 pid, const u32 *numbers, size_t count)
{
	struct crowd *c = context;
	struct judge *j = c->run->judge;
	struct counted *p = counted_get(c, pid);
	u32 symbols[NUMBERS_BATCH];

	if (!p)
		return -ENOMEM;
	if (!c->model)
		c->model = judge_model(j, "(trace)", &p->process, pid);
	if (!c->model)
		return -ENOMEM;
	symbols_numbers(c->run->symbols, numbers, symbols, count);
	return judge_calls(j, &p->process, &p->thread, pid, c->model, symbols, count);
}

/* ---- files ---- */

/* One file while it is read. */
struct reading {
	struct run *run;
	const char *path;
	struct trace *trace;
	const char *data;
	ssize_t size; /* of DATA; 0: the end; -1: an error */
	char error[256];
};

static void next_block(struct reading *f)
{
	f->size = trace_read(f->trace, &f->data, f->error, sizeof(f->error));
	if (f->size > 0)
		f->run->progress(f->run->context, f->size);
}

static void tell(const struct reading *f, u64 line, const char *why)
{
	f->run->error(f->run->context, f->path, line, why);
}

static int read_numbers(struct reading *f, bool with_pid)
{
	struct run *r = f->run;
	const char *name = strrchr(f->path, '/');
	struct crowd c = {.run = r, .comm = name ? name + 1 : f->path, .end = &c.first};
	struct numbers *n = malloc(sizeof(*n));
	int result = 0, end;

	if (!n)
		return -ENOMEM;
	numbers_init(n, with_pid, judge_numbers, &c);
	for (; f->size > 0 && !result; next_block(f)) {
		result = numbers_feed(n, f->data, f->size);
		if (result)
			break;
	}
	end = numbers_end(n, f->size < 0);
	result = result ? result : end;
	if (result == -EINVAL)
		tell(f, n->line, n->error);
	else if (!result && f->size < 0)
		tell(f, n->line, f->error);
	else if (!result && !c.first)
		tell(f, 0, "no system call in it");
	if (result == -EINVAL)
		result = 0;
	for (struct counted *p = c.first; p && !result && r->row; p = p->next)
		result = r->row(r->context, f->path, &p->process);
	tdestroy(c.by_pid, free);
	free(n);
	return result;
}

static int read_strace(struct reading *f)
{
	struct run *r = f->run;
	struct tasks *t = tasks_new(r->judge, r->symbols);
	const struct process *p;
	int result = 0, end;

	if (!t)
		return -ENOMEM;
	for (; f->size > 0 && !result; next_block(f)) {
		result = tasks_feed(t, f->data, f->size);
		if (result)
			break;
	}
	end = tasks_end(t, f->size < 0);
	result = result ? result : end;
	if (result == -EINVAL)
		tell(f, tasks_line(t), tasks_error(t));
	else if (!result && f->size < 0)
		tell(f, tasks_line(t), f->error);
	else if (!result && !tasks_process(t, 0))
		tell(f, 0, "no system call in it");
	if (result == -EINVAL)
		result = 0;
	for (size_t i = 0; !result && r->row && (p = tasks_process(t, i)); i++)
		result = r->row(r->context, f->path, p);
	tasks_free(t);
	return result;
}

static int read_opened(struct reading *f)
{
	enum trace_format format = f->run->format;

	next_block(f);
	if (f->size < 0) {
		tell(f, 1, f->error);
		return 0;
	}
	if (!f->size) {
		tell(f, 0, "empty: no system call in it");
		return 0;
	}
	if (format == FORMAT_AUTO)
		format = run_format(f->data, f->size);
	switch (format) {
	case FORMAT_NUMBERS:
	case FORMAT_PID_NUMBER:
		return read_numbers(f, format == FORMAT_PID_NUMBER);
	case FORMAT_STRACE:
		return read_strace(f);
	default:
		tell(f, 1,
		     "not a trace: neither numbers, nor PID NUMBER, nor what strace "
		     "writes (--format names the format, and then the bad line is "
		     "named)");
		return 0;
	}
}

static int visit(void *context, const char *path, const char *error)
{
	struct run *r = context;
	struct reading f = {.run = r, .path = path};
	int result;

	if (error) {
		r->error(r->context, path, 0, error);
		return 0;
	}
	r->judge->has_clock = false;
	if (r->begin)
		r->begin(r->context, path);
	if (trace_open(&f.trace, path, f.error, sizeof(f.error))) {
		r->error(r->context, path, 0, f.error);
		return 0;
	}
	result = read_opened(&f);
	trace_close(f.trace);
	return result;
}

int run_path(struct run *r, const char *path)
{
	return trace_walk(path, visit, r);
}
