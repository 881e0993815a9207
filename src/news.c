/* SPDX-License-Identifier: GPL-2.0-only */
#include "news.h"

#include <stdlib.h>

/* Events that the kernel side sends for --verbose only. */
static bool is_verbose(const struct event *e)
{
	return e->type == EVENT_SEQUENCE || e->type == EVENT_EXEC ||
	       e->type == EVENT_EXIT;
}

/* An event for those who follow. */
static void follow_event(struct watch *w, const struct event *e, size_t size)
{
	for (enum follow kind = FOLLOW_JSON; kind <= FOLLOW_TEXT; kind++) {
		char *line;

		if (!control_has_followers(&w->control, kind))
			continue;
		line = report_render(&w->report, e, size, kind == FOLLOW_JSON);
		if (line)
			control_publish(&w->control, kind, line);
		free(line);
	}
}

static void on_event(void *context, const struct event *e, size_t size)
{
	struct watch *w = context;

	respond_event(&w->respond, e);
	if (is_verbose(e) && w->verbosity != VERBOSITY_VERBOSE)
		return;
	report_event(&w->report, e, size);
	follow_event(w, e, size);
	if (e->type == EVENT_PROFILE)
		keeper_arrived(w->keeper, e->slot, &e->identity,
			       report_exe(&w->report, e->slot, &e->identity));
	else if (e->type == EVENT_NORMAL)
		keeper_ripened(w->keeper, e->slot);
}

struct ring *news_open(struct watch *w)
{
	return ring_open(w->l, on_event, w);
}
