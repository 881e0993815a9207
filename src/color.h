/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether to color text, and how. */
#ifndef EBPH_COLOR_H
#define EBPH_COLOR_H

#include <stdbool.h>
#include <stdio.h>

#include "options.h"

enum color {
	COLOR_PLAIN,
	COLOR_ALARM,   /* bold red */
	COLOR_WARNING, /* yellow */
	COLOR_GOOD,    /* green */
	COLOR_WAITING, /* cyan */
};

/*
 * Whether OUT gets colors. COLOR_AUTO: when it is a terminal other than a dumb one
 * (TERM), and NO_COLOR is not set or empty.
 */
bool color_wanted(enum options_color when, FILE *out);

/* What goes in front of text in COLOR, and behind it; "" unless ON. */
const char *color_begin(bool on, enum color color);
const char *color_end(bool on, enum color color);

#endif
