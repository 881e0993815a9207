/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two panels side by side, a row for each kind of work: the time added to an operation
 * and the slow-down, both on logarithmic axes, with the 95 % interval as a line.
 */
#include <math.h>

#include "table.h"

enum {
	WIDTH = 1040,
	LEFT = 210, /* titles */
	PANEL = 370,
	GAP = 50,
	TOP = 92,
	ROW = 26,
	BELOW = 76,
};

struct axis {
	double x;     /* of the panel's left edge */
	int from, to; /* powers of ten */
	const char *title;
};

static const struct axis times = {LEFT, 0, 8, "time added to an operation"};
static const struct axis percents = {LEFT + PANEL + GAP, -1, 3, "slow-down"};

static double place(const struct axis *a, double value)
{
	double at = value > 0 ? (log10(value) - a->from) / (a->to - a->from) : 0;

	return a->x + PANEL * (at < 0 ? 0 : at > 1 ? 1 : at);
}

static void label(const struct axis *a, int power, char *text, size_t size)
{
	static const char *const names[] = {"1 ns",   "10 ns", "100 ns", "1 µs",  "10 µs",
					    "100 µs", "1 ms",  "10 ms",	 "100 ms"};

	if (a == &times)
		snprintf(text, size, "%s", names[power]);
	else
		snprintf(text, size, "%g %%", pow(10, power));
}

static void draw_axis(FILE *out, const struct axis *a, int bottom)
{
	char text[32];

	fprintf(out, "<text x=\"%.0f\" y=\"%d\" class=\"title\">%s</text>\n",
		a->x + PANEL / 2.0, TOP - 14, a->title);
	for (int power = a->from; power <= a->to; power++) {
		double x = place(a, pow(10, power));

		label(a, power, text, sizeof(text));
		fprintf(out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" "
			"class=\"grid\"/>\n"
			"<text x=\"%.1f\" y=\"%d\" class=\"tick\">%s</text>\n",
			x, x, TOP, bottom, x, bottom + 18, text);
	}
}

/*
 * A value with its interval. One that is not above zero, or below the axis, is an arrow
 * at the left edge: it cannot be told from nothing.
 */
static void draw_value(FILE *out, const struct axis *a, double y, const struct spread *s,
		       const char *class)
{
	double least = pow(10, a->from);

	if (!s->count)
		return;
	if (s->high > least)
		fprintf(out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
			"class=\"%s line\"/>\n",
			place(a, s->low), place(a, s->high), y, y, class);
	if (s->median > least)
		fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" class=\"%s\"/>\n",
			place(a, s->median), y, class);
	else
		fprintf(out, "<path d=\"M%.1f %.1f l8 -4 v8 z\" class=\"%s\"/>\n",
			a->x - 4, y, class);
}

static void draw_paper(FILE *out, const struct axis *a, double y, double value)
{
	if (value)
		fprintf(out,
			"<path d=\"M%.1f %.1f l5 5 l-5 5 l-5 -5 z\" class=\"paper\"/>\n",
			place(a, value), y - 5);
}

static void draw_job(FILE *out, const struct bench *b, enum job_id job, int y)
{
	struct effect e;

	effect_of(b, job, WAY_NORMAL, &e);
	fprintf(out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" class=\"rule\"/>\n"
		"<text x=\"%d\" y=\"%d\" class=\"name\">%s</text>\n",
		LEFT, LEFT + 2 * PANEL + GAP, y + ROW, y + ROW, LEFT - 12,
		y + ROW / 2 + 4, jobs[job].title);
	draw_value(out, &times, y + ROW * 0.3, &e.empty, "empty");
	draw_value(out, &times, y + ROW * 0.7, &e.with, "ebph");
	draw_paper(out, &times, y + ROW * 0.7, jobs[job].paper_ns);
	draw_value(out, &percents, y + ROW * 0.3, &e.empty_percent, "empty");
	draw_value(out, &percents, y + ROW * 0.7, &e.percent, "ebph");
	draw_paper(out, &percents, y + ROW * 0.7, jobs[job].paper_percent);
}

static void draw_legend(FILE *out, const struct setting *s)
{
	fprintf(out,
		"<text x=\"20\" y=\"26\" class=\"head\">What watching the whole machine adds "
		"to a program's work</text>\n"
		"<text x=\"20\" y=\"46\" class=\"note\">Linux %s, %s</text>\n",
		s->kernel, s->cpu);
	fprintf(out,
		"<circle cx=\"640\" cy=\"22\" r=\"4\" class=\"empty\"/>"
		"<text x=\"650\" y=\"26\" class=\"note\">empty BPF program</text>\n"
		"<circle cx=\"785\" cy=\"22\" r=\"4\" class=\"ebph\"/>"
		"<text x=\"795\" y=\"26\" class=\"note\">ebph, profile normal</text>\n"
		"<path d=\"M940 17 l5 5 l-5 5 l-5 -5 z\" class=\"paper\"/>"
		"<text x=\"950\" y=\"26\" class=\"note\">thesis</text>\n");
}

static const char style[] =
	"<style>text{font:12px sans-serif;fill:#222}.head{font-size:16px;font-weight:bold}"
	".note,.tick{fill:#555}.title{text-anchor:middle;font-weight:bold}"
	".tick{text-anchor:middle;font-size:11px}.name{text-anchor:end}"
	".grid{stroke:#ddd}.rule{stroke:#f0f0f0}.line{stroke-width:2}"
	".empty{fill:#888;stroke:#888}.ebph{fill:#1f6fb4;stroke:#1f6fb4}"
	".paper{fill:none;stroke:#d9480f;stroke-width:2}</style>\n";

void table_svg(FILE *out, const struct bench *b, const struct setting *s)
{
	int rows = 0, y = TOP;

	for (int j = 0; j < JOBS; j++)
		rows += b->readings[j][WAY_NORMAL].count > 0;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		"width=\"%d\" height=\"%d\">\n%s<rect width=\"100%%\" height=\"100%%\" "
		"fill=\"white\"/>\n",
		WIDTH, TOP + rows * ROW + BELOW, WIDTH, TOP + rows * ROW + BELOW, style);
	draw_legend(out, s);
	draw_axis(out, &times, TOP + rows * ROW);
	draw_axis(out, &percents, TOP + rows * ROW);
	for (int j = 0; j < JOBS; j++) {
		if (!b->readings[j][WAY_NORMAL].count)
			continue;
		draw_job(out, b, j, y);
		y += ROW;
	}
	fprintf(out,
		"<text x=\"%d\" y=\"%d\" class=\"note\">Dots: median; lines: 95 %% interval of "
		"it; arrows: not above the axis's beginning. %d rounds, %zu cycles.</text>\n"
		"</svg>\n",
		LEFT, y + 48, s->rounds, b->cycles);
}
