/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listen.h"
#include "server.h"

struct fixture {
	char dir[40], path[60];
	struct server *server;
	unsigned int requests, streams_ended, lines_left;
};

static char *next_line(void *context)
{
	struct fixture *f = context;

	if (!f->lines_left)
		return NULL;
	f->lines_left--;
	return strdup("a line of some length, to fill what there is to fill, and more");
}

static void stream_ends(void *context)
{
	struct fixture *f = context;

	f->streams_ended++;
}

static void on_request(void *context, struct client *c, const char *line, size_t length)
{
	struct fixture *f = context;

	f->requests++;
	if (length == 6 && !memcmp(line, "stream", 6))
		client_stream(c, &(struct stream){f, next_line, stream_ends});
	else if (length == 6 && !memcmp(line, "follow", 6))
		client_follow(c, FOLLOW_JSON);
	else
		client_send(c, strndup(line, length));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char error[300];

	strcpy(f->dir, "/tmp/test_server.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	assert_int_equal(
		server_open(&f->server, f->path, on_request, f, error, sizeof(error)), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	server_close(f->server);
	assert_int_equal(access(f->path, F_OK), -1);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void serve(struct fixture *f)
{
	for (int i = 0; i < 30; i++)
		server_serve(f->server);
}

static int reach(struct fixture *f)
{
	int fd = listen_connect(f->path);

	assert_true(fd >= 0);
	serve(f);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void expect(int fd, const char *text)
{
	char got[200] = "";

	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), strlen(text));
	assert_string_equal(got, text);
}

static void test_mode(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_answers_in_order(void **state)
{
	struct fixture *f = *state;
	int fd = reach(f);

	say(fd, "one\ntw");
	serve(f);
	expect(fd, "one\n");
	say(fd, "o\nthree\n");
	shutdown(fd, SHUT_WR); /* it still wants the answers */
	serve(f);
	expect(fd, "two\nthree\n");
	assert_int_equal(recv(fd, f->dir, 0, MSG_DONTWAIT), 0);
	assert_int_equal(server_clients(f->server), 0);
	close(fd);
}

static void test_too_long(void **state)
{
	static char block[70000];
	struct fixture *f = *state;
	int fd = reach(f);

	memset(block, 'x', sizeof(block));
	assert_true(send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
	serve(f);
	expect(fd,
	       "{\"ebph\":1,\"ok\":false,\"error\":\"the request is longer than 65535 "
	       "bytes\"}\n");
	assert_int_equal(server_clients(f->server), 0);
	assert_int_equal(f->requests, 0);
	close(fd);
}

/* A stream is made as it is read, and the next request waits for its end. */
static void test_stream(void **state)
{
	static char block[1 << 16];
	struct fixture *f = *state;
	int fd = reach(f);
	size_t got = 0;
	ssize_t some;

	f->lines_left = 100000;
	say(fd, "stream\nafter\n");
	serve(f);
	assert_int_equal(f->requests, 1);
	assert_true(f->lines_left > 90000); /* about what the buffers hold */
	while ((some = recv(fd, block, sizeof(block), MSG_DONTWAIT)) > 0) {
		got += (size_t)some;
		server_serve(f->server);
		server_serve(f->server);
	}
	assert_int_equal(f->streams_ended, 1);
	assert_int_equal(f->requests, 2);
	assert_int_equal(got, 100000 * 63 + strlen("after\n"));
	close(fd);
}

static void test_vanishing(void **state)
{
	struct fixture *f = *state;
	int fd = reach(f);

	f->lines_left = 100000;
	say(fd, "stream\n");
	serve(f);
	close(fd);
	serve(f);
	assert_int_equal(f->streams_ended, 1);
	assert_int_equal(server_clients(f->server), 0);
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	int fds[SERVER_CLIENTS + 1];

	for (int i = 0; i <= SERVER_CLIENTS; i++)
		fds[i] = reach(f);
	assert_int_equal(server_clients(f->server), SERVER_CLIENTS);
	expect(fds[SERVER_CLIENTS], "{\"ebph\":1,\"ok\":false,\"error\":\"too many "
				    "clients: try again in a second\"}\n");
	say(fds[0], "hello\n");
	serve(f);
	close(fds[SERVER_CLIENTS]);
	usleep(600000); /* who never asked makes room now */
	fds[SERVER_CLIENTS] = reach(f);
	say(fds[SERVER_CLIENTS], "hello\n");
	serve(f);
	expect(fds[SERVER_CLIENTS], "hello\n");
	expect(fds[0], "hello\n");
	assert_int_equal(server_clients(f->server), SERVER_CLIENTS);
	for (int i = 0; i <= SERVER_CLIENTS; i++)
		close(fds[i]);
}

/* Each line arrives, or is counted and told of. */
static void test_slow_follower(void **state)
{
	static char got[8 << 20];
	struct fixture *f = *state;
	int fd = reach(f), lines = 0;
	unsigned long long missed, told = 0;
	size_t length = 0;
	ssize_t some;

	say(fd, "follow\n");
	serve(f);
	assert_true(server_has_followers(f->server, FOLLOW_JSON));
	assert_false(server_has_followers(f->server, FOLLOW_TEXT));
	for (int i = 0; i < 20000; i++)
		server_publish(f->server, FOLLOW_JSON, "an event, as long as they are");
	missed = server_missed(f->server);
	assert_true(missed > 0);
	for (int i = 0; i < 3; i++) {
		while ((some = recv(fd, got + length, sizeof(got) - length - 1,
				    MSG_DONTWAIT)) > 0) {
			length += (size_t)some;
			serve(f);
		}
		server_publish(f->server, FOLLOW_JSON, "an event, as long as they are");
	}
	for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long long count;

		if (sscanf(line, "{\"ebph\":1,\"missed\":%llu}", &count) == 1)
			told += count;
		else
			lines++;
	}
	assert_int_equal(told, missed);
	assert_int_equal(lines + told, 20002);
	close(fd);
}

static void test_living_and_stale(void **state)
{
	struct fixture *f = *state;
	struct listener l;
	struct server *second;
	char error[300], expected[100];
	struct stat st;

	assert_int_equal(server_open(&second, f->path, on_request, f, error,
				     sizeof(error)),
			 -EADDRINUSE);
	snprintf(expected, sizeof(expected), "process %d listens at %s", (int)getpid(),
		 f->path);
	assert_non_null(strstr(error, expected));
	assert_int_equal(stat(f->path, &st), 0);
	server_close(f->server);
	f->server = NULL;
	/* one that is not closed in order */
	assert_int_equal(listen_open(&l, f->path, error, sizeof(error)), 0);
	close(l.fd);
	l.fd = -1;
	assert_int_equal(
		server_open(&f->server, f->path, on_request, f, error, sizeof(error)), 0);
	listen_close(&l); /* not its own any more: it stays */
	assert_int_equal(stat(f->path, &st), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vanishing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_follower, setup, teardown),
		cmocka_unit_test_setup_teardown(test_living_and_stale, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
