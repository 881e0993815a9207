/* SPDX-License-Identifier: GPL-2.0-only */
/* What replay prints: rows, events as the live tool prints them, a summary, progress. */
#ifndef EBPH_ACCOUNT_H
#define EBPH_ACCOUNT_H

#include <stdbool.h>
#include <stdio.h>

#include "judge.h"
#include "report.h"
#include "symbols.h"

struct account {
	FILE *out;
	bool json;
	const struct symbols *symbols;
	const struct judge *judge;
	struct report report; /* prints into MEMORY */
	FILE *memory;
	char *text;
	size_t size;
	const char *file; /* that is read */
	bool rows_begun;
	int error; /* errno of the first write that failed; 0: none */
};

/* 0 or -ENOMEM. account_free() ends it. */
int account_init(struct account *a, FILE *out, bool json, const struct judge *j,
		 const struct symbols *s);
void account_free(struct account *a);

/* Event E of the profile EXE; as struct judge's tell. */
void account_event(struct account *a, const struct event *e, const char *exe);

/* A row: process P of FILE. */
void account_row(struct account *a, const char *file, const struct process *p);

/* All profiles as they are now. */
void account_summary(struct account *a);

/* A line of text, or one JSON object (freed here), goes out. */
void account_json(struct account *a, struct json_t *j);
void account_flush(struct account *a);

/* TEXT as a JSON string, bytes that are not UTF-8 being '?'. */
struct json_t *account_string(const char *text);

#endif
