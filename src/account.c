/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "account.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "jsonl.h"
#include "text.h"

enum { SLOTS = 64 }; /* profiles at first */

int account_init(struct account *a, FILE *out, bool json, const struct judge *j,
		 const struct symbols *s)
{
	const struct options o = {.json = json, .color = COLOR_AUTO};

	*a = (struct account){
		.out = out,
		.json = json,
		.judge = j,
		.trace = {.file = "", .names = symbols_namer(s)},
	};
	if (report_init(&a->report, &o, out, SLOTS))
		return -ENOMEM;
	a->report.trace = &a->trace;
	return 0;
}

void account_free(struct account *a)
{
	report_free(&a->report);
	memset(a, 0, sizeof(*a));
}

void account_flush(struct account *a)
{
	errno = 0;
	if ((fflush(a->out) || ferror(a->out)) && !a->error)
		a->error = errno ? errno : EIO;
}

void account_json(struct account *a, json_t *j)
{
	if (!j)
		a->error = a->error ? a->error : ENOMEM;
	else
		json_dumpf(j, a->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', a->out);
	json_decref(j);
}

/* ---- events ---- */

void account_file(struct account *a, const char *file)
{
	a->trace.file = file;
}

/* How the trace's clock stands: it is known to have one when its first time was read. */
static void follow_clock(struct account *a)
{
	a->trace.has_clock = a->judge->has_clock;
	a->trace.now = a->judge->now;
}

/* Room for SLOT: 0, or an error that is kept. */
static int make_room(struct account *a, u32 slot)
{
	u32 slots = a->report.slots;

	if (slot > slots && report_grow(&a->report, slot > 2 * slots ? slot : 2 * slots))
		a->error = a->error ? a->error : ENOMEM;
	return slot > a->report.slots;
}

static void keep_error(struct account *a)
{
	if (!a->error)
		a->error = a->report.error;
}

void account_event(struct account *a, const struct event *e, const char *exe)
{
	if (make_room(a, e->slot))
		return;
	if (!report_exe(&a->report, e->slot, &e->identity))
		report_name(&a->report, e->slot, &e->identity, exe);
	follow_clock(a);
	report_event(&a->report, e, sizeof(*e));
	keep_error(a);
}

/* ---- rows ---- */

/* A name that ends no column and no line. */
static void put_name(FILE *out, const char *name)
{
	char *text = text_escape(name, strlen(name), TEXT_LINE);

	fputs(text ? text : "?", out);
	free(text);
}

void account_row(struct account *a, const char *file, const struct process *p)
{
	a->processes++;
	if (a->json) {
		account_json(a,
			     json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I}", "event",
				       "trace", "file", jsonl_text(file), "pid",
				       (json_int_t)p->pid, "calls", (json_int_t)p->calls,
				       "anomalies", (json_int_t)p->anomalies, "misses",
				       (json_int_t)p->misses, "max_lfc",
				       (json_int_t)p->max_lfc));
		return;
	}
	if (!a->rows_begun)
		fputs("FILE\tPID\tCALLS\tANOMALIES\tMISSES\tMAX_LFC\n", a->out);
	a->rows_begun = true;
	put_name(a->out, file);
	fprintf(a->out, "\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%u\n", p->pid,
		p->calls, p->anomalies, p->misses, p->max_lfc);
}

void account_summary(struct account *a)
{
	const struct detector *d = &a->judge->detector;
	struct totals totals = {.processes = a->processes};

	if (make_room(a, d->count))
		return;
	follow_clock(a);
	report_summary_begin(&a->report);
	for (u32 i = 0; i < d->count; i++) {
		const struct model *m = d->models[i];

		if (!report_exe(&a->report, m->slot, &m->profile.identity))
			report_name(&a->report, m->slot, &m->profile.identity, m->exe);
		totals.system_calls += m->profile.count;
		report_profile(&a->report, m->slot, &m->profile);
	}
	report_summary_end(&a->report, &totals);
	keep_error(a);
}
