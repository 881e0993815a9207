/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as what a client sends: cut into pieces as the first byte says, each line
 * taken as a request. What is understood must be within its bounds.
 *
 * clang -g -O1 -fsanitize=fuzzer,address,undefined -I src tests/fuzz/fuzz_control.c
 *	src/request.c -ljansson
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct request *q)
{
	if (!q->json || !q->what)
		abort();
	if ((q->scope == SCOPE_PID) != (q->pid != 0) || q->pid > 4194304)
		abort();
	if ((q->scope == SCOPE_EXE) != (q->exe != NULL) || (q->exe && !*q->exe))
		abort();
	if (q->key && q->scope != SCOPE_KEY)
		abort();
}

static void take_lines(struct request_reader *r)
{
	const char *line;
	size_t length;

	while ((line = request_reader_line(r, &length))) {
		struct request q;
		char error[200] = "";

		if (length >= REQUEST_MAX || memchr(line, '\n', length))
			abort();
		if (!request_parse(line, length, &q, error, sizeof(error))) {
			check(&q);
			request_free(&q);
		} else if (!*error || strlen(error) >= sizeof(error) || q.json) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request_reader r = {0};
	size_t piece = size ? (size_t)data[0] + 1 : 1;

	for (size_t at = size ? 1 : 0; at < size;) {
		size_t room = 0, some = size - at < piece ? size - at : piece;
		char *to = request_reader_room(&r, &room);

		if (!to || !room) /* the server ends the connection */
			break;
		some = some < room ? some : room;
		memcpy(to, data + at, some);
		request_reader_add(&r, some);
		take_lines(&r);
		at += some;
	}
	request_reader_free(&r);
	return 0;
}
