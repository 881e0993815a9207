/* SPDX-License-Identifier: GPL-2.0-only */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Add SIZE bytes to the line that is not complete. */
static int gather(struct lines *l, const char *data, size_t size, const char **why)
{
	if (memchr(data, '\0', size)) {
		*why = "a byte 0: not a text file";
		return -EINVAL;
	}
	if (l->length + size > LINE_MAX_BYTES) {
		*why = "line of more than 1048576 bytes";
		return -EINVAL;
	}
	if (l->length + size + 1 > l->size) {
		size_t room = 2 * (l->length + size) + 256;
		char *grown = realloc(l->text, room);

		if (!grown)
			return -ENOMEM;
		l->text = grown;
		l->size = room;
	}
	memcpy(l->text + l->length, data, size);
	l->length += size;
	l->text[l->length] = '\0';
	return 0;
}

int lines_next(struct lines *l, const char **data, size_t *size, const char **why)
{
	const char *end = memchr(*data, '\n', *size);
	size_t length = end ? (size_t)(end - *data) : *size;
	int result;

	if (!*size)
		return 0;
	result = gather(l, *data, length, why);
	if (result)
		return result;
	length += end != NULL;
	*data += length;
	*size -= length;
	if (!end)
		return 0;
	l->length = 0;
	return 1;
}

bool lines_last(struct lines *l)
{
	bool left = l->length > 0;

	l->length = 0;
	return left;
}

void lines_free(struct lines *l)
{
	free(l->text);
	l->text = NULL;
	l->size = 0;
	l->length = 0;
}
