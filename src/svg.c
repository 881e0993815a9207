/* SPDX-License-Identifier: GPL-2.0-only */
#include "svg.h"

#define INK "#222222"
#define GRID "#dddddd"

static void escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '>')
			fputs("&gt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if (*text == '"')
			fputs("&quot;", f);
		else if ((unsigned char)*text < ' ')
			fputc('?', f);
		else
			fputc(*text, f);
	}
}

void svg_begin(FILE *f, double width, double height, const char *title)
{
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
		"viewBox=\"0 0 %g %g\" role=\"img\" font-family=\"sans-serif\">\n<title>",
		width, height, width, height);
	escaped(f, title);
	fprintf(f, "</title>\n<rect width=\"%g\" height=\"%g\" fill=\"white\"/>\n", width,
		height);
}

void svg_end(FILE *f)
{
	fputs("</svg>\n", f);
}

void svg_text(FILE *f, double x, double y, double size, enum svg_anchor anchor,
	      double turn, const char *text)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	fprintf(f, "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%g\" text-anchor=\"%s\"", x,
		y, size, anchors[anchor]);
	if (turn != 0)
		fprintf(f, " transform=\"rotate(%g %.2f %.2f)\"", turn, x, y);
	fputs(" fill=\"" INK "\">", f);
	escaped(f, text);
	fputs("</text>\n", f);
}

void svg_rect(FILE *f, double x, double y, double width, double height, const char *fill,
	      const char *title)
{
	fprintf(f, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"%s\"", x, y,
		width, height, fill);
	if (!title) {
		fputs("/>\n", f);
		return;
	}
	fputs("><title>", f);
	escaped(f, title);
	fputs("</title></rect>\n", f);
}

void svg_line(FILE *f, double x1, double y1, double x2, double y2, const char *color,
	      double width, const char *dashes)
{
	fprintf(f,
		"<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=\"%s\" "
		"stroke-width=\"%g\"",
		x1, y1, x2, y2, color, width);
	if (*dashes)
		fprintf(f, " stroke-dasharray=\"%s\"", dashes);
	fputs("/>\n", f);
}

double svg_x(const struct svg_axes *a, double x)
{
	return a->left + a->width * (x - a->x_min) / (a->x_max - a->x_min);
}

double svg_y(const struct svg_axes *a, double y)
{
	return a->top + a->height * (a->y_max - y) / (a->y_max - a->y_min);
}

/* Ticks I = 0.. at MIN + I * STEP: no sum of many steps, which would drift. */
static int ticks(double min, double max, double step)
{
	return (int)((max - min) / step + 1e-9) + 1;
}

void svg_axes(FILE *f, const struct svg_axes *a)
{
	double bottom = a->top + a->height, right = a->left + a->width;
	char text[32];

	for (int i = 0; i < ticks(a->x_min, a->x_max, a->x_step); i++) {
		double value = a->x_min + i * a->x_step, x = svg_x(a, value);

		svg_line(f, x, a->top, x, bottom, GRID, 1, "");
		svg_line(f, x, bottom, x, bottom + 5, INK, 1, "");
		snprintf(text, sizeof(text), a->format, value);
		svg_text(f, x, bottom + 20, 13, SVG_MIDDLE, 0, text);
	}
	for (int i = 0; i < ticks(a->y_min, a->y_max, a->y_step); i++) {
		double value = a->y_min + i * a->y_step, y = svg_y(a, value);

		svg_line(f, a->left, y, right, y, GRID, 1, "");
		svg_line(f, a->left - 5, y, a->left, y, INK, 1, "");
		snprintf(text, sizeof(text), a->format, value);
		svg_text(f, a->left - 9, y + 4.5, 13, SVG_END, 0, text);
	}
	svg_line(f, a->left, a->top, a->left, bottom, INK, 1.5, "");
	svg_line(f, a->left, bottom, right, bottom, INK, 1.5, "");
	svg_text(f, a->left + a->width / 2, bottom + 44, 14, SVG_MIDDLE, 0, a->x_label);
	svg_text(f, a->left - 52, a->top + a->height / 2, 14, SVG_MIDDLE, -90,
		 a->y_label);
}

void svg_curve(FILE *f, const struct svg_axes *a, const struct svg_point *points,
	       size_t count, const char *color, const char *dashes)
{
	fprintf(f,
		"<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" "
		"stroke-linejoin=\"round\"",
		color);
	if (*dashes)
		fprintf(f, " stroke-dasharray=\"%s\"", dashes);
	fputs(" points=\"", f);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%s%.2f,%.2f", i ? " " : "", svg_x(a, points[i].x),
			svg_y(a, points[i].y));
	fputs("\"/>\n", f);
}
