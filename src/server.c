/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"
#include "moment.h"
#include "request.h"

/* ms */
enum {
	SILENCE_FIRST = 10000, /* until the first request */
	SILENCE = 60000,       /* between requests; also: until it reads */
	SILENCE_CROWDED = 500, /* after which who never asked makes room for others */
};

enum {
	REQUESTS_AT_ONCE = 8,
	STREAM_AT_ONCE = 32 << 10, /* bytes made before others have their turn */
};

struct client {
	struct server *server;
	int fd; /* -1: this place is free */
	struct request_reader in;
	char *out; /* SERVER_OUTPUT bytes, once there are any */
	size_t from, to;
	struct stream stream; /* next: NULL: none */
	enum follow follow;
	u64 missed;   /* lines since it was last told */
	u64 since;    /* monotonic clock, ms: when it last did something */
	u32 events;   /* what epoll waits for */
	bool asked;   /* a request has come */
	bool at_end;  /* it will say no more */
	bool closing; /* to be closed when all is written */
	bool broken;  /* to be closed now */
};

struct server {
	struct listener listener;
	int epoll;
	server_request *request;
	void *context;
	struct client clients[SERVER_CLIENTS];
	u64 missed;
};

static u64 now_ms(void)
{
	return moment_monotonic() / 1000000;
}

/* ---- output ---- */

static size_t waiting(const struct client *c)
{
	return c->to - c->from;
}

static bool has_room(const struct client *c, size_t length)
{
	return SERVER_OUTPUT - waiting(c) >= length;
}

/* Add LENGTH bytes, for which there is room. */
static void put(struct client *c, const char *bytes, size_t length)
{
	if (!c->out)
		c->out = malloc(SERVER_OUTPUT);
	if (!c->out) {
		c->broken = true;
		return;
	}
	if (SERVER_OUTPUT - c->to < length) {
		memmove(c->out, c->out + c->from, waiting(c));
		c->to -= c->from;
		c->from = 0;
	}
	memcpy(c->out + c->to, bytes, length);
	c->to += length;
}

/* Add LINE and its end; false: there is no room. */
static bool put_line(struct client *c, const char *line)
{
	size_t length = strlen(line);

	if (!has_room(c, length + 1))
		return false;
	put(c, line, length);
	if (!c->broken)
		put(c, "\n", 1);
	return true;
}

void client_send(struct client *c, char *line)
{
	if (!line || !put_line(c, line))
		c->broken = true;
	free(line);
}

static void end_stream(struct client *c)
{
	if (c->stream.next)
		c->stream.end(c->stream.context);
	c->stream = (struct stream){0};
}

void client_stream(struct client *c, const struct stream *s)
{
	end_stream(c);
	c->stream = *s;
}

void client_follow(struct client *c, enum follow kind)
{
	c->follow = kind;
}

/* Make more of the answer, while there is little to write. */
static void make_more(struct client *c)
{
	size_t before = waiting(c);

	while (c->stream.next && !c->broken && waiting(c) < SERVER_OUTPUT / 2 &&
	       waiting(c) - before < STREAM_AT_ONCE) {
		char *line = c->stream.next(c->stream.context);

		if (!line)
			end_stream(c);
		else
			client_send(c, line);
	}
}

static void write_out(struct client *c)
{
	while (waiting(c) && !c->broken) {
		ssize_t sent = send(c->fd, c->out + c->from, waiting(c),
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0) {
			c->broken = true;
			return;
		}
		c->from += sent;
		c->since = now_ms();
	}
	c->from = c->to = 0;
}

/* ---- following ---- */

static void tell_missed(struct client *c)
{
	char line[80];

	if (!c->missed)
		return;
	snprintf(line, sizeof(line), "{\"ebph\":%d,\"missed\":%" PRIu64 "}",
		 PROTOCOL_VERSION, c->missed);
	if (put_line(c, line))
		c->missed = 0;
}

static void hear(struct client *c, const char *line)
{
	tell_missed(c);
	if (!c->missed && put_line(c, line))
		return;
	c->missed++;
	c->server->missed++;
}

bool server_has_followers(const struct server *s, enum follow kind)
{
	for (int i = 0; s && i < SERVER_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].follow == kind)
			return true;
	return false;
}

void server_publish(struct server *s, enum follow kind, const char *line)
{
	for (int i = 0; s && i < SERVER_CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->fd < 0 || c->follow != kind)
			continue;
		hear(c, line);
		write_out(c);
	}
}

/* ---- input ---- */

static void refuse(struct client *c, const char *why)
{
	char line[128];

	snprintf(line, sizeof(line), "{\"ebph\":%d,\"ok\":false,\"error\":\"%s\"}",
		 PROTOCOL_VERSION, why);
	put_line(c, line);
	c->closing = true;
}

static void read_in(struct client *c)
{
	size_t room = 0;
	char *to = request_reader_room(&c->in, &room);
	ssize_t got;

	if (!to) {
		c->broken = true;
		return;
	}
	if (!room) {
		refuse(c, "the request is longer than 65535 bytes");
		return;
	}
	got = recv(c->fd, to, room, MSG_DONTWAIT);
	if (got > 0)
		request_reader_add(&c->in, got);
	else if (!got)
		c->at_end = true;
	else if (errno != EAGAIN && errno != EINTR)
		c->broken = true;
}

