/* SPDX-License-Identifier: GPL-2.0-only */
#include "score.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_value_down(const void *a, const void *b)
{
	double left = ((const struct sample *)a)->value;
	double right = ((const struct sample *)b)->value;

	return (left < right) - (left > right);
}

int roc_make(struct roc *r, struct sample *samples, size_t count)
{
	size_t attacks = 0, caught = 0, alarms = 0;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < count; i++)
		attacks += samples[i].attack;
	if (!attacks || attacks == count)
		return -EINVAL;
	r->points = calloc(count + 1, sizeof(*r->points));
	if (!r->points)
		return -ENOMEM;
	qsort(samples, count, sizeof(*samples), by_value_down);
	r->count = 1;
	for (size_t i = 0; i < count; i++) {
		struct roc_point *last = &r->points[r->count - 1], *point = last + 1;

		caught += samples[i].attack;
		alarms += !samples[i].attack;
		/* Samples of one value reach the same thresholds. */
		if (i + 1 < count && by_value_down(&samples[i], &samples[i + 1]) == 0)
			continue;
		point->false_alarms = (double)alarms / (double)(count - attacks);
		point->detected = (double)caught / (double)attacks;
		r->area += (point->false_alarms - last->false_alarms) *
			   (point->detected + last->detected) / 2;
		r->count++;
	}
	return 0;
}

void roc_free(struct roc *r)
{
	free(r->points);
	memset(r, 0, sizeof(*r));
}

double roc_detected(const struct roc *r, double false_alarms)
{
	double best = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->points[i].false_alarms <= false_alarms &&
		    r->points[i].detected > best)
			best = r->points[i].detected;
	return best;
}
