/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 120000 };

static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), result = 0;
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st))
		result = -errno;
	while (!result && lseek(in, 0, SEEK_CUR) < st.st_size)
		if (sendfile(out, in, NULL, st.st_size) <= 0)
			result = errno ? -errno : -EIO;
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) && !result)
		result = -errno;
	return result;
}

__attribute__((noreturn)) static void become(const struct worker *w, const char *name,
					     int cpu, int cpu2, int in, int out)
{
	char first[16], second[16];

	snprintf(first, sizeof(first), "%d", cpu);
	snprintf(second, sizeof(second), "%d", cpu2);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execl(w->path, name, name, cpu < 0 ? NULL : first, cpu2 < 0 ? NULL : second,
	      (char *)NULL);
	_exit(127);
}

int worker_start(struct worker *w, const char *from, const char *dir, const char *name,
		 int cpu, int cpu2)
{
	int in[2], out[2], result;

	*w = (struct worker){.in = -1, .out = -1};
	snprintf(w->path, sizeof(w->path), "%s/%s", dir, name);
	result = copy_file(from, w->path);
	if (result)
		return result;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -errno;
	w->pid = fork();
	if (!w->pid)
		become(w, name, cpu, cpu2, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	w->in = in[1];
	w->out = out[0];
	return w->pid < 0 ? -errno : 0;
}

int worker_ask(const struct worker *w, const struct request *r, double *result)
{
	size_t size = r->blocks * sizeof(*result), got = 0;
	struct pollfd fd = {.fd = w->out, .events = POLLIN};

	if (write(w->in, r, sizeof(*r)) != sizeof(*r))
		return -EPIPE;
	while (got < size) {
		ssize_t n;

		if (poll(&fd, 1, ANSWER_MS) <= 0)
			return -ETIMEDOUT;
		n = read(w->out, (char *)result + got, size - got);
		if (n <= 0)
			return -EPIPE;
		got += n;
	}
	return 0;
}

void worker_stop(struct worker *w)
{
	if (w->pid <= 0)
		return;
	close(w->in);
	close(w->out);
	kill(w->pid, SIGTERM);
	waitpid(w->pid, NULL, 0);
	w->pid = 0;
}
