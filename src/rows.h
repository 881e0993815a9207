/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes, threads and profiles as rows for `ebph ps`. */
#ifndef EBPH_ROWS_H
#define EBPH_ROWS_H

#include <jansson.h>

#include "control.h"
#include "snapshot.h"

/* Answer TO with WHAT: "processes", "threads" or "profiles", as they are now. */
void rows_send(struct control *c, struct client *to, const char *what);

/* The object of P; new; NULL: no memory. */
json_t *rows_profile(const struct control *c, const struct snapshot_profile *p);

#endif
