/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench-worker NAME [CPU [CPU2]]: does one kind of work, over and over, as it is told on
 * standard input (struct request), and answers on standard output how long it took.
 *
 * The driver runs a copy of this file for each kind, so that each has a profile of
 * its own, and one process for the whole measurement, so that what is compared has
 * the same memory below it. Between two requests a worker sleeps in read().
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "request.h"

enum { SELECT_MAX = 500 };

struct work {
	const char *name;
	int fd, fd2;  /* what the work reads and writes */
	fd_set watch; /* what it selects on */
	int highest;
	pid_t pid;
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void must(int ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

/* ---- the work: N operations ---- */

static void do_getppid(struct work *w, uint64_t n)
{
	(void)w;
	while (n--)
		syscall(SYS_getppid);
}

static void do_write(struct work *w, uint64_t n)
{
	while (n--)
		must(write(w->fd2, "", 1) == 1, "write to /dev/null");
}

static void do_read(struct work *w, uint64_t n)
{
	char byte;

	while (n--)
		must(read(w->fd, &byte, 1) == 1, "read from /dev/zero");
}

static void do_fstat(struct work *w, uint64_t n)
{
	struct stat st;

	while (n--)
		must(!fstat(w->fd, &st), "fstat");
}

static void do_stat(struct work *w, uint64_t n)
{
	struct stat st;

	(void)w;
	while (n--)
		must(!stat("/dev/zero", &st), "stat /dev/zero");
}

static void do_open(struct work *w, uint64_t n)
{
	(void)w;
	while (n--) {
		int fd = open("/dev/zero", O_RDONLY);

		must(fd >= 0, "open /dev/zero");
		close(fd);
	}
}

static void do_select(struct work *w, uint64_t n)
{
	while (n--) {
		fd_set set = w->watch;
		struct timeval none = {0, 0};

		must(select(w->highest + 1, NULL, &set, NULL, &none) >= 0, "select");
	}
}

static void on_usr1(int signal)
{
	(void)signal;
}

static void do_install(struct work *w, uint64_t n)
{
	struct sigaction sa = {.sa_handler = on_usr1};

	(void)w;
	while (n--)
		must(!sigaction(SIGUSR1, &sa, NULL), "sigaction");
}

/* Two calls: kill and, from the handler, rt_sigreturn. */
static void do_signal(struct work *w, uint64_t n)
{
	while (n--)
		must(!kill(w->pid, SIGUSR1), "kill");
}

static void reap(pid_t pid)
{
	int status;

	must(pid > 0, "fork");
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (status)
		errx(1, "the child ended with status %#x", status);
}

static void do_fork_exit(struct work *w, uint64_t n)
{
	(void)w;
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		reap(pid);
	}
}

static void do_fork_exec(struct work *w, uint64_t n)
{
	(void)w;
	while (n--) {
		pid_t pid = fork();

		if (!pid) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(127);
		}
		reap(pid);
	}
}

static void do_fork_sh(struct work *w, uint64_t n)
{
	(void)w;
	while (n--) {
		pid_t pid = fork();

		if (!pid) {
			execl("/bin/sh", "sh", "-c", "/bin/true", (char *)NULL);
			_exit(127);
		}
		reap(pid);
	}
}

/* To the other process and back. */
static void do_round_trip(struct work *w, uint64_t n)
{
	char byte = 0;

	while (n--) {
		must(write(w->fd2, &byte, 1) == 1, "write to the other process");
		must(read(w->fd, &byte, 1) == 1, "read from the other process");
	}
}

/* The project that the driver wrote into the folder BENCH_PROJECT. */
static void do_build(struct work *w, uint64_t n)
{
	const char *dir = getenv("BENCH_PROJECT");

	(void)w;
	while (n--) {
		pid_t pid = fork();

		if (!pid) {
			execlp("make", "make", "-s", "-j2", "-B", "-C", dir,
			       (char *)NULL);
			_exit(127);
		}
		reap(pid);
	}
}

/* ---- what the work needs ---- */

