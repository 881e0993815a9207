/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "compile.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"

#define PART(kind, x, half)                                \
	{                                                  \
#x, offsetof(struct loaded, x), kind, half \
	}

static const struct part detector[] = {
	PART(ATTACHED, enter, 1),
	PART(ATTACHED, attach, 1),
	PART(ATTACHED, known, 2),
	PART(ATTACHED, judge, 1),
	PART(ATTACHED, name, 2),
	PART(ATTACHED, report, 2),
	PART(ATTACHED, on_fork, 2),
	PART(ATTACHED, on_exec, 2),
	PART(ATTACHED, on_exit, 2),
	PART(ATTACHED, on_signal, 1),
	PART(TESTRUN, command, 1),
	PART(TESTRUN, resolve, 1),
	PART(MAP, profiles, 0),
	PART(MAP, rows, 0),
	PART(MAP, threads, 0),
	PART(MAP, losses, 0),
	PART(MAP, taken, 0),
	PART(MAP, settings, 0),
	PART(MAP, events, 0),
	PART(MAP, ring, 0),
	PART(MAP, tails, 0),
	PART(MAP, by_identity, 0),
	PART(MAP, free_profiles, 0),
	PART(MAP, free_rows, 0),
	PART(MAP, free_threads, 0),
	PART(MAP, targets, 0),
	PART(MAP, cgroups, 0),
	PART(MAP, cgroup_answers, 0),
	PART(MAP, locks, 0),
	PART(MAP, handovers, 0),
	PART(MAP, scratches, 0),
	PART(MAP, owners, 0),
	PART(MAP, exes, 0),
	PART(MAP, hints, 0),
	PART(MAP, spares, 0),
	PART(MAP, halts, 0),
	PART(MAP, delays, 0),
	PART(MAP, stops, 0),
	PART(MAP, exempt, 0),
	PART(ATTACHED, respond, 1),
	PART(RAW, on_generate, 2),
	PART(TESTRUN, release, 1),
	{"lsm__bprm_check_security", offsetof(struct loaded, bprm_check), LSM, 1},
};

enum { PARTS = sizeof(detector) / sizeof(*detector) };

/* A list of parts, and the struct that takes their descriptors. */
struct wanted {
	const struct part *parts;
	int count;
	void *base;
};

static int *part_of(const struct wanted *w, int i)
{
	return (int *)((char *)w->base + w->parts[i].offset);
}

/* How a child ended, where none has said so itself. */
static void explain(int status, char *error, size_t size)
{
	if (!status || *error)
		return;
	if (WIFSIGNALED(status))
		snprintf(error, size,
			 "the process that compiles the BPF source was killed by signal "
			 "%d%s",
			 WTERMSIG(status),
			 WTERMSIG(status) == SIGKILL
				 ? " (each half needs 150 MB of memory)"
				 : "");
	else
		snprintf(error, size, "compiling the BPF source ended with status %d",
			 WEXITSTATUS(status));
}

/* 2 when the source has halves, and there are processors for them. */
static int count_children(const struct part *parts, int count)
{
	cpu_set_t cpus;

	for (int i = 0; i < count; i++)
		if (parts[i].half)
			return sched_getaffinity(0, sizeof(cpus), &cpus) ||
					       CPU_COUNT(&cpus) < 2
				       ? 1
				       : 2;
	return 1;
}

/* Child I of COUNT; L: what all have in common. Its pid or -errno. */
static pid_t start(struct loader l, int i, int count, int out, const int *maps)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	if (count > 1) {
		l.half = i + 1;
		l.maps = maps[i];
		close(maps[!i]);
	}
	l.out = out;
	loader_run(&l);
}

static int start_all(const struct loader *l, pid_t *pids, int count, int out)
{
	int maps[2], result = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, maps))
		return -errno;
	for (int i = 0; i < count && result >= 0; i++)
		result = pids[i] = start(*l, i, count, out, maps);
	close(maps[0]);
	close(maps[1]);
	return result < 0 ? result : 0;
}

/* Take what the children send, until the last has ended. 0, or -EIO with ERROR. */
static int receive_all(int sock, const struct wanted *w, char *error, size_t size)
{
	struct message m;
	int fd;

	while (message_receive(sock, &m, &fd)) {
		if (m.index < 0 || m.index >= w->count || fd < 0) {
			snprintf(error, size, "%s", m.error);
			return -EIO;
		}
		*part_of(w, m.index) = fd;
	}
	return 0;
}

int compile_parts(const char *text, const char *headers, bool raw,
		  const struct part *parts, int count, void *base, char *error,
		  size_t size)
{
	const struct wanted w = {parts, count, base};
	struct loader l = {.text = text,
			   .headers = headers,
			   .raw = raw,
			   .parts = parts,
			   .count = count,
			   .parent = getpid()};
	int children = count_children(parts, count), sock[2], status, result;
	pid_t pids[2] = {-1, -1};

	for (int i = 0; i < count; i++)
		*part_of(&w, i) = -1;
	*error = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -errno;
	result = start_all(&l, pids, children, sock[1]);
	close(sock[1]);
	if (result)
		snprintf(error, size, "cannot start a process to compile in: %s",
			 strerror(-result));
	else
		result = receive_all(sock[0], &w, error, size);
	close(sock[0]); /* a child that goes on after an error ends when it sends */
	for (int i = 0; i < children; i++) {
		if (pids[i] <= 0 || waitpid(pids[i], &status, 0) != pids[i])
			continue;
		explain(status, error, size);
		result = status ? -EIO : result;
	}
	if (result)
		parts_close(parts, count, base);
	return result;
}

void parts_close(const struct part *parts, int count, void *base)
{
	const struct wanted w = {parts, count, base};

	for (int i = 0; i < count; i++) {
		if (*part_of(&w, i) >= 0)
			close(*part_of(&w, i));
		*part_of(&w, i) = -1;
	}
}

int compile(const char *text, const char *headers, bool raw, struct loaded *l,
	    char *error, size_t size)
{
	return compile_parts(text, headers, raw, detector, PARTS, l, error, size);
}

void loaded_close(struct loaded *l)
{
	parts_close(detector, PARTS, l);
}

int loaded_map(const struct loaded *l, int i)
{
	for (int part = 0; part < PARTS; part++)
		if (detector[part].kind == MAP && !i--)
			return *(const int *)((const char *)l + detector[part].offset);
	return -ENOENT;
}
