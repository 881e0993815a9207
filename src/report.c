/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "color.h"
#include "columns.h"
#include "identity.h"
#include "journal.h"
#include "jsonl.h"
#include "text.h"
#include "timestamp.h"

enum { SCHEMA = 1 };

int report_init(struct report *r, const struct options *o, FILE *out, u32 slots)
{
	*r = (struct report){
		.out = out,
		.messages = stderr,
		.json = o->json,
		.quiet = o->quiet,
		.timestamp = o->timestamp,
		.color = color_wanted(o->color, out),
		.delays = o->delay_ms != 0,
		.slots = slots,
		.names = calloc((size_t)slots + 1, sizeof(*r->names)),
		.rows = calloc((size_t)slots + 1, sizeof(*r->rows)),
	};
	cgroups_init(&r->cgroups);
	if (r->names && r->rows)
		return 0;
	report_free(r);
	return -ENOMEM;
}

void report_to_journal(struct report *r)
{
	r->journal = journal_open(r->out);
}

void report_free(struct report *r)
{
	journal_close(r->journal);
	r->journal = NULL;
	for (u32 i = 0; r->names && i <= r->slots; i++)
		free(r->names[i].path);
	free(r->names);
	free(r->rows);
	free(r->delayed);
	r->delayed = NULL;
	r->names = NULL;
	r->rows = NULL;
	cgroups_free(&r->cgroups);
}

int report_grow(struct report *r, u32 slots)
{
	struct report_name *names;
	struct report_row *rows;

	if (slots <= r->slots)
		return 0;
	names = reallocarray(r->names, (size_t)slots + 1, sizeof(*names));
	if (names)
		r->names = names;
	rows = reallocarray(r->rows, (size_t)slots + 1, sizeof(*rows));
	if (rows)
		r->rows = rows;
	if (!names || !rows)
		return -ENOMEM;
	memset(names + r->slots + 1, 0, (slots - r->slots) * sizeof(*names));
	r->slots = slots;
	return 0;
}

/* ---- names of executables ---- */

/* A slot that was given to another profile, of which nothing was heard, has no name. */
const char *report_exe(const struct report *r, u32 slot, const struct identity *id)
{
	if (slot > r->slots || !identity_equal(&r->names[slot].identity, id))
		return NULL;
	return r->names[slot].path;
}

/* Keep the path that follows E; one that lacks its beginning begins with dots. */
static void remember(struct report *r, const struct event *e, size_t size)
{
	struct report_name *name = &r->names[e->slot];

	if (e->path_length > size - sizeof(*e))
		return;
	free(name->path);
	name->path = NULL;
	name->identity = e->identity;
	if (asprintf(&name->path, "%s%.*s", e->truncated ? "..." : "",
		     (int)e->path_length, (const char *)(e + 1)) < 0)
		name->path = NULL;
}

void report_name(struct report *r, u32 slot, const struct identity *id, const char *path)
{
	struct report_name *name = &r->names[slot];

	free(name->path);
	name->path = path ? strdup(path) : NULL;
	name->identity = *id;
}

/* ---- writing ---- */

/* The line is complete: out with it. */
static void flush(struct report *r)
{
	errno = 0;
	if ((fflush(r->out) || ferror(r->out)) && !r->error)
		r->error = errno ? errno : EIO;
}

