/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * family: four threads each start /usr/bin/true and wait for it; then it says "done".
 * family DIR: makes DIR, or says why not.
 */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { THREADS = 4 };

static void *start(void *failed)
{
	char *argv[] = {"true", NULL}, *none[] = {NULL};
	int status = 1;
	pid_t pid;

	if (posix_spawn(&pid, "/usr/bin/true", NULL, NULL, argv, none) ||
	    waitpid(pid, &status, 0) != pid || status)
		*(int *)failed = 1;
	return NULL;
}

static int start_all(void)
{
	pthread_t threads[THREADS];
	int failed[THREADS] = {0}, all = 0;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, start, &failed[i]))
			return 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all |= failed[i];
	}
	puts(all ? "failed" : "done");
	return all;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return start_all();
	if (!mkdir(argv[1], 0700))
		return 0;
	printf("cannot make %s: %s\n", argv[1], strerror(errno));
	return 1;
}
