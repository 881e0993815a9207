/* SPDX-License-Identifier: GPL-2.0-only */
/* What replay prints: rows, events as the live tool prints them, a summary. */
#ifndef EBPH_ACCOUNT_H
#define EBPH_ACCOUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "judge.h"
#include "report.h"
#include "symbols.h"

struct account {
	FILE *out;
	bool json;
	const struct judge *judge;
	struct report report;
	struct report_trace trace; /* what REPORT knows */
	u32 processes;		   /* rows so far */
	bool rows_begun;
	int error; /* errno of the first write that failed; 0: none */
};

/* 0 or -ENOMEM. account_free() ends it; J and S stay the caller's, as does OUT. */
int account_init(struct account *a, FILE *out, bool json, const struct judge *j,
		 const struct symbols *s);
void account_free(struct account *a);

/* FILE, which must stay as it is until the next, is read from now on. */
void account_file(struct account *a, const char *file);

/* Event E of the profile EXE; as struct judge's tell. */
void account_event(struct account *a, const struct event *e, const char *exe);

/* A row: process P of FILE. */
void account_row(struct account *a, const char *file, const struct process *p);

/* All profiles as they are now. */
void account_summary(struct account *a);

/* A line of text, or one JSON object (freed here), goes out. */
void account_json(struct account *a, json_t *j);
void account_flush(struct account *a);

#endif
