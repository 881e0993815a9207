/* SPDX-License-Identifier: GPL-2.0-only */
#include "admin_status.h"

#include <inttypes.h>
#include <string.h>

#include "moment.h"
#include "timestamp.h"

static const char *text(const json_t *status, const char *member)
{
	const char *value = json_string_value(json_object_get(status, member));

	return value ? value : "?";
}

static json_int_t number(const json_t *status, const char *member)
{
	return json_integer_value(json_object_get(status, member));
}

/* The time in MEMBER on the clock on the wall. */
static const char *date(const json_t *status, const char *member,
			char buffer[MOMENT_TEXT])
{
	u64 ns;

	if (timestamp_parse(text(status, member), &ns))
		return "?";
	return moment_date(ns, buffer);
}

static void print_number(FILE *out, const char *name, json_int_t value)
{
	fprintf(out, "%-16s %" JSON_INTEGER_FORMAT "\n", name, value);
}

static void print_size(FILE *out, const char *name, json_int_t bytes)
{
	fprintf(out, "%-16s %.1f MiB\n", name, (double)bytes / (1 << 20));
}

static void print_strings(FILE *out, const char *heading, const json_t *strings)
{
	const char *name, *first = heading;
	json_t *value;

	/* jansson has no const foreach */
	json_object_foreach((json_t *)strings, name, value)
	{
		fprintf(out, "%-16s %s: %s\n", first, name, json_string_value(value));
		first = "";
	}
}

void admin_status_print(const json_t *status, FILE *out)
{
	const json_t *profiles = json_object_get(status, "profiles");
	char when[MOMENT_TEXT];

	fprintf(out, "%-16s %s since %s\n", "state", text(status, "state"),
		date(status, "since", when));
	fprintf(out, "%-16s %s, process %" JSON_INTEGER_FORMAT ", started %s\n", "ebph",
		text(status, "version"), number(status, "pid"),
		date(status, "started", when));
	fprintf(out, "%-16s %s\n", "kernel", text(status, "kernel"));
	print_strings(out, "features", json_object_get(status, "features"));
	print_strings(out, "settings", json_object_get(status, "settings"));
	fprintf(out,
		"%-16s %" JSON_INTEGER_FORMAT " (training %" JSON_INTEGER_FORMAT
		", frozen %" JSON_INTEGER_FORMAT ", normal %" JSON_INTEGER_FORMAT ")\n",
		"profiles", number(profiles, "all"), number(profiles, "training"),
		number(profiles, "frozen"), number(profiles, "normal"));
	print_number(out, "processes", number(status, "processes"));
	print_number(out, "threads", number(status, "threads"));
	print_number(out, "system calls", number(status, "system_calls"));
	print_number(out, "anomalies", number(status, "anomalies"));
	print_number(out, "lost", number(status, "lost"));
	print_size(out, "kernel memory", number(status, "map_memory"));
	print_size(out, "own memory", number(status, "memory"));
	fprintf(out,
		"%-16s %" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT
		" events missed by slow ones)\n",
		"clients", number(status, "clients"), number(status, "missed"));
}
