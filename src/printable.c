/* SPDX-License-Identifier: GPL-2.0-only */
#include "printable.h"

#include <jansson.h>
#include <string.h>

#include "text.h"

bool printable_is_utf8(const char *bytes)
{
	json_t *text = json_string(bytes);

	json_decref(text);
	return text != NULL;
}

char *printable(const char *bytes)
{
	return text_escape(bytes, strlen(bytes), TEXT_LINE);
}
