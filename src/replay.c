/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paths -> run (files to calls) -> judge (calls to events and sums, by the detector)
 * -> account (rows, events) or score (curves).
 */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "image.h"
#include "judge.h"
#include "model_image.h"
#include "moment.h"
#include "output.h"
#include "plot.h"
#include "replay_options.h"
#include "run.h"
#include "score.h"
#include "store.h"
#include "symbols.h"

enum { MEASURES = 3 };

static const char *const measures[MEASURES] = {"max_lfc", "anomaly_share", "misses"};
static const char *const measure_titles[MEASURES] = {
	"maximal LFC", "share of anomalous calls", "total of misses"};
static const double false_alarms[] = {0.01, 0.05, 0.2};

struct measured {
	double value[MEASURES];
	bool attack;
};

struct replay {
	const struct replay_options *o;
	struct judge judge;
	struct symbols *symbols;
	struct account account;
	bool failed; /* something could not be read */
	/* progress */
	bool terminal, shown;
	u64 started, next; /* ns */
	u64 bytes, files;
	/* scores */
	bool attack; /* what is read is labelled so */
	struct measured *measured;
	size_t count, room;
};

/* ---- progress ---- */

static void progress_clear(struct replay *r)
{
	if (r->shown)
		fputs("\r\033[K", stderr);
	r->shown = false;
}

static void on_progress(void *context, size_t bytes)
{
	struct replay *r = context;
	u64 now;

	r->bytes += bytes;
	if (!r->terminal)
		return;
	now = moment_monotonic();
	if (now - r->started < 1000000000ULL || now < r->next)
		return;
	r->next = now + 200000000ULL;
	r->shown = true;
	fprintf(stderr, "\rebph: %s %" PRIu64 " files, %" PRIu64 " MiB\033[K",
		r->judge.mode == JUDGE_LEARN ? "learning:" : "testing:", r->files,
		r->bytes >> 20);
}

/* ---- what happens while files are read ---- */

static void on_begin(void *context, const char *file)
{
	struct replay *r = context;

	r->files++;
	account_file(&r->account, file);
}

static void on_error(void *context, const char *path, u64 line, const char *why)
{
	struct replay *r = context;

	progress_clear(r);
	r->failed = true;
	if (line)
		fprintf(stderr, "ebph: %s:%" PRIu64 ": %s\n", path, line, why);
	else
		fprintf(stderr, "ebph: %s: %s\n", path, why);
}

static void on_tell(void *context, const struct event *e, const char *exe)
{
	struct replay *r = context;

	progress_clear(r);
	account_event(&r->account, e, exe);
}

static int on_row(void *context, const char *file, const struct process *p)
{
	struct replay *r = context;

	progress_clear(r);
	account_row(&r->account, file, p);
	return r->account.error ? -r->account.error : 0;
}

/* A row of a labelled file: a sample of each measure. */
static int on_sample(void *context, const char *file, const struct process *p)
{
	struct replay *r = context;

	(void)file;
	if (!p->calls)
		return 0;
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct measured *grown =
			reallocarray(r->measured, room, sizeof(*r->measured));

		if (!grown)
			return -ENOMEM;
		r->measured = grown;
		r->room = room;
	}
	r->measured[r->count++] = (struct measured){
		.value = {p->max_lfc, (double)p->anomalies / (double)p->calls,
			  (double)p->misses},
		.attack = r->attack,
	};
	return 0;
}

static int read_paths(struct replay *r, const struct paths *paths, enum judge_mode mode,
		      int (*row)(void *, const char *, const struct process *))
{
	struct run run = {
		.format = r->o->format,
		.judge = &r->judge,
		.symbols = r->symbols,
		.begin = on_begin,
		.row = row,
		.error = on_error,
		.progress = on_progress,
		.context = r,
	};
	int result = 0;

	r->judge.mode = mode;
	for (size_t i = 0; i < paths->count && !result; i++)
		result = run_path(&run, paths->list[i]);
	progress_clear(r);
	return result;
}

/* ---- scores ---- */

static int measure(const struct replay *r, int which, struct roc *roc)
{
	struct sample *samples = calloc(r->count ? r->count : 1, sizeof(*samples));
	int result;

	if (!samples)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++)
		samples[i] = (struct sample){r->measured[i].value[which],
					     r->measured[i].attack};
	result = roc_make(roc, samples, r->count);
	free(samples);
	return result;
}

static void score_print(struct replay *r, const struct roc *rocs)
{
	if (!r->o->json)
		printf("%-14s %7s %7s %7s %7s\n", "MEASURE", "AREA", "AT_1%", "AT_5%",
		       "AT_20%");
	for (int i = 0; i < MEASURES; i++) {
		double d[3];

		for (int k = 0; k < 3; k++)
			d[k] = roc_detected(&rocs[i], false_alarms[k]);
		if (r->o->json)
			account_json(&r->account,
				     json_pack("{s:s, s:s, s:f, s:{s:f, s:f, s:f}}",
					       "event", "score", "measure", measures[i],
					       "area", rocs[i].area, "detected", "1%",
					       d[0], "5%", d[1], "20%", d[2]));
		else
			printf("%-14s %7.4f %6.1f%% %6.1f%% %6.1f%%\n", measures[i],
			       rocs[i].area, 100 * d[0], 100 * d[1], 100 * d[2]);
	}
	account_flush(&r->account);
}

static int score_plot(const struct replay *r, const struct roc *rocs)
{
	struct plot_roc curves[MEASURES];
	FILE *f = fopen(r->o->plot, "we");
	int result;

	for (int i = 0; i < MEASURES; i++)
		curves[i] = (struct plot_roc){measure_titles[i], &rocs[i]};
	result =
		f ? plot_roc(f, "Attacks detected against false alarms", curves, MEASURES)
		  : -errno;
	if (f && (ferror(f) | fclose(f)) && !result)
		result = -(errno ? errno : EIO);
	if (result)
		fprintf(stderr, "ebph: cannot write %s: %s\n", r->o->plot,
			strerror(-result));
	return result;
}

