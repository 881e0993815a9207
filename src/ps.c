/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "ps.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "control.h"
#include "number.h"
#include "output.h"
#include "ps_table.h"

enum { PIDS = 64 };

struct ps {
	const char *socket, *rows, *columns, *order;
	const char *comm, *state;
	json_t *exe;
	u32 pids[PIDS];
	size_t pid_count;
	bool anomalous, json;
	u64 every_ns; /* 0: once */
	struct ps_layout layout;
	struct ps_table table;
};

static const char help[] =
	"Usage: ebph ps [OPTIONS]\n"
	"\n"
	"List what a running ebph watches: a row per process.\n"
	"\n"
	"  -t, --threads            a row per thread\n"
	"  -p, --profiles           a row per profile\n"
	"\n"
	"  -q, --pid PID[,PID]      only these processes\n"
	"  -C, --comm NAME          only this command name\n"
	"  -e, --exe PATH           only this executable\n"
	"  -s, --state STATE        only training, frozen or normal\n"
	"  -a, --anomalous          only with anomalies\n"
	"\n"
	"  -k, --sort [-]COL[,...]  in this order; -: the largest first\n"
	"  -o, --columns COL[,...]  these columns\n"
	"      --no-header          no line of headers\n"
	"  -j, --json               JSON Lines, one row a line\n"
	"  -w, --watch SECS         again every SECS (0.1 or more), until stopped\n"
	"      --socket PATH        of the ebph to ask (default: $EBPH_SOCKET, else\n"
	"                           /run/ebph.sock)\n"
	"  -h, --help               print this help and exit\n"
	"\n"
	"Columns: pid tid comm key exe state count train_count last_mod sequences\n"
	"anomalies lfc max_lfc threads normal_time delayed.\n"
	"\n"
	"Exit status: 0 fine; 1 failed, also when no ebph is running; 2 bad usage.\n";

/* ---- rows ---- */

static bool is_text(const json_t *row, const char *member, const char *wanted)
{
	const char *text = json_string_value(json_object_get(row, member));

	return !wanted || (text && !strcmp(text, wanted));
}

static bool is_wanted(const struct ps *ps, const json_t *row)
{
	json_int_t pid = json_integer_value(json_object_get(row, "pid"));
	bool found = !ps->pid_count;

	for (size_t i = 0; i < ps->pid_count; i++)
		found |= ps->pids[i] == pid;
	return found && is_text(row, "comm", ps->comm) &&
	       is_text(row, "exe", json_string_value(ps->exe)) &&
	       is_text(row, "state", ps->state) &&
	       (!ps->anomalous || json_integer_value(json_object_get(row, "anomalies")));
}

static int take_row(void *context, json_t *row)
{
	struct ps *ps = context;

	return is_wanted(ps, row) ? ps_table_add(&ps->table, row) : 0;
}

