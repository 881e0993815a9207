/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "ps_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "moment.h"
#include "text.h"
#include "timestamp.h"

enum { EXE_MIN = 12 }; /* characters that a path keeps, however narrow the terminal */

struct ps_column {
	const char *name; /* in the list of --sort, -o */
	const char *member;
	const char *header;
	bool is_number;
};

static const struct ps_column columns[] = {
	{"pid", "pid", "PID", false},
	{"tid", "tid", "TID", false},
	{"comm", "comm", "COMM", false},
	{"key", "key", "KEY", false},
	{"exe", "exe", "EXE", false},
	{"state", "state", "STATE", false},
	{"count", "count", "COUNT", true},
	{"train_count", "train_count", "TRAIN_COUNT", true},
	{"last_mod", "last_mod_count", "LAST_MOD", true},
	{"sequences", "sequences", "SEQUENCES", true},
	{"anomalies", "anomalies", "ANOMALIES", true},
	{"lfc", "lfc", "LFC", true},
	{"max_lfc", "max_lfc", "MAX_LFC", true},
	{"threads", "threads", "THREADS", true},
	{"normal_time", "normal_time", "NORMAL TIME", false},
	{"delayed", "delayed_until", "DELAYED UNTIL", false},
};

/* ---- which ---- */

static const struct ps_column *find(const char *name)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		if (!strcmp(columns[i].name, name))
			return &columns[i];
	return NULL;
}

static int unknown(const char *name, char *error, size_t size)
{
	snprintf(error, size, "no column has the name '%s'; there are:", name);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		size_t used = strlen(error);

		snprintf(error + used, size - used, " %s", columns[i].name);
	}
	return -EINVAL;
}

int ps_columns(struct ps_layout *l, const char *list, char *error, size_t size)
{
	char *copy = strdup(list), *rest = copy, *name;
	int result = copy ? 0 : -ENOMEM;

	l->column_count = 0;
	while (!result && (name = strsep(&rest, ","))) {
		const struct ps_column *column = find(name);

		if (!column)
			result = unknown(name, error, size);
		else if (l->column_count < PS_COLUMNS)
			l->columns[l->column_count++] = column;
	}
	free(copy);
	return result;
}

int ps_order(struct ps_layout *l, const char *list, char *error, size_t size)
{
	char *copy = strdup(list), *rest = copy, *name;
	int result = copy ? 0 : -ENOMEM;

	l->order_count = 0;
	while (!result && (name = strsep(&rest, ","))) {
		bool descends = *name == '-';
		const struct ps_column *column = find(name + strspn(name, "+-"));

		if (!column)
			result = unknown(name, error, size);
		else if (l->order_count < PS_COLUMNS) {
			l->order[l->order_count].column = column;
			l->order[l->order_count++].descends = descends;
		}
	}
	free(copy);
	return result;
}

/* ---- rows ---- */

int ps_table_add(struct ps_table *t, json_t *row)
{
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 256;
		json_t **rows = reallocarray(t->rows, room, sizeof(json_t *));

		if (!rows)
			return -ENOMEM;
		t->rows = rows;
		t->room = room;
	}
	t->rows[t->count++] = json_incref(row);
	return 0;
}

void ps_table_clear(struct ps_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		json_decref(t->rows[i]);
	free(t->rows);
	*t = (struct ps_table){0};
}

/* What is not there comes last. */
static int compare_values(const json_t *a, const json_t *b)
{
	const char *s = json_string_value(a), *t = json_string_value(b);
	json_int_t x = json_integer_value(a), y = json_integer_value(b);

	if (json_is_integer(a) && json_is_integer(b))
		return (x > y) - (x < y);
	return s && t ? strcmp(s, t) : !s - !t;
}

static int compare_rows(const void *a, const void *b, void *context)
{
	json_t *const *x = a, *const *y = b;
	const struct ps_layout *l = context;
	int result = 0;

	for (size_t i = 0; i < l->order_count && !result; i++) {
		const char *member = l->order[i].column->member;

		result = compare_values(json_object_get(*x, member),
					json_object_get(*y, member));
		if (l->order[i].descends)
			result = -result;
	}
	return result;
}

void ps_table_sort(struct ps_table *t, const struct ps_layout *l)
{
	if (t->count)
		qsort_r(t->rows, t->count, sizeof(json_t *), compare_rows, (void *)l);
}

/* ---- printing ---- */

