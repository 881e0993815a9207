/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "text.h"

/* J, which is taken, as a line. */
static char *dump(json_t *j)
{
	char *line = j ? json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

	json_decref(j);
	return line;
}

char *reply_ok(const char *name, json_t *value)
{
	if (!name)
		return dump(json_pack("{s:i, s:b}", "ebph", PROTOCOL_VERSION, "ok", 1));
	return dump(json_pack("{s:i, s:b, s:o}", "ebph", PROTOCOL_VERSION, "ok", 1, name,
			      value));
}

/* What a person wrote comes back in it: it may not be UTF-8. */
char *reply_error(const char *format, ...)
{
	char *text = NULL, *clean = NULL, *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		clean = text_escape(text, strlen(text), TEXT_JSON);
	if (clean)
		line = dump(json_pack("{s:i, s:b, s:s}", "ebph", PROTOCOL_VERSION, "ok",
				      0, "error", clean));
	free(text);
	free(clean);
	return line;
}

char *reply_row(json_t *value)
{
	return dump(json_pack("{s:i, s:o}", "ebph", PROTOCOL_VERSION, "row", value));
}

char *reply_line(const char *text)
{
	return dump(json_pack("{s:i, s:s}", "ebph", PROTOCOL_VERSION, "line", text));
}
