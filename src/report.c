/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "syscalls.h"
#include "lookahead.h"

static const char *const event_names[] = {
	[EVENT_PROFILE] = "profile",
	[EVENT_FREEZE] = "freeze",
	[EVENT_THAW] = "thaw",
	[EVENT_NORMAL] = "normal",
	[EVENT_ANOMALY] = "anomaly",
	[EVENT_SEQUENCE] = "sequence",
	[EVENT_ANOMALY_LIMIT] = "anomaly_limit",
	[EVENT_TOLERIZE_LIMIT] = "tolerize_limit",
};

static const char *const state_names[] = {"free", "training", "frozen", "normal"};

int report_init(struct report *r, FILE *out, u32 slots)
{
	memset(r, 0, sizeof(*r));
	r->out = out;
	r->slots = slots;
	r->exe = calloc(slots + 1, sizeof(*r->exe));
	return r->exe ? 0 : -ENOMEM;
}

void report_free(struct report *r)
{
	for (u32 i = 0; r->exe && i <= r->slots; i++)
		free(r->exe[i]);
	free(r->exe);
	r->exe = NULL;
}

static void flush(struct report *r)
{
	if (fflush(r->out) && !r->error)
		r->error = errno;
}

static const char *exe_of(const struct report *r, u32 slot)
{
	return slot <= r->slots && r->exe[slot] ? r->exe[slot] : "(unknown)";
}

static const char *key_of(const struct identity *id, char *text, size_t size)
{
	snprintf(text, size, "%016" PRIx64, (id->device << 32) + id->inode);
	return text;
}

/* Boot-clock BOOT as nanoseconds since 1970. */
static u64 real_time(u64 boot)
{
	struct timespec b, r;

	clock_gettime(CLOCK_BOOTTIME, &b);
	clock_gettime(CLOCK_REALTIME, &r);
	return boot + (u64)(r.tv_sec - b.tv_sec) * 1000000000ULL + r.tv_nsec - b.tv_nsec;
}

static const char *rfc3339(u64 boot, char *text, size_t size)
{
	u64 ns = real_time(boot);
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	char date[32];

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, size, "%s.%09uZ", date, (unsigned int)(ns % 1000000000));
	return text;
}

/* A string of bytes as JSON wants it: what is not ASCII becomes '?'. */
static json_t *text_of(const char *bytes)
{
	char *copy = strdup(bytes);
	json_t *j;

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	j = json_string(copy ? copy : "");
	free(copy);
	return j;
}

