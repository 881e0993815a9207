/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "stopped.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TICK_NS = 10000000 }; /* of /proc: USER_HZ is 100 wherever ebph runs */

bool stopped_get(int table, pid_t pid, struct stop *s)
{
	u32 key = (u32)pid;

	return !bpf_map_lookup_elem(table, &key, s);
}

static int set_end(int table, u64 due)
{
	struct stop s = {.due = due};
	u32 nobody = 0;

	return bpf_map_update_elem(table, &nobody, &s, BPF_ANY) ? -errno : 0;
}

int stopped_begin(int table)
{
	return set_end(table, 0);
}

int stopped_end(int table)
{
	return set_end(table, 1);
}

/* When PID began, in /proc's ticks since boot; 0: it is gone. */
static u64 start_of(pid_t pid)
{
	char path[64], text[512];
	const char *rest;
	u64 ticks = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	/* The name, in brackets, may hold anything: PID (NAME) STATE ... */
	rest = strrchr(text, ')');
	if (!rest ||
	    sscanf(rest + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		   "%*d %*d %*d %*d %" SCNu64,
		   &ticks) != 1)
		return 0;
	return ticks;
}

/* Send SIGCONT to PID if it is the process that began at START. */
static int send_cont(pid_t pid, u64 start)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), sent = 0;

	if (fd < 0)
		return 0;
	/* asked when the descriptor is there: it is of this process from now on */
	if (start_of(pid) == start / TICK_NS)
		sent = !syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
	close(fd);
	return sent;
}

int stopped_continue(int table, pid_t pid, const struct stop *s, struct continuing *now)
{
	u32 key = (u32)pid;
	int sent = 0;

	if (now && !s->foreign) {
		now->start = s->start;
		now->pid = pid;
	}
	/* first: as soon as it runs, its next call may bring it back into the table */
	bpf_map_delete_elem(table, &key);
	if (!s->foreign)
		sent = send_cont(pid, s->start);
	if (now)
		now->pid = 0;
	return sent;
}

struct sweep {
	int table;
	struct continuing *now;
	u32 sent;
};

static void continue_one(void *context, pid_t pid, const struct stop *s)
{
	struct sweep *w = context;

	w->sent += (u32)stopped_continue(w->table, pid, s, w->now);
}

u32 stopped_continue_all(int table, struct continuing *now)
{
	struct sweep w = {.table = table, .now = now};

	stopped_each(table, continue_one, &w);
	return w.sent;
}

void stopped_finish(const struct continuing *now)
{
	if (now->pid)
		send_cont(now->pid, now->start);
}

void stopped_each(int table, void (*each)(void *context, pid_t pid, const struct stop *s),
		  void *context)
{
	u32 key, next;
	struct stop s;
	int result = bpf_map_get_next_key(table, NULL, &next);

	while (!result) {
		key = next;
		/* before EACH, which may take KEY out */
		result = bpf_map_get_next_key(table, &key, &next);
		if (key && stopped_get(table, (pid_t)key, &s))
			each(context, (pid_t)key, &s);
	}
}

bool stopped_is_traced(pid_t pid)
{
	char path[64], line[128];
	int tracer = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TracerPid: %d", &tracer) == 1)
			break;
	if (f)
		fclose(f);
	return tracer != 0;
}
