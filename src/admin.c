/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "admin.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_status.h"
#include "client.h"
#include "control.h"
#include "number.h"
#include "output.h"
#include "text.h"

struct admin {
	const char *socket;
	bool json, yes;
	/* which profiles */
	u32 pid; /* 0: not given */
	const char *exe, *key;
	bool all;
	const char *command;
	char **words; /* after it */
	int word_count;
	struct connection connection;
};

static const char help[] =
	"Usage: ebph admin [OPTIONS] COMMAND\n"
	"\n"
	"Ask and steer a running ebph.\n"
	"\n"
	"  status                   what it does, since when, and what it has seen\n"
	"  pause, resume            see no system calls for a while\n"
	"  save, load               write all profiles to the disk now; read what is\n"
	"                           there\n"
	"  get [NAME]               show settings, or one\n"
	"  set NAME VALUE           change one: normal-time, normal-factor,\n"
	"                           anomaly-limit, tolerize-limit, delay, delay-max,\n"
	"                           abort-exec (responses also in an ebph that was\n"
	"                           started without) or verbosity\n"
	"  follow                   print events as they happen\n"
	"\n"
	"  normalize WHICH          what was learned is good: normal from now on\n"
	"  sensitize WHICH          what was just learned is bad: forget the train pairs\n"
	"  tolerize WHICH           go on learning: not normal any more\n"
	"  reset WHICH              forget all that was learned\n"
	"  forget WHICH             forget that there was such a profile\n"
	"\n"
	"  release -p PID | --all   let go what is held up, and forget its anomalies\n"
	"\n"
	"WHICH profiles, one of:\n"
	"  -p, --pid PID            of what this process runs\n"
	"  -e, --exe PATH           of this executable\n"
	"  -k, --key KEY            with this key (see ebph ps -p)\n"
	"  -a, --all                all (asks first)\n"
	"\n"
	"  -y, --yes                do not ask\n"
	"  -j, --json               print what ebph answers, as JSON Lines\n"
	"      --socket PATH        of the ebph to ask (default: $EBPH_SOCKET, else\n"
	"                           /run/ebph.sock)\n"
	"  -h, --help               print this help and exit\n"
	"\n"
	"Exit status: 0 done; 1 failed, also when no ebph is running; 2 bad usage.\n";

static int usage(const char *format, const char *word)
{
	fprintf(stderr, "ebph admin: ");
	fprintf(stderr, format, word);
	fprintf(stderr, " (see ebph admin --help)\n");
	return 2;
}

/* ---- asking ---- */

static void print_json(const json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
}

/* Ask REQUEST, which is taken: 0 or 1, and why not was said. */
static int ask(struct admin *a, json_t *request, int (*row)(void *, json_t *),
	       json_t **reply)
{
	char error[800];

	if (!connection_ask(&a->connection, request, row, a, reply, error, sizeof(error)))
		return 0;
	fprintf(stderr, "ebph admin: %s\n", error);
	return 1;
}

static int do_plain(struct admin *a)
{
	return ask(a, json_pack("{s:s}", "do", a->command), NULL, NULL);
}

static int do_status(struct admin *a)
{
	json_t *reply = NULL, *status;
	int result = ask(a, json_pack("{s:s}", "do", "status"), NULL, &reply);

	if (result)
		return result;
	status = json_object_get(reply, "status");
	if (a->json)
		print_json(status);
	else
		admin_status_print(status, stdout);
	json_decref(reply);
	return 0;
}

static int do_get(struct admin *a)
{
	json_t *request = json_pack("{s:s}", "do", "get"), *reply = NULL, *all, *value;
	const char *name;

	if (a->word_count)
		json_object_set_new(request, "name", json_string(a->words[0]));
	if (ask(a, request, NULL, &reply))
		return 1;
	all = json_object_get(reply, "settings");
	if (a->json)
		print_json(all);
	else if (a->word_count)
		puts(json_string_value(json_object_get(all, a->words[0])));
	else
		json_object_foreach(all, name, value)
		{
			printf("%-16s %s\n", name, json_string_value(value));
		}
	json_decref(reply);
	return 0;
}

