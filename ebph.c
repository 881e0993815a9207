/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebph: learns each program's normal system calls and says when a process leaves them.
 *
 * options -> source (BPF C with this run's constants) -> compile (in a child, by
 * libbcc) -> watch (attach, read events) -> report.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "bench.h"
#include "compile.h"
#include "exception.h"
#include "feature.h"
#include "kernel.h"
#include "options.h"
#include "output.h"
#include "preempt.h"
#include "profile_cmd.h"
#include "replay.h"
#include "selftest.h"
#include "ps.h"
#include "source.h"
#include "watch.h"

static void block_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGHUP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* libbpf's words are for who debugs libbpf: what fails here has a sentence of its own. */
static int be_quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

/* Watch as O says, with the program TEXT: the exit status, or 1 with a sentence in ERROR. */
static int run_text(const struct options *o, const struct kernel *k, const char *text,
		    bool raw, char *error, size_t size)
{
	struct bounds bounds = source_bounds(o);
	FILE *out = output_open(o->output, error, size);
	struct loaded loaded;
	int result = 1;

	if (!out)
		return 1;
	if (!compile(text, raw, &loaded, error, size)) {
		result = watch(o, k, &loaded, &bounds, raw, out);
		loaded_close(&loaded);
	}
	output_close(out); /* watch() told of errors: each line was written at once */
	return result;
}

/* --abort-exec would be an empty promise where BPF programs are no security module. */
static int check_lsm(const struct options *o, char *error, size_t size)
{
	return o->abort_lfc && o->abort_by == ABORT_BY_LSM ? feature_lsm(error, size) : 0;
}

static int run(const struct options *o)
{
	char error[2800] = "", *text = NULL;
	struct kernel kernel;
	bool raw = true;
	int result = 1;

	libbpf_set_print(be_quiet);
	if ((o->ebpf || (!feature_check(error, sizeof(error)) &&
			 !check_lsm(o, error, sizeof(error)))) &&
	    !kernel_learn(o->headers, &kernel, error, sizeof(error))) {
		raw = preempt_choose(kernel.btf).raw;
		text = source_text(o, &kernel, raw, error, sizeof(error));
		kernel_forget(&kernel);
	}
	if (text && o->ebpf) {
		fputs(text, stdout);
		result = output_printed();
	} else if (text) {
		result = run_text(o, &kernel, text, raw, error, sizeof(error));
	}
	if (*error)
		fprintf(stderr, "ebph: %s\n", error);
	free(text);
	return result;
}

static int show_exceptions(const struct options *o)
{
	int result = exceptions_print(o, stdout);

	if (result)
		fprintf(stderr, "ebph: cannot look through /proc: %s\n",
			strerror(-result));
	return result ? 1 : output_printed();
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"admin", admin_main}, {"bench", bench_main},	{"profile", profile_main},
	{"ps", ps_main},       {"replay", replay_main},
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
	if (argc == 2 && !strcmp(argv[1], SELFTEST_CHILD))
		return selftest_child();
	switch (options_parse(argc, argv, &o, error, sizeof(error))) {
	case OPTIONS_HELP:
		options_help(stdout);
		return output_printed();
	case OPTIONS_VERSION:
		puts("ebph " EBPH_VERSION);
		return output_printed();
	case OPTIONS_BAD:
		fprintf(stderr, "ebph: %s\n", error);
		return 2;
	default:
		break;
	}
	if (o.self_test) {
		status = selftest(o.headers);
		options_free(&o);
		return output_printed() ? 1 : status;
	}
	if (o.show_exceptions) {
		status = show_exceptions(&o);
		options_free(&o);
		return status;
	}
	block_signals();
	status = run(&o);
	options_free(&o);
	return status;
}
