/* SPDX-License-Identifier: GPL-2.0-only */
/* Pictures of results. */
#ifndef EBPH_PLOT_H
#define EBPH_PLOT_H

#include <stddef.h>
#include <stdio.h>

#include "score.h"

struct plot_roc {
	const char *name;
	const struct roc *roc;
};

/* Draw COUNT (at most 4) curves with their areas, as SVG; 0 or -ENOMEM. */
int plot_roc(FILE *f, const char *title, const struct plot_roc *curves, size_t count);

#endif