static int do_set(struct admin *a)
{
	json_t *request = json_pack("{s:s, s:s, s:s}", "do", "set", "name", a->words[0],
				    "value", a->words[1]);

	if (!request)
		return usage("'%s' is no text", a->words[1]);
	return ask(a, request, NULL, NULL);
}

/* ---- following ---- */

static void print_event(const struct admin *a, const json_t *line)
{
	const json_t *missed = json_object_get(line, "missed");

	if (missed)
		fprintf(stderr,
			"ebph admin: %" JSON_INTEGER_FORMAT
			" events were not read in time\n",
			json_integer_value(missed));
	else if (a->json)
		print_json(json_object_get(line, "event"));
	else
		puts(json_string_value(json_object_get(line, "line")));
}

static int do_follow(struct admin *a)
{
	json_t *line;

	if (ask(a, json_pack("{s:s, s:b}", "do", "follow", "text", !a->json), NULL, NULL))
		return 1;
	while ((line = connection_next(&a->connection))) {
		print_event(a, line);
		json_decref(line);
		if (fflush(stdout))
			return 1;
	}
	fprintf(stderr, "ebph admin: ebph (process %d) has ended\n", a->connection.pid);
	return 1;
}

/* ---- profiles ---- */

static int print_profile(void *context, json_t *row)
{
	const struct admin *a = context;
	const char *key, *exe, *was, *state, *result;
	char *text;

	if (a->json) {
		print_json(row);
		return 0;
	}
	if (json_unpack(row, "{s:s, s?s, s:s, s:s, s:s}", "key", &key, "exe", &exe, "was",
			&was, "state", &state, "result", &result))
		exe = key = was = state = result = "?";
	text = connection_text(
		json_string_value(json_object_get(row, "exe")) ? exe : "(name not known)",
		TEXT_LINE);
	if (strcmp(result, "done"))
		fprintf(stderr, "ebph admin: %s of %s (%s) failed: %s\n", a->command,
			text ? text : "?", key, result);
	else
		printf("%s %s %s (was %s, is %s)\n", a->command, key, text ? text : "?",
		       was, strcmp(state, "free") ? state : "forgotten");
	free(text);
	return 0;
}

static bool is_sure(const struct admin *a)
{
	char answer[16] = "";

	if (!a->all || a->yes)
		return true;
	fprintf(stderr, "ebph admin: %s all profiles? [y/N] ", a->command);
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	if (answer[0] == 'y' || answer[0] == 'Y')
		return true;
	fprintf(stderr, "ebph admin: nothing was done\n");
	return false;
}

static int do_profiles(struct admin *a)
{
	json_t *request = json_pack("{s:s}", "do", a->command), *reply = NULL;
	int failed;

	if (!is_sure(a)) {
		json_decref(request);
		return 1;
	}
	if (a->pid)
		json_object_set_new(request, "pid", json_integer(a->pid));
	if (a->exe)
		json_object_set_new(request, "exe", connection_exe(a->exe));
	if (a->key)
		json_object_set_new(request, "key", json_string(a->key));
	if (a->all)
		json_object_set_new(request, "all", json_true());
	if (ask(a, request, print_profile, &reply))
		return 1;
	failed = json_integer_value(json_object_get(reply, "failed")) != 0;
	json_decref(reply);
	return failed;
}

/* Let delayed processes go: those of a process id, or all. */
static int do_release(struct admin *a)
{
	json_t *request = json_pack("{s:s}", "do", a->command), *reply = NULL;

	if (a->exe || a->key) {
		json_decref(request);
		return usage("%s takes -p or --all: it is about processes", a->command);
	}
	if (a->pid)
		json_object_set_new(request, "pid", json_integer(a->pid));
	else
		json_object_set_new(request, "all", json_true());
	if (ask(a, request, NULL, &reply))
		return 1;
	if (a->json)
		print_json(reply);
	else
		printf("released %" JSON_INTEGER_FORMAT "\n",
		       json_integer_value(json_object_get(reply, "released")));
	json_decref(reply);
	return 0;
}

/* ---- command line ---- */