static size_t width_of(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

static void print_json(const struct ps_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		json_dumpf(t->rows[i], stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
	}
}

/* Also until when a row is delayed, if one is. */
static const char *usual_columns(const struct ps *ps)
{
	bool delayed = false;

	for (size_t i = 0; i < ps->table.count && !delayed; i++)
		delayed = json_object_get(ps->table.rows[i], "delayed_until") != NULL;
	if (!strcmp(ps->rows, "profiles"))
		return "key,exe,state,train_count,last_mod,anomalies,normal_time";
	if (!strcmp(ps->rows, "threads"))
		return delayed ? "pid,tid,comm,state,count,last_mod,anomalies,lfc,"
				 "normal_time,delayed"
			       : "pid,tid,comm,state,count,last_mod,anomalies,lfc,"
				 "normal_time";
	return delayed ? "pid,comm,state,count,last_mod,anomalies,lfc,normal_time,delayed"
		       : "pid,comm,state,count,last_mod,anomalies,lfc,normal_time";
}

static int list(struct ps *ps, struct connection *c)
{
	json_t *request = json_pack("{s:s, s:s}", "do", "ps", "rows", ps->rows);
	char error[600] = "out of memory";
	int result = connection_ask(c, request, take_row, ps, NULL, error, sizeof(error));

	if (result) {
		fprintf(stderr, "ebph ps: %s\n", error);
		return result;
	}
	ps_table_sort(&ps->table, &ps->layout);
	if (!ps->columns)
		ps_columns(&ps->layout, usual_columns(ps), error, sizeof(error));
	if (ps->json)
		print_json(&ps->table);
	else
		ps_table_print(&ps->table, &ps->layout, stdout, width_of(stdout));
	ps_table_clear(&ps->table);
	if (fflush(stdout)) {
		fprintf(stderr, "ebph ps: cannot write: %s\n", strerror(errno));
		return -EIO;
	}
	return 0;
}

static int list_again(struct ps *ps, struct connection *c)
{
	bool terminal = isatty(STDOUT_FILENO) && !ps->json;
	const struct timespec pause = {.tv_sec = (time_t)(ps->every_ns / 1000000000),
				       .tv_nsec = (long)(ps->every_ns % 1000000000)};
	int result = 0;

	for (bool first = true; !result; first = false) {
		if (!first && !terminal && !ps->json)
			putchar('\n');
		if (terminal)
			fputs("\033[H\033[J", stdout);
		result = list(ps, c);
		if (!ps->every_ns)
			break;
		nanosleep(&pause, NULL);
	}
	return result;
}

/* ---- command line ---- */

static const struct option options[] = {
	{"threads", no_argument, NULL, 't'},
	{"profiles", no_argument, NULL, 'p'},
	{"pid", required_argument, NULL, 'q'},
	{"comm", required_argument, NULL, 'C'},
	{"exe", required_argument, NULL, 'e'},
	{"state", required_argument, NULL, 's'},
	{"anomalous", no_argument, NULL, 'a'},
	{"sort", required_argument, NULL, 'k'},
	{"columns", required_argument, NULL, 'o'},
	{"no-header", no_argument, NULL, 'H'},
	{"json", no_argument, NULL, 'j'},
	{"watch", required_argument, NULL, 'w'},
	{"socket", required_argument, NULL, 'S'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int bad(const char *what, const char *value, const char *expected)
{
	fprintf(stderr, "ebph ps: bad value '%s' for %s: expected %s\n", value, what,
		expected);
	return 2;
}

static int take_pids(struct ps *ps, char *list)
{
	char *rest = list, *item;

	while ((item = strsep(&rest, ","))) {
		u64 pid;

		if (ps->pid_count == PIDS || number_u64(item, 1, PID_LIMIT, &pid))
			return bad(
				"--pid", item,
				"up to 64 process ids 1..4194304, separated by commas");
		ps->pids[ps->pid_count++] = (u32)pid;
	}
	return 0;
}

static int take_state(struct ps *ps, const char *state)
{
	if (strcmp(state, "training") && strcmp(state, "frozen") &&
	    strcmp(state, "normal"))
		return bad("--state", state, "training, frozen or normal");
	ps->state = state;
	return 0;
}

static int take_rows(struct ps *ps, const char *rows)
{
	if (strcmp(ps->rows, "processes") && strcmp(ps->rows, rows)) {
		fprintf(stderr, "ebph ps: --threads and --profiles exclude each other\n");
		return 2;
	}
	ps->rows = rows;
	return 0;
}

static int take_option(struct ps *ps, int option, char *value)
{
	switch (option) {
	case 't':
		return take_rows(ps, "threads");
	case 'p':
		return take_rows(ps, "profiles");
	case 'q':
		return take_pids(ps, value);
	case 'C':
		ps->comm = value;
		return 0;
	case 'e':
		json_decref(ps->exe);
		ps->exe = connection_exe(value);
		return 0;
	case 's':
		return take_state(ps, value);
	case 'a':
		ps->anomalous = true;
		return 0;
	case 'k':
		ps->order = value;
		return 0;
	case 'o':
		ps->columns = value;
		return 0;
	case 'H':
		ps->layout.no_header = true;
		return 0;
	case 'j':
		ps->json = true;
		return 0;
	case 'w':
		if (number_duration_ns(value, &ps->every_ns) || ps->every_ns < 100000000)
			return bad("--watch", value, "a duration of 0.1 seconds or more");
		return 0;
	case 'S':
		ps->socket = value;
		return 0;
	default:
		fprintf(stderr,
			"ebph ps: unknown option or no value: '%s' (see ebph ps "
			"--help)\n",
			value);
		return 2;
	}
}

/* What goes with the kind of rows, unless the user said otherwise. */
static int lay_out(struct ps *ps)
{
	const char *order = !strcmp(ps->rows, "threads")    ? "pid,tid"
			    : !strcmp(ps->rows, "profiles") ? "exe,key"
							    : "pid";
	char error[400];

	if (!ps_columns(&ps->layout, ps->columns ? ps->columns : usual_columns(ps), error,
			sizeof(error)) &&
	    !ps_order(&ps->layout, ps->order ? ps->order : order, error, sizeof(error)))
		return 0;
	fprintf(stderr, "ebph ps: %s\n", error);
	return 2;
}

static int parse(struct ps *ps, int argc, char **argv)
{
	int option, result = 0;

	optind = 0;
	opterr = 0;
	while (!result && (option = getopt_long(argc, argv, "tpq:C:e:s:ak:o:jw:h",
						options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			exit(output_printed());
		}
		result = take_option(ps, option,
				     option == '?' ? argv[optind - 1] : optarg);
	}
	if (!result && optind < argc) {
		fprintf(stderr, "ebph ps: unknown argument '%s'\n", argv[optind]);
		result = 2;
	}
	return result ? result : lay_out(ps);
}

int ps_main(int argc, char **argv)
{
	struct ps ps = {.socket = control_default_socket(), .rows = "processes"};
	int status = parse(&ps, argc, argv);
	struct connection c;
	char error[600];

	if (status)
		return status;
	if (connection_open(&c, ps.socket, error, sizeof(error))) {
		fprintf(stderr, "ebph ps: %s\n", error);
		return 1;
	}
	status = list_again(&ps, &c) ? 1 : 0;
	ps_table_clear(&ps.table);
	json_decref(ps.exe);
	connection_close(&c);
	return status;
}
