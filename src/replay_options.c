/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "replay_options.h"

#include <errno.h>
#include <getopt.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "complaint.h"
#include "number.h"

#define WEEK_NS (7 * 86400 * 1000000000ULL)

static int add(struct paths *p, const char *path)
{
	const char **grown = reallocarray(p->list, p->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[p->count++] = path;
	p->list = grown;
	return 0;
}

enum {
	LEARN = 256,
	PROFILE,
	FORMAT,
	ARCH,
	WINDOW,
	FRAME,
	LIVE,
	SCORE,
	NORMAL,
	ATTACK,
	PLOT,
	NORMAL_TIME,
	NORMAL_FACTOR,
	ANOMALY_LIMIT,
	TOLERIZE_LIMIT,
};

static const struct option longs[] = {
	{"learn", required_argument, NULL, LEARN},
	{"profile", required_argument, NULL, PROFILE},
	{"format", required_argument, NULL, FORMAT},
	{"arch", required_argument, NULL, ARCH},
	{"window", required_argument, NULL, WINDOW},
	{"frame", required_argument, NULL, FRAME},
	{"live", no_argument, NULL, LIVE},
	{"score", no_argument, NULL, SCORE},
	{"normal", required_argument, NULL, NORMAL},
	{"attack", required_argument, NULL, ATTACK},
	{"plot", required_argument, NULL, PLOT},
	{"normal-time", required_argument, NULL, NORMAL_TIME},
	{"normal-factor", required_argument, NULL, NORMAL_FACTOR},
	{"anomaly-limit", required_argument, NULL, ANOMALY_LIMIT},
	{"tolerize-limit", required_argument, NULL, TOLERIZE_LIMIT},
	{"json", no_argument, NULL, 'j'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char *name_of(int value)
{
	for (const struct option *o = longs; o->name; o++)
		if (o->val == value)
			return o->name;
	return "?";
}

static int set_format(struct replay_options *o, const char *text)
{
	static const char *const names[] = {
		[FORMAT_AUTO] = "auto",
		[FORMAT_NUMBERS] = "numbers",
		[FORMAT_PID_NUMBER] = "pid-number",
		[FORMAT_STRACE] = "strace",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], text)) {
			o->format = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_u32(u32 *field, const char *text, u64 min, u64 max)
{
	uint64_t value;
	int err = number_u64(text, min, max, &value);

	if (!err)
		*field = value;
	return err;
}

/* What each option's value must be; the setter's result is not 0 if it is not. */
static int set(struct replay_options *o, int option, const char *value,
	       const char **expected)
{

	switch (option) {
	case FORMAT:
		*expected = "auto, numbers, pid-number or strace";
		return set_format(o, value);
	case ARCH:
		*expected = "an ABI as libseccomp names it, such as x86_64, x86, arm or "
			    "aarch64";
		o->arch = value;
		return seccomp_arch_resolve_name(value) ? 0 : -EINVAL;
	case WINDOW:
		*expected = "a number 2..9";
		return set_u32(&o->window, value, 2, WINDOW_MAX);
	case FRAME:
		*expected = "a number 1..128";
		return set_u32(&o->frame, value, 1, FRAME_LENGTH);
	case NORMAL_TIME:
		*expected = "a duration of 0 or more, such as 0, 30s, 6h or 1w";
		return number_duration_ns(value, &o->rules.normal_wait);
	case NORMAL_FACTOR:
		*expected = "N or N/D, each 1..65535";
		return number_ratio(value, &o->rules.factor, &o->rules.factor_den);
	case ANOMALY_LIMIT:
		*expected = "a number 0..1000000";
		return set_u32(&o->rules.anomaly_limit, value, 0, 1000000);
	case TOLERIZE_LIMIT:
		*expected = "a number 0..128";
		return set_u32(&o->rules.tolerize_limit, value, 0, FRAME_LENGTH);
	default:
		*expected = "a path";
		if (!*value)
			return -EINVAL;
		if (option == PLOT)
			o->plot = value;
		else
			return add(option == LEARN     ? &o->learn
				   : option == PROFILE ? &o->profiles
				   : option == NORMAL  ? &o->normal
						       : &o->attack,
				   value);
		return 0;
	}
}

static int apply(const struct complaint *c, struct replay_options *o, int option,
		 char **argv)
{
	const char *expected = "";

	switch (option) {
	case '?':
		return complain(c, REPLAY_BAD,
				"unknown option or one that takes no value: '%s'",
				argv[optind - 1]);
	case ':':
		return complain(c, REPLAY_BAD, "option '%s' needs a value",
				argv[optind - 1]);
	case 'h':
		return REPLAY_HELP;
	case 'j':
		o->json = true;
		return REPLAY_RUN;
	case 'v':
		o->verbose = true;
		return REPLAY_RUN;
	case LIVE:
		o->live = true;
		return REPLAY_RUN;
	case SCORE:
		o->score = true;
		return REPLAY_RUN;
	default:
		if (set(o, option, optarg, &expected))
			return complain(c, REPLAY_BAD,
					"bad value '%s' for --%s: expected %s", optarg,
					name_of(option), expected);
		return REPLAY_RUN;
	}
}

/* Which options make no sense together, or without each other. */
static int check(const struct complaint *c, const struct replay_options *o, bool life)
{
	if (o->live && (o->learn.count || o->profiles.count || o->score))
		return complain(c, REPLAY_BAD,
				"--live learns by itself: not with --learn, --profile or "
				"--score");
	if (life && !o->live)
		return complain(c, REPLAY_BAD,
				"--normal-time, --normal-factor, --anomaly-limit and "
				"--tolerize-limit need --live");
	if (!o->live && !o->learn.count && !o->profiles.count)
		return complain(c, REPLAY_BAD,
				"nothing to learn from: give --learn PATH or --profile "
				"FILE (or --live)");
	if (o->score && (!o->normal.count || !o->attack.count))
		return complain(c, REPLAY_BAD,
				"--score needs --normal PATH and --attack PATH");
	if (!o->score && (o->normal.count || o->attack.count || o->plot))
		return complain(c, REPLAY_BAD,
				"--normal, --attack and --plot need --score");
	if (o->score && o->test.count)
		return complain(c, REPLAY_BAD,
				"with --score, paths come by --normal and --attack: '%s'",
				o->test.list[0]);
	if (!o->score && !o->test.count)
		return complain(c, REPLAY_BAD,
				"nothing to test: give a PATH, or - for standard input");
	return REPLAY_RUN;
}

/* Standard input can be read once. */
static int check_input(const struct complaint *c, const struct replay_options *o)
{
	const struct paths *all[] = {&o->learn, &o->normal, &o->attack, &o->test};
	u32 count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (size_t k = 0; k < all[i]->count; k++)
			count += !strcmp(all[i]->list[k], "-");
	if (count > 1)
		return complain(c, REPLAY_BAD,
				"standard input, '-', is named %u times: it can be read "
				"once",
				count);
	return REPLAY_RUN;
}

static int parse(const struct complaint *c, int argc, char **argv,
		 struct replay_options *o)
{
	bool life = false; /* an option of the life cycle was given */
	int option, result = REPLAY_RUN;

	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while (result == REPLAY_RUN &&
	       (option = getopt_long(argc, argv, ":jvh", longs, NULL)) != -1) {
		life |= option >= NORMAL_TIME;
		result = apply(c, o, option, argv);
	}
	for (int i = optind; result == REPLAY_RUN && i < argc; i++) {
		if (!*argv[i])
			return complain(c, REPLAY_BAD, "an empty PATH");
		if (add(&o->test, argv[i]))
			return complain(c, REPLAY_BAD, "no memory");
	}
	if (result == REPLAY_RUN)
		result = check(c, o, life);
	return result == REPLAY_RUN ? check_input(c, o) : result;
}

int replay_options_parse(int argc, char **argv, struct replay_options *o, char *error,
			 size_t size)
{
	const struct complaint c = {error, size};
	int result;

	*o = (struct replay_options){
		.rules = {.factor = 128,
			  .factor_den = 32,
			  .anomaly_limit = 30,
			  .tolerize_limit = 12,
			  .normal_wait = WEEK_NS},
		.window = WINDOW_MAX,
		.frame = FRAME_LENGTH,
	};
	result = parse(&c, argc, argv, o);
	if (result != REPLAY_RUN)
		replay_options_free(o);
	return result;
}

void replay_options_free(struct replay_options *o)
{
	free(o->profiles.list);
	free(o->learn.list);
	free(o->normal.list);
	free(o->attack.list);
	free(o->test.list);
	memset(o, 0, sizeof(*o));
}

static const char help[] =
	"Usage: ebph replay [OPTIONS] --learn PATH... PATH...\n"
	"       ebph replay [OPTIONS] --profile FILE... PATH...\n"
	"       ebph replay [OPTIONS] --live PATH...\n"
	"       ebph replay [OPTIONS] --learn PATH... --score --normal PATH --attack PATH\n"
	"\n"
	"Run the detector over recorded traces of system calls; needs no privilege.\n"
	"PATH is a file, a folder (all files below it) or - for standard input; what\n"
	"gzip, xz or zstd packed is unpacked. One row is printed for each process.\n"
	"\n"
	"What is read:\n"
	"      --learn PATH         learn what is normal from this (repeatable)\n"
	"      --profile FILE       test against this saved profile of ebph; with --learn,\n"
	"                           what that adds is normal too (repeatable)\n"
	"      --format FORMAT      auto, numbers (a process a file, numbers between\n"
	"                           blanks), pid-number (lines of PID NUMBER) or strace\n"
	"                           (of strace -f -o FILE; default: auto)\n"
	"      --arch ARCH          ABI of bare numbers, to name them with -v: x86_64,\n"
	"                           x86, arm, aarch64, ... (default: not named)\n"
	"\n"
	"Detection:\n"
	"      --window N           window length in calls, 2..9 (default: 9)\n"
	"      --frame N            locality frame in calls, 1..128 (default: 128)\n"
	"      --live               the life cycle as in the kernel, with its limits; no\n"
	"                           separate learning. Without a clock in the trace\n"
	"                           (strace -ttt), a call takes a second\n"
	"      --normal-time DUR, --normal-factor N[/D], --anomaly-limit N,\n"
	"      --tolerize-limit N   as for ebph itself, with --live\n"
	"\n"
	"Output:\n"
	"  -j, --json               JSON Lines\n"
	"  -v, --verbose            also each anomaly; with --live also what is learned\n"
	"      --score              instead of rows: how well attacks are told apart\n"
	"      --normal PATH        known to be normal (repeatable)\n"
	"      --attack PATH        known to be attacks (repeatable)\n"
	"      --plot FILE          with --score: draw the curves, as SVG\n"
	"  -h, --help               print this help and exit\n"
	"\n"
	"Exit status: 0 fine; 1 something could not be read or written (the rest was\n"
	"done); 2 bad usage.\n";

void replay_options_help(FILE *out)
{
	fputs(help, out);
}
