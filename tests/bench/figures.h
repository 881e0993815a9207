/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures with targets, and whether the measurement can tell that they are met. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>

#include "measure.h"
#include "resources.h"

enum verdict {
	VERDICT_NONE, /* not measured */
	VERDICT_MET,
	VERDICT_MISSED,
	VERDICT_UNCLEAR, /* the spread is too large to say, or WHY */
};

struct figure {
	const char *name, *title, *unit;
	double target;	   /* at most */
	const char *paper; /* the thesis's own, or NULL */
	struct spread value;
	enum verdict verdict;
	char why[160]; /* of VERDICT_UNCLEAR and VERDICT_NONE */
};

enum { FIGURES = 18 };

/* All figures, from what B and R hold. */
void figures_make(const struct bench *b, const struct resources *r,
		  struct figure figures[FIGURES]);

/* What the readings of one job say, in ns and per cent; spreads over the cycles. */
struct effect {
	struct spread none, empty, with; /* the last two: time added */
	struct spread ratio;		 /* added by ebph to added by the empty probe */
	struct spread percent, empty_percent; /* slow-down */
	bool foreign; /* all of them were disturbed by others' programs */
};

/* Gives false when there are no readings. */
bool effect_of(const struct bench *b, enum job_id job, enum way way, struct effect *e);

#endif
