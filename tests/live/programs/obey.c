/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obey: makes the system calls that it reads, a letter each, from standard input, and
 * nothing else: g getppid, u getuid, q exit.
 *
 * obey threads N: N threads that have made a call and sleep.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *sleep_on(void *unused)
{
	syscall(SYS_getppid);
	pause();
	return unused;
}

static int threads(int count)
{
	pthread_attr_t small;
	pthread_t t;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 32768);
	for (int i = 1; i < count; i++)
		if (pthread_create(&t, &small, sleep_on, NULL))
			return 1;
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	char c;

	if (argc == 3 && !strcmp(argv[1], "threads"))
		return threads(atoi(argv[2]));
	while (syscall(SYS_read, 0, &c, 1) == 1) {
		if (c == 'g')
			syscall(SYS_getppid);
		else if (c == 'u')
			syscall(SYS_getuid);
		else if (c == 'q')
			break;
	}
	return 0;
}
