/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pester SOCKET hang COUNT SECS: connects COUNT times and says nothing for SECS.
 * pester SOCKET flood BYTES: sends BYTES without a line end, and says how many went.
 * pester SOCKET follow: asks to follow, does not read before standard input ends, then
 *   prints all.
 * pester SOCKET vanish COUNT: asks for all threads and leaves, COUNT times.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int reach(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("pester: connect");
		exit(1);
	}
	return fd;
}

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		perror("pester: send");
}

static int hang(const char *path, int count, int seconds)
{
	for (int i = 0; i < count; i++)
		reach(path);
	puts("ready");
	fflush(stdout);
	sleep((unsigned int)seconds);
	return 0;
}

static int flood(const char *path, long bytes)
{
	static char block[1 << 16];
	int fd = reach(path);
	long sent = 0;

	memset(block, 'x', sizeof(block));
	while (sent < bytes) {
		ssize_t some = send(fd, block, sizeof(block), MSG_NOSIGNAL);

		if (some < 0) {
			printf("%ld %s\n", sent, strerror(errno));
			return 0;
		}
		sent += some;
	}
	printf("%ld all\n", sent);
	return 0;
}

static int follow(const char *path)
{
	static char block[1 << 16];
	int fd = reach(path);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	say(fd, "{\"ebph\":1,\"do\":\"follow\"}\n");
	while (read(STDIN_FILENO, block, sizeof(block)) > 0)
		;
	while (poll(&p, 1, 3000) > 0) {
		ssize_t some = read(fd, block, sizeof(block));

		if (some <= 0)
			break;
		fwrite(block, 1, (size_t)some, stdout);
	}
	return 0;
}

static int vanish(const char *path, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = reach(path);

		say(fd, "{\"ebph\":1,\"do\":\"ps\",\"rows\":\"threads\"}\n");
		if (i % 2)
			usleep(20000);
		close(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[2], "hang"))
		return hang(argv[1], atoi(argv[3]), atoi(argv[4]));
	if (argc == 4 && !strcmp(argv[2], "flood"))
		return flood(argv[1], atol(argv[3]));
	if (argc == 3 && !strcmp(argv[2], "follow"))
		return follow(argv[1]);
	if (argc == 4 && !strcmp(argv[2], "vanish"))
		return vanish(argv[1], atoi(argv[3]));
	return 2;
}
