/* SPDX-License-Identifier: GPL-2.0-only */
/* Medians and how far they can be trusted. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

enum { VALUES_MAX = 256 };

struct series {
	size_t count;
	double value[VALUES_MAX];
};

struct spread {
	size_t count;
	double median;
	double low, high; /* 95 % confidence interval of the median; see stats.c */
	double q1, q3;	  /* quartiles */
};

/* Add VALUE to S; what exceeds VALUES_MAX is left out. */
void series_add(struct series *s, double value);

/* What S, in any order, says; all zero when it is empty. */
struct spread series_spread(const struct series *s);

/* The median of COUNT values, 1..VALUES_MAX. */
double median_of(const double *value, size_t count);

#endif
