/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complaint.h"
#include "number.h"

enum { KEY_DIGITS = 16 };

/* ---- lines ---- */

char *request_reader_room(struct request_reader *r, size_t *size)
{
	if (!r->bytes)
		r->bytes = malloc(REQUEST_MAX);
	if (!r->bytes)
		return NULL;
	if (r->from) {
		memmove(r->bytes, r->bytes + r->from, r->to - r->from);
		r->to -= r->from;
		r->from = 0;
	}
	*size = REQUEST_MAX - r->to;
	return r->bytes + r->to;
}

void request_reader_add(struct request_reader *r, size_t count)
{
	r->to += count;
}

const char *request_reader_line(struct request_reader *r, size_t *length)
{
	const char *line = r->bytes + r->from, *end;

	if (r->from == r->to)
		return NULL;
	end = memchr(line, '\n', r->to - r->from);
	if (!end)
		return NULL;
	*length = end - line;
	r->from += *length + 1;
	return line;
}

void request_reader_free(struct request_reader *r)
{
	free(r->bytes);
	*r = (struct request_reader){0};
}

/* ---- fields ---- */

/* Each takes VALUE into Q: 0 or -EINVAL. */

static int take_version(struct request *q, const json_t *value)
{
	(void)q;
	return json_integer_value(value) == PROTOCOL_VERSION ? 0 : -EINVAL;
}

static int take_what(struct request *q, const json_t *value)
{
	q->what = json_string_value(value);
	return q->what ? 0 : -EINVAL;
}

static int take_scope(struct request *q, enum request_scope scope)
{
	if (q->scope != SCOPE_NONE)
		return -EINVAL;
	q->scope = scope;
	return 0;
}

static int take_pid(struct request *q, const json_t *value)
{
	json_int_t pid = json_integer_value(value);

	if (pid < 1 || pid > PID_LIMIT)
		return -EINVAL;
	q->pid = (u32)pid;
	return take_scope(q, SCOPE_PID);
}

static int take_exe(struct request *q, const json_t *value)
{
	q->exe = json_string_value(value);
	return q->exe && *q->exe ? take_scope(q, SCOPE_EXE) : -EINVAL;
}

static int take_key(struct request *q, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t digits = text ? strspn(text, "0123456789abcdefABCDEF") : 0;

	if (!digits || digits > KEY_DIGITS || text[digits])
		return -EINVAL;
	q->key = strtoull(text, NULL, 16);
	return take_scope(q, SCOPE_KEY);
}

static int take_all(struct request *q, const json_t *value)
{
	return json_is_true(value) ? take_scope(q, SCOPE_ALL) : -EINVAL;
}

static int take_name(struct request *q, const json_t *value)
{
	q->name = json_string_value(value);
	return q->name ? 0 : -EINVAL;
}

static int take_value(struct request *q, const json_t *value)
{
	q->value = json_string_value(value);
	return q->value ? 0 : -EINVAL;
}

static int take_rows(struct request *q, const json_t *value)
{
	q->rows = json_string_value(value);
	return q->rows ? 0 : -EINVAL;
}

static int take_text(struct request *q, const json_t *value)
{
	q->text = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

static const struct field {
	const char *name;
	int (*take)(struct request *q, const json_t *value);
	const char *expected;
} fields[] = {
	{"ebph", take_version, "the number 1, the protocol's version"},
	{"do", take_what, "a string"},
	{"pid", take_pid, "1..4194304, and no other of pid, exe, key, all"},
	{"exe", take_exe, "a path, and no other of pid, exe, key, all"},
	{"key", take_key, "up to 16 hexadecimal digits, and no other of pid, exe, all"},
	{"all", take_all, "true, and no other of pid, exe, key"},
	{"name", take_name, "a string"},
	{"value", take_value, "a string"},
	{"rows", take_rows, "a string"},
	{"text", take_text, "true or false"},
};

static const struct field *find_field(const char *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static int take_fields(struct request *q, const struct complaint *c)
{
	const char *name;
	json_t *value;

	json_object_foreach(q->json, name, value)
	{
		const struct field *f = find_field(name);

		if (!f)
			return complain(c, -EINVAL,
					"a member of the request is not known: \"%.40s\"",
					name);
		if (f->take(q, value))
			return complain(c, -EINVAL, "\"%s\" must be %s", f->name,
					f->expected);
	}
	if (!json_object_get(q->json, "ebph"))
		return complain(c, -EINVAL,
				"the request lacks \"ebph\": 1, the protocol's version");
	if (!q->what)
		return complain(c, -EINVAL, "the request lacks \"do\"");
	return 0;
}

int request_parse(const char *line, size_t length, struct request *q, char *error,
		  size_t size)
{
	const struct complaint c = {error, size};
	json_error_t why;
	int result;

	*q = (struct request){
		.json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &why)};
	if (!q->json)
		return complain(&c, -EINVAL, "the request is no JSON: %.80s", why.text);
	if (!json_is_object(q->json))
		result = complain(&c, -EINVAL, "the request is no JSON object");
	else
		result = take_fields(q, &c);
	if (result)
		request_free(q);
	return result;
}

void request_free(struct request *q)
{
	json_decref(q->json);
	*q = (struct request){0};
}
