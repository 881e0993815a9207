/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
/* ebph profile list, check */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "identity.h"
#include "image_json.h"
#include "profile_cmd.h"
#include "state.h"
#include "timestamp.h"

/* ---- list ---- */

struct list {
	const struct profile_args *args;
	struct image *image;
	size_t count, room;
	int (*compare)(const struct image *a, const struct image *b);
};

static int compare_numbers(u64 a, u64 b)
{
	return (a > b) - (a < b);
}

#define BY(name, value)                                                    \
	static int by_##name(const struct image *a, const struct image *b) \
	{                                                                  \
		return compare_numbers(value(a), value(b));                \
	}
#define KEY(im) identity_key(&(im)->identity)
#define STATE(im) (im)->state
#define COUNT(im) (im)->count
#define TRAIN(im) (im)->train_count
#define LAST_MOD(im) ((im)->train_count - (im)->change_count)
#define SEQUENCES(im) (im)->sequences
#define ANOMALIES(im) (im)->anomalies
#define NORMAL_TIME(im) (im)->normal_time
BY(key, KEY)
BY(state, STATE)
BY(count, COUNT)
BY(train, TRAIN)
BY(last_mod, LAST_MOD)
BY(sequences, SEQUENCES)
BY(anomalies, ANOMALIES)
BY(normal_time, NORMAL_TIME)

static int by_exe(const struct image *a, const struct image *b)
{
	return strcmp(a->path ? a->path : "", b->path ? b->path : "");
}

static const struct {
	const char *name;
	int (*compare)(const struct image *a, const struct image *b);
} columns[] = {
	{"key", by_key},
	{"state", by_state},
	{"count", by_count},
	{"train", by_train},
	{"last_mod", by_last_mod},
	{"sequences", by_sequences},
	{"anomalies", by_anomalies},
	{"normal_time", by_normal_time},
	{"exe", by_exe},
};

enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

bool profile_is_column(const char *sort)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (!strcmp(columns[i].name, sort))
			return true;
	return false;
}

/* Where columns are equal, the file's name (its key first) decides. */
static int compare(const void *a, const void *b, void *context)
{
	const struct list *l = context;
	int order = l->compare(a, b);
	char name_a[STORE_NAME], name_b[STORE_NAME];

	if (order)
		return l->args->reverse ? -order : order;
	store_name(&((const struct image *)a)->identity, name_a);
	store_name(&((const struct image *)b)->identity, name_b);
	return strcmp(name_a, name_b);
}

static bool is_wanted(const struct profile_args *a, const struct image *im)
{
	for (int i = 0; i < a->count; i++)
		if (!fnmatch(a->names[i], im->path ? im->path : "(unknown)", 0))
			return true;
	return !a->count;
}

