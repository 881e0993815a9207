/* SPDX-License-Identifier: GPL-2.0-only */
#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "moment.h"
#include "syscalls.h"
#include "timestamp.h"

int recording_add(struct recording *r, const struct tally *t)
{
	struct tally *grown = reallocarray(r->tally, r->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[r->count++] = *t;
	r->tally = grown;
	return 0;
}

void recording_free(struct recording *r)
{
	free(r->tally);
	memset(r, 0, sizeof(*r));
}

static int by_time(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (x->symbol > y->symbol) - (x->symbol < y->symbol);
}

void recording_sort(struct recording *r)
{
	if (r->count)
		qsort(r->tally, r->count, sizeof(*r->tally), by_time);
}

static double mean(const struct tally *t)
{
	return t->returned ? (double)t->ns / (double)t->returned : 0;
}

/* How people, and JSON, tell calls of different ABIs apart. */
static const char *name_of(u32 symbol, char *text, size_t size)
{
	return syscall_label(arch_native(), symbol, text, size);
}

/* ---- JSON ---- */

static json_t *json_begin(const char *event)
{
	char text[TIMESTAMP_TEXT];

	return json_pack("{s:s, s:s}", "time",
			 timestamp_text(moment_wall(), text, sizeof(text)), "event",
			 event);
}

static json_t *json_call(u32 symbol)
{
	char label[SYSCALL_LABEL];

	return json_pack("{s:s, s:i}", "syscall", name_of(symbol, label, sizeof(label)),
			 "nr", (int)symbol_number(symbol));
}

static int json_end(json_t *j, FILE *out)
{
	int failed = json_dumpf(j, out, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(j);
	if (failed || fputc('\n', out) == EOF || fflush(out))
		return errno ? -errno : -EIO;
	return 0;
}

static int print_json(const struct recording *r, FILE *out)
{
	json_t *j = json_begin("bench"), *calls = json_array();

	for (size_t i = 0; i < r->count; i++) {
		const struct tally *t = &r->tally[i];
		json_t *call = json_call(t->symbol);

		json_object_set_new(call, "entered",
				    json_integer((json_int_t)t->entered));
		json_object_set_new(call, "count", json_integer((json_int_t)t->returned));
		json_object_set_new(call, "total_ns", json_integer((json_int_t)t->ns));
		json_object_set_new(call, "mean_ns", json_real(mean(t)));
		json_array_append_new(calls, call);
	}
	json_object_set_new(j, "seconds", json_real(r->seconds));
	json_object_set_new(j, "lost", json_integer((json_int_t)r->lost));
	json_object_set_new(j, "calls", calls);
	return json_end(j, out);
}

static int read_call(struct recording *r, json_t *call)
{
	const char *label = json_string_value(json_object_get(call, "syscall"));
	int symbol = label ? syscall_symbol(arch_native(), label) : -1;
	json_t *entered = json_object_get(call, "entered");
	json_t *count = json_object_get(call, "count");
	json_t *ns = json_object_get(call, "total_ns");
	struct tally t = {.symbol = (u32)symbol};

	if (symbol < 0 || !json_is_integer(entered) || !json_is_integer(count) ||
	    !json_is_integer(ns) || json_integer_value(count) < 0 ||
	    json_integer_value(ns) < 0)
		return -EINVAL;
	t.entered = (u64)json_integer_value(entered);
	t.returned = (u64)json_integer_value(count);
	t.ns = (u64)json_integer_value(ns);
	return recording_add(r, &t);
}

static int read_json(struct recording *r, json_t *j)
{
	json_t *calls = json_object_get(j, "calls"), *call;
	int result = json_is_array(calls) ? 0 : -EINVAL;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->seconds = json_number_value(json_object_get(j, "seconds"));
	r->lost = (u64)json_integer_value(json_object_get(j, "lost"));
	json_array_foreach(calls, i, call)
	{
		if (!result)
			result = read_call(r, call);
	}
	if (result)
		recording_free(r);
	return result;
}

/* The last line of F that is a recording; NULL: there is none. */
static json_t *find_recording(FILE *f)
{
	json_t *found = NULL;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, f) > 0) {
		json_t *j = json_loads(line, 0, NULL);
		const char *event = json_string_value(json_object_get(j, "event"));

		if (event && !strcmp(event, "bench")) {
			json_decref(found);
			found = json_incref(j);
		}
		json_decref(j);
	}
	free(line);
	return found;
}

