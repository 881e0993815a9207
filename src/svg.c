/* SPDX-License-Identifier: GPL-2.0-only */
#include "svg.h"

void svg_begin(FILE *out, double width, double height)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
		"viewBox=\"0 0 %g %g\" font-family=\"sans-serif\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		width, height, width, height);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}

static void escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			fputc(*text, out);
		}
}

void svg_text(FILE *out, double x, double y, double size, enum svg_anchor anchor,
	      double angle, const char *text)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	fprintf(out, "<text x=\"%g\" y=\"%g\" font-size=\"%g\" text-anchor=\"%s\"", x, y,
		size, anchors[anchor]);
	if (angle < 0 || angle > 0)
		fprintf(out, " transform=\"rotate(%g %g %g)\"", angle, x, y);
	fputc('>', out);
	escaped(out, text);
	fputs("</text>\n", out);
}

void svg_rect(FILE *out, double x, double y, double width, double height,
	      const char *fill, const char *title)
{
	fprintf(out, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"%s\"", x,
		y, width, height, fill);
	if (!title) {
		fputs("/>\n", out);
		return;
	}
	fputs("><title>", out);
	escaped(out, title);
	fputs("</title></rect>\n", out);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *stroke,
	      double width)
{
	fprintf(out,
		"<line x1=\"%g\" y1=\"%g\" x2=\"%g\" y2=\"%g\" stroke=\"%s\" "
		"stroke-width=\"%g\"/>\n",
		x1, y1, x2, y2, stroke, width);
}