/* Write the object J, which is taken, as a line. */
static void put(struct report *r, json_t *j)
{
	if (!j)
		r->error = r->error ? r->error : ENOMEM;
	else
		json_dumpf(j, r->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', r->out);
	json_decref(j);
	flush(r);
}

/* TIME, of an event or a profile, as ns since 1970. */
static u64 real_time(struct report *r, u64 time)
{
	return r->trace ? time : moment_real(&r->moment, time);
}

static u64 now(const struct report *r)
{
	return r->trace ? r->trace->now : moment_now();
}

static bool has_clock(const struct report *r)
{
	return !r->trace || r->trace->has_clock;
}

/* NULL: there is no clock. */
static const char *utc(struct report *r, u64 time, char text[MOMENT_TEXT])
{
	return has_clock(r) ? timestamp_text(real_time(r, time), text, MOMENT_TEXT)
			    : NULL;
}

static const char *clock_time(struct report *r, u64 time, char text[MOMENT_TEXT])
{
	return moment_clock(real_time(r, time), text);
}

/* ---- events ---- */

static bool judges_call(const struct event *e)
{
	return e->type == EVENT_ANOMALY || e->type == EVENT_SEQUENCE;
}

static void event_json(struct report *r, const struct event *e)
{
	char time[MOMENT_TEXT], normal_time[MOMENT_TEXT];
	const bool is_delay = e->type == EVENT_DELAY;
	struct jsonl_context c = {
		.time = utc(r, e->time, time),
		.exe = report_exe(r, e->slot, &e->identity),
		.file = r->trace ? r->trace->file : NULL,
		.names = r->trace ? &r->trace->names : NULL,
	};

	if (judges_call(e) && !r->trace)
		c.cgroup = cgroups_path(&r->cgroups, e->cgroup);
	if (e->normal_time) /* or due, which shares its place */
		*(is_delay ? &c.until : &c.normal_time) =
			utc(r, e->normal_time, normal_time);
	put(r, jsonl_event(e, &c));
}

static void event_text(struct report *r, const struct event *e)
{
	char time[MOMENT_TEXT];
	struct columns c = {
		.exe = report_exe(r, e->slot, &e->identity),
		.names = r->trace ? &r->trace->names : NULL,
		.color = r->color,
	};

	if (r->timestamp && has_clock(r))
		c.time = clock_time(r, e->time, time);
	if (judges_call(e) && e->container_pid != e->pid)
		c.cgroup = cgroups_path(&r->cgroups, e->cgroup);
	if (!r->header_done)
		columns_event_header(r->out, r->timestamp && has_clock(r));
	r->header_done = true;
	columns_event(r->out, e, &c);
	flush(r);
}

static void event_to_journal(struct report *r, const struct event *e, size_t size)
{
	char *text = report_render(r, e, size, false);
	char *json = report_render(r, e, size, true);

	if (text && json)
		journal_event(r->journal, text, json);
	free(text);
	free(json);
}

void report_event(struct report *r, const struct event *e, size_t size)
{
	if (size < sizeof(*e) || !jsonl_event_name(e->type) || e->slot > r->slots)
		return;
	if (e->type == EVENT_PROFILE && !r->trace)
		remember(r, e, size);
	if (e->type == EVENT_ANOMALY)
		r->anomalies++;
	else if (r->quiet && e->type != EVENT_DELAY && e->type != EVENT_ABORT_EXEC)
		return;
	if (r->journal)
		event_to_journal(r, e, size);
	else if (r->json)
		event_json(r, e);
	else
		event_text(r, e);
}

char *report_render(struct report *r, const struct event *e, size_t size, bool json)
{
	const struct report before = *r;
	char *line = NULL;
	size_t length;

	if (size < sizeof(*e) || !jsonl_event_name(e->type) || e->slot > r->slots)
		return NULL;
	r->out = open_memstream(&line, &length);
	if (r->out) {
		r->header_done = true;
		r->color = false;
		if (json)
			event_json(r, e);
		else
			event_text(r, e);
		fclose(r->out);
	}
	r->out = before.out;
	r->header_done = before.header_done;
	r->color = before.color;
	r->error = before.error;
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

/* ---- summaries ---- */

void report_summary_begin(struct report *r)
{
	r->row_count = 0;
	r->delayed_count = 0;
}

void report_profile(struct report *r, u32 slot, const struct profile *p)
{
	if (r->row_count < r->slots)
		r->rows[r->row_count++] = (struct report_row){slot, p};
}

void report_delayed(struct report *r, pid_t pid, const struct stop *s)
{
	if (r->delayed_count == r->delayed_room) {
		u32 room = r->delayed_room ? 2 * r->delayed_room : 64;
		void *grown = reallocarray(r->delayed, room, sizeof(*r->delayed));

		if (!grown)
			return;
		r->delayed = grown;
		r->delayed_room = room;
	}
	r->delayed[r->delayed_count++] = (struct report_delay){(u32)pid, *s};
}

/* The path of what D runs; NULL: not known. */
static const char *delayed_exe(const struct report *r, const struct report_delay *d)
{
	return d->stop.slot <= r->slots ? r->names[d->stop.slot].path : NULL;
}

static json_t *delayed_json(struct report *r)
{
	json_t *list = json_array();
	char time[MOMENT_TEXT];

	for (u32 i = 0; i < r->delayed_count; i++) {
		const struct report_delay *d = &r->delayed[i];

		json_array_append_new(list,
				      json_pack("{s:i, s:i, s:o, s:i, s:s}", "pid",
						(int)d->pid, "tid", (int)d->stop.tid,
						"exe", jsonl_text(delayed_exe(r, d)),
						"lfc", (int)d->stop.lfc, "until",
						utc(r, d->stop.due, time)));
	}
	return list;
}

static void delayed_text(struct report *r)
{
	char date[MOMENT_TEXT];

	if (r->delayed_count)
		columns_delayed_header(r->out);
	for (u32 i = 0; i < r->delayed_count; i++) {
		const struct report_delay *d = &r->delayed[i];
		struct columns c = {.exe = delayed_exe(r, d), .color = r->color};

		moment_date(moment_real(&r->moment, d->stop.due), date);
		columns_delayed(r->out, d->pid, d->stop.lfc, date, &c);
	}
}

static int compare_numbers(u64 a, u64 b)
{
	return (a > b) - (a < b);
}

/* Most anomalies first, then by path, those without one last, then by key. */
static int compare_rows(const void *a, const void *b, void *context)
{
	const struct report_row *x = a, *y = b;
	const struct identity *i = &x->profile->identity, *j = &y->profile->identity;
	const char *s = report_exe(context, x->slot, i);
	const char *t = report_exe(context, y->slot, j);
	int order = compare_numbers(y->profile->anomalies, x->profile->anomalies);

	if (!order)
		order = s && t ? strcmp(s, t) : !s - !t;
	if (!order)
		order = compare_numbers(i->device, j->device);
	return order ? order : compare_numbers(i->inode, j->inode);
}

static json_t *row_json(struct report *r, const struct report_row *row)
{
	const struct profile *p = row->profile;
	char time[MOMENT_TEXT];
	struct jsonl_context c = {
		.exe = report_exe(r, row->slot, &p->identity),
		.file = r->trace ? r->trace->file : NULL,
	};

	if (p->state == STATE_FROZEN)
		c.normal_time = utc(r, p->normal_time, time);
	return jsonl_profile(p, &c);
}

/* Of a trace it is known how many calls and processes are in it. */
static json_t *totals_json(const struct report *r, const struct totals *t)
{
	json_t *j = json_pack("{s:I, s:i}", "system_calls", (json_int_t)t->system_calls,
			      "processes", (int)t->processes);

	if (r->trace)
		return j;
	json_object_set_new(j, "threads", json_integer(t->threads));
	json_object_set_new(j, "lost", json_integer((json_int_t)t->lost));
	json_object_set_new(j, "map_memory", json_integer((json_int_t)t->map_memory));
	return j;
}

/* Row by row, lest a hundred thousand of them be in memory at once. */
static void summary_json(struct report *r, const struct totals *t)
{
	json_t *totals = totals_json(r, t);
	char time[MOMENT_TEXT];

	if (r->delays)
		json_object_set_new(totals, "delayed", delayed_json(r));
	fputc('{', r->out);
	if (utc(r, now(r), time))
		fprintf(r->out, "\"time\":\"%s\",", time);
	fputs("\"event\":\"summary\",\"profiles\":[", r->out);
	for (u32 i = 0; i < r->row_count; i++) {
		json_t *row = row_json(r, &r->rows[i]);

		if (i)
			fputc(',', r->out);
		json_dumpf(row, r->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
		json_decref(row);
	}
	fputs("],", r->out);
	json_dumpf(totals, r->out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_EMBED);
	fputs("}\n", r->out);
	json_decref(totals);
	flush(r);
}

static bool any_is_frozen(const struct report *r)
{
	if (!has_clock(r))
		return false;
	for (u32 i = 0; i < r->row_count; i++)
		if (r->rows[i].profile->state == STATE_FROZEN)
			return true;
	return false;
}

static void row_text(struct report *r, const struct report_row *row, bool dates)
{
	const struct profile *p = row->profile;
	const char *date = NULL;
	char text[MOMENT_TEXT];
	struct columns c = {
		.exe = report_exe(r, row->slot, &p->identity),
		.color = r->color,
	};

	if (p->state == STATE_FROZEN && has_clock(r))
		date = moment_date(real_time(r, p->normal_time), text);
	columns_profile(r->out, p, date, dates, &c);
}

static void totals_text(const struct report *r, const struct totals *t)
{
	fprintf(r->out, "%" PRIu64 " system call%s, %u process%s", t->system_calls,
		t->system_calls == 1 ? "" : "s", t->processes,
		t->processes == 1 ? "" : "es");
	if (!r->trace) {
		fprintf(r->out, ", %u thread%s, %" PRIu64 " lost, ", t->threads,
			t->threads == 1 ? "" : "s", t->lost);
		columns_size(r->out, t->map_memory);
		fputs(" kernel memory", r->out);
	}
	fputc('\n', r->out);
}

static void summary_text(struct report *r, const struct totals *t)
{
	bool dates = any_is_frozen(r);
	char time[MOMENT_TEXT];

	fputc('\n', r->out);
	if (r->timestamp && has_clock(r))
		fprintf(r->out, "[%s]\n", clock_time(r, now(r), time));
	columns_profile_header(r->out, dates);
	for (u32 i = 0; i < r->row_count; i++)
		row_text(r, &r->rows[i], dates);
	delayed_text(r);
	totals_text(r, t);
	flush(r);
}

void report_summary_end(struct report *r, const struct totals *t)
{
	qsort_r(r->rows, r->row_count, sizeof(*r->rows), compare_rows, r);
	if (r->json)
		summary_json(r, t);
	else
		summary_text(r, t);
	r->row_count = 0;
}

/* ---- what is no event of the kernel's ---- */

/* An object with time and event NAME; NULL: no memory. */
static json_t *begin(struct report *r, const char *name)
{
	char time[MOMENT_TEXT];

	return json_pack("{s:s, s:s}", "time", utc(r, moment_now(), time), "event", name);
}

void report_start(struct report *r, const struct options *o, const char *kernel,
		  const char *headers)
{
	json_t *j;

	if (!r->json || r->quiet)
		return;
	j = begin(r, "start");
	json_object_set_new(j, "version", json_string(EBPH_VERSION));
	json_object_set_new(j, "schema", json_integer(SCHEMA));
	json_object_set_new(j, "kernel", jsonl_text(kernel));
	json_object_set_new(j, "headers", jsonl_text(headers));
	json_object_set_new(j, "settings", jsonl_settings(o));
	put(r, j);
}

/* TEXT is for a person; J, which is freed, for programs, unless IS_QUIET. */
static void tell(struct report *r, const char *text, json_t *j, bool is_quiet)
{
	char *json = r->journal ? json_dumps(j, JSON_COMPACT) : NULL;

	if (!json || journal_event(r->journal, text, json))
		fprintf(r->messages, "%s\n", text);
	free(json);
	if (r->json && !r->journal && !is_quiet)
		put(r, j);
	else
		json_decref(j);
}

void report_lost(struct report *r, const char *what, u64 count)
{
	json_t *j = begin(r, "lost");
	char text[256];

	snprintf(text, sizeof(text), "ebph: lost: %" PRIu64 " %s", count, what);
	json_object_set_new(j, "what", jsonl_text(what));
	json_object_set_new(j, "count", json_integer((json_int_t)count));
	tell(r, text, j, false);
}

/* "ebph: EVENT: SUBJECT: TEXT", to be freed; NULL: no memory. */
static char *message_text(const char *event, const char *subject, const char *text)
{
	char *about = subject ? text_escape(subject, strlen(subject), TEXT_LINE) : NULL;
	char *what = text_escape(text, strlen(text), TEXT_LINE), *line;

	if (asprintf(&line, "ebph: %s: %s%s%s", event, about ? about : "",
		     about ? ": " : "", what ? what : "?") < 0)
		line = NULL;
	free(about);
	free(what);
	return line;
}

static void message(struct report *r, bool is_error, const char *text,
		    const char *subject)
{
	const char *event = is_error ? "error" : "warning";
	char *line = message_text(event, subject, text);
	json_t *j = begin(r, event);

	json_object_set_new(j, "message", jsonl_text(text));
	if (subject)
		json_object_set_new(j, "subject", jsonl_text(subject));
	tell(r, line ? line : "ebph: out of memory", j, r->quiet && !is_error);
	free(line);
}

void report_warning(struct report *r, const char *text, const char *subject)
{
	message(r, false, text, subject);
}

void report_error(struct report *r, const char *text, const char *subject)
{
	message(r, true, text, subject);
}
