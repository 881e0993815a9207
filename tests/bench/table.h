/* SPDX-License-Identifier: GPL-2.0-only */
/* The measurement as text, JSON and SVG. Prints; decides nothing. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdio.h>

#include "figures.h"

/* Where and how it was measured, for the reader of a table. */
struct setting {
	char kernel[128], cpu[128], time[32];
	int cpus;
	double load; /* of the last minute, before the measurement */
	int rounds;
};

void table_text(FILE *out, const struct bench *b, const struct resources *r,
		const struct figure *figures, const struct setting *s);

/* One object on one line. */
void table_json(FILE *out, const struct bench *b, const struct resources *r,
		const struct figure *figures, const struct setting *s);

/* A plot of what watching adds to each job; see plot.c. */
void table_svg(FILE *out, const struct bench *b, const struct setting *s);

#endif
