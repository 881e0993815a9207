/* SPDX-License-Identifier: GPL-2.0-only */
/* The user-space detector: pairs as a naive one has them, and the life cycle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"
#include "detector.h"
#include "judge.h"
#include "symbols.h"

static const struct rules defaults = {
	.factor = 128,
	.factor_den = 32,
	.anomaly_limit = 30,
	.tolerize_limit = 12,
	.normal_wait = 1000,
};

static u64 random_state;

static u32 below(u32 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (u32)((random_state * 0x2545f4914f6cdd1dULL) >> 32) % limit;
}

/* ---- pairs ---- */

enum { CALLS = 3000 };

/* Misses of call I of a trace; WINDOW - 1 earlier calls count. */
static bool pairs[256][256][DISTANCES + 1];

static u32 naive_call(const u32 *calls, u32 i, u32 window, bool learn)
{
	u32 misses = 0;

	for (u32 d = 1; d < window && d <= i; d++) {
		bool *pair = &pairs[calls[i]][calls[i - d]][d];

		misses += !*pair;
		*pair |= learn;
	}
	return misses;
}

/* A trace of symbols below LIMIT, with some order in it. */
static void trace_make(u32 *calls, u32 limit)
{
	for (u32 i = 0; i < CALLS; i++)
		calls[i] = below(8) ? i % 7 % limit : below(limit);
}

static void learns_and_tests_as_a_naive_detector(void **state)
{
	static const u32 limits[] = {4, 30, 100, 250};
	static u32 calls[CALLS], naive[CALLS];

	(void)state;
	random_state = 99;
	for (u32 round = 0; round < 32; round++) {
		struct rules rules = defaults;
		struct detector d;
		struct thread t = {.window = 0};
		struct model *m;
		struct verdict v;
		u32 limit = limits[round % 4], window = 2 + round / 4;
		u8 frame[CALLS] = {0};

		detector_init(&d, &rules, window, FRAME_LENGTH);
		m = detector_model(&d, "x");
		assert_non_null(m);
		memset(pairs, 0, sizeof(pairs));
		trace_make(calls, limit);
		for (u32 i = 0; i < CALLS; i++) {
			naive[i] = naive_call(calls, i, window, true);
			assert_int_equal(detector_learn(&d, m, &t, calls[i], &v), 0);
			assert_int_equal(__builtin_popcount(v.fresh), naive[i]);
		}
		detector_normalize(&d);
		memset(&t, 0, sizeof(t));
		trace_make(calls, limit + 3);
		for (u32 i = 0; i < CALLS; i++) {
			u32 lfc = 0;

			naive[i] = naive_call(calls, i, window, false);
			assert_int_equal(detector_test(&d, m, &t, calls[i], &v), 0);
			assert_int_equal(__builtin_popcount(v.missed), naive[i]);
			frame[i] = naive[i] != 0;
			for (u32 k = 0; k < FRAME_LENGTH && k <= i; k++)
				lfc += frame[i - k];
			assert_int_equal(t.lfc, lfc);
		}
		detector_free(&d);
	}
}

/* judge_calls() takes a short cut for known calls. */
static void many_calls_at_once_are_as_one_by_one(void **state)
{
	static u32 calls[CALLS];

	(void)state;
	random_state = 5;
	for (u32 round = 0; round < 20; round++) {
		struct judge one, many;
		struct thread t1, t2;
		struct process p1 = {.pid = 1}, p2 = p1;
		struct model *m1, *m2;

		judge_init(&one, &defaults, WINDOW_MAX, 1 + below(FRAME_LENGTH));
		judge_init(&many, &defaults, WINDOW_MAX, one.detector.frame);
		m1 = judge_model(&one, "x", &p1, 1);
		m2 = judge_model(&many, "x", &p2, 1);
		for (u32 phase = JUDGE_LEARN; phase <= JUDGE_LIVE; phase++) {
			memset(&p1, 0, sizeof(p1));
			memset(&t1, 0, sizeof(t1));
			p2 = p1;
			t2 = t1;
			one.mode = phase;
			many.mode = phase;
			trace_make(calls, phase == JUDGE_LEARN ? 70 : 73);
			for (u32 i = 0; i < CALLS; i++)
				assert_int_equal(
					judge_call(&one, &p1, &t1, 1, m1, calls[i]), 0);
			assert_int_equal(
				judge_calls(&many, &p2, &t2, 1, m2, calls, CALLS), 0);
			assert_memory_equal(&p1, &p2, sizeof(p1));
			assert_memory_equal(&m1->profile, &m2->profile,
					    sizeof(m1->profile));
			assert_int_equal(t1.window, t2.window);
			assert_int_equal(t1.lfc, t2.lfc);
			assert_int_equal(one.now, many.now);
			if (phase == JUDGE_LEARN) {
				detector_normalize(&one.detector);
				detector_normalize(&many.detector);
			}
		}
		judge_free(&one);
		judge_free(&many);
	}
}

