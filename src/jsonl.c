/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "jsonl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "lookahead.h"
#include "state.h"
#include "syscalls.h"
#include "text.h"

enum { CALL_NAME = 64 };

/* What an event has; the fields below in their order. */
enum {
	PID = 1 << 0,
	TID = 1 << 1,
	PPID = 1 << 2,
	UID = 1 << 3,
	CONTAINER_PID = 1 << 4, /* where it differs */
	COMM = 1 << 5,
	KEY = 1 << 6,
	EXE = 1 << 7,
	CGROUP = 1 << 8,
	CALL = 1 << 9,
	LFC = 1 << 10,
	ANOMALIES = 1 << 11,
	WINDOW = 1 << 12,
	LEARNED = 1 << 13,
	NORMAL_TIME = 1 << 14,
	LENGTH = 1 << 15, /* of a response */
	UNTIL = 1 << 16,

	WHO = PID | TID | PPID | UID | CONTAINER_PID | COMM,
	PROFILE = KEY | EXE,
};

static const struct {
	const char *name;
	u32 fields;
} events[] = {
	[EVENT_PROFILE] = {"profile", PROFILE | PID | COMM},
	[EVENT_FREEZE] = {"freeze", PROFILE | LEARNED | NORMAL_TIME},
	[EVENT_THAW] = {"thaw", PROFILE | LEARNED | NORMAL_TIME},
	[EVENT_NORMAL] = {"normal", PROFILE | LEARNED},
	[EVENT_ANOMALY] = {"anomaly",
			   WHO | PROFILE | CGROUP | CALL | LFC | ANOMALIES | WINDOW},
	[EVENT_SEQUENCE] = {"sequence", WHO | PROFILE | CGROUP | CALL | WINDOW},
	[EVENT_ANOMALY_LIMIT] = {"anomaly_limit", PROFILE | PID | TID | LFC | ANOMALIES},
	[EVENT_TOLERIZE_LIMIT] = {"tolerize_limit",
				  PROFILE | PID | TID | LFC | ANOMALIES},
	[EVENT_EXEC] = {"exec", PROFILE | PID | PPID | TID | COMM},
	[EVENT_EXIT] = {"exit", PROFILE | PID | PPID | TID | COMM},
	[EVENT_DELAY] = {"delay", PROFILE | PID | TID | LFC | LENGTH | UNTIL},
	[EVENT_ABORT_EXEC] = {"abort_exec", PROFILE | PID | TID | LFC | LENGTH},
};

const char *jsonl_event_name(u32 type)
{
	return type < sizeof(events) / sizeof(*events) ? events[type].name : NULL;
}

static json_t *text_of(const char *bytes, size_t length)
{
	char *text = text_escape(bytes, length, TEXT_JSON);
	json_t *j = text ? json_string(text) : NULL;

	free(text);
	return j;
}

json_t *jsonl_text(const char *bytes)
{
	return bytes ? text_of(bytes, strlen(bytes)) : json_null();
}

static json_t *number(u64 value)
{
	return json_integer((json_int_t)value);
}

static json_t *key_of(const struct identity *id)
{
	char key[IDENTITY_KEY_TEXT];

	return json_string(identity_key_text(id, key));
}

/* ---- calls ---- */

static json_t *call_name(const struct jsonl_context *c, u16 symbol)
{
	char name[CALL_NAME];

	return json_string(syscall_name_by(c->names, symbol, name, sizeof(name)));
}

static json_t *call_number(const struct jsonl_context *c, u16 symbol)
{
	long nr = syscall_number_by(c->names, symbol);

	return nr < 0 ? json_null() : json_integer(nr);
}

/* The calls of the window, oldest first. */
static json_t *sequence_of(const struct event *e, const struct jsonl_context *c)
{
	json_t *list = json_array();

	for (int d = WINDOW_MAX - 1; d >= 0; d--)
		if (!d || e->sequence[d] != SYMBOL_NONE || e->missed >> (d - 1) & 1)
			json_array_append_new(list, call_name(c, e->sequence[d]));
	return list;
}

static json_t *missed_of(const struct event *e, const struct jsonl_context *c)
{
	json_t *list = json_array();

	for (int d = 1; d <= DISTANCES; d++)
		if (e->missed >> (d - 1) & 1)
			json_array_append_new(list,
					      json_pack("{s:o, s:i}", "prev",
							call_name(c, e->sequence[d]),
							"distance", d));
	return list;
}

