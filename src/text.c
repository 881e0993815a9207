/* SPDX-License-Identifier: GPL-2.0-only */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types.h"

enum { ESCAPE = 4 }; /* characters of \xHH */

/* What a first byte says of its character. */
struct lead {
	u32 length;   /* in bytes; 0: no first byte */
	u32 bits;     /* of the character that the byte holds */
	u32 smallest; /* character that needs as many bytes */
};

static struct lead lead_of(u8 c)
{
	if (c < 0x80)
		return (struct lead){1, c, 0};
	if ((c & 0xe0) == 0xc0)
		return (struct lead){2, c & 0x1f, 0x80};
	if ((c & 0xf0) == 0xe0)
		return (struct lead){3, c & 0x0f, 0x800};
	if ((c & 0xf8) == 0xf0)
		return (struct lead){4, c & 0x07, 0x10000};
	return (struct lead){0};
}

/* Bytes of the character that S (LENGTH > 0 bytes) begins with, into C; 0: no UTF-8. */
static size_t character(const u8 *s, size_t length, u32 *c)
{
	struct lead lead = lead_of(*s);

	if (!lead.length || lead.length > length)
		return 0;
	*c = lead.bits;
	for (u32 i = 1; i < lead.length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < lead.smallest || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return lead.length;
}

struct range {
	u32 first, last;
};

/* What ends a line, steers a terminal, turns the direction of writing, or is not seen. */
static const struct range harmful[] = {
	{0x00, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},	{0x61c, 0x61c},
	{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},	{0xfe00, 0xfe0f},
	{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

static const struct range spaces[] = {
	{' ', ' '},	  {0xa0, 0xa0},	    {0x1680, 0x1680}, {0x2000, 0x200a},
	{0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

static bool is_in(u32 c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof(*(ranges)))

static bool is_plain(u32 c, enum text_use use)
{
	if (c == '\\' || !c)
		return false;
	if (use == TEXT_JSON)
		return true;
	return !IS_IN(c, harmful) && (use != TEXT_WORD || !IS_IN(c, spaces));
}

char *text_escape(const char *bytes, size_t length, enum text_use use)
{
	char *text = malloc(ESCAPE * length + 1), *to = text;
	const u8 *from = (const u8 *)bytes, *end = from + length;

	while (text && from < end) {
		u32 c = 0;
		size_t size = character(from, (size_t)(end - from), &c);

		if (size && is_plain(c, use)) {
			memcpy(to, from, size);
			to += size;
			from += size;
			continue;
		}
		for (size += !size; size; size--, to += ESCAPE)
			snprintf(to, ESCAPE + 1, "\\x%02x", *from++);
	}
	if (text)
		*to = '\0';
	return text;
}

size_t text_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((u8)*text & 0xc0) != 0x80;
	return count;
}
