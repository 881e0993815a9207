/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum point_kind {
	POINT_ANY, /* raw or classic */
	POINT_RAW, /* always raw: its programs cannot be preempted */
	POINT_LSM,
};

/*
 * In the order of attaching: a thread's end must be seen if its beginning was. Those of
 * responses are left out where there is no program for them.
 */
static const struct {
	const char *group, *name;
	size_t program;
	enum point_kind kind;
} points[ATTACH_POINTS] = {
	{"signal", "signal_generate", offsetof(struct loaded, on_generate), POINT_RAW},
	{"lsm", "bprm_check_security", offsetof(struct loaded, bprm_check), POINT_LSM},
	{"sched", "sched_process_exit", offsetof(struct loaded, on_exit), POINT_ANY},
	{"sched", "sched_process_exec", offsetof(struct loaded, on_exec), POINT_ANY},
	{"sched", "sched_process_fork", offsetof(struct loaded, on_fork), POINT_ANY},
	{"signal", "signal_deliver", offsetof(struct loaded, on_signal), POINT_ANY},
	{"raw_syscalls", "sys_enter", offsetof(struct loaded, enter), POINT_ANY},
};

enum { CALLS = ATTACH_POINTS - 1 };

int attach_classic_id(const char *group, const char *name)
{
	static const char *const roots[] = {"/sys/kernel/tracing",
					    "/sys/kernel/debug/tracing"};
	char path[256];
	int id = -ENOENT;

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots) && id < 0; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/events/%s/%s/id", roots[i], group, name);
		f = fopen(path, "re");
		if (!f && errno != ENOENT)
			id = -errno;
		if (f && fscanf(f, "%d", &id) != 1)
			id = -EIO;
		if (f)
			fclose(f);
	}
	return id;
}

/* One event serves all CPUs: the program belongs to the tracepoint, not to it. */
int attach_classic(int id, int program)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
				       .size = sizeof(attr),
				       .sample_period = 1,
				       .wakeup_events = 1};
	int fd, result;

	if (id < 0) /* as attach_classic_id() gave it */
		return id;
	attr.config = id;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) &&
	    !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return fd;
	result = -errno;
	close(fd);
	return result;
}

bool attach_may_open_events(void)
{
	/* Debian's kernels ask this before they look at what the event is */
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY};
	int fd =
		(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || (errno != EACCES && errno != EPERM);
}

const char *attach_classic_advice(int error)
{
	if (error == -EACCES && !attach_may_open_events())
		return "; with kernel.perf_event_paranoid above 2, this kernel wants "
		       "CAP_SYS_ADMIN for that: have it, or set that to 2 (sysctl)";
	switch (error) {
	case -ENOENT:
		return "; mount it: mount -t tracefs tracefs /sys/kernel/tracing";
	case -EACCES:
		return "; reading its number in /sys/kernel/tracing takes root or "
		       "CAP_DAC_READ_SEARCH";
	default:
		return "";
	}
}

static const char *advice(int error, bool raw)
{
	if (error == -EMFILE)
		return "; raise the limit (ulimit -n)";
	return raw ? "" : attach_classic_advice(error);
}

/* Asked once: attaching again shall not need the right to read it. */
static int classic_id(struct links *k, int i)
{
	if (k->id[i] <= 0)
		k->id[i] = attach_classic_id(points[i].group, points[i].name);
	return k->id[i];
}

/* The program of L for point I; -1: there is none. */
static int program_for(const struct loaded *l, int i)
{
	return loaded_at(l, points[i].program);
}

static int attach_point(struct links *k, const struct loaded *l, int i, bool raw,
			char *error, size_t size)
{
	int program = program_for(l, i);

	if (program < 0 && points[i].kind != POINT_ANY)
		return 0;
	if (raw || points[i].kind != POINT_ANY) {
		/* an LSM program knows by itself where it belongs */
		k->fd[i] = bpf_raw_tracepoint_open(
			points[i].kind == POINT_LSM ? NULL : points[i].name, program);
		if (k->fd[i] < 0)
			k->fd[i] = -errno;
	} else {
		k->fd[i] = attach_classic(classic_id(k, i), program);
	}
	if (k->fd[i] >= 0)
		return 0;
	if (points[i].kind == POINT_LSM)
		snprintf(
			error, size,
			"cannot attach to the security hook %s: %s; --abort-exec-by kill "
			"does without",
			points[i].name, strerror(-k->fd[i]));
	else
		snprintf(error, size, "cannot attach to the %stracepoint %s:%s: %s%s",
			 raw ? "raw " : "", points[i].group, points[i].name,
			 strerror(-k->fd[i]), advice(k->fd[i], raw));
	return k->fd[i];
}

void attach_init(struct links *k)
{
	for (int i = 0; i < ATTACH_POINTS; i++) {
		k->fd[i] = -1;
		k->id[i] = 0;
	}
}

int attach_life(struct links *k, const struct loaded *l, bool raw, char *error,
		size_t size)
{
	int result = 0;

	for (int i = 0; i < CALLS && !result; i++)
		result = attach_point(k, l, i, raw, error, size);
	return result;
}

int attach_calls(struct links *k, const struct loaded *l, bool raw, char *error,
		 size_t size)
{
	return attach_point(k, l, CALLS, raw, error, size);
}

int attach_beside(struct links *beside, const struct links *k, const struct loaded *l,
		  const struct loaded *before, bool raw, char *error, size_t size)
{
	int result = 0;

	attach_init(beside);
	memcpy(beside->id, k->id, sizeof(beside->id));
	for (int i = 0; i < CALLS && !result; i++)
		if (program_for(l, i) != program_for(before, i))
			result = attach_point(beside, l, i, raw, error, size);
	if (result)
		attach_none(beside);
	return result;
}

void attach_replace(struct links *k, const struct links *beside)
{
	for (int i = 0; i < CALLS; i++) {
		if (beside->fd[i] < 0)
			continue;
		if (k->fd[i] >= 0)
			close(k->fd[i]);
		k->fd[i] = beside->fd[i];
	}
}

void attach_calls_end(struct links *k)
{
	if (k->fd[CALLS] >= 0)
		close(k->fd[CALLS]);
	k->fd[CALLS] = -1;
}

void attach_none(struct links *k)
{
	for (int i = ATTACH_POINTS - 1; i >= 0; i--) {
		if (k->fd[i] >= 0)
			close(k->fd[i]);
		k->fd[i] = -1;
	}
}
