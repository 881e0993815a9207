/* SPDX-License-Identifier: GPL-2.0-only */
/* Events and summaries as lines of text, in the manner of bcc's tools. */
#ifndef EBPH_COLUMNS_H
#define EBPH_COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "syscalls.h"
#include "types.h"
#include "model.h"

/* What an event's struct does not say of it, and how it is to look. */
struct columns {
	const char *time; /* first column; NULL: none */
	const char *exe;  /* NULL: not known; "": it has no path */
	const char
		*cgroup; /* of anomalies and sequences in containers; NULL: no matter */
	const struct syscall_namer *names; /* NULL: this machine's calls */
	bool color;
};

/* Write the line over events, with a column for the time or not. */
void columns_event_header(FILE *out, bool time);

/* Write E's line. */
void columns_event(FILE *out, const struct event *e, const struct columns *c);

/* Write the line over profiles; DATES: some have a date (columns_profile()). */
void columns_profile_header(FILE *out, bool dates);

/* Write P's line; NORMAL_TIME: local date and time, NULL: none; DATES as above. */
void columns_profile(FILE *out, const struct profile *p, const char *normal_time,
		     bool dates, const struct columns *c);

/* Write BYTES in few digits: "0", "512", "9.5K", "12.0M". */
void columns_size(FILE *out, u64 bytes);

/* A stopped process: its id, LFC, and until when (local time). Of C: exe. */
void columns_delayed_header(FILE *out);
void columns_delayed(FILE *out, u32 pid, u32 lfc, const char *until,
		     const struct columns *c);

#endif
