/* SPDX-License-Identifier: GPL-2.0-only */
/* The control socket as a file: made, taken over from the dead, refused by the living. */
#ifndef EBPH_LISTEN_H
#define EBPH_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

struct listener {
	int fd; /* -1: closed */
	char *path;
	dev_t device; /* of what was made at PATH */
	ino_t inode;
};

/*
 * Listen at PATH, mode 0600. A socket that nobody listens at any more is replaced. 0;
 * -EADDRINUSE when a living process listens there; or another -errno. ERROR (SIZE bytes)
 * then has a sentence.
 */
int listen_open(struct listener *l, const char *path, char *error, size_t size);

/* Close, and remove the file if it is still the one that was made. Twice is fine. */
void listen_close(struct listener *l);

/*
 * Connect to PATH: a descriptor that does not block on connecting, or -errno:
 * -ECONNREFUSED and -ENOENT: nobody is there.
 */
int listen_connect(const char *path);

/* The process and the user at the other end of FD: 0 or -errno. */
int listen_peer(int fd, pid_t *pid, uid_t *uid);

#endif
