/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes from outside (paths, command names) as text that nobody stumbles over. */
#ifndef EBPH_TEXT_H
#define EBPH_TEXT_H

#include <stddef.h>

enum text_use {
	TEXT_LINE, /* within a line that a person reads */
	TEXT_WORD, /* likewise, but more text follows: spaces are escaped too */
	TEXT_JSON, /* a JSON string, whose writer takes care of control characters */
};

/*
 * LENGTH BYTES as valid UTF-8, to be freed; NULL: no memory. A byte that is not part
 * of a valid character becomes \xHH, and so does a backslash: then each \xHH in the
 * result stands for a byte, and the bytes can be had back. In lines and words that is
 * also done to each byte of a character that would end the line, steer the terminal,
 * turn the direction of writing, or not be seen.
 */
char *text_escape(const char *bytes, size_t length, enum text_use use);

/* Characters in valid UTF-8 TEXT. */
size_t text_characters(const char *text);

#endif