int recording_read(struct recording *r, const char *path, char *error, size_t size)
{
	FILE *f = fopen(path, "re");
	int result = f ? 0 : -errno;
	json_t *j;

	memset(r, 0, sizeof(*r));
	if (!f) {
		snprintf(error, size, "cannot read %s: %s", path, strerror(-result));
		return result;
	}
	j = find_recording(f);
	result = j ? read_json(r, j) : -EINVAL;
	if (result)
		snprintf(error, size,
			 "%s holds no recording: write one with 'ebph bench -j >%s'",
			 path, path);
	json_decref(j);
	fclose(f);
	return result;
}

/* ---- text ---- */

static int print_text(const struct recording *r, FILE *out)
{
	u64 entered = 0, returned = 0, ns = 0;
	char name[SYSCALL_LABEL];

	fprintf(out, "%-12s %-12s %-14s %-12s %s\n", "COUNT", "UNRETURNED", "TOTAL(us)",
		"MEAN(us)", "SYSCALL");
	for (size_t i = 0; i < r->count; i++) {
		const struct tally *t = &r->tally[i];

		entered += t->entered;
		returned += t->returned;
		ns += t->ns;
		fprintf(out, "%-12" PRIu64 " %-12" PRId64 " %-14.1f %-12.3f %s\n",
			t->returned, (int64_t)(t->entered - t->returned),
			(double)t->ns / 1e3, mean(t) / 1e3,
			name_of(t->symbol, name, sizeof(name)));
	}
	fprintf(out, "%-12" PRIu64 " %-12" PRId64 " %-14.1f %-12.3f %s\n", returned,
		(int64_t)(entered - returned), (double)ns / 1e3,
		returned ? (double)ns / (double)returned / 1e3 : 0.0, "(all)");
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int recording_print(const struct recording *r, FILE *out, bool json)
{
	errno = 0;
	return json ? print_json(r, out) : print_text(r, out);
}

/* ---- two of them ---- */

static const struct tally *find(const struct recording *r, u32 symbol)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->tally[i].symbol == symbol)
			return &r->tally[i];
	return NULL;
}

static int compare_json(const struct recording *a, const struct recording *b, FILE *out)
{
	json_t *j = json_begin("bench_compare"), *calls = json_array();

	for (size_t i = 0; i < a->count; i++) {
		const struct tally *x = &a->tally[i], *y = find(b, x->symbol);
		json_t *call;

		if (!y || !x->returned || !y->returned)
			continue;
		call = json_call(x->symbol);
		json_object_set_new(call, "without_count",
				    json_integer((json_int_t)x->returned));
		json_object_set_new(call, "with_count",
				    json_integer((json_int_t)y->returned));
		json_object_set_new(call, "without_mean_ns", json_real(mean(x)));
		json_object_set_new(call, "with_mean_ns", json_real(mean(y)));
		if (x->ns)
			json_object_set_new(
				call, "overhead_percent",
				json_real(100 * (mean(y) - mean(x)) / mean(x)));
		json_array_append_new(calls, call);
	}
	json_object_set_new(j, "calls", calls);
	return json_end(j, out);
}

static int compare_text(const struct recording *a, const struct recording *b, FILE *out)
{
	char name[SYSCALL_LABEL], overhead[32];

	fprintf(out, "%-12s %-12s %-12s %-12s %-12s %s\n", "COUNT", "COUNT WITH",
		"MEAN(us)", "WITH(us)", "OVERHEAD(%)", "SYSCALL");
	for (size_t i = 0; i < a->count; i++) {
		const struct tally *x = &a->tally[i], *y = find(b, x->symbol);

		if (!y || !x->returned || !y->returned)
			continue;
		snprintf(overhead, sizeof(overhead), "-");
		if (x->ns)
			snprintf(overhead, sizeof(overhead), "%.1f",
				 100 * (mean(y) - mean(x)) / mean(x));
		fprintf(out, "%-12" PRIu64 " %-12" PRIu64 " %-12.3f %-12.3f %-12s %s\n",
			x->returned, y->returned, mean(x) / 1e3, mean(y) / 1e3, overhead,
			name_of(x->symbol, name, sizeof(name)));
	}
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int recording_compare(const struct recording *without, const struct recording *with,
		      FILE *out, bool json)
{
	errno = 0;
	return json ? compare_json(without, with, out) : compare_text(without, with, out);
}