static void open_devices(struct work *w)
{
	w->fd = open("/dev/zero", O_RDONLY);
	w->fd2 = open("/dev/null", O_WRONLY);
	must(w->fd >= 0 && w->fd2 >= 0, "open /dev/zero and /dev/null");
}

/* A connected TCP socket over loopback. */
static int tcp_socket(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(listener >= 0 && fd >= 0, "socket");
	must(!bind(listener, (struct sockaddr *)&a, sizeof(a)), "bind to 127.0.0.1");
	must(!listen(listener, 1), "listen");
	must(!getsockname(listener, (struct sockaddr *)&a, &length), "getsockname");
	must(!connect(fd, (struct sockaddr *)&a, sizeof(a)), "connect to 127.0.0.1");
	must(accept(listener, NULL, NULL) >= 0, "accept");
	return fd;
}

static int regular_file(void)
{
	FILE *f = tmpfile();

	must(f != NULL, "make a temporary file");
	return fileno(f);
}

/* As lmbench does it: one file or socket, and duplicates of its descriptor. */
static void open_select(struct work *w)
{
	char kind[16];
	int count, fd;

	if (sscanf(w->name, "select-%15[a-z]-%d", kind, &count) != 2 || count < 1 ||
	    count > SELECT_MAX)
		errx(1, "%s: not select-file-N or select-tcp-N", w->name);
	fd = strcmp(kind, "tcp") ? regular_file() : tcp_socket();
	FD_ZERO(&w->watch);
	for (int i = 0; i < count; i++) {
		int copy = i ? dup(fd) : fd;

		must(copy >= 0 && copy < FD_SETSIZE, "dup");
		FD_SET(copy, &w->watch);
		if (copy > w->highest)
			w->highest = copy;
	}
}

static void open_signal(struct work *w)
{
	struct sigaction sa = {.sa_handler = on_usr1};

	w->pid = getpid();
	sigaction(SIGUSR1, &sa, NULL);
}

static void echo(int from, int to)
{
	char byte;

	while (read(from, &byte, 1) == 1)
		must(write(to, &byte, 1) == 1, "write back");
	_exit(0);
}

static void start_echo(struct work *w, int to[2], int from[2])
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(STDIN_FILENO);
		echo(to[0], from[1]);
	}
	w->fd = from[0];
	w->fd2 = to[1];
}

static void open_pipe(struct work *w)
{
	int to[2], from[2];

	must(!pipe(to) && !pipe(from), "pipe");
	start_echo(w, to, from);
}

static void open_unix(struct work *w)
{
	int pair[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	start_echo(w, (int[2]){pair[1], pair[0]}, (int[2]){pair[0], pair[1]});
}

/*
 * CPU time where one thread does all of it, so that others on the machine disturb
 * less; the wall's where processes wait for each other.
 */
static const struct kind {
	const char *name;
	size_t length; /* of NAME that must be equal; 0: all */
	void (*open)(struct work *w);
	void (*run)(struct work *w, uint64_t n);
	clockid_t clock;
} kinds[] = {
	{"getppid", 0, NULL, do_getppid, CLOCK_THREAD_CPUTIME_ID},
	{"threads", 0, NULL, do_getppid, CLOCK_THREAD_CPUTIME_ID},
	{"write", 0, open_devices, do_write, CLOCK_THREAD_CPUTIME_ID},
	{"read", 0, open_devices, do_read, CLOCK_THREAD_CPUTIME_ID},
	{"fstat", 0, open_devices, do_fstat, CLOCK_THREAD_CPUTIME_ID},
	{"stat", 0, NULL, do_stat, CLOCK_THREAD_CPUTIME_ID},
	{"open-close", 0, NULL, do_open, CLOCK_THREAD_CPUTIME_ID},
	{"select-", 7, open_select, do_select, CLOCK_THREAD_CPUTIME_ID},
	{"signal-install", 0, NULL, do_install, CLOCK_THREAD_CPUTIME_ID},
	{"signal-handle", 0, open_signal, do_signal, CLOCK_THREAD_CPUTIME_ID},
	{"fork-exit", 0, NULL, do_fork_exit, CLOCK_MONOTONIC},
	{"fork-exec", 0, NULL, do_fork_exec, CLOCK_MONOTONIC},
	{"fork-sh", 0, NULL, do_fork_sh, CLOCK_MONOTONIC},
	{"pipe", 0, open_pipe, do_round_trip, CLOCK_MONOTONIC},
	{"unix", 0, open_unix, do_round_trip, CLOCK_MONOTONIC},
	{"build", 0, NULL, do_build, CLOCK_MONOTONIC},
	{"idle", 0, NULL, do_getppid, CLOCK_MONOTONIC},
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].length ? !strncmp(name, kinds[i].name, kinds[i].length)
				    : !strcmp(name, kinds[i].name))
			return &kinds[i];
	errx(1, "no work is called %s", name);
}