/* A time as it is on the clock on the wall. */
static char *local_time(const char *text)
{
	char date[MOMENT_TEXT];
	u64 ns;

	return timestamp_parse(text, &ns) ? strdup(text) : strdup(moment_date(ns, date));
}

/* What ROW has in column C, to be freed; NULL: no memory. */
static char *cell(const json_t *row, const struct ps_column *c)
{
	const json_t *value = json_object_get(row, c->member);
	const char *text = json_string_value(value);
	char *number;

	if (json_is_integer(value)) {
		if (asprintf(&number, "%" JSON_INTEGER_FORMAT,
			     json_integer_value(value)) < 0)
			return NULL;
		return number;
	}
	if (!text || !*text)
		return strdup("-");
	if (!strcmp(c->name, "normal_time") || !strcmp(c->name, "delayed"))
		return local_time(text);
	return connection_text(text, !strcmp(c->name, "exe") ? TEXT_LINE : TEXT_WORD);
}

/* The widest of each column. */
static void measure(const struct ps_table *t, const struct ps_layout *l,
		    size_t widths[PS_COLUMNS])
{
	for (size_t i = 0; i < l->column_count; i++) {
		widths[i] = l->no_header ? 0 : strlen(l->columns[i]->header);
		for (size_t j = 0; j < t->count; j++) {
			char *text = cell(t->rows[j], l->columns[i]);
			size_t length = text ? text_characters(text) : 0;

			if (length > widths[i])
				widths[i] = length;
			free(text);
		}
	}
}

/* Take from the column of paths what the lines are too long by. */
static void fit(const struct ps_layout *l, size_t widths[PS_COLUMNS], size_t width)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->column_count; i++)
		sum += widths[i] + (i != 0);
	for (size_t i = 0; i < l->column_count && width; i++) {
		size_t less = sum > width ? sum - width : 0;

		if (strcmp(l->columns[i]->name, "exe"))
			continue;
		if (widths[i] < less + EXE_MIN)
			less = widths[i] > EXE_MIN ? widths[i] - EXE_MIN : 0;
		widths[i] -= less;
		sum -= less;
	}
}

/* TEXT without its first characters, so that WIDTH are left, the first a mark. */
static const char *tail(char *text, size_t width)
{
	size_t length = text_characters(text);
	char *at = text;

	if (length <= width || !width)
		return text;
	for (size_t skip = length - width; skip; skip--)
		do
			at++;
		while ((*at & 0xc0) == 0x80);
	while ((at[1] & 0xc0) == 0x80) /* the mark takes the place of a character */
		at++;
	*at = '<';
	return at;
}

/* Print LINE, of which WIDTH characters fit; 0: all. */
static void print_line(FILE *out, char *line, size_t width)
{
	char *at = line;

	for (size_t i = 0; width && i < width && *at; i++)
		do
			at++;
		while ((*at & 0xc0) == 0x80);
	if (width)
		*at = '\0';
	at = line + strlen(line);
	while (at > line && at[-1] == ' ')
		*--at = '\0';
	fprintf(out, "%s\n", line);
}

static void add_cell(FILE *line, const char *text, size_t width, bool right)
{
	int blanks = (int)(width - text_characters(text));

	fprintf(line, "%*s%s%*s", right ? blanks : 0, "", text, right ? 0 : blanks, "");
}

static void print_row(const json_t *row, const struct ps_layout *l,
		      const size_t widths[PS_COLUMNS], FILE *out, size_t width)
{
	char *line = NULL;
	size_t length;
	FILE *f = open_memstream(&line, &length);

	for (size_t i = 0; f && i < l->column_count; i++) {
		const struct ps_column *c = l->columns[i];
		char *text = row ? cell(row, c) : strdup(c->header);

		if (i)
			fputc(' ', f);
		if (text)
			add_cell(f, tail(text, widths[i]), widths[i], c->is_number);
		free(text);
	}
	if (f && !fclose(f))
		print_line(out, line, width);
	free(line);
}

void ps_table_print(const struct ps_table *t, const struct ps_layout *l, FILE *out,
		    size_t width)
{
	size_t widths[PS_COLUMNS];

	measure(t, l, widths);
	fit(l, widths, width);
	if (!l->no_header)
		print_row(NULL, l, widths, out, width);
	for (size_t i = 0; i < t->count; i++)
		print_row(t->rows[i], l, widths, out, width);
}
