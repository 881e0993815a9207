/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines out of blocks of bytes. */
#ifndef EBPH_LINES_H
#define EBPH_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

enum { LINE_MAX_BYTES = 1 << 20 };

/* All zero to begin with; lines_free() ends it. */
struct lines {
	char *text; /* the line so far, ended by a byte 0 */
	size_t length, size;
};

/*
 * Take the next line from the *SIZE bytes at *DATA, and move both behind it. Gives 1 with
 * the line, without its newline, in l->text until the next call; 0 when there is no
 * more: what was taken is the beginning of a line that DATA of the next call ends;
 * -EINVAL with *WHY (static) for what is no text; -ENOMEM.
 */
int lines_next(struct lines *l, const char **data, size_t *size, const char **why);

/* Nothing more comes: true when a line without a newline is left in l->text. */
bool lines_last(struct lines *l);

void lines_free(struct lines *l);

#endif
