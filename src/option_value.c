/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "option_value.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "number.h"

#define UID_LIMIT 4294967294u /* (uid_t)-1 means "none" to the kernel */

static void *field_of(const struct option_rule *r, void *options)
{
	return (char *)options + r->field;
}

static void *other_of(const struct option_rule *r, void *options)
{
	return (char *)options + r->other;
}

/* ---- one value; each gives 0 or -errno ---- */

static int set_flag(const struct option_rule *r, void *options, const char *value)
{
	(void)value;
	*(bool *)field_of(r, options) = true;
	return 0;
}

static int set_number(const struct option_rule *r, void *options, const char *value)
{
	uint64_t number;
	int err = number_u64(value, r->min, r->max, &number);

	if (!err)
		*(uint32_t *)field_of(r, options) = number;
	return err;
}

static int set_duration(const struct option_rule *r, void *options, const char *value)
{
	uint64_t ns;
	int err = number_duration_ns(value, &ns);

	if (err)
		return err;
	if (ns < r->min)
		return -ERANGE;
	*(uint64_t *)field_of(r, options) = ns;
	return 0;
}

static int set_size(const struct option_rule *r, void *options, const char *value)
{
	uint64_t bytes;
	int err = number_size(value, &bytes);

	if (err)
		return err;
	if (bytes < r->min || bytes > r->max)
		return -ERANGE;
	*(uint64_t *)field_of(r, options) = bytes;
	return 0;
}

static int set_ratio(const struct option_rule *r, void *options, const char *value)
{
	return number_ratio(value, field_of(r, options), other_of(r, options));
}

static int set_word(const struct option_rule *r, void *options, const char *value)
{
	for (unsigned int i = 0; r->words[i]; i++) {
		if (!strcmp(r->words[i], value)) {
			*(unsigned int *)field_of(r, options) = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_string(const struct option_rule *r, void *options, const char *value)
{
	if (!*value)
		return -EINVAL;
	*(const char **)field_of(r, options) = value;
	return 0;
}

/*
 * A filter that can be given once: as other filters are lists, the last one
 * winning would leave unwatched what the user asked to watch.
 */
static int set_once(const struct option_rule *r, void *options, const char *value)
{
	if (*(const char **)field_of(r, options))
		return -EEXIST;
	if (r->max && strlen(value) > r->max)
		return -ERANGE;
	return set_string(r, options, value);
}

/* Digits are a number even if a user should have such a name. */
static int parse_user(const char *text, uid_t *uid)
{
	const struct passwd *user;
	uint64_t number;
	int err = number_u64(text, 0, UID_LIMIT, &number);

	if (!err) {
		*uid = number;
		return 0;
	}
	if (err == -ERANGE || !*text)
		return err;
	user = getpwnam(text);
	if (!user)
		return -ENOENT;
	*uid = user->pw_uid;
	return 0;
}

static int set_user(const struct option_rule *r, void *options, const char *value)
{
	bool *is_given = other_of(r, options);
	int err;

	if (*is_given)
		return -EEXIST;
	err = parse_user(value, field_of(r, options));
	*is_given = !err;
	return err;
}

/* ---- lists ---- */

/* The field of a list points to any type: it is copied, never seen as another type. */
static void *list_of(const struct option_rule *r, void *options)
{
	void *list;

	memcpy(&list, field_of(r, options), sizeof(list));
	return list;
}

static void set_list(const struct option_rule *r, void *options, const void *list)
{
	memcpy(field_of(r, options), &list, sizeof(list));
}

/* Add the SIZE bytes of ITEM to R's list: 0 or -ENOMEM. */
static int append(const struct option_rule *r, void *options, const void *item,
		  size_t size)
{
	size_t *count = other_of(r, options);
	char *grown = reallocarray(list_of(r, options), *count + 1, size);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + (*count)++ * size, item, size);
	set_list(r, options, grown);
	return 0;
}

static int add_string(const struct option_rule *r, void *options, const char *value)
{
	return *value ? append(r, options, &value, sizeof(value)) : -EINVAL;
}

static int add_user(const struct option_rule *r, void *options, const char *value)
{
	uid_t uid;
	int err = parse_user(value, &uid);

	return err ? err : append(r, options, &uid, sizeof(uid));
}

static int add_pid(const struct option_rule *r, void *options, const char *text)
{
	uint64_t number;
	int err = number_u64(text, 1, PID_LIMIT, &number);
	const pid_t pid = err ? 0 : (pid_t)number;

	return err ? err : append(r, options, &pid, sizeof(pid));
}

/* Not strtok(): an empty item is an error here, not skipped. */
static int add_pids(const struct option_rule *r, void *options, const char *value)
{
	char *copy = strdup(value), *rest = copy, *item;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (!err && (item = strsep(&rest, ",")))
		err = add_pid(r, options, item);
	free(copy);
	return err;
}

/* ---- by kind ---- */

static int (*const setters[])(const struct option_rule *r, void *options,
			      const char *value) = {
	[OPTION_FLAG] = set_flag,	  [OPTION_NUMBER] = set_number,
	[OPTION_DURATION] = set_duration, [OPTION_SIZE] = set_size,
	[OPTION_RATIO] = set_ratio,	  [OPTION_WORD] = set_word,
	[OPTION_STRING] = set_string,	  [OPTION_ONCE] = set_once,
	[OPTION_USER] = set_user,	  [OPTION_STRINGS] = add_string,
	[OPTION_USERS] = add_user,	  [OPTION_PIDS] = add_pids,
};

int option_set(const struct complaint *c, const struct option_rule *r, void *options,
	       const char *value)
{
	int err = setters[r->kind](r, options, value);

	switch (err) {
	case 0:
		return 0;
	case -EEXIST:
		return complain(c, err, "option --%s given twice: '%s'", r->name, value);
	case -ENOENT:
		return complain(c, err, "bad value '%s' for --%s: no such user", value,
				r->name);
	case -ENOMEM:
		return complain(c, err, "option --%s: out of memory", r->name);
	default:
		return complain(c, err, "bad value '%s' for --%s: expected %s", value,
				r->name, r->expected);
	}
}
