/* SPDX-License-Identifier: GPL-2.0-only */
#include "printable.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool printable_is_utf8(const char *bytes)
{
	json_t *text = json_string(bytes);

	json_decref(text);
	return text != NULL;
}

/* NEXT: the byte behind C; U+0080 to U+009F are control characters too. */
static bool is_plain(unsigned char c, unsigned char next, bool utf8)
{
	if (c < 0x20 || c == 0x7f || c == '\\')
		return false;
	return c < 0x80 || (utf8 && !(c == 0xc2 && next < 0xa0));
}

char *printable(const char *bytes)
{
	bool utf8 = printable_is_utf8(bytes), escaped = false;
	char *text = malloc(4 * strlen(bytes) + 1), *at = text;

	for (const char *c = bytes; text && *c; c++) {
		/* the second byte of a character whose first was escaped goes with it */
		escaped = !is_plain((unsigned char)c[0], (unsigned char)c[1], utf8) ||
			  (escaped && ((unsigned char)*c & 0xc0) == 0x80);
		if (escaped)
			at += sprintf(at, "\\x%02x", (unsigned char)*c);
		else
			*at++ = *c;
	}
	if (text)
		*at = '\0';
	return text;
}
