/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile_cmd.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"
#include "image_json.h"
#include "number.h"
#include "printable.h"

enum { TOP_DEFAULT = 10 };

enum option_value {
	OPTION_JSON = 'j',
	OPTION_OUTPUT = 'o',
	OPTION_REVERSE = 'r',
	OPTION_HELP = 'h',
	OPTION_DIR = 256,
	OPTION_SORT,
	OPTION_TOP,
	OPTION_PAIRS,
	OPTION_TEST,
	OPTION_CSV,
	OPTION_SECCOMP,
	OPTION_REPLACE,
};

static const struct option options[] = {
	{"profile-dir", required_argument, NULL, OPTION_DIR},
	{"json", no_argument, NULL, OPTION_JSON},
	{"output", required_argument, NULL, OPTION_OUTPUT},
	{"sort", required_argument, NULL, OPTION_SORT},
	{"reverse", no_argument, NULL, OPTION_REVERSE},
	{"top", required_argument, NULL, OPTION_TOP},
	{"pairs", no_argument, NULL, OPTION_PAIRS},
	{"test", no_argument, NULL, OPTION_TEST},
	{"csv", no_argument, NULL, OPTION_CSV},
	{"seccomp", no_argument, NULL, OPTION_SECCOMP},
	{"replace", no_argument, NULL, OPTION_REPLACE},
	{"help", no_argument, NULL, OPTION_HELP},
	{0},
};

/* OPTIONS are those that it takes beside --profile-dir, --json and --help. */
static const struct command {
	const char *name;
	int (*run)(const struct profile_args *a);
	int options[4];
	int least, most; /* names; most 0: any number */
	const char *usage;
} commands[] = {
	{"list",
	 profile_cmd_list,
	 {OPTION_SORT, OPTION_REVERSE},
	 0,
	 0,
	 "[-j] [--sort COLUMN] [-r] [PATTERN...]"},
	{"show",
	 profile_cmd_show,
	 {OPTION_TOP, OPTION_PAIRS},
	 1,
	 0,
	 "[-j] [--top N | --pairs] PROFILE..."},
	{"diff", profile_cmd_diff, {0}, 2, 2, "[-j] PROFILE PROFILE"},
	{"merge", profile_cmd_merge, {OPTION_OUTPUT}, 1, 0, "[-j] -o FILE PROFILE..."},
	{"export",
	 profile_cmd_export,
	 {OPTION_CSV, OPTION_SECCOMP, OPTION_OUTPUT},
	 1,
	 1,
	 "--csv | --json | --seccomp [-o FILE] PROFILE"},
	{"import",
	 profile_cmd_import,
	 {OPTION_OUTPUT, OPTION_REPLACE},
	 1,
	 0,
	 "[-j] [-o FILE] [--replace] FILE..."},
	{"rm", profile_cmd_rm, {0}, 1, 0, "[-j] PROFILE..."},
	{"normalize", profile_cmd_normalize, {0}, 1, 0, "[-j] PROFILE..."},
	{"reset", profile_cmd_reset, {0}, 1, 0, "[-j] PROFILE..."},
	{"check", profile_cmd_check, {0}, 0, 0, "[-j] [DIRECTORY | FILE]..."},
	{"plot",
	 profile_cmd_plot,
	 {OPTION_OUTPUT, OPTION_TEST},
	 1,
	 2,
	 "[-j] -o FILE.svg [--test] PROFILE [PROFILE]"},
};

static const char help[] =
	"Usage: ebph profile COMMAND [--profile-dir DIR] ...\n"
	"\n"
	"Look into the profiles that ebph saved, and change them. Needs neither root nor\n"
	"the kernel: a copy of the directory will do.\n"
	"\n"
	"  list [-j] [--sort COLUMN] [-r] [PATTERN...]\n"
	"                           all profiles, or those of programs whose path\n"
	"                           matches; COLUMN is key, state, count, train,\n"
	"                           last_mod, sequences, anomalies, normal_time or exe\n"
	"                           (default: exe); -r, --reverse: the other way round\n"
	"  show [-j] [--top N | --pairs] PROFILE...\n"
	"                           counters, system calls, and the N pairs seen at the\n"
	"                           most distances (0..1000000; default: 10) or all\n"
	"  diff [-j] A B            pairs that only one has; exit status 1 if there are\n"
	"  merge -o FILE PROFILE... the union of their pairs, in any order\n"
	"  export --csv | --json | --seccomp [-o FILE] PROFILE\n"
	"                           for a spreadsheet; for import and other tools; an\n"
	"                           OCI seccomp profile that allows what was seen\n"
	"  import [-o FILE] [--replace] FILE...\n"
	"                           take profiles (JSON or saved; - is standard input)\n"
	"                           into the directory, or into FILE; --replace: also\n"
	"                           over one that is there\n"
	"  rm PROFILE...            delete\n"
	"  normalize PROFILE...     what has been learned is normal from now on\n"
	"  reset PROFILE...         forget all that has been learned\n"
	"  check [-j] [DIRECTORY | FILE]...\n"
	"                           read all and report damage; exit status 1 if any\n"
	"  plot -o FILE.svg [--test] PROFILE [PROFILE]\n"
	"                           the train (or test) pairs as a heat map; of two\n"
	"                           profiles the difference\n"
	"\n"
	"PROFILE is the path of a program, a key (16 hexadecimal digits) or a file.\n"
	"\n"
	"      --profile-dir DIR    default: $EBPH_PROFILE_DIR, else " STORE_DIRECTORY
	"\n"
	"  -j, --json               write JSON; what prints nothing otherwise then says what\n"
	"                           it did\n"
	"  -o, --output FILE        write to FILE\n"
	"  -h, --help               print this help and exit\n"
	"\n"
	"Exit status: 0 fine; 1 failed (check: damage; diff: they differ); 2 bad usage\n"
	"(diff: also what could not be read).\n";

