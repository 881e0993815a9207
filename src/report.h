/* SPDX-License-Identifier: GPL-2.0-only */
/* Events and summaries as text or JSON Lines. Prints; decides nothing. */
#ifndef EBPH_REPORT_H
#define EBPH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "types.h"
#include "model.h"

struct report {
	FILE *out;
	bool json, quiet, timestamp;
	u32 slots;  /* profiles that may exist, slots 1..slots */
	char **exe; /* path of each slot */
	bool header_done;
	int error;		/* errno of the first write that failed; 0: none */
	u64 anomalies;		/* printed */
	struct json_t *summary; /* rows so far */
};

struct totals {
	u64 system_calls, lost;
	u32 threads;
};

/* Make R for SLOTS profiles; 0 or -ENOMEM. report_free() frees it. */
int report_init(struct report *r, FILE *out, u32 slots);
void report_free(struct report *r);

/* Print E, an event of SIZE bytes with what follows it. */
void report_event(struct report *r, const struct event *e, size_t size);

/* One profile's row; P with all that its threads held back settled. */
void report_profile(struct report *r, u32 slot, const struct profile *p);

/* What frames the rows of a summary. */
void report_summary_begin(struct report *r);
void report_summary_end(struct report *r, const struct totals *t);

/* COUNT more of WHAT were lost. */
void report_lost(struct report *r, const char *what, u64 count);

#endif
