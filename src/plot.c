/* SPDX-License-Identifier: GPL-2.0-only */
#include "plot.h"

#include <errno.h>
#include <stdlib.h>

#include "svg.h"

/* Told apart without colours too, and by people who see few (Okabe and Ito). */
static const struct {
	const char *color, *dashes;
} styles[] = {
	{"#0072b2", ""},
	{"#d55e00", "9 4"},
	{"#009e73", "2 4"},
	{"#cc79a7", "9 4 2 4"},
};

static int curve(FILE *f, const struct svg_axes *a, const struct roc *r, size_t style)
{
	struct svg_point *points = calloc(r->count ? r->count : 1, sizeof(*points));

	if (!points)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++)
		points[i] = (struct svg_point){100 * r->points[i].false_alarms,
					       100 * r->points[i].detected};
	svg_curve(f, a, points, r->count, styles[style].color, styles[style].dashes);
	free(points);
	return 0;
}

int plot_roc(FILE *f, const char *title, const struct plot_roc *curves, size_t count)
{
	const struct svg_axes axes = {
		.left = 80,
		.top = 50,
		.width = 480,
		.height = 480,
		.x_max = 100,
		.y_max = 100,
		.x_step = 10,
		.y_step = 10,
		.format = "%.0f",
		.x_label = "False alarms (% of normal processes)",
		.y_label = "Detected (% of attacks)",
	};
	const double legend_x = svg_x(&axes, 27), legend_y = svg_y(&axes, 17);
	char text[96];
	int result = 0;

	svg_begin(f, 600, 600, title);
	svg_text(f, axes.left + axes.width / 2, 30, 16, SVG_MIDDLE, 0, title);
	svg_axes(f, &axes);
	svg_line(f, svg_x(&axes, 0), svg_y(&axes, 0), svg_x(&axes, 100),
		 svg_y(&axes, 100), "#888888", 1, "4 4");
	for (size_t i = 0; i < count && !result; i++)
		result = curve(f, &axes, curves[i].roc, i % 4);
	fprintf(f,
		"<rect x=\"%.2f\" y=\"%.2f\" width=\"340\" height=\"%zu\" "
		"fill=\"white\" stroke=\"#888888\"/>\n",
		legend_x, legend_y - 20, 24 * count + 8);
	for (size_t i = 0; i < count; i++) {
		double y = legend_y + 24.0 * (double)i;

		svg_line(f, legend_x + 10, y - 5, legend_x + 50, y - 5,
			 styles[i % 4].color, 2.5, styles[i % 4].dashes);
		snprintf(text, sizeof(text), "%s (area %.4f)", curves[i].name,
			 curves[i].roc->area);
		svg_text(f, legend_x + 60, y, 13, SVG_START, 0, text);
	}
	svg_end(f);
	return result;
}
