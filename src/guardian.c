/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privilege.h"

enum { SOCKET, TABLE, NOWHERE, DESCRIPTORS };

/*
 * ebph holds ALIVE as long as it lives. The kernel gives it away first of all when a process
 * ends; the socket is closed only after the programs were detached, which takes some tenths
 * of a second.
 */
struct guardian_page {
	pthread_mutex_t alive;
	struct continuing now;
};

/* Detaching takes the kernel a moment: a program that still ran may stop one more. */
static const useconds_t sweeps[] = {0, 20000, 80000, 200000, 300000};

/* Nothing that a terminal, a service manager or a short of memory does may end it. */
static void become_independent(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	setsid();
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, "ebph-guardian");
	/* where this is not allowed it is as any other process */
	if (fd >= 0 && write(fd, "-1000", 5) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
	if (chdir("/"))
		errno = 0;
}

/* Keep the two and nothing else: no link, or the programs would outlive ebph. */
static int keep_only(int socket, int table)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(socket, SOCKET) < 0 || dup2(table, TABLE) < 0 ||
	    dup2(null, NOWHERE) < 0)
		return -errno;
	if (syscall(SYS_close_range, DESCRIPTORS, ~0U, 0)) /* before Linux 5.9 */
		for (int fd = DESCRIPTORS; fd < 65536; fd++)
			close(fd);
	return 0;
}

/* Whether the socket tells something, within MS: ebph's end is complete. */
static bool has_ended(int ms)
{
	struct pollfd fd = {.fd = SOCKET, .events = POLLIN};

	return poll(&fd, 1, ms) > 0;
}

__attribute__((noreturn)) static void guard(int socket, int table,
					    struct guardian_page *page)
{
	char word, error[200];

	become_independent();
	if (keep_only(socket, table) ||
	    privilege_keep(privilege_for_guardian(privilege_held()), error,
			   sizeof(error)) ||
	    write(SOCKET, "", 1) != 1)
		_exit(1);
	pthread_mutex_lock(&page->alive);
	stopped_end(TABLE);
	stopped_finish(&page->now);
	do /* a program that was past that question may stop one more */
		stopped_continue_all(TABLE, NULL);
	while (!has_ended(20));
	if (read(SOCKET, &word, 1) == 1) { /* an orderly end: all is detached */
		stopped_continue_all(TABLE, NULL);
		_exit(0);
	}
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(*sweeps); i++) {
		usleep(sweeps[i]);
		stopped_continue_all(TABLE, NULL);
	}
	_exit(0);
}

/* The page, its lock held: 0 or -errno. */
static int make_page(struct guardian *g)
{
	pthread_mutexattr_t a;
	void *page = mmap(NULL, sizeof(*g->page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int result;

	if (page == MAP_FAILED)
		return -errno;
	g->page = page;
	g->now = &g->page->now;
	pthread_mutexattr_init(&a);
	result = pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (!result)
		result = pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (!result)
		result = pthread_mutex_init(&g->page->alive, &a);
	if (!result)
		result = pthread_mutex_lock(&g->page->alive);
	pthread_mutexattr_destroy(&a);
	return -result;
}

static int launch(struct guardian *g, int table)
{
	int pair[2], result = make_page(g);
	char ready;

	if (result)
		return result;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	g->pid = fork();
	if (!g->pid) {
		close(pair[0]);
		guard(pair[1], table, g->page);
	}
	if (g->pid < 0) {
		result = -errno;
		g->pid = 0;
	}
	close(pair[1]);
	g->socket = pair[0];
	if (!result && read(g->socket, &ready, 1) != 1)
		result = -ECHILD;
	return result;
}

int guardian_start(struct guardian *g, int table, char *error, size_t size)
{
	int result;

	*g = (struct guardian){.socket = -1};
	result = launch(g, table);
	if (result)
		snprintf(error, size,
			 "cannot start the process that continues what is stopped if "
			 "ebph should end: %s; nothing is delayed without it",
			 strerror(-result));
	return result;
}

void guardian_end(struct guardian *g)
{
	if (g->socket >= 0) {
		(void)!send(g->socket, "", 1, MSG_NOSIGNAL);
		pthread_mutex_unlock(&g->page->alive);
		close(g->socket);
	}
	if (g->pid > 0)
		waitpid(g->pid, NULL, 0);
	if (g->page)
		munmap(g->page, sizeof(*g->page));
	*g = (struct guardian){.socket = -1};
}
