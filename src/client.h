/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of the control socket, for `ebph ps` and `ebph admin`. */
#ifndef EBPH_CLIENT_H
#define EBPH_CLIENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* A connection to a running ebph. */
struct connection {
	FILE *in; /* NULL: closed */
	int fd;
	int pid; /* of that ebph; 0: not known */
	char *line;
	size_t size;
};

/*
 * Connect to the ebph that listens at PATH. 0, and connection_close() closes it; or
 * -errno with a sentence in ERROR (SIZE bytes).
 */
int connection_open(struct connection *c, const char *path, char *error, size_t size);
void connection_close(struct connection *c); /* twice is fine */

/*
 * Ask REQUEST, which is taken ("ebph" is added), show ROW each row of the answer and give
 * its last line in *REPLY (NULL: not wanted), to be json_decref()ed. What ROW gives that
 * is not 0 ends it and is returned. 0; -EREMOTEIO: ebph says no; or another -errno; ERROR
 * (SIZE bytes) then has a sentence.
 */
int connection_ask(struct connection *c, json_t *request,
		   int (*row)(void *context, json_t *row), void *context, json_t **reply,
		   char *error, size_t size);

/*
 * Wait for the next line (after a request to follow): new; NULL: the connection has
 * ended.
 */
json_t *connection_next(struct connection *c);

/*
 * TEXT, a string of ebph's JSON, in which \xHH stands for a byte, for a person to read
 * (TEXT_LINE or TEXT_WORD of text.h is USE); to be freed; NULL: no memory.
 */
char *connection_text(const char *text, int use);

/*
 * PATH as ebph names executables: through links, as the kernel's are; one that is no more
 * stays as it is. New; NULL: no memory.
 */
json_t *connection_exe(const char *path);

#endif
