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
#include "replay.h"
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

static int run(const struct options *o)
{
	struct bounds bounds = source_bounds(o);
	char error[600], headers[256];
	struct loaded loaded;
	FILE *out = stdout;
	char *text = source_text(o, error, sizeof(error));
	int result;

	if (!text) {
		fprintf(stderr, "ebph: %s\n", error);
		return 1;
	}
	if (o->ebpf) {
		fputs(text, stdout);
		free(text);
		return 0;
	}
	if (!may_load()) {
		fprintf(stderr,
			"ebph: loading BPF programs needs root, or CAP_SYS_ADMIN, or "
			"CAP_BPF and CAP_PERFMON\n");
		free(text);
		return 1;
	}
	result = headers_make(headers, sizeof(headers));
	if (result) {
		fprintf(stderr, "ebph: cannot make a private directory: %s\n",
			strerror(-result));
		free(text);
		return 1;
	}
	result = compile(text, headers, &loaded, error, sizeof(error));
	headers_remove(headers);
	free(text);
	if (result) {
		fprintf(stderr, "ebph: %s\n", error);
		return 1;
	}
	if (o->output)
		out = fopen(o->output, "we");
	if (!out) {
		fprintf(stderr, "ebph: cannot write %s: %s\n", o->output,
			strerror(errno));
		result = 1;
	} else {
		result = watch(o, &loaded, &bounds, out);
	}
	if (out && out != stdout && fclose(out) && !result)
		result = 1;
	loaded_close(&loaded);
	return result;
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"replay", replay_main},
};

int main(int argc, char **argv)
{
	struct options o;
	char error[256];
	int status;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	switch (options_parse(argc, argv, &o, error, sizeof(error))) {
	case OPTIONS_HELP:
		options_help(stdout);
		return 0;
	case OPTIONS_VERSION:
		puts("ebph " EBPH_VERSION);
		return 0;
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