/* ---- events ---- */

struct object {
	json_t *json;
	bool failed;
};

static void add(struct object *o, const char *name, json_t *value)
{
	o->failed |= json_object_set_new(o->json, name, value) != 0;
}

static struct object object_new(void)
{
	struct object o = {.json = json_object()};

	o.failed = !o.json;
	return o;
}

/* The object, or nothing when not all of it could be made. */
static json_t *object_end(struct object *o)
{
	if (!o->failed)
		return o->json;
	json_decref(o->json);
	return NULL;
}

static void add_process(struct object *o, const struct event *e, u32 fields)
{
	if (fields & PID)
		add(o, "pid", number(e->pid));
	if (fields & TID)
		add(o, "tid", number(e->tid));
	if (fields & PPID)
		add(o, "ppid", number(e->ppid));
	if (fields & UID)
		add(o, "uid", number(e->uid));
	if (fields & CONTAINER_PID && e->container_pid != e->pid)
		add(o, "container_pid", number(e->container_pid));
	if (fields & COMM)
		add(o, "comm", text_of(e->comm, strnlen(e->comm, sizeof(e->comm))));
}

static void add_profile(struct object *o, const struct event *e,
			const struct jsonl_context *c, u32 fields)
{
	if (fields & KEY)
		add(o, "key", key_of(&e->identity));
	if (fields & EXE)
		add(o, "exe", jsonl_text(c->exe));
	if (fields & CGROUP)
		add(o, "cgroup", jsonl_text(c->cgroup));
	if (fields & LEARNED) {
		add(o, "train_count", number(e->train_count));
		add(o, "sequences", number(e->sequences));
	}
	if (fields & NORMAL_TIME)
		add(o, "normal_time", jsonl_text(c->normal_time));
}

static void add_call(struct object *o, const struct event *e,
		     const struct jsonl_context *c, u32 fields)
{
	if (fields & CALL) {
		add(o, "syscall", call_name(c, e->sequence[0]));
		add(o, "nr", call_number(c, e->sequence[0]));
		add(o, "misses", number((u64)__builtin_popcount(e->missed)));
	}
	if (fields & LFC)
		add(o, "lfc", number(e->lfc));
	if (fields & ANOMALIES)
		add(o, "anomalies", number(e->anomalies));
	if (fields & WINDOW) {
		add(o, "sequence", sequence_of(e, c));
		add(o, "missed", missed_of(e, c));
	}
}

/* The fields of E that are known. */
static u32 fields_of(const struct event *e, const struct jsonl_context *c)
{
	u32 fields = events[e->type].fields;

	if (!c->file)
		return fields;
	fields &= ~(u32)(UID | CONTAINER_PID | KEY | CGROUP);
	if (!e->ppid)
		fields &= ~(u32)PPID;
	if (!*e->comm)
		fields &= ~(u32)COMM;
	if (!c->normal_time)
		fields &= ~(u32)NORMAL_TIME;
	return fields;
}

/* What was done, or would have been. */
static void add_response(struct object *o, const struct event *e,
			 const struct jsonl_context *c, u32 fields)
{
	if (fields & LENGTH)
		add(o, "milliseconds",
		    number(e->type == EVENT_DELAY ? e->delay / 1000000 : 0));
	if (fields & UNTIL)
		add(o, "until", jsonl_text(c->until));
	if (fields & LENGTH && e->dry_run)
		add(o, "dry_run", json_true());
}

json_t *jsonl_event(const struct event *e, const struct jsonl_context *c)
{
	struct object o = object_new();
	u32 fields = fields_of(e, c);

	if (c->time)
		add(&o, "time", jsonl_text(c->time));
	add(&o, "event", json_string(events[e->type].name));
	if (c->file)
		add(&o, "file", jsonl_text(c->file));
	add_process(&o, e, fields);
	add_profile(&o, e, c, fields);
	add_call(&o, e, c, fields);
	add_response(&o, e, c, fields);
	return object_end(&o);
}

