/* SPDX-License-Identifier: GPL-2.0-only */
#include "summary.h"

#include <stdio.h>
#include <stdlib.h>

void summary_lost(void *context, const char *what, u64 count)
{
	struct watch *w = context;

	report_lost(&w->report, what, count);
}

u64 summary_losses(struct watch *w)
{
	return tables_losses(&w->tables, summary_lost, w) + w->tables.evicted +
	       keeper_lost(w->keeper);
}

u64 summary_anomalies(struct watch *w)
{
	summary_losses(w);
	return w->report.anomalies + w->tables.lost[LOST_ANOMALY];
}

u64 summary_calls_elsewhere(const struct watch *w)
{
	return w->tables.evicted_calls - keeper_calls(w->keeper);
}

static void on_stopped(void *context, pid_t pid, const struct stop *s)
{
	struct watch *w = context;

	report_delayed(&w->report, pid, s);
}

void summary_print(struct watch *w)
{
	struct totals totals = {.map_memory = tables_memory(&w->tables)};
	struct profile *all =
		tables_profiles(&w->tables, &totals.threads, &totals.processes);

	if (!all) {
		fprintf(stderr, "ebph: no memory for a summary\n");
		return;
	}
	/* now: who comes with what is read next may bring back what ALL has not */
	totals.system_calls = summary_calls_elsewhere(w);
	ring_read(w->ring); /* the names of profiles that are just new */
	totals.lost = summary_losses(w);
	report_summary_begin(&w->report);
	for (u32 i = 1; i <= w->tables.bounds->profiles; i++) {
		if (all[i].state == STATE_FREE)
			continue;
		totals.system_calls += all[i].count;
		if (all[i].last_used) /* those of the store that did not run are left out */
			report_profile(&w->report, i, &all[i]);
	}
	respond_each(&w->respond, on_stopped, w);
	report_summary_end(&w->report, &totals);
	free(all);
}