static void put(struct report *r, json_t *j)
{
	json_dumpf(j, r->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', r->out);
	json_decref(j);
}

static json_t *begin(const char *event, u64 boot)
{
	char when[48];

	return json_pack("{s:s, s:s}", "time", rfc3339(boot, when, sizeof(when)), "event",
			 event);
}

static bool judges_call(const struct event *e)
{
	return e->type == EVENT_ANOMALY || e->type == EVENT_SEQUENCE;
}

static void json_call(json_t *j, const struct event *e)
{
	json_t *sequence = json_array(), *missed = json_array();
	char name[64];

	for (int i = WINDOW_MAX - 1; i >= 0; i--)
		if (i == 0 || e->sequence[i] != SYMBOL_NONE)
			json_array_append_new(
				sequence, json_string(syscall_name(e->sequence[i], name,
								   sizeof(name))));
	for (int d = 1; d <= DISTANCES; d++)
		if (e->missed >> (d - 1) & 1)
			json_array_append_new(missed,
					      json_pack("{s:s, s:i}", "prev",
							syscall_name(e->sequence[d], name,
								     sizeof(name)),
							"distance", d));
	json_object_set_new(
		j, "syscall",
		json_string(syscall_name(e->sequence[0], name, sizeof(name))));
	json_object_set_new(j, "nr", json_integer(e->sequence[0] % SYMBOL_COMPAT));
	json_object_set_new(j, "misses", json_integer(__builtin_popcount(e->missed)));
	json_object_set_new(j, "sequence", sequence);
	json_object_set_new(j, "missed", missed);
}

static void event_json(struct report *r, const struct event *e)
{
	json_t *j = begin(event_names[e->type], e->time);
	char text[48];

	json_object_set_new(j, "pid", json_integer(e->pid));
	json_object_set_new(j, "tid", json_integer(e->tid));
	json_object_set_new(j, "ppid", json_integer(e->ppid));
	json_object_set_new(j, "uid", json_integer(e->uid));
	if (e->container_pid != e->pid)
		json_object_set_new(j, "container_pid", json_integer(e->container_pid));
	json_object_set_new(j, "comm", text_of(e->comm));
	json_object_set_new(j, "key",
			    json_string(key_of(&e->identity, text, sizeof(text))));
	json_object_set_new(j, "exe", text_of(exe_of(r, e->slot)));
	json_object_set_new(j, "lfc", json_integer(e->lfc));
	json_object_set_new(j, "anomalies", json_integer((json_int_t)e->anomalies));
	json_object_set_new(j, "train_count", json_integer((json_int_t)e->train_count));
	json_object_set_new(j, "sequences", json_integer((json_int_t)e->sequences));
	if (e->type == EVENT_FREEZE)
		json_object_set_new(
			j, "normal_time",
			json_string(rfc3339(e->normal_time, text, sizeof(text))));
	if (judges_call(e))
		json_call(j, e);
	put(r, j);
}

static void event_text(struct report *r, const struct event *e)
{
	char name[64], when[48];

	if (!r->header_done)
		fprintf(r->out, "%s%-7s %-7s %-15s %-14s %-3s %s\n",
			r->timestamp ? "TIME     " : "", "PID", "TID", "COMM", "EVENT",
			"LFC", "EXE: DETAIL");
	r->header_done = true;
	if (r->timestamp)
		fprintf(r->out, "%.8s ", rfc3339(e->time, when, sizeof(when)) + 11);
	fprintf(r->out, "%-7u %-7u %-15.16s %-14s %-3u %s", e->pid, e->tid, e->comm,
		event_names[e->type], e->lfc, exe_of(r, e->slot));
	if (judges_call(e)) {
		const char *gap = ": ";

		for (int i = WINDOW_MAX - 1; i >= 0; i--) {
			if (i && e->sequence[i] == SYMBOL_NONE)
				continue;
			fprintf(r->out, "%s%s", gap,
				syscall_name(e->sequence[i], name, sizeof(name)));
			gap = ", ";
		}
		gap = " (new: ";
		for (int d = 1; d <= DISTANCES; d++) {
			if (!(e->missed >> (d - 1) & 1))
				continue;
			fprintf(r->out, "%s%s@%d", gap,
				syscall_name(e->sequence[d], name, sizeof(name)), d);
			gap = ", ";
		}
		fputc(')', r->out);
	}
	fputc('\n', r->out);
}

void report_event(struct report *r, const struct event *e, size_t size)
{
	if (size < sizeof(*e) || e->type > EVENT_TOLERIZE_LIMIT || e->slot > r->slots)
		return;
	if (e->type == EVENT_PROFILE && e->path_length <= size - sizeof(*e)) {
		free(r->exe[e->slot]);
		r->exe[e->slot] = strndup((const char *)(e + 1), e->path_length);
	}
	if (e->type == EVENT_ANOMALY)
		r->anomalies++;
	else if (r->quiet)
		return;
	if (r->json)
		event_json(r, e);
	else
		event_text(r, e);
	flush(r);
}

void report_summary_begin(struct report *r)
{
	if (r->json)
		r->summary = json_array();
	else
		fprintf(r->out, "\n%-16s %-8s %10s %10s %9s %9s %-20s %s\n", "KEY",
			"STATE", "TRAIN", "LAST_MOD", "SEQUENCES", "ANOMALIES",
			"NORMAL TIME", "EXE");
}

void report_profile(struct report *r, u32 slot, const struct profile *p)
{
	char key[24], when[48] = "-";
	const char *exe = exe_of(r, slot);

	key_of(&p->identity, key, sizeof(key));
	if (p->state == STATE_FROZEN)
		rfc3339(p->normal_time, when, sizeof(when));
	if (r->json) {
		json_t *j = json_pack(
			"{s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I}", "key", key, "exe",
			text_of(exe), "state", state_names[p->state], "count",
			(json_int_t)p->count, "train_count", (json_int_t)p->train_count,
			"last_mod_count", (json_int_t)last_mod_count(p), "sequences",
			(json_int_t)p->sequences, "anomalies", (json_int_t)p->anomalies);

		if (p->state == STATE_FROZEN)
			json_object_set_new(j, "normal_time", json_string(when));
		json_array_append_new(r->summary, j);
		return;
	}
	fprintf(r->out,
		"%-16s %-8s %10" PRIu64 " %10" PRIu64 " %9" PRIu64 " %9" PRIu64
		" %-20.19s %s\n",
		key, state_names[p->state], p->train_count, last_mod_count(p),
		p->sequences, p->anomalies, when, exe);
}

static u64 boot_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (u64)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void report_summary_end(struct report *r, const struct totals *t)
{
	if (r->json) {
		json_t *j = begin("summary", boot_now());

		json_object_set_new(j, "profiles", r->summary);
		json_object_set_new(j, "system_calls",
				    json_integer((json_int_t)t->system_calls));
		json_object_set_new(j, "threads", json_integer(t->threads));
		json_object_set_new(j, "lost", json_integer((json_int_t)t->lost));
		put(r, j);
	} else {
		fprintf(r->out,
			"%" PRIu64 " system calls, %u threads, %" PRIu64 " lost\n",
			t->system_calls, t->threads, t->lost);
	}
	flush(r);
}

void report_lost(struct report *r, const char *what, u64 count)
{
	fprintf(stderr, "ebph: lost: %" PRIu64 " %s\n", count, what);
	if (!r->json)
		return;
	json_t *j = begin("lost", boot_now());

	json_object_set_new(j, "what", json_string(what));
	json_object_set_new(j, "count", json_integer((json_int_t)count));
	put(r, j);
	flush(r);
}
