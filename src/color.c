/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool color_wanted(enum options_color when, FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	if (!isatty(fileno(out)) || (no_color && *no_color))
		return false;
	return term && *term && strcmp(term, "dumb");
}

const char *color_begin(bool on, enum color color)
{
	static const char *const codes[] = {
		[COLOR_PLAIN] = "",	      [COLOR_ALARM] = "\033[1;31m",
		[COLOR_WARNING] = "\033[33m", [COLOR_GOOD] = "\033[32m",
		[COLOR_WAITING] = "\033[36m",
	};

	return on ? codes[color] : "";
}

const char *color_end(bool on, enum color color)
{
	return on && color != COLOR_PLAIN ? "\033[0m" : "";
}
