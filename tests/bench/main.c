/* SPDX-License-Identifier: GPL-2.0-only */
/* What ebph costs, beside nothing and an empty probe. scripts/bench builds and runs it. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "number.h"
#include "table.h"
#include "watcher.h"

enum part { PART_MEMORY = 1, PART_START = 2 };

struct choice {
	bool ways[WAYS];
	int parts; /* enum part */
	bool some; /* --only was given */
	bool quick, json, progress;
	const char *plot;
	int rounds;
};

static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
	stopped = signal;
}

/* ---- what to do ---- */

static const char help[] =
	"Usage: scripts/bench [OPTIONS]\n"
	"\n"
	"Measure what ebph costs: the time it adds to system calls and to programs, in turn\n"
	"with nothing attached and with an empty BPF program at sys_enter; its memory; how\n"
	"long it takes to start. Needs root and a quiet machine: it says where it cannot\n"
	"tell.\n"
	"\n"
	"  --quick        about a minute: only what has a target, in few rounds, no build\n"
	"  --only NAME    only this (repeatable): a kind of work, as in --json's output; a\n"
	"                 way of watching getppid (normal, training, other-pid, other-exe,\n"
	"                 other-uid, other-cgroup, classic); memory; start\n"
	"  --rounds N     1..100 (default: 12; --quick: 6)\n"
	"  --classic      set against an empty program at the classic tracepoint\n"
	"  --ebph FILE    the ebph to measure (default: $EBPH, else build/ebph)\n"
	"  --json         print one JSON object\n"
	"  --plot FILE    write a plot as SVG\n"
	"  -h, --help     print this help\n"
	"\n"
	"A verdict is given where the 95 % interval of the median lies wholly on one side\n"
	"of the target, and the spread (quartiles) is not larger than the effect.\n"
	"Exit status: 0 measured; 1 failed; 2 bad usage; 3 a target was missed.\n";

/* Everything, less what NAMES leave out. */
static void choose_all(struct bench *b, struct choice *c)
{
	for (int i = 0; i < JOBS; i++)
		b->wanted[i] = !c->quick || i == JOB_GETPPID || i == JOB_ONE_THREAD ||
			       i == JOB_TWO_THREADS || i == JOB_SIGNAL ||
			       i == JOB_FORK_EXIT || i == JOB_FORK_EXEC ||
			       i == JOB_FORK_SH;
	for (int i = 0; i < WAYS; i++)
		c->ways[i] = true;
	c->parts = PART_MEMORY | PART_START;
}

static int choose(struct bench *b, struct choice *c, const char *name)
{
	for (int i = 0; i < JOBS; i++)
		if (!strcmp(name, jobs[i].name)) {
			b->wanted[i] = true;
			if (i == JOB_GETPPID)
				for (int w = 0; w < WAYS; w++)
					c->ways[w] = true;
			return 0;
		}
	for (int i = 0; i < WAYS; i++)
		if (!strcmp(name, ways[i].name)) {
			b->wanted[JOB_GETPPID] = c->ways[i] = true;
			return 0;
		}
	if (!strcmp(name, "memory"))
		c->parts |= PART_MEMORY;
	else if (!strcmp(name, "start"))
		c->parts |= PART_START;
	else
		return -1;
	return 0;
}

enum {
	OPTION_QUICK = 256,
	OPTION_ONLY,
	OPTION_ROUNDS,
	OPTION_CLASSIC,
	OPTION_EBPH,
	OPTION_JSON,
	OPTION_PLOT
};

/* Take one option with its VALUE: 0: go on; else the exit status, plus one. */
static int take(int option, const char *value, struct bench *b, struct choice *c)
{
	uint64_t rounds;

	switch (option) {
	case OPTION_QUICK:
		c->quick = true;
		return 0;
	case OPTION_ONLY:
		c->some = true;
		if (!choose(b, c, value))
			return 0;
		fprintf(stderr, "bench: nothing is called '%s'\n", value);
		return 3;
	case OPTION_ROUNDS:
		if (number_u64(value, 1, 100, &rounds)) {
			fprintf(stderr,
				"bench: bad value '%s' for --rounds: expected a number "
				"1..100\n",
				value);
			return 3;
		}
		c->rounds = (int)rounds;
		return 0;
	case OPTION_CLASSIC:
		b->classic = true;
		return 0;
	case OPTION_EBPH:
		b->ebph = value;
		return 0;
	case OPTION_JSON:
		c->json = true;
		return 0;
	case OPTION_PLOT:
		c->plot = value;
		return 0;
	case 'h':
		fputs(help, stdout);
		return 1;
	default:
		return 3;
	}
}

/* As take(). */
static int parse(int argc, char **argv, struct bench *b, struct choice *c)
{
	static const struct option longs[] = {
		{"quick", no_argument, NULL, OPTION_QUICK},
		{"only", required_argument, NULL, OPTION_ONLY},
		{"rounds", required_argument, NULL, OPTION_ROUNDS},
		{"classic", no_argument, NULL, OPTION_CLASSIC},
		{"ebph", required_argument, NULL, OPTION_EBPH},
		{"json", no_argument, NULL, OPTION_JSON},
		{"plot", required_argument, NULL, OPTION_PLOT},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		status = take(option, optarg, b, c);
		if (status)
			return status;
	}
	if (optind < argc) {
		fprintf(stderr, "bench: unknown argument '%s'\n", argv[optind]);
		return 3;
	}
	if (!c->some)
		choose_all(b, c);
	if (!c->rounds)
		c->rounds = c->quick ? 6 : 12;
	return 0;
}

/* ---- where ---- */