/* ---- requests ---- */

/* The second thread: it takes part in requests for two, on a CPU of its own. */
struct partner {
	const struct kind *kind;
	struct work *work;
	int cpu;
	int requests[2];
	atomic_uint arrived; /* at the start of a block, both threads together */
	double result[BLOCKS_MAX];
	atomic_int done;
};

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/* Wait, without a system call, until both threads are here. */
static void meet(struct partner *p, unsigned int block)
{
	atomic_fetch_add(&p->arrived, 1);
	while (atomic_load(&p->arrived) < 2 * (block + 1))
		;
}

static void run_blocks(const struct kind *k, struct work *w, const struct request *r,
		       struct partner *p, double *result)
{
	for (uint32_t i = 0; i < r->blocks; i++) {
		double start;

		if (p)
			meet(p, i);
		start = now(k->clock);
		k->run(w, r->iterations);
		result[i] = (now(k->clock) - start) / r->iterations;
	}
}

static void *partner_main(void *context)
{
	struct partner *p = context;
	struct request r;

	pin(p->cpu);
	while (read(p->requests[0], &r, sizeof(r)) == sizeof(r)) {
		run_blocks(p->kind, p->work, &r, p, p->result);
		atomic_store(&p->done, 1);
	}
	return NULL;
}

static void partner_start(struct partner *p, const struct kind *k, struct work *w,
			  const char *cpu)
{
	pthread_t thread;

	*p = (struct partner){.kind = k, .work = w, .cpu = atoi(cpu)};
	must(!pipe(p->requests), "pipe");
	must(!pthread_create(&thread, NULL, partner_main, p), "pthread_create");
}

/* The mean of two threads that run at the same time. */
static void run_both(const struct kind *k, struct work *w, const struct request *r,
		     struct partner *p, double *result)
{
	atomic_store(&p->arrived, 0);
	atomic_store(&p->done, 0);
	must(write(p->requests[1], r, sizeof(*r)) == sizeof(*r), "write to the thread");
	run_blocks(k, w, r, p, result);
	while (!atomic_load(&p->done))
		;
	for (uint32_t i = 0; i < r->blocks; i++)
		result[i] = (result[i] + p->result[i]) / 2;
}

int main(int argc, char **argv)
{
	struct work w = {.name = argc > 1 ? argv[1] : ""};
	const struct kind *k = find_kind(w.name);
	double result[BLOCKS_MAX];
	struct partner partner;
	struct request r;

	if (argc > 3)
		partner_start(&partner, k, &w, argv[3]);
	if (argc > 2)
		pin(atoi(argv[2]));
	if (k->open)
		k->open(&w);
	while (read(STDIN_FILENO, &r, sizeof(r)) == sizeof(r)) {
		size_t size = r.blocks * sizeof(*result);

		if (r.blocks < 1 || r.blocks > BLOCKS_MAX || !r.iterations ||
		    (r.threads == 2 && argc <= 3))
			errx(1, "bad request");
		if (r.odd)
			syscall(SYS_getpgid, 0);
		if (r.threads == 2)
			run_both(k, &w, &r, &partner, result);
		else
			run_blocks(k, &w, &r, NULL, result);
		must(write(STDOUT_FILENO, result, size) == (ssize_t)size, "answer");
	}
	return 0;
}
