/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events and summaries are printed by report.h. A trace knows less than a kernel: what
 * it does not tell (users, files' identities, the time where it has no clock) must not
 * be in the output, so report prints into memory, and from there it goes on without.
 */
#define _GNU_SOURCE
#include "account.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 65536 }; /* profiles that are named */

#define SECOND 1000000000ULL

int account_init(struct account *a, FILE *out, bool json, const struct judge *j,
		 const struct symbols *s)
{
	memset(a, 0, sizeof(*a));
	a->out = out;
	a->json = json;
	a->judge = j;
	a->symbols = s;
	a->memory = open_memstream(&a->text, &a->size);
	if (!a->memory)
		return -ENOMEM;
	if (report_init(&a->report, a->memory, SLOTS)) {
		account_free(a);
		return -ENOMEM;
	}
	a->report.json = json;
	return 0;
}

void account_free(struct account *a)
{
	report_free(&a->report);
	if (a->memory)
		fclose(a->memory);
	free(a->text);
	memset(a, 0, sizeof(*a));
}

void account_flush(struct account *a)
{
	if (fflush(a->out) && !a->error)
		a->error = errno;
}

void account_json(struct account *a, json_t *j)
{
	if (json_dumpf(j, a->out, JSON_COMPACT | JSON_PRESERVE_ORDER) && !a->error)
		a->error = errno;
	fputc('\n', a->out);
	json_decref(j);
}

json_t *account_string(const char *text)
{
	json_t *j = json_string(text);
	char *copy;

	if (j)
		return j;
	copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	j = json_string(copy ? copy : "");
	free(copy);
	return j;
}

/* ---- what report printed ---- */

static json_t *time_string(u64 ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	char date[32], text[48];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%09uZ", date, (unsigned int)(ns % SECOND));
	return json_string(text);
}

/* report takes the kernel's boot clock; what it will print as NS since 1970. */
static u64 boot_time(u64 ns)
{
	struct timespec b, r;
	u64 offset;

	clock_gettime(CLOCK_BOOTTIME, &b);
	clock_gettime(CLOCK_REALTIME, &r);
	offset = (u64)(r.tv_sec - b.tv_sec) * SECOND + r.tv_nsec - b.tv_nsec;
	return ns - offset;
}

/* The profiles of a summary, in the detector's order. */
static void profiles_told(const struct account *a, json_t *profiles)
{
	const struct detector *d = &a->judge->detector;
	size_t i;
	json_t *j;

	json_array_foreach(profiles, i, j)
	{
		json_object_del(j, "key");
		json_object_del(j, "normal_time");
		if (a->judge->has_clock && i < d->count &&
		    d->models[i]->profile.state == STATE_FROZEN)
			json_object_set_new(
				j, "normal_time",
				time_string(d->models[i]->profile.normal_time));
	}
}

/* EVENT, and what is known of it: E, or a summary (E is NULL). */
static json_t *told(struct account *a, json_t *event, const struct event *e)
{
	static const char *const unknown[] = {"time",	"uid",		 "key",
					      "cgroup", "container_pid", "threads",
					      "lost",	"map_memory",	 "normal_time"};
	json_t *j = json_object();
	long nr = e ? symbols_nr(a->symbols, e->sequence[0]) : -1;

	if (a->judge->has_clock)
		json_object_set_new(j, "time", time_string(a->judge->now));
	json_object_set(j, "event", json_object_get(event, "event"));
	if (e)
		json_object_set_new(j, "file", account_string(a->file ? a->file : ""));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		json_object_del(event, unknown[i]);
	if (e && !e->ppid)
		json_object_del(event, "ppid");
	if (e && !*e->comm)
		json_object_del(event, "comm");
	if (json_object_get(event, "nr") && nr >= 0)
		json_object_set_new(event, "nr", json_integer(nr));
	else
		json_object_del(event, "nr");
	json_object_update_missing(j, event);
	if (e && e->type == EVENT_FREEZE && a->judge->has_clock)
		json_object_set_new(j, "normal_time", time_string(e->normal_time));
	if (!e)
		profiles_told(a, json_object_get(j, "profiles"));
	json_decref(event);
	return j;
}

/* What report has printed into memory, to be freed; NULL: nothing. */
static char *take(struct account *a)
{
	char *text;

	fflush(a->memory);
	text = a->size ? strndup(a->text, a->size) : NULL;
	rewind(a->memory);
	return text;
}

static void pass_on(struct account *a, const struct event *e)
{
	char *text = take(a);
	json_t *event = NULL;

	if (!text)
		return;
	if (!a->json)
		fputs(text, a->out);
	else
		event = json_loads(text, 0, NULL);
	if (event)
		account_json(a, told(a, event, e));
	free(text);
	account_flush(a);
}

/* ---- events ---- */

/* E with EXE behind it, as the kernel side sends it. */
static void name(struct account *a, const struct event *e, const char *exe)
{
	size_t length = strlen(exe);
	struct event *named = malloc(sizeof(*e) + length);

	if (!named)
		return;
	*named = *e;
	named->type = EVENT_PROFILE;
	named->path_length = length;
	memcpy(named + 1, exe, length);
	report_event(&a->report, named, sizeof(*e) + length);
	free(named);
}

void account_event(struct account *a, const struct event *e, const char *exe)
{
	struct event moved = *e;

	moved.time = boot_time(e->time);
	moved.normal_time = boot_time(e->normal_time);
	if (e->type == EVENT_PROFILE) {
		name(a, &moved, exe);
	} else {
		if (e->slot <= SLOTS && !a->report.exe[e->slot]) {
			a->report.quiet = true;
			name(a, &moved, exe);
			a->report.quiet = false;
		}
		report_event(&a->report, &moved, sizeof(moved));
	}
	pass_on(a, e);
}

/* ---- rows ---- */

/* A name that ends no column and no line. */
static void put_name(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

void account_row(struct account *a, const char *file, const struct process *p)
{
	if (a->json) {
		account_json(a,
			     json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I}", "event",
				       "trace", "file", account_string(file), "pid",
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
	struct totals totals = {.lost = 0};

	report_summary_begin(&a->report);
	for (u32 i = 0; i < d->count; i++) {
		struct profile p = d->models[i]->profile;

		totals.system_calls += p.count;
		p.normal_time = boot_time(p.normal_time);
		report_profile(&a->report, d->models[i]->slot, &p);
	}
	report_summary_end(&a->report, &totals);
	pass_on(a, NULL);
}
