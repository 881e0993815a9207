/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests on the control socket (ebph-protocol(7)): from bytes to lines to fields. */
#ifndef EBPH_REQUEST_H
#define EBPH_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "types.h"

enum {
	PROTOCOL_VERSION = 1,
	REQUEST_MAX = 65536, /* bytes of a line, its end included */
};

/* What has come so far and was not taken as a line. Zeroed before its first use. */
struct request_reader {
	char *bytes; /* REQUEST_MAX, once there are any */
	size_t from, to;
};

/*
 * Where up to *SIZE more bytes may be put; NULL: no memory, or *SIZE 0: a line is too
 * long. request_reader_add() tells how many were.
 */
char *request_reader_room(struct request_reader *r, size_t *size);
void request_reader_add(struct request_reader *r, size_t count);

/*
 * The next whole line, *LENGTH bytes without its end, valid until the next room is asked
 * for; NULL: there is none yet.
 */
const char *request_reader_line(struct request_reader *r, size_t *length);

void request_reader_free(struct request_reader *r);

/* Which profiles a request is about. */
enum request_scope {
	SCOPE_NONE,
	SCOPE_PID,
	SCOPE_EXE,
	SCOPE_KEY,
	SCOPE_ALL,
};

struct request {
	json_t *json;	  /* holds the strings */
	const char *what; /* what to do */
	enum request_scope scope;
	u32 pid;	   /* 1..4194304 */
	const char *exe;   /* a path, as JSON has it (TEXT_JSON in text.h) */
	u64 key;	   /* of a profile */
	const char *name;  /* of a setting; NULL: not given */
	const char *value; /* likewise */
	const char *rows;  /* "processes", "threads", "profiles"; NULL: not given */
	bool text;	   /* events as text, not JSON */
};

/*
 * Understand LINE (LENGTH bytes). 0, and request_free(Q) frees it; or -EINVAL with a
 * sentence in ERROR (SIZE bytes).
 */
int request_parse(const char *line, size_t length, struct request *q, char *error,
		  size_t size);
void request_free(struct request *q);

#endif
