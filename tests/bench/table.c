/* SPDX-License-Identifier: GPL-2.0-only */
#include "table.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const verdicts[] = {
	[VERDICT_NONE] = "-",
	[VERDICT_MET] = "met",
	[VERDICT_MISSED] = "MISSED",
	[VERDICT_UNCLEAR] = "no verdict",
};

/* ---- text ---- */

/* Three digits that count, in the unit that suits. */
static const char *duration(double ns, char *text, size_t size)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	int unit = 0;

	while (fabs(ns) >= 1000 && unit < 3) {
		ns /= 1000;
		unit++;
	}
	snprintf(text, size, "%.*f %s",
		 fabs(ns) < 10	  ? 2
		 : fabs(ns) < 100 ? 1
				  : 0,
		 ns, units[unit]);
	return text;
}

static void text_figures(FILE *out, const struct figure *figures)
{
	fprintf(out, "%-60s %8s %-17s %7s %s\n", "FIGURE", "MEDIAN", "95 % INTERVAL",
		"TARGET", "VERDICT");
	for (int i = 0; i < FIGURES; i++) {
		const struct figure *f = &figures[i];
		char value[32] = "-", interval[64] = "-";

		if (f->value.count)
			snprintf(value, sizeof(value), "%.3g", f->value.median);
		if (f->value.count > 1 && f->value.low < f->value.high)
			snprintf(interval, sizeof(interval), "%.3g..%.3g", f->value.low,
				 f->value.high);
		fprintf(out, "%-60s %8s %-17s %7.4g %s%s%s\n", f->title, value, interval,
			f->target, verdicts[f->verdict], *f->why ? ": " : "", f->why);
	}
}

static void text_jobs(FILE *out, const struct bench *b)
{
	char none[32], empty[32], with[32], paper[64];
	struct effect e;

	fprintf(out, "\n%-25s %-24s %3s %9s %9s %9s %6s %9s %s\n", "WORK", "WATCHED", "N",
		"ALONE", "EMPTY +", "EBPH +", "RATIO", "SLOWER %", "THESIS");
	for (int j = 0; j < JOBS; j++)
		for (int w = 0; w < WAYS; w++) {
			char ratio[16] = "-", slower[48];

			if (!effect_of(b, j, w, &e))
				continue;
			if (e.empty.count)
				snprintf(ratio, sizeof(ratio), "%.2f", e.ratio.median);
			snprintf(slower, sizeof(slower), "%.1f", e.percent.median);
			*paper = 0;
			if (w == WAY_NORMAL && jobs[j].paper_ns)
				snprintf(paper, sizeof(paper), "+%.0f ns",
					 jobs[j].paper_ns);
			if (w == WAY_NORMAL && jobs[j].paper_percent)
				snprintf(paper, sizeof(paper), "%.1f %%",
					 jobs[j].paper_percent);
			fprintf(out, "%-25s %-24s %3zu %9s %9s %9s %6s %9s %s\n",
				jobs[j].title, ways[w].title, e.with.count,
				duration(e.none.median, none, sizeof(none)),
				e.empty.count
					? duration(e.empty.median, empty, sizeof(empty))
					: "-",
				duration(e.with.median, with, sizeof(with)), ratio,
				slower, paper);
		}
}

void table_text(FILE *out, const struct bench *b, const struct resources *r,
		const struct figure *figures, const struct setting *s)
{
	fprintf(out,
		"ebph on Linux %s, %s, %d CPUs, %s; load before: %.2f; %d rounds\n"
		"Empty probe: %s. Targets: at most.\n\n",
		s->kernel, s->cpu, s->cpus, s->time, s->load, s->rounds,
		b->classic ? "classic tracepoint raw_syscalls/sys_enter"
			   : "raw_tracepoint/sys_enter");
	text_figures(out, figures);
	text_jobs(out, b);
	if (r->start.count)
		fprintf(out,
			"\nStart to \"watching\": %.3f s; libbcc compiling an empty "
			"program: %.3f s.\n",
			r->start.median, r->compile.median);
	if (b->foreign)
		fprintf(out,
			"\nOthers' programs watched system calls during %zu of %zu cycles: "
			"these do not count.\n",
			b->foreign, b->cycles);
	if (b->unproven)
		fprintf(out,
			"\n%zu readings were refused: the profile was not in the state that "
			"they are about, or\nsomething new happened (BENCH_DEBUG=1 tells "
			"more).\n",
			b->unproven);
}

/* ---- JSON ---- */

static json_t *json_spread(const struct spread *s)
{
	if (!s->count)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:i}", "median", s->median, "low",
			 s->low, "high", s->high, "q1", s->q1, "q3", s->q3, "count",
			 (int)s->count);
}

static json_t *json_figures(const struct figure *figures)
{
	json_t *list = json_array();

	for (int i = 0; i < FIGURES; i++) {
		const struct figure *f = &figures[i];
		json_t *j =
			json_pack("{s:s, s:s, s:s, s:f, s:o, s:s}", "name", f->name,
				  "title", f->title, "unit", f->unit, "target", f->target,
				  "value", json_spread(&f->value), "verdict",
				  f->verdict == VERDICT_NONE	 ? "none"
				  : f->verdict == VERDICT_MET	 ? "met"
				  : f->verdict == VERDICT_MISSED ? "missed"
								 : "unclear");

		if (*f->why)
			json_object_set_new(j, "why", json_string(f->why));
		if (f->paper)
			json_object_set_new(j, "thesis", json_string(f->paper));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *json_jobs(const struct bench *b)
{
	json_t *list = json_array();
	struct effect e;

	for (int j = 0; j < JOBS; j++)
		for (int w = 0; w < WAYS; w++)
			if (effect_of(b, j, w, &e))
				json_array_append_new(
					list,
					json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
						  "work", jobs[j].name, "watched",
						  ways[w].name, "alone_ns",
						  json_spread(&e.none), "empty_added_ns",
						  json_spread(&e.empty), "ebph_added_ns",
						  json_spread(&e.with), "ratio",
						  json_spread(&e.ratio), "slower_percent",
						  json_spread(&e.percent)));
	return list;
}

void table_json(FILE *out, const struct bench *b, const struct resources *r,
		const struct figure *figures, const struct setting *s)
{
	json_t *j = json_pack(
		"{s:s, s:s, s:s, s:i, s:f, s:i, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o}",
		"time", s->time, "kernel", s->kernel, "cpu", s->cpu, "cpus", s->cpus,
		"load", s->load, "rounds", s->rounds, "empty_probe",
		b->classic ? "classic" : "raw", "cycles", (int)b->cycles,
		"cycles_disturbed", (int)b->foreign, "readings_refused", (int)b->unproven,
		"figures", json_figures(figures), "work", json_jobs(b), "start_seconds",
		json_spread(&r->start), "compile_seconds", json_spread(&r->compile));

	json_dumpf(j, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', out);
	json_decref(j);
}
