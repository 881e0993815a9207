/* SPDX-License-Identifier: GPL-2.0-only */
/* What a watching ebph has seen so far. */
#ifndef EBPH_SUMMARY_H
#define EBPH_SUMMARY_H

#include "types.h"
#include "watcher.h"

/* Tell of COUNT lost, what: WHAT. CONTEXT: the struct watch. */
void summary_lost(void *context, const char *what, u64 count);

/* All that was lost so far; what is new since the last time is told. */
u64 summary_losses(struct watch *w);

/* Anomalies so far, also those that were counted only. */
u64 summary_anomalies(struct watch *w);

/* To be added to the calls that the profiles count: of those that left, less those loaded. */
u64 summary_calls_elsewhere(const struct watch *w);

/* Print all profiles, the totals, and who is delayed. */
void summary_print(struct watch *w);

#endif
