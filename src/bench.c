/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compile.h"
#include "feature.h"
#include "kernel.h"
#include "moment.h"
#include "number.h"
#include "output.h"
#include "preempt.h"
#include "privilege.h"
#include "recording.h"
#include "stats.h"
#include "model.h"
#include "attach.h"

extern const char bench_bpf_source[];

struct bench_options {
	pid_t pid; /* 0: all but ourselves */
	uint64_t duration_ns;
	bool json;
	const char *without, *with; /* recordings; NULL: none, none yet */
};

/* Descriptors of what was loaded; -1: not there. */
struct bench_parts {
	int on_enter, on_exit, on_signal, on_end, on_exec; /* programs */
	int totals, lost;				   /* maps */
};

#define PART(kind, x)                                        \
	{                                                    \
#x, offsetof(struct bench_parts, x), kind, 0 \
	}

/* The last two only where a thread's state is kept by its id. */
static const struct part parts[] = {
	PART(ATTACHED, on_enter), PART(ATTACHED, on_exit),   PART(MAP, totals),
	PART(MAP, lost),	  PART(ATTACHED, on_signal), PART(ATTACHED, on_end),
	PART(ATTACHED, on_exec),
};

/* In the order of attaching: entries last, so that each that is seen can end. */
static const struct {
	const char *group, *name;
	size_t program;
} points[] = {
	{"sched", "sched_process_exit", offsetof(struct bench_parts, on_end)},
	{"sched", "sched_process_exec", offsetof(struct bench_parts, on_exec)},
	{"signal", "signal_deliver", offsetof(struct bench_parts, on_signal)},
	{"raw_syscalls", "sys_exit", offsetof(struct bench_parts, on_exit)},
	{"raw_syscalls", "sys_enter", offsetof(struct bench_parts, on_enter)},
};

enum { POINTS = sizeof(points) / sizeof(*points) };

/* What is in TOTALS; see ebph_bench_bpf.c.in. */
struct total {
	u64 entered, returned, ns;
};

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	va_list ap;

	fputs("ebph bench: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

/* ---- options ---- */

static const char help[] =
	"Usage: ebph bench [-p PID] [-d DUR] [-j] [--compare WITHOUT [WITH]]\n"
	"\n"
	"Count system calls and measure how long they take, until interrupted.\n"
	"\n"
	"  -p, --pid PID       only this process, 1..4194304 (default: all but itself)\n"
	"  -d, --duration DUR  stop after DUR (above 0; default: never)\n"
	"  -j, --json          write a recording as JSON, on one line\n"
	"      --compare WITHOUT [WITH]  set the recording in file WITHOUT beside the one\n"
	"                      in file WITH or, without that, one that is made now; with\n"
	"                      the overhead, 100 * (with - without) / without\n"
	"  -h, --help          print this help and exit\n"
	"\n"
	"DUR is a number, fractions allowed, with ms, s, m, h, d or w (seconds if left\n"
	"out).\n";

static int set_option(struct bench_options *o, int option)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (number_u64(optarg, 1, PID_LIMIT, &number))
			return complain("bad value '%s' for --pid: expected a process id "
					"1..4194304",
					optarg);
		o->pid = (pid_t)number;
		break;
	case 'd':
		if (number_duration_ns(optarg, &o->duration_ns) || !o->duration_ns)
			return complain("bad value '%s' for --duration: expected a "
					"duration above 0, such as 10, 0.5 or 10m",
					optarg);
		break;
	case 'j':
		o->json = true;
		break;
	case 'c':
		o->without = optarg;
		break;
	default: /* getopt has said what is wrong */
		return -1;
	}
	return 0;
}