static int on_image(void *context, const char *file, struct image *im)
{
	struct list *l = context;

	(void)file;
	if (!is_wanted(l->args, im))
		return 0;
	if (l->count == l->room) {
		size_t room = 2 * l->room + 16;
		struct image *more = reallocarray(l->image, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->image = more;
		l->room = room;
	}
	/* the pairs are not shown: a thousand profiles' need not be in memory at once */
	free(im->cell);
	im->cell = NULL;
	l->image[l->count++] = *im;
	memset(im, 0, sizeof(*im));
	return 0;
}

static void on_problem(void *context, const struct store_problem *p)
{
	const struct list *l = context;

	profile_error("%s/%s is %s: %s", l->args->dir, p->file,
		      store_fault_text(p->fault), p->why);
}

static void print_row(const struct image *im)
{
	char when[TIMESTAMP_TEXT] = "-", *exe = profile_exe(im);

	if (im->state == STATE_FROZEN)
		timestamp_text(im->normal_time, when, sizeof(when));
	printf("%016" PRIx64 " %-8s %10" PRIu64 " %10" PRIu64 " %9" PRIu64 " %9" PRIu64
	       " %-20.19s %s\n",
	       identity_key(&im->identity), state_text(im->state), im->train_count,
	       im->train_count - im->change_count, im->sequences, im->anomalies, when,
	       exe ? exe : "");
	free(exe);
}

static void print_list(const struct list *l)
{
	json_t *rows = json_array(), *all;

	if (l->args->json) {
		for (size_t i = 0; i < l->count; i++)
			json_array_append_new(rows, image_json_summary(&l->image[i]));
		all = json_pack("{s:O}", "profiles", rows);
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(all);
	} else {
		printf("%-16s %-8s %10s %10s %9s %9s %-20s %s\n", "KEY", "STATE", "TRAIN",
		       "LAST_MOD", "SEQUENCES", "ANOMALIES", "NORMAL TIME", "EXE");
		for (size_t i = 0; i < l->count; i++)
			print_row(&l->image[i]);
	}
	json_decref(rows);
}

int profile_cmd_list(const struct profile_args *a)
{
	struct list l = {.args = a, .compare = by_exe};
	const struct store_visitor v = {&l, on_image, on_problem};
	struct store s;
	char error[512] = "out of memory";
	int result = store_open(&s, a->dir, STORE_READ, error, sizeof(error));

	for (size_t i = 0; i < COLUMNS; i++)
		if (!strcmp(columns[i].name, a->sort))
			l.compare = columns[i].compare;
	if (!result) {
		result = store_load(&s, &v, error, sizeof(error));
		store_close(&s);
	}
	if (result) {
		profile_error("%s", error);
	} else {
		if (l.count)
			qsort_r(l.image, l.count, sizeof(*l.image), compare, &l);
		print_list(&l);
		result = profile_flush();
	}
	for (size_t i = 0; i < l.count; i++)
		image_free(&l.image[i]);
	free(l.image);
	return result ? 1 : 0;
}

/* ---- check ---- */

struct check {
	const char *where;
	json_t *problems; /* NULL: text */
	u64 fine, bad;
};

static int on_fine(void *context, const char *file, struct image *im)
{
	struct check *c = context;

	(void)file;
	(void)im;
	c->fine++;
	return 0;
}

static void add_problem(struct check *c, const char *file, const char *fault,
			const char *why)
{
	c->bad++;
	if (c->problems)
		json_array_append_new(c->problems,
				      json_pack("{s:s, s:s, s:s}", "file", file, "fault",
						fault, "message", why));
	else
		printf("%s: %s: %s\n", file, fault, why);
}

static void on_bad(void *context, const struct store_problem *p)
{
	struct check *c = context;
	char *file = malloc(strlen(c->where) + strlen(p->file) + 2);

	if (file)
		sprintf(file, "%s/%s", c->where, p->file);
	add_problem(c, file ? file : p->file, store_fault_text(p->fault), p->why);
	free(file);
}

static void check_directory(struct check *c)
{
	const struct store_visitor v = {c, on_fine, on_bad};
	struct store s;
	char error[512] = "out of memory";

	if (store_open(&s, c->where, STORE_READ, error, sizeof(error))) {
		add_problem(c, c->where, "refused", error);
		return;
	}
	if (store_load(&s, &v, error, sizeof(error)))
		add_problem(c, c->where, "unreadable", error);
	store_close(&s);
}

static void check_one(struct check *c)
{
	char why[256] = "";
	struct image im;
	struct stat st;
	int result;

	if (!stat(c->where, &st) && S_ISDIR(st.st_mode)) {
		check_directory(c);
		return;
	}
	result = store_read(AT_FDCWD, c->where, &im, why, sizeof(why));
	image_free(&im);
	if (!result)
		c->fine++;
	else
		add_problem(c, c->where,
			    store_fault_text(result == -EBADMSG	  ? STORE_DAMAGED
					     : result == -ENOTSUP ? STORE_NEWER
								  : STORE_UNREADABLE),
			    why);
}

int profile_cmd_check(const struct profile_args *a)
{
	struct check c = {.where = a->dir, .problems = a->json ? json_array() : NULL};

	if (!a->count)
		check_directory(&c);
	for (int i = 0; i < a->count; i++) {
		c.where = a->names[i];
		check_one(&c);
	}
	if (a->json) {
		json_t *j = json_pack("{s:I, s:I, s:O}", "fine", (json_int_t)c.fine,
				      "bad", (json_int_t)c.bad, "problems", c.problems);

		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
	} else {
		printf("%" PRIu64 " fine, %" PRIu64 " bad\n", c.fine, c.bad);
	}
	json_decref(c.problems);
	return profile_flush() || c.bad ? 1 : 0;
}
