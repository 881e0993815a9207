/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

/* All of F, ended by 0, to be freed; NULL with errno set. */
static char *read_all(FILE *f)
{
	char *text = malloc(FILE_MAX + 1);
	size_t length;

	if (!text)
		return NULL;
	length = fread(text, 1, FILE_MAX + 1, f);
	if (ferror(f) || length > FILE_MAX || memchr(text, '\0', length)) {
		errno = length > FILE_MAX ? EFBIG : ferror(f) ? errno : EILSEQ;
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* TEXT without the blanks around it. */
static char *trim(char *text)
{
	char *end;

	while (is_blank(*text))
		text++;
	end = text + strlen(text);
	while (end > text && is_blank(end[-1]))
		*--end = '\0';
	return text;
}

int config_read(const char *path, char **text,
		int (*entry)(void *context, unsigned int line, const char *name,
			     const char *value),
		void *context, char *error, size_t size)
{
	FILE *f = fopen(path, "re");
	char *rest, *line;
	int result = 0;

	*text = f ? read_all(f) : NULL;
	if (!*text) {
		result = -errno;
		snprintf(error, size, "cannot read %s: %s", path,
			 errno == EILSEQ ? "it has a byte 0, so it is no text"
					 : strerror(errno));
	}
	if (f)
		fclose(f);
	rest = *text;
	for (unsigned int number = 1; !result && (line = strsep(&rest, "\n")); number++) {
		char *value;

		line = trim(line);
		if (!*line || *line == '#')
			continue;
		value = strchr(line, '=');
		if (value)
			*value++ = '\0';
		result = entry(context, number, trim(line), value ? trim(value) : NULL);
	}
	return result;
}
