/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as entries of systemd's journal, with fields to search for. */
#ifndef EBPH_JOURNAL_H
#define EBPH_JOURNAL_H

#include <stdio.h>

struct journal;

/*
 * The journal, if OUT leads to it and ebph was built with libsystemd, which is loaded
 * here; NULL: print lines to OUT. journal_close() frees it.
 */
struct journal *journal_open(FILE *out);
void journal_close(struct journal *j);

/*
 * Enter TEXT with the members of JSON, an event's object, as fields: their names in
 * capital letters, EVENT=anomaly. 0 or -errno.
 */
int journal_event(struct journal *j, const char *text, const char *json);

#endif
