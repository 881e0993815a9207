/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET, TABLE, NOWHERE, DESCRIPTORS };

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

__attribute__((noreturn)) static void guard(int socket, int table, struct continuing *now)
{
	ssize_t length;
	char word;

	become_independent();
	if (keep_only(socket, table) || write(SOCKET, "", 1) != 1)
		_exit(1);
	do
		length = read(SOCKET, &word, 1);
	while (length < 0 && errno == EINTR);
	stopped_finish(now);
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(*sweeps); i++) {
		usleep(sweeps[i]);
		stopped_continue_all(TABLE, NULL);
		if (length == 1) /* an orderly end: all is detached */
			break;
	}
	_exit(0);
}

static int launch(struct guardian *g, int table)
{
	int pair[2], result = 0;
	char ready;

	g->now = mmap(NULL, sizeof(*g->now), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->now == MAP_FAILED)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	g->pid = fork();
	if (!g->pid) {
		close(pair[0]);
		guard(pair[1], table, g->now);
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
		close(g->socket);
	}
	if (g->pid > 0)
		waitpid(g->pid, NULL, 0);
	if (g->now && g->now != MAP_FAILED)
		munmap(g->now, sizeof(*g->now));
	*g = (struct guardian){.socket = -1};
}
