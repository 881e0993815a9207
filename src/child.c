/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noreturn)) static void become(int gate, char *const *argv)
{
	sigset_t none;
	char go;
	int failed;

	if (read(gate, &go, 1) != 1)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	failed = errno;
	fprintf(stderr, "ebph: cannot run %s: %s\n", argv[0], strerror(failed));
	_exit(failed == ENOENT ? 127 : 126);
}

int child_start(struct child *c, char *const *argv)
{
	int gate[2];

	*c = (struct child){.gate = -1};
	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (!c->pid) {
		close(gate[1]); /* or the end of ebph would go unnoticed */
		become(gate[0], argv);
	}
	close(gate[0]);
	c->gate = gate[1];
	if (c->pid > 0)
		return 0;
	c->pid = 0;
	return -errno;
}

int child_go(struct child *c)
{
	int result = write(c->gate, "", 1) == 1 ? 0 : -errno;

	close(c->gate);
	c->gate = -1;
	return result;
}

bool child_reap(struct child *c)
{
	int status;

	if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	c->pid = 0;
	return true;
}

void child_free(struct child *c)
{
	int status;

	if (c->gate < 0)
		return;
	close(c->gate);
	c->gate = -1;
	if (c->pid > 0)
		waitpid(c->pid, &status, 0);
	c->pid = 0;
}
