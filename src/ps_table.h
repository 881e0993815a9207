/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of `ebph ps`: filtered, sorted, and laid out for a terminal or a pipe. */
#ifndef EBPH_PS_TABLE_H
#define EBPH_PS_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "types.h"

enum { PS_COLUMNS = 20 };

struct ps_column;

/* What to show, and how. */
struct ps_layout {
	const struct ps_column *columns[PS_COLUMNS];
	size_t column_count;
	struct {
		const struct ps_column *column;
		bool descends;
	} order[PS_COLUMNS]; /* the first decides */
	size_t order_count;
	bool no_header;
};

/* Rows as ebph sends them; zeroed before its first use. */
struct ps_table {
	json_t **rows;
	size_t count, room;
};

/*
 * Set the columns of L to LIST, names separated by commas: 0, or -EINVAL with the bad
 * name in ERROR (SIZE bytes). ps_order() likewise, each with + or - before it or not.
 */
int ps_columns(struct ps_layout *l, const char *list, char *error, size_t size);
int ps_order(struct ps_layout *l, const char *list, char *error, size_t size);

/* Keep ROW: 0 or -ENOMEM. */
int ps_table_add(struct ps_table *t, json_t *row);
void ps_table_clear(struct ps_table *t); /* and free it */

void ps_table_sort(struct ps_table *t, const struct ps_layout *l);

/* Print T to OUT in lines of at most WIDTH characters; 0: of any length. */
void ps_table_print(const struct ps_table *t, const struct ps_layout *l, FILE *out,
		    size_t width);

#endif
