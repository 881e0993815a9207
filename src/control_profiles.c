/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "control_profiles.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "identity.h"
#include "reply.h"
#include "rows.h"
#include "snapshot.h"
#include "state.h"
#include "text.h"

static const struct verb_name {
	const char *name;
	enum verb verb;
} verbs[] = {
	{"normalize", VERB_NORMALIZE}, {"sensitize", VERB_SENSITIZE},
	{"tolerize", VERB_TOLERIZE},   {"reset", VERB_RESET},
	{"forget", VERB_RETIRE},
};

/* What is being done, profile by profile, as the client reads. */
struct work {
	struct control *control;
	const struct verb_name *verb;
	struct snapshot snapshot;
	u32 *chosen; /* places in the snapshot's list of profiles */
	u32 count, at, failed;
	bool told;
};

/* ---- which ---- */

static bool has_path(const struct control *c, const struct snapshot_profile *p,
		     const char *wanted)
{
	const char *path = c->ops->exe(c->context, p->slot, &p->identity);
	char *text = path ? text_escape(path, strlen(path), TEXT_JSON) : NULL;
	bool has = text && !strcmp(text, wanted);

	free(text);
	return has;
}

static bool runs(const struct snapshot *s, u32 profile, u32 pid)
{
	for (u32 i = 0; i < s->thread_count; i++)
		if (s->threads[i].pid == pid && s->threads[i].profile == profile)
			return true;
	return false;
}

static bool is_chosen(const struct work *w, u32 place, const struct request *q)
{
	const struct snapshot_profile *p = &w->snapshot.profiles[place];

	switch (q->scope) {
	case SCOPE_ALL:
		return true;
	case SCOPE_PID:
		return runs(&w->snapshot, place, q->pid);
	case SCOPE_EXE:
		return has_path(w->control, p, q->exe);
	case SCOPE_KEY:
		return identity_key(&p->identity) == q->key;
	default:
		return false;
	}
}

static char *none_chosen(const struct request *q)
{
	switch (q->scope) {
	case SCOPE_PID:
		return reply_error("no process with the id %u is watched", q->pid);
	case SCOPE_EXE:
		return reply_error("no profile is of %s", q->exe);
	case SCOPE_KEY:
		return reply_error("no profile has the key %016" PRIx64, q->key);
	case SCOPE_ALL:
		return reply_error("there is no profile yet");
	default:
		return reply_error("%s needs \"pid\", \"exe\", \"key\" or \"all\"",
				   q->what);
	}
}

/* ---- doing it ---- */

/* What is in SLOT now, if it is still the profile ID; false: it is not. */
static bool look(const struct control *c, u32 slot, const struct identity *id,
		 struct profile *p)
{
	return !tables_read(c->tables, slot, p) && !memcmp(&p->identity, id, sizeof(*id));
}

static int forget(const struct control *c, const struct snapshot_profile *p)
{
	int answer = tables_forget(c->tables, p->slot);

	if (answer == ANSWER_DONE)
		c->ops->forget(c->context, p->slot, &p->identity);
	return answer;
}

/* What came of it, in a word. */
static const char *act(struct work *w, const struct snapshot_profile *p)
{
	const struct control *c = w->control;
	bool waits = c->ops->waits(c->context, p->slot);
	/* what waits must not come when it was reset */
	bool forgets =
		w->verb->verb == VERB_RETIRE || (w->verb->verb == VERB_RESET && waits);
	int answer;

	if (waits && !forgets) {
		w->failed++;
		return "its profile waits on disk for room";
	}
	if (forgets)
		answer = forget(c, p);
	else
		answer = tables_command(c->tables, p->slot, w->verb->verb);
	w->failed += answer != ANSWER_DONE;
	return answer_text(answer);
}

/* The row of P, before and after. */
static json_t *act_and_tell(struct work *w, const struct snapshot_profile *p,
			    struct profile *now)
{
	json_t *row = rows_profile(w->control, p);

	json_object_set_new(row, "was", json_string(state_text(p->state)));
	if (!look(w->control, p->slot, &p->identity, now)) {
		w->failed++;
		json_object_set_new(row, "result", json_string("gone"));
	} else {
		json_object_set_new(row, "result", json_string(act(w, p)));
	}
	if (look(w->control, p->slot, &p->identity, now))
		json_object_set_new(row, "state", json_string(state_text(now->state)));
	else
		json_object_set_new(row, "state", json_string("free"));
	return row;
}

static json_t *step(struct work *w)
{
	struct profile *now;
	json_t *row;

	if (w->at == w->count)
		return NULL;
	now = malloc(sizeof(*now));
	if (!now)
		return NULL;
	row = act_and_tell(w, &w->snapshot.profiles[w->chosen[w->at++]], now);
	free(now);
	return row;
}

static void say_what_was_done(const struct work *w)
{
	if (!w->control->o->quiet)
		fprintf(stderr, "ebph: %s by request: %u profile%s, %u failed\n",
			w->verb->name, w->count, w->count == 1 ? "" : "s", w->failed);
}

static char *next(void *context)
{
	struct work *w = context;
	json_t *row = step(w);

	if (row)
		return reply_row(row);
	if (w->told)
		return NULL;
	w->told = true;
	say_what_was_done(w);
	return reply_ok("failed", json_integer(w->failed));
}

static void end(void *context)
{
	struct work *w = context;

	for (json_t *row = step(w); row; row = step(w))
		json_decref(row);
	if (!w->told)
		say_what_was_done(w);
	snapshot_free(&w->snapshot);
	free(w->chosen);
	free(w);
}

static void choose(struct work *w, const struct request *q)
{
	for (u32 i = 0; i < w->snapshot.profile_count; i++)
		if (is_chosen(w, i, q))
			w->chosen[w->count++] = i;
}

void control_profiles(struct control *c, struct client *to, const struct request *q)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w || snapshot_take(&w->snapshot, c->tables)) {
		client_send(to, NULL);
		free(w);
		return;
	}
	w->control = c;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verbs[i].name, q->what))
			w->verb = &verbs[i];
	w->chosen = calloc((size_t)w->snapshot.profile_count + 1, sizeof(*w->chosen));
	if (w->chosen)
		choose(w, q);
	if (w->count) {
		client_stream(to, &(struct stream){w, next, end});
		return;
	}
	client_send(to, w->chosen ? none_chosen(q) : NULL);
	w->told = true;
	end(w);
}