/* 0: go on; -1: a mistake, said; 1: help was asked for. */
static int parse(int argc, char **argv, struct bench_options *o)
{
	static const struct option longs[] = {
		{"pid", required_argument, NULL, 'p'},
		{"duration", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"compare", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char program[] = "ebph bench";
	int option;

	argv[0] = program;
	optind = 0; /* glibc: start afresh */
	while ((option = getopt_long(argc, argv, "p:d:jh", longs, NULL)) != -1) {
		if (option == 'h')
			return 1;
		if (set_option(o, option))
			return -1;
	}
	if (optind < argc && o->without)
		o->with = argv[optind++];
	if (optind < argc)
		return complain("unknown argument '%s'", argv[optind]);
	return 0;
}

/* ---- the programs ---- */

static void write_config(FILE *out, const struct bench_options *o, const struct kernel *k,
			 bool raw)
{
	fprintf(out, "#define TARGET %d\n#define SELF %d\n", (int)o->pid, (int)getpid());
	fprintf(out, "#define RAW_TRACEPOINTS %d\n#define USE_TASK_STORAGE %d\n", raw,
		k->task_storage);
#if defined(__x86_64__)
	fputs("#define ARCH_X86 1\n#define SYMBOL_RESTART 219\n"
	      "#define SYMBOL_SIGRETURN 15\n",
	      out);
#elif defined(__aarch64__)
	fputs("#define ARCH_ARM64 1\n#define SYMBOL_RESTART 128\n"
	      "#define SYMBOL_SIGRETURN 139\n",
	      out);
#else
#error "system-call numbers of this architecture are not known to ebph"
#endif
}

/* The BPF source for kernel K, to be freed; NULL: no memory. */
static char *source(const struct bench_options *o, const struct kernel *k, bool raw)
{
	static const char mark[] = "@CONFIG@";
	const char *at = strstr(bench_bpf_source, mark);
	char *text = NULL;
	size_t length;
	FILE *out = at ? open_memstream(&text, &length) : NULL;

	if (!out)
		return NULL;
	fwrite(bench_bpf_source, 1, at - bench_bpf_source, out);
	write_config(out, o, k, raw);
	kernel_write(k, out);
	fputs(at + sizeof(mark) - 1, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static int load_text(const char *text, bool task_storage, bool raw, struct bench_parts *p,
		     char *error, size_t size)
{
	int count = sizeof(parts) / sizeof(*parts) - (task_storage ? 2 : 0);

	p->on_end = p->on_exec = -1;
	return compile_parts(text, raw, parts, count, p, error, size);
}

/*
 * Raw tracepoints, unless their programs can be preempted: calls would be lost. Without
 * task storage or BTF the kernel is one that does not preempt them.
 */
static bool use_raw_tracepoints(const struct kernel *k)
{
	const char *wish = getenv("EBPH_TRACEPOINTS");

	if (!k->btf || !k->task_storage || !k->task_regs)
		return true;
	if (wish && *wish)
		return strcmp(wish, "classic") != 0;
	return preempt_raw_tracepoints_by(k->btf) != 1;
}

/* Load the programs; RAW tells what they are for. */
static int load(const struct bench_options *o, bool *raw, struct bench_parts *p)
{
	char error[2800] = "", *text;
	struct kernel kernel;
	int result;

	libbpf_set_print(NULL);
	if (feature_check(error, sizeof(error)) ||
	    kernel_learn("auto", &kernel, error, sizeof(error)))
		return complain("%s", error);
	*raw = use_raw_tracepoints(&kernel);
	text = source(o, &kernel, *raw);
	kernel_forget(&kernel);
	if (!text)
		return complain("no memory for the BPF source");
	result = load_text(text, kernel.task_storage, *raw, p, error, sizeof(error));
	free(text);
	return result ? complain("%s", error) : 0;
}

static int attach(const struct bench_parts *p, bool raw, int *links)
{
	for (int i = 0; i < POINTS; i++) {
		int program = *(const int *)((const char *)p + points[i].program);

		if (program < 0)
			continue;
		links[i] = raw ? bpf_raw_tracepoint_open(points[i].name, program)
			       : attach_classic(attach_classic_id(points[i].group,
								  points[i].name),
						program);
		if (links[i] < 0)
			return complain("cannot attach to the tracepoint %s:%s: %s",
					points[i].group, points[i].name,
					strerror(raw ? errno : -links[i]));
	}
	return 0;
}

/* From here on only what the programs counted is read. */
static int give_up(void)
{
	char error[200];

	if (!privilege_keep(privilege_for_maps(privilege_held()), error, sizeof(error)))
		return 0;
	return complain("%s", error);
}

/* Entries first: nothing then begins that could not end. */
static void detach(int *links)
{
	for (int i = POINTS - 1; i >= 0; i--)
		if (links[i] >= 0)
			close(links[i]);
}

/* ---- recording ---- */

static double seconds(void)
{
	return (double)moment_monotonic() / 1e9;
}

/* Until a signal, the time limit, or the end of the process that is looked at. */
static void wait_for_end(const struct bench_options *o, const sigset_t *set)
{
	double end = seconds() + (double)o->duration_ns / 1e9;
	struct timespec step;

	for (;;) {
		double left = o->duration_ns ? end - seconds() : 0.2;

		if (left <= 0 || (o->pid && kill(o->pid, 0) && errno == ESRCH))
			return;
		if (left > 0.2)
			left = 0.2;
		step.tv_sec = 0;
		step.tv_nsec = (long)(left * 1e9);
		if (sigtimedwait(set, NULL, &step) > 0)
			return;
	}
}

static u64 sum_lost(const struct bench_parts *p, const u64 *each, int cpus)
{
	const int programs[] = {p->on_enter, p->on_exit, p->on_signal};
	struct stats s;
	u64 lost = 0;

	for (int i = 0; i < cpus; i++)
		lost += each[i];
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (!stats_read(programs[i], &s))
			lost += s.misses;
	return lost;
}

static int collect(const struct bench_parts *p, struct recording *r)
{
	int cpus = libbpf_num_possible_cpus(), result = 0;
	struct total *each = cpus > 0 ? calloc(cpus, sizeof(*each)) : NULL;
	u64 *lost = cpus > 0 ? calloc(cpus, sizeof(*lost)) : NULL;
	u32 zero = 0;

	for (u32 symbol = 0; each && lost && symbol < SYMBOLS && !result; symbol++) {
		struct tally t = {.symbol = symbol};

		if (bpf_map_lookup_elem(p->totals, &symbol, each)) {
			result = -errno;
			break;
		}
		for (int i = 0; i < cpus; i++) {
			t.entered += each[i].entered;
			t.returned += each[i].returned;
			t.ns += each[i].ns;
		}
		if (t.entered || t.returned)
			result = recording_add(r, &t);
	}
	if (!each || !lost)
		result = -ENOMEM;
	else if (!result && !bpf_map_lookup_elem(p->lost, &zero, lost))
		r->lost = sum_lost(p, lost, cpus);
	free(each);
	free(lost);
	recording_sort(r);
	return result ? complain("cannot read the totals: %s", strerror(-result)) : 0;
}

static int record(const struct bench_options *o, struct recording *r)
{
	int links[POINTS] = {-1, -1, -1, -1, -1}, result;
	struct bench_parts p;
	bool raw;
	sigset_t set;
	double start;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (o->pid && kill(o->pid, 0) && errno == ESRCH)
		return complain("no process has the id %d", (int)o->pid);
	if (load(o, &raw, &p))
		return -1;
	result = attach(&p, raw, links);
	if (!result)
		result = give_up();
	if (!result) {
		fprintf(stderr, "ebph bench: recording\n");
		start = seconds();
		wait_for_end(o, &set);
		r->seconds = seconds() - start;
	}
	detach(links);
	if (!result)
		result = collect(&p, r);
	parts_close(parts, sizeof(parts) / sizeof(*parts), &p);
	if (!result && r->lost)
		complain("%llu calls could not be followed", (unsigned long long)r->lost);
	return result;
}

static int read_recording(struct recording *r, const char *path)
{
	char error[600];

	if (!recording_read(r, path, error, sizeof(error)))
		return 0;
	return complain("%s", error);
}

static int run(const struct bench_options *o)
{
	struct recording without = {0}, with = {0};
	int result = o->without ? read_recording(&without, o->without) : 0;

	if (!result)
		result = o->with ? read_recording(&with, o->with) : record(o, &with);
	if (!result && o->without)
		result = recording_compare(&without, &with, stdout, o->json);
	else if (!result)
		result = recording_print(&with, stdout, o->json);
	if (result < -1 && result != -EPIPE)
		complain("cannot write to standard output: %s", strerror(-result));
	recording_free(&without);
	recording_free(&with);
	return result && result != -EPIPE ? 1 : 0;
}

int bench_main(int argc, char **argv)
{
	struct bench_options o = {0};

	switch (parse(argc, argv, &o)) {
	case 0:
		signal(SIGPIPE, SIG_IGN);
		return run(&o);
	case 1:
		fputs(help, stdout);
		return output_printed();
	default:
		return 2;
	}
}
