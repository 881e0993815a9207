/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "options_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "option_table.h"

struct file {
	const struct complaint *c;
	struct options *o;
	const bool *given; /* on the command line, which wins */
};

/* Whether the command line has R, or what excludes it. */
static bool is_overruled(const struct file *f, const struct option_rule *r)
{
	if (r->excludes && f->given[option_place(option_by_name(r->excludes))])
		return true;
	return f->given[option_place(r)] || (f->o->command && !strcmp(r->name, "pid"));
}

/* Whether a flag is wanted: 1, 0 or -EINVAL. */
static int parse_flag(const char *value)
{
	if (!value || !strcmp(value, "yes"))
		return 1;
	return strcmp(value, "no") ? -EINVAL : 0;
}

static int apply_entry(const struct file *f, const char *name, const char *value)
{
	const struct option_rule *r = option_by_name(name);

	if (!r || r->kind == OPTION_NONE || !strcmp(name, "config") ||
	    !strcmp(name, "ebpf"))
		return complain(f->c, -ENOENT, "no option for a file has the name '%s'",
				name);
	if (!r->expected && parse_flag(value) < 0)
		return complain(f->c, -EINVAL,
				"bad value '%s' for %s: expected yes or no", value, name);
	if (r->expected && !value)
		return complain(f->c, -EINVAL, "%s needs a value: %s", name, r->expected);
	if (is_overruled(f, r) || (!r->expected && !parse_flag(value)))
		return 0;
	return option_set(f->c, r, f->o, value);
}

static int take_entry(void *context, unsigned int line, const char *name,
		      const char *value)
{
	const struct file *f = context;
	int result = apply_entry(f, name, value);
	char *why;

	if (!result)
		return 0;
	why = strdup(f->c->text);
	complain(f->c, result, "%s:%u: %s", f->o->config, line,
		 why ? why : "out of memory");
	free(why);
	return result;
}

int options_file_take(const struct complaint *c, struct options *o, const bool *given)
{
	struct file f = {.c = c, .o = o, .given = given};

	if (config_read(o->config, &o->config_text, take_entry, &f, c->text, c->size))
		return OPTIONS_BAD;
	return OPTIONS_RUN;
}
