/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "control.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "control_profiles.h"
#include "moment.h"
#include "privilege.h"
#include "reply.h"
#include "request.h"
#include "rows.h"
#include "snapshot.h"
#include "timestamp.h"

/* ---- pause, resume ---- */

int control_pause(struct control *c, char *error, size_t size)
{
	(void)error;
	(void)size;
	if (c->paused)
		return 0;
	attach_calls_end(c->links);
	c->paused = true;
	c->since = moment_wall();
	return 0;
}

/* Tell all profiles of the gap before the first call after it. */
static int mark_gap(struct control *c, char *error, size_t size)
{
	struct snapshot s;
	int result = snapshot_take(&s, c->tables);

	for (u32 i = 0; !result && i < s.profile_count; i++) {
		result = tables_command(c->tables, s.profiles[i].slot, VERB_GAP);
		if (result == ANSWER_NO_PROFILE) /* whose threads begin anew anyway */
			result = 0;
	}
	snapshot_free(&s);
	if (result)
		snprintf(error, size, "cannot mark the gap in a profile: %s; try again",
			 answer_text(result));
	return result;
}

int control_resume(struct control *c, char *error, size_t size)
{
	int result = 0;

	if (!c->paused)
		return 0;
	result = mark_gap(c, error, size);
	if (!result)
		result = attach_calls(c->links, c->l, c->raw, error, size);
	if (result)
		return result;
	c->paused = false;
	c->since = moment_wall();
	return 0;
}

/* ---- status ---- */

/* Bytes of memory of this process, less what is the kernel side's and counted as that. */
static u64 own_bytes(const struct tables *t)
{
	unsigned long long total, resident = 0;
	u64 mapped = tables_mapped(t), bytes;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%llu %llu", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	bytes = (u64)resident * (u64)sysconf(_SC_PAGESIZE);
	return bytes > mapped ? bytes - mapped : 0;
}

/* By what the kernel side finds a thread's state. */
static const char *thread_lookup(const struct loaded *l)
{
	struct bpf_map_info info = {0};
	u32 size = sizeof(info);

	if (l->owners < 0 || bpf_obj_get_info_by_fd(l->owners, &info, &size))
		return "unknown";
	return info.type == BPF_MAP_TYPE_TASK_STORAGE ? "task storage" : "hash";
}

static json_t *features_json(const struct control *c)
{
	char text[PRIVILEGE_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s}", "tracepoints",
			 c->raw ? "raw" : "classic", "threads", thread_lookup(c->l),
			 "headers", c->kernel->headers, "capabilities",
			 privilege_text(privilege_held(), text));
}

static json_t *settings_json(const struct settings *s)
{
	json_t *all = json_object();
	char text[SETTING_TEXT];

	for (size_t i = 0; settings_name(i); i++)
		json_object_set_new(all, settings_name(i),
				    json_string(settings_value(s, i, text)));
	return all;
}

static json_t *profiles_json(const struct snapshot *s)
{
	u32 in[STATE_RETIRED] = {0};

	for (u32 i = 0; i < s->profile_count; i++)
		if (s->profiles[i].state < STATE_RETIRED)
			in[s->profiles[i].state]++;
	return json_pack("{s:I, s:I, s:I, s:I}", "all", (json_int_t)s->profile_count,
			 "training", (json_int_t)in[STATE_TRAINING], "frozen",
			 (json_int_t)in[STATE_FROZEN], "normal",
			 (json_int_t)in[STATE_NORMAL]);
}

static json_t *status_json(struct control *c, const struct snapshot *s)
{
	char since[TIMESTAMP_TEXT], started[TIMESTAMP_TEXT];
	u64 calls = c->ops->calls_elsewhere(c->context);

	for (u32 i = 0; i < s->profile_count; i++)
		calls += s->profiles[i].count;
	return json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:I, s:I, s:I}",
		"version", EBPH_VERSION, "pid", (int)getpid(), "state",
		c->paused ? "paused" : "watching", "since",
		timestamp_text(c->since, since, sizeof(since)), "started",
		timestamp_text(c->started, started, sizeof(started)), "kernel",
		c->kernel->release, "features", features_json(c), "settings",
		settings_json(&c->settings), "profiles", profiles_json(s), "processes",
		(json_int_t)s->process_count, "threads", (json_int_t)s->thread_count,
		"system_calls", (json_int_t)calls, "anomalies",
		(json_int_t)c->ops->anomalies(c->context), "lost",
		(json_int_t)c->ops->losses(c->context), "map_memory",
		(json_int_t)tables_memory(c->tables), "memory",
		(json_int_t)own_bytes(c->tables), "clients",
		(json_int_t)server_clients(c->server), "missed",
		(json_int_t)server_missed(c->server));
}

/* ---- requests ---- */

static void do_status(struct control *c, struct client *to, const struct request *q)
{
	struct snapshot s;

	(void)q;
	if (snapshot_take(&s, c->tables)) {
		client_send(to, NULL);
		return;
	}
	client_send(to, reply_ok("status", status_json(c, &s)));
	snapshot_free(&s);
}

/* The answer to what gave RESULT, and ERROR if that is not 0. */
static void send_result(struct client *to, int result, const char *error)
{
	client_send(to, result ? reply_error("%s", error) : reply_ok(NULL, NULL));
}

static void do_pause(struct control *c, struct client *to, const struct request *q)
{
	char error[600];

	(void)q;
	send_result(to, control_pause(c, error, sizeof(error)), error);
}

static void do_resume(struct control *c, struct client *to, const struct request *q)
{
	char error[600];

	(void)q;
	send_result(to, control_resume(c, error, sizeof(error)), error);
}

