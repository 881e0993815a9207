/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "journal.h"

#ifdef EBPH_JOURNAL

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

enum { FIELDS = 40 };

/* Loaded only where it is used: what it brings along is bigger than ebph. */
struct journal {
	void *library;
	__typeof__(sd_journal_sendv) *send;
};

/* Events that are not mere information. */
static const struct {
	const char *event;
	int priority;
} priorities[] = {
	{"anomaly", LOG_WARNING},   {"tolerize_limit", LOG_ERR},
	{"anomaly_limit", LOG_ERR}, {"lost", LOG_WARNING},
	{"delay", LOG_WARNING},	    {"abort_exec", LOG_WARNING},
	{"sequence", LOG_DEBUG},    {"exec", LOG_DEBUG},
	{"exit", LOG_DEBUG},	    {"warning", LOG_WARNING},
	{"error", LOG_ERR},
};

static int leads_to_journal(FILE *out)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(fileno(out), &st) && st.st_dev == device && st.st_ino == inode;
}

struct journal *journal_open(FILE *out)
{
	struct journal *j;

	if (!leads_to_journal(out))
		return NULL;
	j = calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	j->library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (j->library)
		*(void **)&j->send = dlsym(j->library, "sd_journal_sendv");
	if (j->send)
		return j;
	journal_close(j);
	return NULL;
}

void journal_close(struct journal *j)
{
	if (j && j->library)
		dlclose(j->library);
	free(j);
}

struct fields {
	struct iovec list[FIELDS];
	int count;
};

/* Add NAME=VALUE, the name in capital letters. */
static void add(struct fields *f, const char *name, const char *value)
{
	char *text;
	int length;

	if (f->count == FIELDS)
		return;
	length = asprintf(&text, "%s=%s", name, value);
	if (length < 0)
		return;
	for (char *c = text; *c != '='; c++)
		*c = (char)toupper((unsigned char)*c);
	f->list[f->count++] = (struct iovec){.iov_base = text, .iov_len = (size_t)length};
}

/* The strings of LIST with blanks between them; what is no string is left out. */
static void add_list(struct fields *f, const char *name, const json_t *list)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (size_t i = 0; out && i < json_array_size(list); i++)
		if (json_is_string(json_array_get(list, i)))
			fprintf(out, "%s%s", i ? " " : "",
				json_string_value(json_array_get(list, i)));
	if (out && !fclose(out) && length)
		add(f, name, text);
	free(text);
}

static void add_member(struct fields *f, const char *name, const json_t *value)
{
	char number[32];

	if (json_is_string(value))
		add(f, name, json_string_value(value));
	else if (json_is_array(value))
		add_list(f, name, value);
	if (!json_is_integer(value))
		return;
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(value));
	add(f, name, number);
}

static void add_priority(struct fields *f, const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));
	int priority = LOG_INFO;
	char text[16];

	for (size_t i = 0; name && i < sizeof(priorities) / sizeof(*priorities); i++)
		if (!strcmp(priorities[i].event, name))
			priority = priorities[i].priority;
	snprintf(text, sizeof(text), "%d", priority);
	add(f, "PRIORITY", text);
}

int journal_event(struct journal *j, const char *text, const char *json)
{
	json_t *event = json_loads(json, 0, NULL), *value;
	struct fields f = {.count = 0};
	const char *name;
	int result;

	add(&f, "MESSAGE", text);
	add(&f, "SYSLOG_IDENTIFIER", "ebph");
	add_priority(&f, event);
	json_object_foreach(event, name, value)
	{
		if (strcmp(name, "message")) /* TEXT has it */
			add_member(&f, name, value);
	}
	result = j->send(f.list, f.count);
	for (int i = 0; i < f.count; i++)
		free(f.list[i].iov_base);
	json_decref(event);
	return result;
}

#else

struct journal *journal_open(FILE *out)
{
	(void)out;
	return NULL;
}

void journal_close(struct journal *j)
{
	(void)j;
}

int journal_event(struct journal *j, const char *text, const char *json)
{
	(void)j;
	(void)text;
	(void)json;
	return 0;
}

#endif
