/* SPDX-License-Identifier: GPL-2.0-only */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void series_add(struct series *s, double value)
{
	if (s->count < VALUES_MAX)
		s->value[s->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value at FRACTION of the way through COUNT sorted ones. */
static double quantile(const double *sorted, size_t count, double fraction)
{
	double at = fraction * (count - 1);
	size_t i = (size_t)at;

	if (i + 1 >= count)
		return sorted[count - 1];
	return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

/*
 * The largest K such that the median lies between the Kth smallest and the Kth
 * largest of COUNT values with a probability of 95 % at least, whatever their
 * distribution (the sign test); 1 when even the extremes give less.
 */
static size_t sign_rank(size_t count)
{
	double term = pow(0.5, (double)count), below = 0;
	size_t k = 0;

	while (k < count / 2 && below + term <= 0.025) {
		below += term;
		term *= (double)(count - k) / (double)(k + 1);
		k++;
	}
	return k ? k : 1;
}

struct spread series_spread(const struct series *s)
{
	struct spread r = {.count = s->count};
	double sorted[VALUES_MAX];
	size_t k;

	if (!s->count)
		return r;
	memcpy(sorted, s->value, s->count * sizeof(*sorted));
	qsort(sorted, s->count, sizeof(*sorted), compare);
	k = sign_rank(s->count);
	r.median = quantile(sorted, s->count, 0.5);
	r.q1 = quantile(sorted, s->count, 0.25);
	r.q3 = quantile(sorted, s->count, 0.75);
	r.low = sorted[k - 1];
	r.high = sorted[s->count - k];
	return r;
}

double median_of(const double *value, size_t count)
{
	struct series s = {.count = count};

	memcpy(s.value, value, count * sizeof(*value));
	return series_spread(&s).median;
}