static const struct command {
	const char *name;
	int (*run)(struct admin *a);
	int least, most; /* words */
	bool profiles;	 /* needs WHICH */
	const char *words;
} commands[] = {
	{"status", do_status, 0, 0, false, ""},
	{"pause", do_plain, 0, 0, false, ""},
	{"resume", do_plain, 0, 0, false, ""},
	{"save", do_plain, 0, 0, false, ""},
	{"load", do_plain, 0, 0, false, ""},
	{"get", do_get, 0, 1, false, "[NAME]"},
	{"set", do_set, 2, 2, false, "NAME VALUE"},
	{"follow", do_follow, 0, 0, false, ""},
	{"normalize", do_profiles, 0, 0, true, "WHICH"},
	{"sensitize", do_profiles, 0, 0, true, "WHICH"},
	{"tolerize", do_profiles, 0, 0, true, "WHICH"},
	{"reset", do_profiles, 0, 0, true, "WHICH"},
	{"forget", do_profiles, 0, 0, true, "WHICH"},
	{"release", do_release, 0, 0, true, "-p PID or --all"},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static const struct option options[] = {
	{"pid", required_argument, NULL, 'p'},
	{"exe", required_argument, NULL, 'e'},
	{"key", required_argument, NULL, 'k'},
	{"all", no_argument, NULL, 'a'},
	{"yes", no_argument, NULL, 'y'},
	{"json", no_argument, NULL, 'j'},
	{"socket", required_argument, NULL, 'S'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static bool is_key(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	return digits && digits <= 16 && !text[digits];
}

static int take_option(struct admin *a, int option, char *value)
{
	u64 pid;

	switch (option) {
	case 'p':
		if (number_u64(value, 1, PID_LIMIT, &pid))
			return usage("bad value '%s' for --pid: expected 1..4194304",
				     value);
		a->pid = (u32)pid;
		return 0;
	case 'e':
		a->exe = value;
		return *value ? 0
			      : usage("bad value '%s' for --exe: expected a path", "");
	case 'k':
		a->key = value;
		return is_key(value) ? 0
				     : usage("bad value '%s' for --key: expected up to "
					     "16 hexadecimal digits",
					     value);
	case 'a':
		a->all = true;
		return 0;
	case 'y':
		a->yes = true;
		return 0;
	case 'j':
		a->json = true;
		return 0;
	case 'S':
		a->socket = value;
		return 0;
	default:
		return usage("unknown option or no value: '%s'", value);
	}
}

/* The command and its words, which may stand among the options: 0 or 2. */
static int take_words(struct admin *a, int argc, char **argv)
{
	const struct command *c;
	int which = (a->pid != 0) + (a->exe != NULL) + (a->key != NULL) + a->all;

	if (optind >= argc)
		return usage("%s", "which command?");
	a->command = argv[optind];
	a->words = argv + optind + 1;
	a->word_count = argc - optind - 1;
	c = find_command(a->command);
	if (!c)
		return usage("there is no command '%s'", a->command);
	if (a->word_count > c->most)
		return usage("unknown argument '%s'", a->words[c->most]);
	if (a->word_count < c->least)
		return usage("what is missing: %s", c->words);
	if (c->profiles && which != 1)
		return usage("%s needs one of -p, -e, -k and --all", a->command);
	if (!c->profiles && which)
		return usage("%s takes none of -p, -e, -k and --all", a->command);
	return 0;
}

int admin_main(int argc, char **argv)
{
	struct admin a = {.socket = control_default_socket()};
	int option, status = 0;
	char error[600];

	optind = 0;
	opterr = 0;
	while (!status &&
	       (option = getopt_long(argc, argv, "p:e:k:ayjh", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return output_printed();
		}
		status = take_option(&a, option,
				     option == '?' ? argv[optind - 1] : optarg);
	}
	if (!status)
		status = take_words(&a, argc, argv);
	if (status)
		return status;
	if (connection_open(&a.connection, a.socket, error, sizeof(error))) {
		fprintf(stderr, "ebph admin: %s\n", error);
		return 1;
	}
	status = find_command(a.command)->run(&a);
	connection_close(&a.connection);
	if (fflush(stdout) && !status)
		status = 1;
	return status;
}
