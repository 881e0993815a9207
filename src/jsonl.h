/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON object of each event; the manual's FIELDS say what is in them. */
#ifndef EBPH_JSONL_H
#define EBPH_JSONL_H

#include <jansson.h>

#include "options.h"
#include "syscalls.h"
#include "types.h"
#include "model.h"

/* What an event's struct does not say of it. */
struct jsonl_context {
	const char *time;	 /* RFC 3339; NULL: a trace without a clock */
	const char *exe;	 /* NULL: not known */
	const char *cgroup;	 /* of anomalies and sequences */
	const char *normal_time; /* RFC 3339; NULL: it is not frozen */
	const char *until;	 /* RFC 3339; of delays */
	/*
	 * The trace that it comes from; NULL: from the kernel. What a trace does not tell
	 * is left out: users, identities, cgroups, parents and names where not known.
	 */
	const char *file;
	const struct syscall_namer *names; /* NULL: this machine's calls */
};

/* All objects are new: json_decref() them. NULL: no memory. */

json_t *jsonl_event(const struct event *e, const struct jsonl_context *c);

/* P's row in a summary; of C: exe, normal_time. */
json_t *jsonl_profile(const struct profile *p, const struct jsonl_context *c);

/* The settings of a run; filters only where O has them, durations in seconds. */
json_t *jsonl_settings(const struct options *o);

/* BYTES, ended by 0, as a string (see TEXT_JSON in text.h); NULL: null. */
json_t *jsonl_text(const char *bytes);

/* "anomaly", ... for an enum event_type; NULL: there is none. */
const char *jsonl_event_name(u32 type);

#endif