static void do_save(struct control *c, struct client *to, const struct request *q)
{
	char error[600];

	(void)q;
	if (c->o->no_save)
		client_send(to,
			    reply_error("cannot save: this ebph runs with --no-save"));
	else
		send_result(to, c->ops->save(c->context, error, sizeof(error)), error);
}

static void do_load(struct control *c, struct client *to, const struct request *q)
{
	char error[600];

	(void)q;
	if (c->o->no_load)
		client_send(to,
			    reply_error("cannot load: this ebph runs with --no-load"));
	else
		send_result(to, c->ops->load(c->context, error, sizeof(error)), error);
}

static void do_get(struct control *c, struct client *to, const struct request *q)
{
	json_t *all = settings_json(&c->settings), *one;

	if (!q->name) {
		client_send(to, reply_ok("settings", all));
		return;
	}
	one = json_object_get(all, q->name);
	if (one)
		client_send(to, reply_ok("settings", json_pack("{s:O}", q->name, one)));
	else
		client_send(to, reply_error("no setting has the name '%.40s'", q->name));
	json_decref(all);
}

static void do_set(struct control *c, struct client *to, const struct request *q)
{
	struct settings changed;
	char error[2000];
	int result;

	if (!q->name || !q->value) {
		client_send(to, reply_error("set needs \"name\" and \"value\""));
		return;
	}
	result = settings_understand(&c->settings, q->name, q->value, &changed, error,
				     sizeof(error));
	if (!result && settings_need_more(&changed))
		result = c->ops->respond(c->context, &changed, error, sizeof(error));
	if (!result)
		result = settings_change(&c->settings, &changed, error, sizeof(error));
	if (!result)
		c->ops->set(c->context, &c->settings);
	if (!result && !c->o->quiet)
		fprintf(stderr, "ebph: set by request: %s %s\n", q->name, q->value);
	send_result(to, result, error);
}

static void do_release(struct control *c, struct client *to, const struct request *q)
{
	u32 released;

	if (q->scope != SCOPE_PID && q->scope != SCOPE_ALL) {
		client_send(to, reply_error("release needs \"pid\" or \"all\""));
		return;
	}
	if (!c->o->delay_ms) {
		client_send(
			to,
			reply_error("nothing is delayed: delays are not switched on"));
		return;
	}
	released = c->ops->release(c->context, q->scope == SCOPE_PID ? q->pid : 0);
	client_send(to, reply_ok("released", json_integer(released)));
}

static void do_ps(struct control *c, struct client *to, const struct request *q)
{
	rows_send(c, to, q->rows ? q->rows : "processes");
}

static void do_follow(struct control *c, struct client *to, const struct request *q)
{
	(void)c;
	client_follow(to, q->text ? FOLLOW_TEXT : FOLLOW_JSON);
	client_send(to, reply_ok(NULL, NULL));
}

static const struct {
	const char *name;
	void (*act)(struct control *c, struct client *to, const struct request *q);
} requests[] = {
	{"status", do_status},
	{"pause", do_pause},
	{"resume", do_resume},
	{"save", do_save},
	{"load", do_load},
	{"get", do_get},
	{"set", do_set},
	{"ps", do_ps},
	{"normalize", control_profiles},
	{"sensitize", control_profiles},
	{"tolerize", control_profiles},
	{"reset", control_profiles},
	{"forget", control_profiles},
	{"release", do_release},
	{"follow", do_follow},
};

static void dispatch(struct control *c, struct client *to, const struct request *q)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		if (strcmp(requests[i].name, q->what))
			continue;
		requests[i].act(c, to, q);
		return;
	}
	client_send(to, reply_error("there is no request \"%.40s\"", q->what));
}

static void on_request(void *context, struct client *to, const char *line, size_t length)
{
	struct request q;
	char error[200];

	if (request_parse(line, length, &q, error, sizeof(error))) {
		client_send(to, reply_error("%s", error));
		return;
	}
	dispatch(context, to, &q);
	request_free(&q);
}

/* ---- from start to end ---- */

/* Whether O guards the whole machine until it is stopped: one such is enough. */
static bool guards_machine(const struct options *o)
{
	return !o->pid_count && !o->command && !o->exe_count && !o->not_exe_count &&
	       !o->has_uid && !o->not_uid_count && !o->cgroup && !o->comm &&
	       !o->duration_ns;
}

const char *control_default_socket(void)
{
	const char *wish = getenv("EBPH_SOCKET");

	return wish && *wish ? wish : "/run/ebph.sock";
}

int control_open(struct control *c, char *error, size_t size)
{
	const char *path = c->o->socket ? c->o->socket : control_default_socket();
	int result;

	settings_init(&c->settings, c->o, c->l);
	control_begin(c);
	if (c->o->no_socket)
		return 0;
	result = server_open(&c->server, path, on_request, c, error, size);
	if (!result || c->o->socket || guards_machine(c->o))
		return result;
	if (!c->o->quiet)
		fprintf(stderr, "ebph: going on without a control socket: %s\n", error);
	return 0;
}

void control_close(struct control *c)
{
	server_close(c->server);
	c->server = NULL;
}

void control_begin(struct control *c)
{
	c->started = c->since = moment_wall();
}

int control_fd(const struct control *c)
{
	return server_fd(c->server);
}

void control_serve(struct control *c)
{
	if (c->server)
		server_serve(c->server);
}

bool control_has_followers(const struct control *c, enum follow kind)
{
	return server_has_followers(c->server, kind);
}

void control_publish(struct control *c, enum follow kind, const char *line)
{
	char *whole = NULL;

	if (kind == FOLLOW_TEXT)
		whole = reply_line(line);
	else if (asprintf(&whole, "{\"ebph\":%d,\"event\":%s}", PROTOCOL_VERSION, line) <
		 0)
		whole = NULL;
	if (whole)
		server_publish(c->server, kind, whole);
	free(whole);
}