static void a_shorter_frame_forgets_earlier(void **state)
{
	(void)state;
	random_state = 11;
	for (u32 length = 1; length <= FRAME_LENGTH; length += length < 66 ? 1 : 31) {
		struct detector d;
		struct thread t = {.window = 0};
		struct model *m;
		struct verdict v;
		u8 frame[600];

		detector_init(&d, &defaults, WINDOW_MAX, length);
		m = detector_model(&d, "x");
		assert_int_equal(detector_learn(&d, m, &t, 1, &v), 0);
		assert_int_equal(detector_learn(&d, m, &t, 1, &v), 0);
		detector_normalize(&d);
		for (u32 i = 0; i < 600; i++) {
			u32 lfc = 0;

			assert_int_equal(detector_test(&d, m, &t, below(2), &v), 0);
			frame[i] = v.missed != 0;
			for (u32 k = 0; k < length && k <= i; k++)
				lfc += frame[i - k];
			assert_int_equal(t.lfc, lfc);
		}
		detector_free(&d);
	}
}

/* ---- the life cycle ---- */

static void live_freezes_ripens_and_limits(void **state)
{
	struct rules rules = defaults;
	struct detector d;
	struct thread t = {.window = 0};
	struct model *m;
	struct verdict v;
	u64 now = 0;

	(void)state;
	rules.anomaly_limit = 2;
	rules.tolerize_limit = 3;
	detector_init(&d, &rules, 2, FRAME_LENGTH);
	m = detector_model(&d, "x");
	/* The pair (7, 7) comes with call 2: frozen by the first beyond 4 times that. */
	for (u32 i = 1; i <= 8; i++) {
		assert_int_equal(detector_live(&d, m, &t, 7, ++now, &v), 0);
		assert_int_equal(v.fresh, i == 2);
		assert_int_equal(v.froze, 0);
	}
	assert_int_equal(detector_live(&d, m, &t, 7, ++now, &v), 0);
	assert_true(v.froze);
	assert_int_equal(m->profile.normal_time, now + rules.normal_wait);
	now += rules.normal_wait - 1;
	assert_int_equal(detector_live(&d, m, &t, 7, now, &v), 0);
	assert_false(v.ripened);
	assert_int_equal(detector_live(&d, m, &t, 7, ++now, &v), 0);
	assert_true(v.ripened);
	assert_int_equal(v.missed, 0);
	/* Two anomalies are allowed, the third thaws. */
	for (u32 i = 1; i <= 3; i++) {
		assert_int_equal(detector_live(&d, m, &t, 20 + i, ++now, &v), 0);
		assert_int_equal(v.missed, 1);
		assert_int_equal(v.exceeded, i == 3);
		assert_int_equal(t.lfc, i);
	}
	assert_int_equal(m->profile.state, STATE_TRAINING);
	assert_int_equal(detector_live(&d, m, &t, 7, ++now, &v), 0);
	assert_int_equal(t.lfc, 0);
	detector_free(&d);
}

static void live_tolerizes_once_for_a_crossing(void **state)
{
	struct rules rules = defaults;
	struct detector d;
	struct thread t = {.window = 0};
	struct model *m;
	struct verdict v;

	(void)state;
	rules.tolerize_limit = 3;
	rules.normal_wait = 0;
	detector_init(&d, &rules, WINDOW_MAX, FRAME_LENGTH);
	m = detector_model(&d, "x");
	for (u32 i = 0; m->profile.state != STATE_NORMAL; i++) {
		assert_true(i < 1000);
		assert_int_equal(detector_live(&d, m, &t, 7, i, &v), 0);
	}
	for (u32 i = 1; i <= 6; i++) {
		assert_int_equal(detector_live(&d, m, &t, 20 + i, 0, &v), 0);
		assert_int_not_equal(v.missed, 0);
		assert_int_equal(v.learns, i <= 4);
		assert_int_equal(v.crossed, i == 4);
	}
	assert_int_equal(m->profile.sequences, 0);
	assert_int_equal(m->profile.train_count, 0);
	assert_int_equal(m->profile.state, STATE_NORMAL);
	detector_free(&d);
}