/* Answer what has come; the next request waits until the last is answered. */
static void answer(struct client *c)
{
	const char *line;
	size_t length;

	for (int i = 0; i < REQUESTS_AT_ONCE && !c->stream.next && !c->closing &&
			!c->broken && waiting(c) < SERVER_OUTPUT / 2;
	     i++) {
		line = request_reader_line(&c->in, &length);
		if (!line)
			return;
		c->asked = true;
		c->since = now_ms();
		c->server->request(c->server->context, c, line, length);
	}
}

/* ---- clients come and go ---- */

static void let_go(struct client *c)
{
	end_stream(c);
	close(c->fd); /* epoll forgets it */
	request_reader_free(&c->in);
	free(c->out);
	*c = (struct client){.server = c->server, .fd = -1};
}

static bool has_whole_request(const struct client *c)
{
	return c->in.to > c->in.from &&
	       memchr(c->in.bytes + c->in.from, '\n', c->in.to - c->in.from);
}

static bool is_idle(const struct client *c)
{
	return !c->stream.next && !waiting(c) && !has_whole_request(c);
}

static bool is_finished(const struct client *c)
{
	u64 silent = now_ms() - c->since;

	if (c->broken)
		return true;
	if (is_idle(c) && (c->closing || (c->at_end && !c->follow)))
		return true;
	if (is_idle(c) && c->follow)
		return false;
	return silent > (c->asked ? SILENCE : SILENCE_FIRST);
}

/* Have epoll wait for what C can do next; false: it cannot. */
static bool wait_for(struct client *c)
{
	struct epoll_event event = {.data.ptr = c};

	if (waiting(c) || c->stream.next || has_whole_request(c))
		event.events = EPOLLOUT;
	else if (!c->at_end)
		event.events = EPOLLIN;
	if (event.events == c->events)
		return true;
	c->events = event.events;
	return !epoll_ctl(c->server->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* Room for one more: a free place, or that of who has been silent longest. */
static struct client *find_place(struct server *s)
{
	struct client *silent = NULL;
	u64 now = now_ms();

	for (int i = 0; i < SERVER_CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->fd < 0)
			return c;
		if (!c->asked && now - c->since > SILENCE_CROWDED &&
		    (!silent || c->since < silent->since))
			silent = c;
	}
	if (silent)
		let_go(silent);
	return silent;
}

static bool may_speak(int fd)
{
	pid_t pid;
	uid_t uid;

	return !listen_peer(fd, &pid, &uid) && (!uid || uid == geteuid());
}

static void turn_away(int fd, const char *why)
{
	char line[128];
	int length = snprintf(line, sizeof(line),
			      "{\"ebph\":%d,\"ok\":false,\"error\":\"%s\"}\n",
			      PROTOCOL_VERSION, why);

	send(fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void let_in(struct server *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct client *c;

	if (!may_speak(fd)) {
		turn_away(fd, "only root and who runs ebph may ask");
		return;
	}
	c = find_place(s);
	if (!c) {
		turn_away(fd, "too many clients: try again in a second");
		return;
	}
	event.data.ptr = c;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event)) {
		close(fd);
		return;
	}
	*c = (struct client){.server = s, .fd = fd, .since = now_ms(), .events = EPOLLIN};
}

static void accept_some(struct server *s)
{
	for (int i = 0; i < SERVER_CLIENTS; i++) {
		int fd =
			accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		let_in(s, fd);
	}
}

static void serve(struct client *c, u32 events)
{
	if (events & (EPOLLHUP | EPOLLERR)) /* both directions: nobody reads */
		c->broken = true;
	if (events & EPOLLIN && !c->broken)
		read_in(c);
	answer(c);
	make_more(c);
	write_out(c);
	if (c->missed && !waiting(c)) {
		tell_missed(c);
		write_out(c);
	}
}

void server_serve(struct server *s)
{
	struct epoll_event events[SERVER_CLIENTS + 1];
	int count = epoll_wait(s->epoll, events, SERVER_CLIENTS + 1, 0);
	bool knocks = false;

	for (int i = 0; i < count; i++) {
		if (!events[i].data.ptr)
			knocks = true;
		else
			serve(events[i].data.ptr, events[i].events);
	}
	for (int i = 0; i < SERVER_CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->fd >= 0 && (is_finished(c) || !wait_for(c)))
			let_go(c);
	}
	if (knocks)
		accept_some(s);
}

/* ---- from start to end ---- */

int server_open(struct server **server, const char *path, server_request *request,
		void *context, char *error, size_t size)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct server *s = calloc(1, sizeof(*s));
	int result;

	*server = NULL;
	if (!s) {
		snprintf(error, size, "no memory for the control socket");
		return -ENOMEM;
	}
	s->request = request;
	s->context = context;
	s->epoll = -1;
	for (int i = 0; i < SERVER_CLIENTS; i++)
		s->clients[i] = (struct client){.server = s, .fd = -1};
	result = listen_open(&s->listener, path, error, size);
	if (!result) {
		s->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (s->epoll < 0 ||
		    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener.fd, &event)) {
			result = -errno;
			snprintf(error, size, "cannot wait at the control socket: %s",
				 strerror(errno));
		}
	}
	if (result)
		server_close(s);
	else
		*server = s;
	return result;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	for (int i = 0; i < SERVER_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			let_go(&s->clients[i]);
	listen_close(&s->listener);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

int server_fd(const struct server *s)
{
	return s ? s->epoll : -1;
}

u32 server_clients(const struct server *s)
{
	u32 count = 0;

	for (int i = 0; i < SERVER_CLIENTS; i++)
		count += s->clients[i].fd >= 0;
	return count;
}

u64 server_missed(const struct server *s)
{
	return s->missed;
}
