/* SPDX-License-Identifier: GPL-2.0-only */
/* Events and summaries, as text (columns.h) or JSON Lines (jsonl.h). Decides nothing. */
#ifndef EBPH_REPORT_H
#define EBPH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "cgroup.h"
#include "moment.h"
#include "options.h"
#include "syscalls.h"
#include "types.h"
#include "model.h"

/* What an executable was called when its profile was new. */
struct report_name {
	char *path; /* NULL: not told; "": it has none */
	struct identity identity;
};

/* A row of a summary. */
struct report_row {
	u32 slot;
	const struct profile *profile;
};

/* What a recorded trace tells, where there is no kernel. */
struct report_trace {
	const char *file; /* that the events are of */
	bool has_clock;	  /* times are ns since 1970; else there is no time */
	u64 now;	  /* the trace's last */
	struct syscall_namer names;
};

/* A process that is stopped until its delay is over. */
struct report_delay {
	u32 pid;
	struct stop stop;
};

struct report {
	FILE *out, *messages;
	bool json, quiet, timestamp, color;
	struct journal *journal; /* where events go instead of OUT; NULL: nowhere else */
	bool header_done;
	u32 slots;		   /* profiles that may exist, slots 1..slots */
	struct report_name *names; /* by slot */
	struct report_row *rows;   /* of the summary that is being made */
	u32 row_count;
	bool delays; /* summaries tell of them */
	struct report_delay *delayed;
	u32 delayed_count, delayed_room;
	struct moment moment;
	const struct report_trace *trace; /* the caller's; NULL: events of the kernel */
	struct cgroups cgroups;
	int error;     /* errno of the first write that failed; 0: none */
	u64 anomalies; /* printed */
};

struct totals {
	u64 system_calls, lost;
	u64 map_memory; /* bytes */
	u32 processes, threads;
};

/*
 * Make R for SLOTS profiles, printing to OUT as O says; 0 or -ENOMEM. Messages also go
 * to standard error. report_free() frees it; OUT stays the caller's.
 */
int report_init(struct report *r, const struct options *o, FILE *out, u32 slots);
void report_free(struct report *r);

/* From now on events, losses and messages go to systemd's journal, if OUT leads to it. */
void report_to_journal(struct report *r);

/* Make room for SLOTS profiles, if R has less; 0 or -ENOMEM. Not during a summary. */
int report_grow(struct report *r, u32 slots);

/*
 * All is attached: what the run is. KERNEL: its release; HEADERS: what the program was
 * compiled against. (JSON only.)
 */
void report_start(struct report *r, const struct options *o, const char *kernel,
		  const char *headers);

/*
 * Print E, an event of SIZE bytes with what follows it. (No path follows an event of a
 * trace: report_name() is told it.)
 */
void report_event(struct report *r, const struct event *e, size_t size);

/*
 * SLOT now holds the profile of ID, whose executable is PATH (copied; NULL: not known).
 * Names that come with events are taken by report_event() itself.
 */
void report_name(struct report *r, u32 slot, const struct identity *id, const char *path);

/*
 * E's line, without its end, as text or JSON whatever R prints, to be freed; NULL: it is
 * no event that is printed, or no memory. E was given to report_event() before.
 */
char *report_render(struct report *r, const struct event *e, size_t size, bool json);

/* The path of SLOT's executable, if ID is what it was told of; NULL: not known. */
const char *report_exe(const struct report *r, u32 slot, const struct identity *id);

/*
 * A summary: begin, then each profile, with all that its threads held back settled
 * (P must stay as it is until the end), and each process that is stopped by S, then the
 * end, which prints.
 */
void report_summary_begin(struct report *r);
void report_profile(struct report *r, u32 slot, const struct profile *p);
void report_delayed(struct report *r, pid_t pid, const struct stop *s);
void report_summary_end(struct report *r, const struct totals *t);

/* COUNT more of WHAT were lost. */
void report_lost(struct report *r, const char *what, u64 count);

/* MESSAGE, a sentence, and what it concerns: SUBJECT, or NULL. */
void report_warning(struct report *r, const char *message, const char *subject);
void report_error(struct report *r, const char *message, const char *subject);

#endif
