/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebph: learns each program's normal system calls and says when a process leaves them.
 *
 * options -> source (BPF C with this run's constants) -> compile (in a child, by
 * libbcc) -> watch (attach, read events) -> report.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"
#include "headers.h"
#include "options.h"
#include "output.h"
#include "preempt.h"
#include "profile_cmd.h"
#include "source.h"
#include "watch.h"

/* Options of the command line's contract that this version does not carry out. */
static const char *unsupported(const struct options *o)
{
	if (strcmp(o->headers, "auto") && strcmp(o->headers, "btf"))
		return "--kernel-headers DIR";
	return NULL;
}

/* 1 when this process may load BPF programs, as far as its capabilities tell. */
static int may_load(void)
{
	const unsigned long long admin = 1ULL << 21, bpf = 1ULL << 39,
				 perfmon = 1ULL << 38;
	unsigned long long caps = ~0ULL;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "CapEff:", 7))
			caps = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	return caps & admin || ((caps & bpf) && (caps & perfmon));
}

static void block_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGCHLD, SIGUSR1};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Raw tracepoints, unless their programs can be preempted: calls would be lost. */
static bool use_raw_tracepoints(void)
{
	const char *wish = getenv("EBPH_TRACEPOINTS");

	if (wish && *wish)
		return strcmp(wish, "classic") != 0;
	return preempt_raw_tracepoints() != 1;
}

/* What was printed on standard output is complete: 0, or 1 with a message. */
static int printed(void)
{
	int result = output_close(stdout);

	if (result && result != -EPIPE)
		fprintf(stderr, "ebph: cannot write to standard output: %s\n",
			strerror(-result));
	return result ? 1 : 0;
}

static int run(const struct options *o)
{
	struct bounds bounds = source_bounds(o);
	char error[600], headers[256];
	struct loaded loaded;
	FILE *out;
	bool raw = use_raw_tracepoints();
	char *text = source_text(o, raw, error, sizeof(error));
	int result;

	if (!text) {
		fprintf(stderr, "ebph: %s\n", error);
		return 1;
	}
	if (o->ebpf) {
		fputs(text, stdout);
		result = printed();
		free(text);
		return result;
	}
	if (!may_load()) {
		fprintf(stderr,
			"ebph: loading BPF programs needs root, or CAP_SYS_ADMIN, or "
			"CAP_BPF and CAP_PERFMON\n");
		free(text);
		return 1;
	}
	out = output_open(o->output, error, sizeof(error));
	if (!out) {
		fprintf(stderr, "ebph: %s\n", error);
		free(text);
		return 1;
	}
	result = headers_make(headers, sizeof(headers));
	if (result) {
		fprintf(stderr, "ebph: cannot make a private directory: %s\n",
			strerror(-result));
		free(text);
		output_close(out);
		return 1;
	}
	result = compile(text, headers, raw, &loaded, error, sizeof(error));
	headers_remove(headers);
	free(text);
	if (result) {
		fprintf(stderr, "ebph: %s\n", error);
		output_close(out);
		return 1;
	}
	result = watch(o, &loaded, &bounds, raw, out);
	output_close(out); /* watch() told of errors: each line was written at once */
	loaded_close(&loaded);
	return result;
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"profile", profile_main},
};

int main(int argc, char **argv)
{
	struct options o;
	char error[256];
	int status;

	output_standard_streams();
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	switch (options_parse(argc, argv, &o, error, sizeof(error))) {
	case OPTIONS_HELP:
		options_help(stdout);
		return printed();
	case OPTIONS_VERSION:
		puts("ebph " EBPH_VERSION);
		return printed();
	case OPTIONS_BAD:
		fprintf(stderr, "ebph: %s\n", error);
		return 2;
	default:
		break;
	}
	if (unsupported(&o)) {
		fprintf(stderr, "ebph: %s is not in this version\n", unsupported(&o));
		options_free(&o);
		return 2;
	}
	block_signals();
	status = run(&o);
	options_free(&o);
	return status;
}
