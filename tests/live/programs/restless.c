/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls one of 24 harmless system calls every few milliseconds, for ever, in an order that
 * its argument chooses: its profile grows for long and changes all the time.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const long calls[] = {
	SYS_getpid,    SYS_getppid,	SYS_getuid,    SYS_geteuid,
	SYS_getgid,    SYS_getegid,	SYS_gettid,    SYS_getpgid,
	SYS_getsid,    SYS_sched_yield, SYS_times,     SYS_getcwd,
	SYS_uname,     SYS_sysinfo,	SYS_getrusage, SYS_getrlimit,
	SYS_getgroups, SYS_getpriority, SYS_getitimer, SYS_timer_delete,
	SYS_getresuid, SYS_getresgid,	SYS_capget,    SYS_get_robust_list,
};

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 3000000};
	unsigned int seed = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;

	for (;;) {
		for (int i = 0; i < 8; i++)
			syscall(calls[(size_t)rand_r(&seed) %
				      (sizeof(calls) / sizeof(*calls))],
				0, 0, 0);
		nanosleep(&pause, NULL);
	}
}
