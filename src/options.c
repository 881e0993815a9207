/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "complaint.h"
#include "option_table.h"
#include "options_file.h"
#include "store.h"

#define SECOND_NS 1000000000ull
#define WEEK_NS (7 * 86400 * SECOND_NS)

/* Why getopt returned '?': optopt is 0 for long options it does not know. */
static int bad_option(const struct complaint *c, char **argv)
{
	const struct option_rule *r = option_by_value(optopt);

	if (r)
		return complain(c, OPTIONS_BAD, "option --%s takes no value: '%s'",
				r->name, argv[optind - 1]);
	if (optopt)
		return complain(c, OPTIONS_BAD, "unknown option '-%c'", optopt);
	return complain(c, OPTIONS_BAD, "unknown or ambiguous option '%s'",
			argv[optind - 1]);
}

/* VALUE is what getopt returned. Notes in GIVEN, by option_place(), what was given. */
static int apply_option(const struct complaint *c, int value, char **argv,
			struct options *o, bool *given)
{
	const struct option_rule *r = option_by_value(value == ':' ? optopt : value);

	if (value == '?')
		return bad_option(c, argv);
	if (value == ':')
		return complain(c, OPTIONS_BAD, "option --%s needs a value: %s", r->name,
				r->expected);
	if (value == 'h')
		return OPTIONS_HELP;
	if (value == 'V')
		return OPTIONS_VERSION;
	given[option_place(r)] = true;
	return option_set(c, r, o, optarg) ? OPTIONS_BAD : OPTIONS_RUN;
}

/* What is left behind the options; dashes: a -- ended them. */
static int take_command(const struct complaint *c, int argc, char **argv, bool dashes,
			struct options *o)
{
	if (dashes && optind >= argc)
		return complain(c, OPTIONS_BAD, "no command after '--'");
	if (!dashes && optind < argc)
		return complain(c, OPTIONS_BAD,
				"unknown subcommand or argument '%s' (a command "
				"to start goes after '--')",
				argv[optind]);
	if (dashes)
		o->command = argv + optind;
	return OPTIONS_RUN;
}

static int check_conflicts(const struct complaint *c, const struct options *o)
{
	if (o->pid_count && o->command)
		return complain(c, OPTIONS_BAD,
				"--pid and a command ('%s') exclude each other",
				o->command[0]);
	if (o->quiet && o->verbose)
		return complain(c, OPTIONS_BAD,
				"--quiet and --verbose exclude each other");
	if (o->socket && o->no_socket)
		return complain(c, OPTIONS_BAD,
				"--socket and --no-socket exclude each other");
	/* a running one can be told to respond, but not without a socket */
	if (!options_respond(o) && o->no_socket && !o->show_exceptions &&
	    (o->dry_run || o->respond_count || o->never_respond_count))
		return complain(c, OPTIONS_BAD,
				"--%s needs a response: --delay or --abort-exec, or a "
				"socket to set one by",
				o->dry_run	   ? "dry-run"
				: o->respond_count ? "respond-to"
						   : "never-respond-to");
	return OPTIONS_RUN;
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.normal_wait_ns = WEEK_NS,
		.factor = 128,
		.factor_den = 32,
		.anomaly_limit = 30,
		.tolerize_limit = 12,
		.window = 9,
		.delay_max_ns = 3600 * SECOND_NS,
		.profile_dir = store_directory(),
		.save_interval_ns = 5 * 60 * SECOND_NS,
		.max_profiles = 1024,
		.max_pairs_memory = 6 << 20,
		.headers = "auto",
		.color = COLOR_AUTO,
	};
}

static int parse(const struct complaint *c, int argc, char **argv, struct options *o)
{
	struct option_getopt t = {0};
	bool given[OPTION_TABLE_MAX] = {false};
	int before, value, result;

	option_getopt_fill(&t);
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	for (;;) {
		before = optind ? optind : 1;
		value = getopt_long(argc, argv, t.letters, t.longs, NULL);
		if (value == -1)
			break;
		result = apply_option(c, value, argv, o, given);
		if (result != OPTIONS_RUN)
			return result;
	}
	/* A -- that is an option's value was passed before: it is no end. */
	result = take_command(c, argc, argv, optind > before, o);
	if (result == OPTIONS_RUN && o->config)
		result = options_file_take(c, o, given);
	return result == OPTIONS_RUN ? check_conflicts(c, o) : result;
}

int options_parse(int argc, char **argv, struct options *o, char *error, size_t size)
{
	const struct complaint c = {error, size};
	int result;

	if (size)
		*error = '\0';
	set_defaults(o);
	result = parse(&c, argc, argv, o);
	if (result != OPTIONS_RUN)
		options_free(o);
	return result;
}

bool options_respond(const struct options *o)
{
	return o->delay_ms || o->abort_lfc;
}

void options_free(struct options *o)
{
	free(o->pids);
	free(o->exes);
	free(o->not_exes);
	free(o->not_uids);
	free(o->config_text);
	free(o->respond);
	free(o->never_respond);
	memset(o, 0, sizeof(*o));
}