static int score(struct replay *r)
{
	struct roc rocs[MEASURES] = {0};
	int result = 0;

	for (int i = 0; i < MEASURES && !result; i++)
		result = measure(r, i, &rocs[i]);
	if (result == -EINVAL)
		fprintf(stderr, "ebph: nothing to score: --normal and --attack need a "
				"process each\n");
	if (!result)
		score_print(r, rocs);
	if (!result && r->o->plot)
		result = score_plot(r, rocs);
	for (int i = 0; i < MEASURES; i++)
		roc_free(&rocs[i]);
	if (result && result != -ENOMEM)
		r->failed = true;
	return result == -ENOMEM ? result : 0;
}

/* ---- from beginning to end ---- */

/* The profile saved in FILE: 0, -ENOMEM, or -ENODATA after saying why not. */
static int load(struct replay *r, const char *file)
{
	char error[256];
	const char *why = error;
	struct image im;
	int result = store_read(AT_FDCWD, file, &im, error, sizeof(error));

	if (!result) {
		why = model_image_misfit(&im, r->o->window);
		result = why ? -EINVAL : model_image_add(&r->judge.detector, &im);
		if (result == -EEXIST)
			why = "another --profile is of the same program";
		image_free(&im);
	}
	if (!result || result == -ENOMEM)
		return result;
	fprintf(stderr, "ebph: cannot use the profile %s: %s\n", file, why);
	r->failed = true;
	return -ENODATA;
}

static int learn(struct replay *r)
{
	int result = 0;

	for (size_t i = 0; i < r->o->profiles.count && !result; i++)
		result = load(r, r->o->profiles.list[i]);
	r->judge.follow_links = r->o->profiles.count > 0;
	if (!result)
		result = read_paths(r, &r->o->learn, JUDGE_LEARN, NULL);
	if (result)
		return result;
	if (!r->judge.detector.count) {
		fprintf(stderr, "ebph: nothing was learned: there is no system call in "
				"what --learn names\n");
		r->failed = true;
		return -ENODATA;
	}
	detector_normalize(&r->judge.detector);
	return 0;
}

/* What was not done as asked, without being an error. */
static void caveats(const struct replay *r)
{
	const struct detector *d = &r->judge.detector;

	for (u32 i = 0; i < d->count; i++) {
		const struct model *m = d->models[i];

		if (m->untested)
			fprintf(stderr,
				"ebph: %s was never learned: %" PRIu64
				" calls not tested\n",
				m->exe, m->untested);
		if (m->profile.overflowed)
			fprintf(stderr,
				"ebph: %s makes more than 254 different calls: %u "
				"(%" PRIu64 " calls) were taken for one\n",
				m->exe, m->profile.overflowed, m->overflow_calls);
	}
	if (symbols_lost(r->symbols))
		fprintf(stderr,
			"ebph: too many different calls: %" PRIu64
			" were taken for one, \"unknown\"\n",
			symbols_lost(r->symbols));
}

static int replay(struct replay *r)
{
	const struct replay_options *o = r->o;
	int result = o->live ? 0 : learn(r);

	if (result)
		return result;
	r->judge.verbose = o->verbose;
	if (o->verbose || o->live)
		r->judge.tell = on_tell;
	r->judge.context = r;
	if (o->score) {
		result = read_paths(r, &o->normal, JUDGE_TEST, on_sample);
		r->attack = true;
		if (!result)
			result = read_paths(r, &o->attack, JUDGE_TEST, on_sample);
		if (!result)
			result = score(r);
	} else {
		result = read_paths(r, &o->test, o->live ? JUDGE_LIVE : JUDGE_TEST,
				    on_row);
		if (!result && o->live)
			account_summary(&r->account);
	}
	caveats(r);
	return result;
}

/* The exit status for RESULT, said where it was not yet. */
static int finish(struct replay *r, int result)
{
	account_flush(&r->account);
	if (r->account.error == EPIPE)
		return r->failed;
	if (r->account.error) {
		fprintf(stderr, "ebph: cannot write to standard output: %s\n",
			strerror(r->account.error));
		return 1;
	}
	if (result && result != -ENODATA)
		fprintf(stderr, "ebph: %s\n", strerror(-result));
	return result || r->failed;
}

static int run(const struct replay_options *o)
{
	struct replay r = {
		.o = o, .terminal = isatty(STDERR_FILENO), .started = moment_monotonic()};
	int result = -ENOMEM, status;

	r.symbols = symbols_new(o->arch);
	judge_init(&r.judge, &o->rules, o->window, o->frame);
	if (r.symbols && !account_init(&r.account, stdout, o->json, &r.judge, r.symbols))
		result = replay(&r);
	r.account.out = stdout;
	status = finish(&r, result);
	account_free(&r.account);
	judge_free(&r.judge);
	symbols_free(r.symbols);
	free(r.measured);
	return status;
}

int replay_main(int argc, char **argv)
{
	struct replay_options o;
	char error[256];
	int status;

	switch (replay_options_parse(argc, argv, &o, error, sizeof(error))) {
	case REPLAY_HELP:
		replay_options_help(stdout);
		return output_printed();
	case REPLAY_BAD:
		fprintf(stderr, "ebph: replay: %s\n", error);
		return 2;
	default:
		break;
	}
	signal(SIGPIPE, SIG_IGN);
	status = run(&o);
	replay_options_free(&o);
	return status;
}
