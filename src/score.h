/* SPDX-License-Identifier: GPL-2.0-only */
/* How well a measure tells attacks from what is normal. */
#ifndef EBPH_SCORE_H
#define EBPH_SCORE_H

#include <stdbool.h>
#include <stddef.h>

/* What was measured in one process. */
struct sample {
	double value; /* the higher, the more suspicious */
	bool attack;
};

struct roc_point {
	double false_alarms; /* share of normal samples that reach a threshold, 0..1 */
	double detected;     /* share of attacks that do */
};

/* The receiver operating characteristic: a point for each threshold. */
struct roc {
	struct roc_point *points; /* from (0, 0) to (1, 1) */
	size_t count;
	double area; /* the chance that an attack's value is above a normal one's, a tie half */
};

/*
 * Make R of COUNT SAMPLES, which are sorted by this. 0, -EINVAL without a sample of
 * each kind, or -ENOMEM. roc_free() frees it.
 */
int roc_make(struct roc *r, struct sample *samples, size_t count);
void roc_free(struct roc *r);

/* The highest share of attacks detected at a threshold with at most FALSE_ALARMS. */
double roc_detected(const struct roc *r, double false_alarms);

#endif
