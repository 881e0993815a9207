/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "compile.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "headers.h"
#include "loader.h"

#define PART(kind, x, half)                                \
	{                                                  \
#x, offsetof(struct loaded, x), kind, half \
	}

static const struct part detector[] = {
	PART(ATTACHED, enter, 1),
	PART(RESPONDING, attach, 1),
	PART(RESPONDING, known, 2),
	PART(RESPONDING, judge, 1),
	PART(RESPONDING, name, 2),
	PART(RESPONDING, report, 2),
	PART(ATTACHED, on_fork, 2),
	PART(ATTACHED, on_exec, 2),
	PART(RESPONDING, on_exit, 2),
	PART(ATTACHED, on_signal, 1),
	PART(TESTRUN, command, 1),
	PART(TESTRUN, resolve, 1),
	PART(TESTRUN, reap, 2),
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
	PART(MAP, kept_thread, 0),
	PART(MAP, handovers, 0),
	PART(MAP, scratches, 0),
	PART(MAP, owners, 0),
	PART(MAP, exes, 0),
	PART(MAP, exes_epoch, 0),
	PART(MAP, hints, 0),
	PART(MAP, spares, 0),
	PART(MAP, halts, 0),
	PART(MAP, delays, 0),
	PART(MAP, stops, 0),
	PART(MAP, exempt, 0),
	PART(MAP, response, 0),
	PART(RESPONDING, respond, 1),
	PART(RAW, on_generate, 2),
	PART(TESTRUN, release, 1),
	{"lsm__bprm_check_security", offsetof(struct loaded, bprm_check), LSM, 1},
};

enum { PARTS = sizeof(detector) / sizeof(*detector), TICK_MS = 10 };

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

/* A process that compiles, what it wrote to standard error, and how it ended. */
struct child {
	pid_t pid;
	int log; /* -1: it had our standard error */
	int status;
};

/* What is to be compiled, by whom. */
struct work {
	struct loader loader; /* what the children have in common */
	struct child children[2];
	int count;
	const struct meanwhile *meanwhile; /* NULL: nothing */
};

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

/* Start child I; PARENT: our end of the socket. 0 or -errno. */
static int start(struct work *w, int i, int parent, const int *maps)
{
	struct loader l = w->loader;
	struct child *c = &w->children[i];

	c->log = memfd_create("ebph-words", MFD_CLOEXEC);
	c->pid = fork();
	if (c->pid)
		return c->pid < 0 ? -errno : 0;
	close(parent); /* or what we send would never find the parent gone */
	close(maps[!i]);
	l.half = w->count > 1 ? i + 1 : 0;
	l.maps = maps[i];
	l.log = c->log;
	loader_run(&l);
}

static int start_all(struct work *w, int parent)
{
	int maps[2], result = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, maps))
		return -errno;
	for (int i = 0; i < w->count && !result; i++)
		result = start(w, i, parent, maps);
	close(maps[0]);
	close(maps[1]);
	return result;
}

/* Do what there is to be done until something can be received. */
static void wait_for(int sock, const struct meanwhile *m)
{
	struct pollfd fd = {.fd = sock, .events = POLLIN};

	while (m && !poll(&fd, 1, TICK_MS))
		m->act(m->context);
}

/*
 * Take what the children send, until the last has ended or one says that it failed:
 * -EIO, with ERROR and who it was in FAILED. Else 0.
 */
static int receive_all(int sock, const struct wanted *w,
		       const struct meanwhile *meanwhile, int *failed, char *error,
		       size_t size)
{
	struct message m = {0};
	int fd;

	while (wait_for(sock, meanwhile), message_receive(sock, &m, &fd)) {
		if (m.index < 0 || m.index >= w->count || fd < 0) {
			snprintf(error, size, "%s",
				 *m.error ? m.error
					  : "cannot take over what was compiled: too "
					    "many open files; raise the limit (ulimit "
					    "-n)");
			*failed = m.half == 2;
			return -EIO;
		}
		*part_of(w, m.index) = fd;
	}
	return 0;
}

/* Wait until all have ended. STOP: what they do is of no use any more. */
static void end_all(struct work *w, bool stop)
{
	for (int i = 0; i < w->count; i++) {
		struct child *c = &w->children[i];

		if (c->pid <= 0)
			continue;
		if (stop)
			kill(c->pid, SIGKILL);
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
	}
}

/* The child that failed without a word about it; that the other was gone is no reason. */
static int find_failed(const struct work *w)
{
	int found = -1;

	for (int i = 0; i < w->count; i++) {
		const struct child *c = &w->children[i];
		bool left_alone = WIFEXITED(c->status) &&
				  WEXITSTATUS(c->status) == LOADER_LEFT_ALONE;

		if (c->status && (found < 0 || !left_alone))
			found = i;
		if (c->status && !left_alone)
			break;
	}
	return found;
}

