/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "respond.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "feature.h"
#include "moment.h"

#define SECOND_NS 1000000000ULL

/* ---- the moments to come: a binary heap ---- */

static void swap(struct wake *a, struct wake *b)
{
	struct wake w = *a;

	*a = *b;
	*b = w;
}

static void sift_down(struct respond *r, u32 i)
{
	for (;;) {
		u32 first = i;

		for (u32 child = 2 * i + 1; child <= 2 * i + 2 && child < r->count;
		     child++)
			if (r->heap[child].due < r->heap[first].due)
				first = child;
		if (first == i)
			return;
		swap(&r->heap[i], &r->heap[first]);
		i = first;
	}
}

static void heap_add(struct respond *r, pid_t pid, u64 due)
{
	u32 i = r->count++;

	r->heap[i] = (struct wake){.due = due, .pid = pid};
	for (; i && r->heap[(i - 1) / 2].due > r->heap[i].due; i = (i - 1) / 2)
		swap(&r->heap[(i - 1) / 2], &r->heap[i]);
}

static struct wake heap_take(struct respond *r)
{
	struct wake first = r->heap[0];

	r->heap[0] = r->heap[--r->count];
	sift_down(r, 0);
	return first;
}

/* Leave out the processes that are gone, or run: their moments need not come. */
static void heap_compact(struct respond *r)
{
	u32 kept = 0;
	struct stop s;

	for (u32 i = 0; i < r->count; i++)
		if (stopped_get(r->l->stops, r->heap[i].pid, &s))
			r->heap[kept++] = r->heap[i];
	r->count = kept;
	for (u32 i = kept / 2; i-- > 0;)
		sift_down(r, i);
}

static void set_timer(struct respond *r)
{
	struct itimerspec t = {0};

	if (r->count) {
		u64 due = r->heap[0].due ? r->heap[0].due : 1;

		t.it_value.tv_sec = (time_t)(due / SECOND_NS);
		t.it_value.tv_nsec = (long)(due % SECOND_NS);
	}
	timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* What finds no room is found by scan(), late by a second at most. */
static void remember(struct respond *r, pid_t pid, u64 due)
{
	if (r->count == r->room)
		heap_compact(r);
	if (r->count == r->room)
		r->late++;
	else
		heap_add(r, pid, due);
}

/* ---- continuing ---- */

/* PID's moment may have come: continue it, or look again when it has. */
static void look(struct respond *r, pid_t pid, u64 now)
{
	struct stop s;

	if (!stopped_get(r->l->stops, pid, &s))
		return;
	if (s.due > now && !r->disabled)
		remember(r, pid, s.due);
	else if (stopped_is_traced(pid)) /* a signal would only be in its tracer's way */
		remember(r, pid, now + SECOND_NS);
	else
		stopped_continue(r->l->stops, pid, &s, r->guardian.now);
}

static void scan_one(void *context, pid_t pid, const struct stop *s)
{
	struct respond *r = context;

	if (r->disabled || s->due + SECOND_NS / 50 < r->scanned)
		look(r, pid, r->scanned);
}

/* Look through the whole table, once a second: an event may have been lost. */
static void scan(struct respond *r, u64 now)
{
	if (now - r->scanned < SECOND_NS)
		return;
	r->scanned = now;
	stopped_each(r->l->stops, scan_one, r);
}

u64 respond_wake(struct respond *r)
{
	u64 now, expirations, late;

	if (r->timer < 0)
		return 0;
	while (read(r->timer, &expirations, sizeof(expirations)) > 0)
		;
	now = moment_now();
	while (r->count && r->heap[0].due <= now)
		look(r, heap_take(r).pid, now);
	scan(r, now);
	set_timer(r);
	late = r->late;
	r->late = 0;
	return late;
}

void respond_enable(struct respond *r, bool on)
{
	r->disabled = !on;
	if (r->timer < 0 || on)
		return;
	r->scanned = moment_now();
	stopped_each(r->l->stops, scan_one, r);
}

void respond_event(struct respond *r, const struct event *e)
{
	if (r->timer < 0 || e->type != EVENT_DELAY || e->dry_run)
		return;
	remember(r, (pid_t)e->pid, e->due);
	set_timer(r);
}

/* ---- letting go ---- */

/* Free the threads of PID of their delays and anomalies. */
static void free_threads(struct respond *r, pid_t pid)
{
	for (u32 slot = 1; slot <= r->t->bounds->threads; slot++) {
		u64 args[2] = {slot, (u64)pid};
		struct bpf_test_run_opts run = {
			.sz = sizeof(run), .ctx_in = args, .ctx_size_in = sizeof(args)};
		struct thread t;

		if (!tables_read_thread(r->t, slot, &t) && t.tgid == (u32)pid)
			bpf_prog_test_run_opts(r->l->release, &run);
	}
}

static u32 release_one(struct respond *r, pid_t pid)
{
	struct stop s;

	free_threads(r, pid);
	if (!stopped_get(r->l->stops, pid, &s))
		return 0;
	return (u32)stopped_continue(r->l->stops, pid, &s, r->guardian.now);
}

struct pids {
	pid_t *list;
	u32 count, room;
};

static void add_pid(void *context, pid_t pid, const struct stop *s)
{
	struct pids *p = context;

	(void)s;
	if (p->count < p->room)
		p->list[p->count++] = pid;
}

u32 respond_release(struct respond *r, pid_t pid)
{
	struct pids p = {0};
	u32 released = 0;

	if (r->timer < 0)
		return 0;
	if (pid)
		return release_one(r, pid);
	p.room = r->t->bounds->threads;
	p.list = calloc(p.room, sizeof(*p.list));
	if (p.list)
		stopped_each(r->l->stops, add_pid, &p);
	for (u32 i = 0; i < p.count; i++)
		released += release_one(r, p.list[i]);
	free(p.list);
	return released;
}

void respond_each(const struct respond *r,
		  void (*each)(void *context, pid_t pid, const struct stop *s),
		  void *context)
{
	if (r->timer >= 0)
		stopped_each(r->l->stops, each, context);
}

/* ---- from start to end ---- */

bool respond_is_guarded(const struct respond *r)
{
	struct pollfd fd = {.fd = r->guardian.socket, .events = POLLIN};

	return r->timer < 0 || poll(&fd, 1, 0) == 0;
}

int respond_start(struct respond *r, const struct tables *t, bool delays, char *error,
		  size_t size)
{
	const struct loaded *l = t->l;

	*r = (struct respond){.l = l, .t = t, .timer = -1, .guardian = {.socket = -1}};
	if (!delays)
		return 0;
	if (!feature_may_signal()) {
		snprintf(error, size,
			 "--delay needs CAP_KILL, to continue what it stops; run ebph as "
			 "root, or give it that capability");
		return -EPERM;
	}
	r->room = t->bounds->threads;
	r->heap = calloc(r->room, sizeof(*r->heap));
	if (r->heap)
		r->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->timer < 0) {
		int result = -errno;

		snprintf(error, size, "cannot prepare delays: %s", strerror(-result));
		return result;
	}
	if (guardian_start(&r->guardian, l->stops, error, size))
		return -ECHILD;
	if (!stopped_begin(l->stops))
		return 0;
	snprintf(error, size, "cannot prepare delays: %s", strerror(errno));
	return -EIO;
}

void respond_end(struct respond *r)
{
	if (r->timer >= 0) {
		stopped_end(r->l->stops);
		stopped_continue_all(r->l->stops, r->guardian.now);
		close(r->timer);
	}
	guardian_end(&r->guardian);
	free(r->heap);
	*r = (struct respond){.timer = -1, .guardian = {.socket = -1}};
}
