/* SPDX-License-Identifier: GPL-2.0-only */
/* The few shapes that ebph's pictures are made of, as SVG. Lengths are in pixels. */
#ifndef EBPH_SVG_H
#define EBPH_SVG_H

#include <stdio.h>

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

void svg_begin(FILE *out, double width, double height);
void svg_end(FILE *out);

/* TEXT (any bytes that are UTF-8) in letters of SIZE, turned by ANGLE degrees at X, Y. */
void svg_text(FILE *out, double x, double y, double size, enum svg_anchor anchor,
	      double angle, const char *text);

/* FILL: "#rrggbb". TITLE: shown when pointed at; NULL: none. */
void svg_rect(FILE *out, double x, double y, double width, double height,
	      const char *fill, const char *title);

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *stroke,
	      double width);

#endif