/* ---- threads ---- */

static void handlers_push_and_pop_to_a_depth(void **state)
{
	struct thread t = {.window = 0x0102};

	(void)state;
	for (u32 i = 0; i < SIGNAL_DEPTH + 2; i++) {
		thread_signal(&t, true, 0);
		assert_int_equal(t.window, 0);
		t.window = 0x100 + i;
	}
	/* What was too deep to be kept is emptied, not mixed. */
	for (u32 i = SIGNAL_DEPTH + 2; i > 0; i--) {
		thread_sigreturn(&t);
		assert_int_equal(t.window, i - 1 >= SIGNAL_DEPTH ? 0
					   : i - 1		 ? 0x100 + i - 2
								 : 0x0102);
	}
	assert_int_equal(t.depth, 0);
	/* Of a handler that was not seen to begin: what it interrupted is not known. */
	t.restart = 8;
	thread_sigreturn(&t);
	assert_int_equal(t.window, 0);
	assert_int_equal(t.restart, 0);
	assert_int_equal(t.depth, 0);
}

static void a_restarted_call_is_noise_once(void **state)
{
	struct thread t = {.window = 5};

	(void)state;
	thread_signal(&t, false, 8);
	assert_true(thread_restarts(&t, 7));
	assert_false(thread_restarts(&t, 7));
	/* Behind the handler, not in it. */
	thread_signal(&t, true, 8);
	assert_false(thread_restarts(&t, 7));
	thread_sigreturn(&t);
	assert_true(thread_restarts(&t, 7));
	thread_signal(&t, false, 8);
	assert_false(thread_restarts(&t, 3));
	assert_false(thread_restarts(&t, 7));
}

static void children_inherit_and_programs_do_not(void **state)
{
	struct thread t = {.window = 0x0102}, child;
	struct model m = {.profile.frame_gen = 9};

	(void)state;
	frame_push(&t, 1);
	frame_push(&t, 0);
	t.max_lfc = 7;
	thread_fork(&child, &t);
	assert_int_equal(child.window, 0x0102);
	assert_int_equal(child.lfc, 1);
	assert_int_equal(child.max_lfc, 1);
	thread_exec(&child, &m);
	assert_int_equal(child.window, 0);
	assert_int_equal(child.lfc, 0);
	assert_int_equal(child.frame[0] | child.frame[1], 0);
	assert_int_equal(child.frame_gen, 9);
}

/* ---- symbols ---- */

static void each_number_is_a_symbol(void **state)
{
	static const u32 numbers[] = {0, 1, 1600, 1601, 4095, 4096, 65535, 0x7fffffff};
	struct symbols *s = symbols_new("x86");
	u32 symbols[8], again[8];

	(void)state;
	assert_non_null(s);
	symbols_numbers(s, numbers, symbols, 8);
	symbols_numbers(s, numbers, again, 8);
	assert_memory_equal(symbols, again, sizeof(symbols));
	for (u32 i = 0; i < 8; i++) {
		assert_true(symbols[i] >= SYMBOLS && symbols[i] < SYMBOL_NONE);
		assert_int_equal(symbols_nr(s, symbols[i]), numbers[i]);
		for (u32 k = 0; k < i; k++)
			assert_int_not_equal(symbols[i], symbols[k]);
	}
	assert_int_equal(symbols_lost(s), 0);
	/* There is room for 63,934 of them. */
	for (u32 i = 0; i < 70000; i++)
		symbols_numbers(s, &i, symbols, 1);
	assert_int_equal(symbols[0], SYMBOL_UNKNOWN);
	assert_true(symbols_lost(s) > 0);
	symbols_free(s);
	assert_null(symbols_new("pdp11"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_and_tests_as_a_naive_detector),
		cmocka_unit_test(many_calls_at_once_are_as_one_by_one),
		cmocka_unit_test(a_shorter_frame_forgets_earlier),
		cmocka_unit_test(live_freezes_ripens_and_limits),
		cmocka_unit_test(live_tolerizes_once_for_a_crossing),
		cmocka_unit_test(handlers_push_and_pop_to_a_depth),
		cmocka_unit_test(a_restarted_call_is_noise_once),
		cmocka_unit_test(children_inherit_and_programs_do_not),
		cmocka_unit_test(each_number_is_a_symbol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