json_t *jsonl_profile(const struct profile *p, const struct jsonl_context *c)
{
	struct object o = object_new();

	if (!c->file)
		add(&o, "key", key_of(&p->identity));
	add(&o, "exe", jsonl_text(c->exe));
	add(&o, "state", json_string(state_text(p->state)));
	add(&o, "count", number(p->count));
	add(&o, "train_count", number(p->train_count));
	add(&o, "last_mod_count", number(last_mod_count(p)));
	add(&o, "sequences", number(p->sequences));
	add(&o, "anomalies", number(p->anomalies));
	if (c->normal_time || !c->file)
		add(&o, "normal_time", jsonl_text(c->normal_time));
	return object_end(&o);
}

/* ---- settings ---- */

static json_t *seconds(u64 ns)
{
	const u64 second = 1000000000;

	return ns % second ? json_real((double)ns / (double)second) : number(ns / second);
}

static json_t *texts(const char *const *list, size_t count)
{
	json_t *j = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(j, jsonl_text(list[i]));
	return j;
}

static void add_filters(struct object *s, const struct options *o)
{
	json_t *pids = json_array(), *not_uids = json_array();

	for (size_t i = 0; i < o->pid_count; i++)
		json_array_append_new(pids, json_integer(o->pids[i]));
	for (size_t i = 0; i < o->not_uid_count; i++)
		json_array_append_new(not_uids, json_integer(o->not_uids[i]));
	if (o->pid_count)
		add(s, "pid", json_incref(pids));
	if (o->exe_count)
		add(s, "exe", texts(o->exes, o->exe_count));
	if (o->not_exe_count)
		add(s, "not_exe", texts(o->not_exes, o->not_exe_count));
	if (o->has_uid)
		add(s, "uid", number(o->uid));
	if (o->not_uid_count)
		add(s, "not_uid", json_incref(not_uids));
	if (o->cgroup)
		add(s, "cgroup", jsonl_text(o->cgroup));
	if (o->comm)
		add(s, "comm", jsonl_text(o->comm));
	json_decref(pids);
	json_decref(not_uids);
}

static void add_command(struct object *s, const struct options *o)
{
	size_t count = 0;

	while (o->command && o->command[count])
		count++;
	if (count)
		add(s, "command", texts((const char *const *)o->command, count));
}

static void add_responses(struct object *s, const struct options *o)
{
	add(s, "delay", json_real(o->delay_ms / 1000.0));
	add(s, "delay_max", seconds(o->delay_max_ns));
	add(s, "abort_exec", number(o->abort_lfc));
	add(s, "abort_exec_by",
	    json_string(o->abort_by == ABORT_BY_KILL ? "kill" : "lsm"));
	add(s, "dry_run", json_boolean(o->dry_run));
	if (o->respond_count)
		add(s, "respond_to", texts(o->respond, o->respond_count));
	if (o->never_respond_count)
		add(s, "never_respond_to",
		    texts(o->never_respond, o->never_respond_count));
}

json_t *jsonl_settings(const struct options *o)
{
	struct object s = object_new();

	add_filters(&s, o);
	add_command(&s, o);
	if (o->duration_ns)
		add(&s, "duration", seconds(o->duration_ns));
	if (o->interval_ns)
		add(&s, "interval", seconds(o->interval_ns));
	add(&s, "quiet", json_boolean(o->quiet));
	add(&s, "verbose", json_boolean(o->verbose));
	add(&s, "check", json_boolean(o->check));
	add(&s, "normal_time", seconds(o->normal_wait_ns));
	add(&s, "normal_factor", json_sprintf("%u/%u", o->factor, o->factor_den));
	add(&s, "anomaly_limit", number(o->anomaly_limit));
	add(&s, "tolerize_limit", number(o->tolerize_limit));
	add(&s, "window", number(o->window));
	if (options_respond(o))
		add_responses(&s, o);
	add(&s, "profile_dir", jsonl_text(o->profile_dir));
	add(&s, "no_load", json_boolean(o->no_load));
	add(&s, "no_save", json_boolean(o->no_save));
	add(&s, "save_interval", seconds(o->save_interval_ns));
	add(&s, "adopt_upgrades", json_boolean(o->adopt_upgrades));
	add(&s, "max_profiles", number(o->max_profiles));
	add(&s, "max_pairs_memory", number(o->max_pairs_memory));
	add(&s, "kernel_headers", jsonl_text(o->headers));
	return object_end(&s);
}
