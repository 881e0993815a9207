/* SPDX-License-Identifier: GPL-2.0-only */
/* A verdict must be given only where the values carry it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "figures.h"

static struct series numbers(size_t count)
{
	struct series s = {0};

	/* 1..count, not in order */
	for (size_t i = 0; i < count; i++)
		series_add(&s, (double)(1 + (i * 7) % count));
	return s;
}

static void test_spread(void **state)
{
	struct series s = numbers(12);
	struct spread r = series_spread(&s);

	(void)state;
	assert_int_equal(r.count, 12);
	assert_true(r.median == 6.5);
	assert_true(r.q1 == 3.75 && r.q3 == 9.25);
	/* The sign test for 12 values: the third smallest to the third largest. */
	assert_true(r.low == 3 && r.high == 10);
	/* For six it is all of them; with fewer, 95 % cannot be reached. */
	s = numbers(6);
	r = series_spread(&s);
	assert_true(r.low == 1 && r.high == 6);
	s = numbers(0);
	assert_int_equal(series_spread(&s).count, 0);
}

/* getppid takes 80 ns, with an empty probe 100, with ebph 80 + ADDED +- NOISE. */
static void fill(struct bench *b, int cycles, double added, double noise, bool foreign)
{
	struct readings *r = &b->readings[JOB_GETPPID][WAY_NORMAL];

	memset(b, 0, sizeof(*b));
	for (int i = 0; i < cycles; i++)
		r->r[r->count++] =
			(struct reading){.none = 80,
					 .empty = 100 + (i & 2 ? noise : -noise),
					 .with = 80 + added + (i & 1 ? noise : -noise),
					 .cycle = i,
					 .foreign = foreign};
}

static const struct figure *find(const struct figure *figures, const char *name)
{
	for (int i = 0; i < FIGURES; i++)
		if (!strcmp(figures[i].name, name))
			return &figures[i];
	fail_msg("no figure is called %s", name);
	return NULL;
}

static enum verdict verdict(int cycles, double added, double noise, bool foreign)
{
	static struct bench b;
	static const struct resources none = {
		.why = "no", .profile_why = "no", .idle_why = "no"};
	struct figure figures[FIGURES];

	fill(&b, cycles, added, noise, foreign);
	figures_make(&b, &none, figures);
	assert_int_equal(find(figures, "getppid-training")->verdict, VERDICT_NONE);
	assert_int_equal(find(figures, "start-memory")->verdict, VERDICT_NONE);
	return find(figures, "getppid-normal")->verdict;
}

static void test_verdicts(void **state)
{
	(void)state;
	assert_int_equal(verdict(12, 24, 1, false), VERDICT_MET);
	assert_int_equal(verdict(12, 40, 1, false), VERDICT_MISSED);
	/* The target, 1.5 times 20 ns, is inside what was measured. */
	assert_int_equal(verdict(12, 30, 2, false), VERDICT_UNCLEAR);
	/* Few values, others' programs, a spread larger than the 20 ns. */
	assert_int_equal(verdict(5, 24, 1, false), VERDICT_UNCLEAR);
	assert_int_equal(verdict(12, 24, 1, true), VERDICT_UNCLEAR);
	assert_int_equal(verdict(12, 400, 15, false), VERDICT_UNCLEAR);
	assert_int_equal(verdict(0, 0, 0, false), VERDICT_NONE);
}

/* A signal is set against getppid of the same cycle. */
static void test_same_cycle(void **state)
{
	static struct bench b;
	static const struct resources none = {
		.why = "no", .profile_why = "no", .idle_why = "no"};
	struct readings *r = &b.readings[JOB_SIGNAL][WAY_NORMAL];
	struct figure figures[FIGURES];
	const struct figure *signal;

	(void)state;
	fill(&b, 12, 25, 0, false);
	for (int i = 0; i < 8; i++)
		r->r[r->count++] = (struct reading){.none = 1000,
						    .empty = 1040,
						    .with = 1075,
						    .cycle = i + 100 * (i & 1)};
	figures_make(&b, &none, figures);
	signal = find(figures, "signal");
	assert_int_equal(signal->value.count, 4);
	assert_true(signal->value.median > 1.49 && signal->value.median < 1.51);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_same_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
