/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls per second of ebph replay's paths on one core, beside what reading the file
 * alone costs. usage: bench_replay FILE of bare numbers
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"
#include "judge.h"
#include "numbers.h"
#include "symbols.h"
#include "trace.h"

enum { ROUNDS = 5 };

struct bench {
	const char *path;
	u32 *numbers;
	size_t count, room;
	struct symbols *symbols;
	struct judge judge;
	struct process process;
	struct model *model;
	size_t misses;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_replay: %s\n", what);
	exit(1);
}

static int keep(void *context, u32 pid, const u32 *numbers, size_t count)
{
	struct bench *b = context;

	(void)pid;
	if (b->count + count > b->room) {
		b->room = 2 * (b->count + count);
		b->numbers = reallocarray(b->numbers, b->room, sizeof(*b->numbers));
	}
	if (!b->numbers)
		return -ENOMEM;
	memcpy(b->numbers + b->count, numbers, count * sizeof(*numbers));
	b->count += count;
	return 0;
}

static int drop(void *context, u32 pid, const u32 *numbers, size_t count)
{
	(void)context;
	(void)pid;
	(void)numbers;
	(void)count;
	return 0;
}

/* Read all of the file; numbers to SINK, if it is not NULL. */
static void read_all(struct bench *b, numbers_sink *sink)
{
	static struct numbers n;
	char error[256];
	struct trace *t;
	const char *data;
	ssize_t size;

	if (trace_open(&t, b->path, error, sizeof(error)))
		die(error);
	numbers_init(&n, false, sink, b);
	while ((size = trace_read(t, &data, error, sizeof(error))) > 0)
		if (sink && numbers_feed(&n, data, size))
			die(n.error);
	if (size < 0)
		die(error);
	if (sink && numbers_end(&n, false))
		die(n.error);
	trace_close(t);
}

static void read_only(struct bench *b)
{
	read_all(b, NULL);
}

static void read_parse(struct bench *b)
{
	read_all(b, drop);
}

/* All numbers, from memory, through the functions that replay calls. */
static void judge_all(struct bench *b, enum judge_mode mode)
{
	struct thread t = {.window = 0};

	b->judge.mode = mode;
	b->process = (struct process){.pid = 0};
	for (size_t i = 0; i < b->count; i += NUMBERS_BATCH) {
		u32 symbols[NUMBERS_BATCH];
		size_t count =
			b->count - i < NUMBERS_BATCH ? b->count - i : NUMBERS_BATCH;

		symbols_numbers(b->symbols, b->numbers + i, symbols, count);
		if (judge_calls(&b->judge, &b->process, &t, 0, b->model, symbols, count))
			die("no memory");
	}
	b->misses += b->process.misses;
}

static void learn(struct bench *b)
{
	judge_all(b, JUDGE_LEARN);
}

static void test(struct bench *b)
{
	judge_all(b, JUDGE_TEST);
}

static void measure(struct bench *b, const char *name, void (*run)(struct bench *))
{
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = now(), took;

		run(b);
		took = now() - begin;
		best = took < best ? took : best;
	}
	printf("%-28s %8.1f %8.2f\n", name, (double)b->count / best / 1e6,
	       1e9 * best / (double)b->count);
}

int main(int argc, char **argv)
{
	const struct rules rules = {.factor = 128, .factor_den = 32};
	struct bench b = {.path = argc == 2 ? argv[1] : NULL};

	if (!b.path)
		die("usage: bench_replay FILE");
	b.symbols = symbols_new(NULL);
	judge_init(&b.judge, &rules, WINDOW_MAX, FRAME_LENGTH);
	b.model = judge_model(&b.judge, "bench", &b.process, 0);
	if (!b.symbols || !b.model)
		die("no memory");
	read_all(&b, keep);
	printf("%zu calls, %d rounds, the best of each, one core\n", b.count, ROUNDS);
	printf("%-28s %8s %8s\n", "PATH", "M/S", "NS/CALL");
	measure(&b, "read the file", read_only);
	measure(&b, "read and parse it", read_parse);
	measure(&b, "learn, from memory", learn);
	detector_normalize(&b.judge.detector);
	measure(&b, "test, from memory", test);
	printf("%zu misses\n", b.misses);
	judge_free(&b.judge);
	symbols_free(b.symbols);
	free(b.numbers);
	return 0;
}