static void describe(struct setting *s, int rounds)
{
	char line[256];
	struct utsname u;
	time_t now = time(NULL);
	FILE *f = fopen("/proc/cpuinfo", "re");

	*s = (struct setting){.cpu = "unknown CPU", .rounds = rounds};
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "model name", 10) && strchr(line, ':'))
			snprintf(s->cpu, sizeof(s->cpu), "%.*s",
				 (int)strcspn(strchr(line, ':') + 2, "\n"),
				 strchr(line, ':') + 2);
	if (f)
		fclose(f);
	uname(&u);
	snprintf(s->kernel, sizeof(s->kernel), "%s", u.release);
	s->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (getloadavg(&s->load, 1) != 1)
		s->load = -1;
	strftime(s->time, sizeof(s->time), "%FT%TZ", gmtime(&now));
}

/* The last two CPUs that we may use: interrupts mostly go to the first. */
static void choose_cpus(struct bench *b)
{
	cpu_set_t set;

	b->cpu = b->cpu2 = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set)) {
			b->cpu2 = b->cpu;
			b->cpu = i;
		}
}

/* The programs that were built beside this one, with SUFFIX. */
static const char *beside(const char *suffix)
{
	char path[256] = {0}, *result;

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0 ||
	    asprintf(&result, "%s%s", path, suffix) < 0)
		return "";
	return result;
}

/* Where ebph itself must watch from the classic tracepoint, that one's floor counts. */
static int find_floor(struct bench *b)
{
	static const char *const none[] = {NULL};
	struct watcher w;
	int result = watcher_start(&w, b->ebph, none, b->dir);

	if (result) {
		fprintf(stderr, "bench: %s did not start: %s%s%s\n", b->ebph,
			strerror(-result), *w.words ? ": " : "", w.words);
		return -1;
	}
	if (!watcher_is_raw(&w))
		b->classic = true;
	watcher_stop(&w);
	return 0;
}

/* ---- rounds ---- */

static void progress(const struct choice *c, int round, const char *what)
{
	if (c->progress)
		fprintf(stderr, "\rbench: round %d of %d, %-20s", round + 1, c->rounds,
			what);
}

/* getppid in every way, then each job beside ebph, then the build. */
static int run_round(struct bench *b, const struct choice *c, int round)
{
	static const enum job_id call[] = {JOB_GETPPID};
	static const enum job_id build[] = {JOB_BUILD};
	enum job_id rest[JOBS];
	bool flip = round & 1;
	size_t count = 0;

	for (int w = 0; w < WAYS; w++) {
		if (!b->wanted[JOB_GETPPID] || !c->ways[w] ||
		    (w == WAY_OTHER_CGROUP && !*b->cgroup))
			continue;
		progress(c, round, ways[w].title);
		if (stopped || bench_cycle(b, w, call, 1, true, flip))
			return -1;
	}
	for (int j = 0; j < JOBS; j++)
		if (b->wanted[j] && j != JOB_BUILD)
			rest[count++] = j;
	if (count > 1 || (count == 1 && rest[0] != JOB_GETPPID)) {
		progress(c, round, "all kinds of work");
		if (stopped || bench_cycle(b, WAY_NORMAL, rest, count, true, flip))
			return -1;
	}
	if (b->wanted[JOB_BUILD]) {
		progress(c, round, "build");
		if (stopped || bench_cycle(b, WAY_NORMAL, build, 1, false, flip))
			return -1;
	}
	return 0;
}

static int measure(struct bench *b, struct resources *r, const struct choice *c)
{
	int result = bench_open(b);

	if (!result)
		result = find_floor(b);
	for (int i = 0; i < c->rounds && !result; i++)
		result = run_round(b, c, i);
	if (!result && c->parts & PART_START) {
		progress(c, c->rounds - 1, "start");
		resources_start(r, b->ebph, beside("-compile"), b->dir,
				c->quick ? 6 : 12);
	}
	if (!result && c->parts & PART_MEMORY) {
		progress(c, c->rounds - 1, "memory");
		resources_measure(r, b->ebph, b->dir, c->quick ? 5 : 20);
	}
	if (c->progress)
		fprintf(stderr, "\r%60s\r", "");
	if (result)
		fprintf(stderr, "bench: %s\n", stopped ? "stopped" : b->error);
	bench_close(b);
	return result;
}

static int write_plot(const struct bench *b, const struct choice *c,
		      const struct setting *s)
{
	FILE *f = fopen(c->plot, "we");

	if (f)
		table_svg(f, b, s);
	if (!f || fclose(f)) {
		fprintf(stderr, "bench: cannot write %s: %s\n", c->plot, strerror(errno));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench b;
	static struct resources r;
	struct figure figures[FIGURES];
	struct choice c = {.progress = isatty(STDERR_FILENO)};
	struct setting setting;
	int result;

	b.ebph = getenv("EBPH") ? getenv("EBPH") : "build/ebph";
	b.worker = beside("-worker");
	result = parse(argc, argv, &b, &c);
	if (result)
		return result - 1;
	b.block_ns = c.quick ? 4e6 : 10e6;
	b.blocks = c.quick ? 9 : 11;
	choose_cpus(&b);
	signal(SIGINT, on_stop);
	signal(SIGTERM, on_stop);
	signal(SIGPIPE, SIG_IGN);
	describe(&setting, c.rounds);
	snprintf(r.why, sizeof(r.why), "not measured");
	memcpy(r.profile_why, r.why, sizeof(r.why));
	memcpy(r.idle_why, r.why, sizeof(r.why));
	if (measure(&b, &r, &c))
		return 1;
	figures_make(&b, &r, figures);
	(c.json ? table_json : table_text)(stdout, &b, &r, figures, &setting);
	result = c.plot ? write_plot(&b, &c, &setting) : 0;
	for (int i = 0; i < FIGURES && !result; i++)
		if (figures[i].verdict == VERDICT_MISSED)
			result = 3;
	return result;
}
