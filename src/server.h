/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket's clients: who may speak, how much, how long. Nothing here ever
 * waits: a client that is slow, silent, talks garbage or vanishes costs a bounded amount
 * of memory and time, and no event.
 */
#ifndef EBPH_SERVER_H
#define EBPH_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

enum {
	SERVER_CLIENTS = 16,
	/* bytes that wait for a client to read them; no line is longer */
	SERVER_OUTPUT = 256 << 10,
};

struct server;
struct client;

/* What a client listens to. */
enum follow {
	FOLLOW_NOTHING,
	FOLLOW_JSON,
	FOLLOW_TEXT,
	FOLLOW_KINDS,
};

/* Takes LINE (LENGTH bytes, without its end) from client C, and answers. */
typedef void server_request(void *context, struct client *c, const char *line,
			    size_t length);

/*
 * Listen at PATH. 0, and server_close() closes it; or as listen_open(). REQUEST gets
 * each line that comes, with CONTEXT.
 */
int server_open(struct server **server, const char *path, server_request *request,
		void *context, char *error, size_t size);
void server_close(struct server *s);

/* A descriptor that is readable when there is something to serve. */
int server_fd(const struct server *s);

/* Do what there is to do, a bounded share of it. To be called a few times a second. */
void server_serve(struct server *s);

/* ---- for server_request ---- */

/*
 * Send LINE, which is taken and freed, and a line end; NULL: no memory, the client is
 * let go. May be called several times in one request, for less than SERVER_OUTPUT.
 */
void client_send(struct client *c, char *line);

/* An answer of any length, made as fast as the client reads it. */
struct stream {
	void *context;
	/* The next line, to be freed; NULL: that was all. */
	char *(*next)(void *context);
	void (*end)(void *context); /* always called, once */
};
void client_stream(struct client *c, const struct stream *s);

/* Make C hear what server_publish() says in KIND, until it goes. */
void client_follow(struct client *c, enum follow kind);

/* ---- for what is to be followed ---- */

/* Whether any client follows KIND. */
bool server_has_followers(const struct server *s, enum follow kind);

/*
 * Say LINE to all who follow KIND. Who is too slow loses it; the number of such lines
 * is told to it before it hears the next.
 */
void server_publish(struct server *s, enum follow kind, const char *line);

/* Clients now; lines that followers were too slow for, so far. */
u32 server_clients(const struct server *s);
u64 server_missed(const struct server *s);

#endif