void profile_error(const char *format, ...)
{
	va_list args;

	fputs("ebph profile: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

char *profile_exe(const struct image *im)
{
	return im->path ? printable(im->path) : strdup("(unknown)");
}

int profile_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	if (errno != EPIPE)
		profile_error("cannot write to standard output: %s", strerror(errno));
	return 1;
}

void profile_done(const struct profile_args *a, const struct image *im, const char *file)
{
	json_t *j;

	if (!a->json)
		return;
	j = image_json_summary(im);
	json_object_set_new(j, "command", json_string(a->command));
	json_object_set_new(j, "file", json_string(file));
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
}

int profile_output(const struct profile_args *a, const void *data, size_t size)
{
	char why[256];
	int result;

	if (!a->output) {
		fwrite(data, 1, size, stdout);
		return profile_flush() ? -EIO : 0;
	}
	result = durable_write_path(a->output, data, size, why, sizeof(why));
	if (result)
		profile_error("cannot write %s: %s", a->output, why);
	return result;
}

/* ---- the command line ---- */

static bool takes(const struct command *c, int option)
{
	for (size_t i = 0; i < sizeof(c->options) / sizeof(*c->options); i++)
		if (c->options[i] == option)
			return true;
	return option == OPTION_DIR || option == OPTION_HELP || option == OPTION_JSON;
}

static int usage(const struct command *c)
{
	fprintf(stderr, "Usage: ebph profile %s [--profile-dir DIR] %s\n", c->name,
		c->usage);
	return 2;
}

static const char *option_name(int option)
{
	for (const struct option *o = options; o->name; o++)
		if (o->val == option)
			return o->name;
	return "?";
}

/* 0, or 2 with the error printed. */
static int set(struct profile_args *a, const struct command *c, int option)
{
	u64 top;

	if (!takes(c, option)) {
		profile_error("%s does not take --%s", c->name, option_name(option));
		return usage(c);
	}
	if (optarg && !*optarg) {
		profile_error("bad value '' for --%s: it is empty", option_name(option));
		return 2;
	}
	switch (option) {
	case OPTION_DIR:
		a->dir = optarg;
		break;
	case OPTION_OUTPUT:
		a->output = optarg;
		break;
	case OPTION_SORT:
		a->sort = optarg;
		if (profile_is_column(optarg))
			break;
		profile_error("bad value '%s' for --sort: expected key, state, count, "
			      "train, last_mod, sequences, anomalies, normal_time or exe",
			      optarg);
		return 2;
	case OPTION_TOP:
		if (number_u64(optarg, 0, 1000000, &top)) {
			profile_error("bad value '%s' for --top: expected a number "
				      "0..1000000",
				      optarg);
			return 2;
		}
		a->top = (u32)top;
		break;
	default:
		a->json |= option == OPTION_JSON;
		a->csv |= option == OPTION_CSV;
		a->seccomp |= option == OPTION_SECCOMP;
		a->reverse |= option == OPTION_REVERSE;
		a->pairs |= option == OPTION_PAIRS;
		a->test |= option == OPTION_TEST;
		a->replace |= option == OPTION_REPLACE;
	}
	return 0;
}

/* -1: go on; else the exit status. */
static int parse(const struct command *c, int argc, char **argv, struct profile_args *a)
{
	int option, result;

	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((option = getopt_long(argc, argv, ":jo:rh", options, NULL)) != -1) {
		if (option == ':') {
			profile_error("option '%s' needs a value", argv[optind - 1]);
			return usage(c);
		}
		if (option == '?') {
			if (optopt)
				profile_error("unknown option '-%c', or a value for one "
					      "that takes none",
					      optopt);
			else
				profile_error("unknown or ambiguous option '%s'",
					      argv[optind - 1]);
			return usage(c);
		}
		result = set(a, c, option);
		if (result)
			return result;
		if (option == OPTION_HELP) {
			fputs(help, stdout);
			return profile_flush();
		}
	}
	a->names = argv + optind;
	a->count = argc - optind;
	if (a->count >= c->least && (!c->most || a->count <= c->most))
		return -1;
	profile_error("%s: %s", c->name,
		      a->count < c->least ? "an argument is missing"
					  : "there are too many arguments");
	return usage(c);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int profile_main(int argc, char **argv)
{
	struct profile_args a = {
		.dir = store_directory(), .sort = "exe", .top = TOP_DEFAULT};
	const struct command *c;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		profile_error("a command is missing: see ebph profile --help");
		return 2;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return profile_flush();
	}
	c = find_command(argv[1]);
	if (!c) {
		profile_error("unknown command '%s': see ebph profile --help", argv[1]);
		return 2;
	}
	a.command = c->name;
	status = parse(c, argc - 1, argv + 1, &a);
	if (status >= 0)
		return status;
	return c->run(&a);
}
