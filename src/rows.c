/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "rows.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "moment.h"
#include "reply.h"
#include "state.h"
#include "text.h"
#include "stopped.h"
#include "timestamp.h"

/* Rows that are being sent: made one by one, as the client reads. */
struct rows {
	const struct control *control;
	struct snapshot snapshot;
	u32 at, sent;
	bool told;
	json_t *(*row)(struct rows *r);
};

/* ---- members ---- */

static json_t *number(u64 value)
{
	return json_integer((json_int_t)value);
}

static json_t *text_of(const char *bytes)
{
	char *text = bytes ? text_escape(bytes, strlen(bytes), TEXT_JSON) : NULL;
	json_t *j = text ? json_string(text) : json_null();

	free(text);
	return j;
}

/* The command name of thread or process ID; null: it is gone. */
static json_t *comm_of(u32 id)
{
	char path[48], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/comm", id);
	f = fopen(path, "re");
	if (!f)
		return json_null();
	if (!fgets(comm, sizeof(comm), f))
		comm[0] = '\0';
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	return text_of(comm);
}

static void add_profile(json_t *row, const struct control *c,
			const struct snapshot_profile *p)
{
	char text[TIMESTAMP_TEXT], key[IDENTITY_KEY_TEXT];
	struct moment moment = {0};

	json_object_set_new(row, "key",
			    json_string(identity_key_text(&p->identity, key)));
	json_object_set_new(row, "exe",
			    text_of(c->ops->exe(c->context, p->slot, &p->identity)));
	json_object_set_new(row, "state", json_string(state_text(p->state)));
	json_object_set_new(row, "count", number(p->count));
	json_object_set_new(row, "train_count", number(p->train_count));
	json_object_set_new(row, "last_mod_count", number(p->last_mod_count));
	json_object_set_new(row, "sequences", number(p->sequences));
	json_object_set_new(row, "anomalies", number(p->anomalies));
	if (p->state == STATE_FROZEN)
		json_object_set_new(
			row, "normal_time",
			json_string(timestamp_text(moment_real(&moment, p->normal_time),
						   text, sizeof(text))));
}

/* Until when process PID is stopped, if it is. */
static void add_delay(json_t *row, const struct control *c, u32 pid)
{
	char text[TIMESTAMP_TEXT];
	struct moment moment = {0};
	struct stop s;

	if (c->l->stops >= 0 && stopped_get(c->l->stops, (pid_t)pid, &s))
		json_object_set_new(
			row, "delayed_until",
			json_string(timestamp_text(moment_real(&moment, s.due), text,
						   sizeof(text))));
}

json_t *rows_profile(const struct control *c, const struct snapshot_profile *p)
{
	json_t *row = json_object();

	if (row)
		add_profile(row, c, p);
	return row;
}

/* ---- rows ---- */

static json_t *thread_row(struct rows *r)
{
	const struct snapshot *s = &r->snapshot;
	const struct snapshot_thread *t = &s->threads[r->at];
	json_t *row;

	if (r->at == s->thread_count)
		return NULL;
	r->at++;
	row = json_pack("{s:i, s:i, s:o, s:i, s:i}", "pid", (int)t->pid, "tid",
			(int)t->tid, "comm", comm_of(t->tid), "lfc", (int)t->lfc,
			"max_lfc", (int)t->max_lfc);
	add_profile(row, r->control, &s->profiles[t->profile]);
	add_delay(row, r->control, t->pid);
	return row;
}

/* A process's LFC is the largest of its threads'. */
static json_t *process_row(struct rows *r)
{
	const struct snapshot *s = &r->snapshot;
	const struct snapshot_thread *t = &s->threads[r->at];
	u32 lfc = 0, max_lfc = 0, count;
	json_t *row;

	if (r->at == s->thread_count)
		return NULL;
	count = snapshot_process(s, r->at);
	for (u32 i = 0; i < count; i++) {
		lfc = t[i].lfc > lfc ? t[i].lfc : lfc;
		max_lfc = t[i].max_lfc > max_lfc ? t[i].max_lfc : max_lfc;
	}
	r->at += count;
	row = json_pack("{s:i, s:o, s:i, s:i, s:i}", "pid", (int)t->pid, "comm",
			comm_of(t->pid), "threads", (int)count, "lfc", (int)lfc,
			"max_lfc", (int)max_lfc);
	add_profile(row, r->control, &s->profiles[t->profile]);
	add_delay(row, r->control, t->pid);
	return row;
}

static json_t *profile_row(struct rows *r)
{
	const struct snapshot *s = &r->snapshot;
	json_t *row;

	if (r->at == s->profile_count)
		return NULL;
	row = rows_profile(r->control, &s->profiles[r->at]);
	json_object_set_new(row, "threads", number(s->profiles[r->at].threads));
	r->at++;
	return row;
}

static char *next(void *context)
{
	struct rows *r = context;
	json_t *row = r->row(r);

	if (row) {
		r->sent++;
		return reply_row(row);
	}
	if (r->told)
		return NULL;
	r->told = true;
	return reply_ok("rows", number(r->sent));
}

static void end(void *context)
{
	struct rows *r = context;

	snapshot_free(&r->snapshot);
	free(r);
}

static const struct {
	const char *name;
	json_t *(*row)(struct rows *r);
} kinds[] = {
	{"processes", process_row},
	{"threads", thread_row},
	{"profiles", profile_row},
};

void rows_send(struct control *c, struct client *to, const char *what)
{
	struct rows *r = calloc(1, sizeof(*r));

	for (size_t i = 0; r && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, what))
			r->row = kinds[i].row;
	if (r && !r->row) {
		client_send(to, reply_error("\"rows\" must be \"processes\", \"threads\" "
					    "or \"profiles\""));
		free(r);
		return;
	}
	if (!r || snapshot_take(&r->snapshot, c->tables)) {
		client_send(to, NULL);
		free(r);
		return;
	}
	r->control = c;
	client_stream(to, &(struct stream){.context = r, .next = next, .end = end});
}
