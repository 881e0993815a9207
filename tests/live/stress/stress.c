/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stress WHAT LANES N [PROGRAM]: LANES threads or processes at once, each doing N times:
 *   calls    getppid
 *   signals  tgkill to itself; the handler: getppid, rt_sigreturn
 *   threads  clone of a thread, which makes getppid, exit
 *   forks    clone of a process, which makes getppid, exit_group; wait4
 *   execs    clone of a process, which makes execve of PROGRAM; wait4
 * and not one system call more: waiting for each other is done without any.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LANES_MAX = 256, STACK = 16384 };

static long times;
static char **program;
static int running;

static long clone_process(void)
{
#if defined(__aarch64__)
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#else
	return syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
#endif
}

static void calls(void)
{
	for (long i = 0; i < times; i++)
		syscall(SYS_getppid);
}

static void on_signal(int number)
{
	(void)number;
	syscall(SYS_getppid);
}

static void signals(void)
{
	long pid = syscall(SYS_getpid), tid = syscall(SYS_gettid);

	for (long i = 0; i < times; i++)
		syscall(SYS_tgkill, pid, tid, SIGUSR1);
}

static int thread(void *unused)
{
	(void)unused;
	syscall(SYS_getppid);
	return 0;
}

static void threads(void)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	char stack[STACK] __attribute__((aligned(16)));
	volatile int alive;

	for (long i = 0; i < times; i++) {
		alive = 1;
		if (clone(thread, stack + STACK, flags, NULL, NULL, NULL, &alive) < 0)
			_exit(1);
		while (alive) /* the kernel clears it when the stack is free again */
			;
	}
}

static void forks(void)
{
	for (long i = 0; i < times; i++) {
		long pid = clone_process();

		if (pid < 0)
			_exit(1);
		if (!pid && program)
			syscall(SYS_execve, program[0], program, NULL);
		if (!pid) {
			syscall(SYS_getppid);
			syscall(SYS_exit_group, program != NULL);
		}
		syscall(SYS_wait4, pid, 0, 0, 0);
	}
}

static void *lane_thread(void *work)
{
	((void (*)(void))work)();
	if (!__atomic_sub_fetch(&running, 1, __ATOMIC_ACQ_REL))
		syscall(SYS_exit_group, 0);
	for (;;) /* until the last one ends the process */
		__asm__ volatile("" ::: "memory");
	return NULL;
}

static void in_threads(void (*work)(void), int lanes)
{
	pthread_t t;

	running = lanes;
	for (int i = 1; i < lanes; i++)
		if (pthread_create(&t, NULL, lane_thread, (void *)work))
			_exit(1);
	lane_thread((void *)work);
}

static void in_processes(void (*work)(void), int lanes)
{
	for (int i = 0; i < lanes; i++) {
		long pid = clone_process();

		if (pid < 0)
			_exit(1);
		if (!pid) {
			work();
			syscall(SYS_exit_group, 0);
		}
	}
	for (int i = 0; i < lanes; i++)
		syscall(SYS_wait4, -1, 0, 0, 0);
	syscall(SYS_exit_group, 0);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	int lanes = argc > 3 ? atoi(argv[2]) : 0;

	if (lanes < 1 || lanes > LANES_MAX)
		return 2;
	times = atol(argv[3]);
	program = argc > 4 ? argv + 4 : NULL;
	sigaction(SIGUSR1, &action, NULL);
	if (!strcmp(argv[1], "calls"))
		in_threads(calls, lanes);
	else if (!strcmp(argv[1], "signals"))
		in_threads(signals, lanes);
	else if (!strcmp(argv[1], "threads"))
		in_threads(threads, lanes);
	else if (!strcmp(argv[1], "forks") || !strcmp(argv[1], "execs"))
		in_processes(forks, lanes);
	return 2;
}
