/* SPDX-License-Identifier: GPL-2.0-only */
/* The few shapes that ebph's pictures are made of, as SVG. Lengths are in pixels. */
#ifndef EBPH_SVG_H
#define EBPH_SVG_H

#include <stddef.h>
#include <stdio.h>

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* A plot's frame in pixels, and the values at its edges. */
struct svg_axes {
	double left, top, width, height;
	double x_min, x_max, y_min, y_max;
	const char *x_label, *y_label;
	double x_step, y_step; /* between ticks */
	const char *format;    /* of a tick's value, for one double */
};

/* Begin and end a picture of WIDTH by HEIGHT pixels, described by TITLE. */
void svg_begin(FILE *f, double width, double height, const char *title);
void svg_end(FILE *f);

/* TEXT with its base line at X, Y, SIZE pixels high, turned by TURN degrees. */
void svg_text(FILE *f, double x, double y, double size, enum svg_anchor anchor,
	      double turn, const char *text);

/* FILL: "#rrggbb". TITLE: shown when pointed at; NULL: none. */
void svg_rect(FILE *f, double x, double y, double width, double height, const char *fill,
	      const char *title);

/* DASHES: "" or as in SVG. */
void svg_line(FILE *f, double x1, double y1, double x2, double y2, const char *color,
	      double width, const char *dashes);

/* Frame, grid, ticks with their values, and both labels. */
void svg_axes(FILE *f, const struct svg_axes *a);

/* Where the value X or Y is in the picture. */
double svg_x(const struct svg_axes *a, double x);
double svg_y(const struct svg_axes *a, double y);

struct svg_point {
	double x, y;
};

/* A line through COUNT points, given as values of A; DASHES: "" or as in SVG. */
void svg_curve(FILE *f, const struct svg_axes *a, const struct svg_point *points,
	       size_t count, const char *color, const char *dashes);

#endif