static void explain(int status, char *error, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(
			error, size,
			"a process that compiles the BPF source was killed by signal %d "
			"(%s)%s",
			WTERMSIG(status), strsignal(WTERMSIG(status)),
			WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGABRT
				? ": compiling needs 150 MB of memory; if that was short, "
				  "free some, or raise the limit"
				: "");
	else
		snprintf(error, size,
			 "a process that compiles the BPF source ended with status %d",
			 WEXITSTATUS(status));
}

/*
 * Pass on what the child that FAILED wrote; -1: none did, then the first that has warnings.
 * Both halves would often say the same.
 */
static void print_words(const struct work *w, int failed)
{
	char text[4096];
	off_t at = 0;
	ssize_t got;

	for (int i = 0; i < w->count && !at; i++)
		while ((failed < 0 || failed == i) && w->children[i].log >= 0 &&
		       (got = pread(w->children[i].log, text, sizeof(text), at)) > 0) {
			fwrite(text, 1, got, stderr);
			at += got;
		}
}

static void close_logs(const struct work *w)
{
	for (int i = 0; i < w->count; i++)
		if (w->children[i].log >= 0)
			close(w->children[i].log);
}

/* Let W's children compile. 0, or -errno with ERROR, and then there may be parts too. */
static int compile_in_children(struct work *w, const struct wanted *parts, char *error,
			       size_t size)
{
	int sock[2], failed = -1, result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock)) {
		result = -errno;
		snprintf(error, size, "cannot make a socket to compile over: %s",
			 strerror(-result));
		return result;
	}
	w->loader.out = sock[1];
	result = start_all(w, sock[0]);
	close(sock[1]);
	if (result)
		snprintf(error, size, "cannot start a process to compile in: %s%s",
			 strerror(-result),
			 result == -EAGAIN ? "; allow more processes (ulimit -u, or the "
					     "cgroup's pids.max)"
					   : "");
	else
		result = receive_all(sock[0], parts, w->meanwhile, &failed, error, size);
	close(sock[0]);
	end_all(w, result != 0);
	if (!result && (failed = find_failed(w)) >= 0) {
		explain(w->children[failed].status, error, size);
		result = -EIO;
	}
	if (!result || failed >= 0)
		print_words(w, failed);
	close_logs(w);
	return result;
}

/* Have children do W, which says what, over all processors; their parts go to BASE. */
static int compile_all(struct work *w, void *base, char *error, size_t size)
{
	struct loader *l = &w->loader;
	const struct wanted wanted = {l->parts, l->count, base};
	struct scratch_dir headers;
	int result = headers_make(&headers);

	for (int i = 0; i < l->count; i++)
		*part_of(&wanted, i) = -1;
	*error = 0;
	if (result) {
		snprintf(error, size,
			 "cannot make a private directory in /run or /tmp: %s",
			 strerror(-result));
		return result;
	}
	l->headers = headers.path;
	l->parent = getpid();
	w->count = count_children(l->parts, l->count);
	for (int i = 0; i < w->count; i++)
		w->children[i] = (struct child){-1, -1, 0};
	result = compile_in_children(w, &wanted, error, size);
	scratch_remove(&headers);
	if (result)
		parts_close(l->parts, l->count, base);
	return result;
}

int compile_parts(const char *text, bool raw, const struct part *parts, int count,
		  void *base, char *error, size_t size)
{
	struct work w = {
		.loader = {.text = text, .raw = raw, .parts = parts, .count = count}};

	return compile_all(&w, base, error, size);
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

int loaded_at(const struct loaded *l, size_t offset)
{
	return *(const int *)((const char *)l + offset);
}

int compile(const char *text, bool raw, struct loaded *l, char *error, size_t size)
{
	return compile_parts(text, raw, detector, PARTS, l, error, size);
}

int compile_more(const char *text, bool raw, const struct loaded *l, struct loaded *more,
		 const struct meanwhile *meanwhile, char *error, size_t size)
{
	struct work w = {.loader = {.text = text,
				    .raw = raw,
				    .parts = detector,
				    .count = PARTS,
				    .running = l},
			 .meanwhile = meanwhile};

	return compile_all(&w, more, error, size);
}

void loaded_add(struct loaded *l, const struct loaded *more)
{
	const struct wanted w = {detector, PARTS, l};

	for (int i = 0; i < PARTS; i++) {
		int fd = loaded_at(more, detector[i].offset);

		if (fd >= 0)
			*part_of(&w, i) = fd;
	}
}

void loaded_close_but(struct loaded *l, const struct loaded *other)
{
	const struct wanted w = {detector, PARTS, l};

	for (int i = 0; i < PARTS; i++) {
		int *fd = part_of(&w, i);

		if (*fd >= 0 && *fd != loaded_at(other, detector[i].offset))
			close(*fd);
		*fd = -1;
	}
}

void loaded_close(struct loaded *l)
{
	parts_close(detector, PARTS, l);
}

int loaded_map(const struct loaded *l, int i)
{
	for (int part = 0; part < PARTS; part++)
		if (detector[part].kind == MAP && !i--)
			return loaded_at(l, detector[part].offset);
	return -ENOENT;
}
