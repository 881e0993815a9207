/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "listen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 64, TRIES = 5, RETRY_MS = 50 };

static int address(struct sockaddr_un *a, const char *path)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	strcpy(a->sun_path, path);
	return 0;
}

static int socket_new(int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	return fd < 0 ? -errno : fd;
}

int listen_connect(const char *path)
{
	struct sockaddr_un a;
	int result = address(&a, path), fd;

	if (result)
		return result;
	fd = socket_new(SOCK_NONBLOCK);
	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	result = -errno;
	close(fd);
	return result;
}

int listen_peer(int fd, pid_t *pid, uid_t *uid)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size))
		return -errno;
	*pid = who.pid;
	*uid = who.uid;
	return 0;
}

/* ---- who was there before ---- */

/* 1 when a process listens at PATH: *PID, 0 if it is not known; 0: none; or -errno. */
static int probe(const char *path, pid_t *pid)
{
	const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
	uid_t uid;
	int fd = -1;

	*pid = 0;
	for (int i = 0; i < TRIES; i++) {
		fd = listen_connect(path);
		if (fd != -ECONNREFUSED)
			break;
		nanosleep(&pause, NULL); /* it may be between bind() and listen() */
	}
	if (fd == -EAGAIN) /* it does not come round to us */
		return 1;
	if (fd == -ECONNREFUSED || fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	listen_peer(fd, pid, &uid);
	close(fd);
	return 1;
}

/*
 * Remove the socket at PATH that nobody listens at. Someone else may do so too and
 * listen there already: so it is moved first, and looked at again where only we know
 * it. 0; 1: it lives, and is back; or -errno.
 */
static int remove_stale(const char *path, pid_t *pid)
{
	char *aside;
	int result;

	if (asprintf(&aside, "%s.%d", path, (int)getpid()) < 0)
		return -ENOMEM;
	result = rename(path, aside) ? -errno : probe(aside, pid);
	if (result == 1 && link(aside, path))
		result = -errno;
	unlink(aside);
	free(aside);
	return result == -ENOENT ? 0 : result;
}

/* Make way at PATH, where something is: 0, or as listen_open(). */
static int make_way(const char *path, char *error, size_t size)
{
	struct stat st;
	pid_t pid;
	int result;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(error, size, "%s is there already and is no socket", path);
		return -EEXIST;
	}
	result = probe(path, &pid);
	if (!result)
		result = remove_stale(path, &pid);
	if (result != 1)
		return result;
	if (pid)
		snprintf(error, size,
			 "process %d listens at %s already: stop it, or choose another "
			 "place with --socket, or none with --no-socket",
			 (int)pid, path);
	else
		snprintf(error, size, "a process listens at %s already", path);
	return -EADDRINUSE;
}

/* ---- being there ---- */

static int bind_to(int fd, const struct sockaddr_un *a)
{
	mode_t before = umask(0177);
	int result = bind(fd, (const struct sockaddr *)a, sizeof(*a)) ? -errno : 0;

	umask(before);
	return result;
}

static int take_place(struct listener *l, char *error, size_t size)
{
	struct sockaddr_un a;
	struct stat st;
	int result = address(&a, l->path), way = 0;

	if (result)
		return result;
	for (int i = 0; i < TRIES && !way; i++) {
		result = bind_to(l->fd, &a);
		if (result != -EADDRINUSE)
			break;
		way = make_way(l->path, error, size);
	}
	if (way || result)
		return way ? way : result;
	if (listen(l->fd, BACKLOG) || lstat(l->path, &st))
		return -errno;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	return 0;
}

int listen_open(struct listener *l, const char *path, char *error, size_t size)
{
	int result;

	*l = (struct listener){.fd = -1, .path = strdup(path)};
	*error = '\0';
	result = l->path ? socket_new(SOCK_NONBLOCK) : -ENOMEM;
	if (result >= 0) {
		l->fd = result;
		result = take_place(l, error, size);
	}
	if (!result)
		return 0;
	if (!*error)
		snprintf(
			error, size,
			"cannot make the control socket %s: %s (--no-socket: do without)",
			path, strerror(-result));
	listen_close(l);
	return result;
}

void listen_close(struct listener *l)
{
	struct stat st;

	/* as long as it is open, no other file gets its inode */
	if (l->fd >= 0 && l->inode && !lstat(l->path, &st) && st.st_dev == l->device &&
	    st.st_ino == l->inode)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	*l = (struct listener){.fd = -1};
}
