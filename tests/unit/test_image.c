/* SPDX-License-Identifier: GPL-2.0-only */
/* Images: to and from the kernel's tables, merged, compared. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec.h"
#include "identity.h"
#include "image_kernel.h"
#include "wait.h"
#include "images.h"

/* ---- a pool of rows as the kernel has it ---- */

enum { POOL = 1200 };

struct pool {
	struct row row[POOL];
	bool taken[POOL];
	u32 used, limit;
};

static int pool_read(void *context, u32 slot, struct row *row)
{
	struct pool *pool = context;

	assert_in_range(slot, 1, POOL - 1);
	assert_true(pool->taken[slot]);
	*row = pool->row[slot];
	return 0;
}

static int pool_write(void *context, u32 slot, const struct row *row)
{
	struct pool *pool = context;

	assert_true(pool->taken[slot]);
	pool->row[slot] = *row;
	return 0;
}

static int pool_take(void *context, u32 *slot)
{
	struct pool *pool = context;

	if (pool->used >= pool->limit)
		return -ENOSPC;
	for (*slot = 1; pool->taken[*slot]; (*slot)++)
		;
	pool->taken[*slot] = true;
	pool->used++;
	return 0;
}

static void pool_give(void *context, u32 slot)
{
	struct pool *pool = context;

	assert_true(pool->taken[slot]);
	pool->taken[slot] = false;
	pool->used--;
}

static struct pool pool;
static const struct row_table rows = {&pool, pool_read, pool_write, pool_take, pool_give};

/* What freed rows hold is not cleared. */
static void pool_clear(u32 limit)
{
	memset(&pool, 0xa5, sizeof(pool));
	memset(pool.taken, 0, sizeof(pool.taken));
	pool.used = 0;
	pool.limit = limit;
}

/* ---- the kernel side, as row_get(), train() and judge() of src/bpf are ---- */

static struct row *kernel_row(struct profile *p, u8 current, u32 chunk, bool make)
{
	u32 *place = &p->row[current];

	if (*place == ROW_NO_ROOM && chunk)
		return NULL;
	if (*place && chunk)
		place = &pool.row[*place].more[chunk - 1];
	if (!*place || *place == ROW_NO_ROOM) {
		bool had_no_room = *place == ROW_NO_ROOM;
		struct row *r;

		if (!make || (chunk && !p->row[current]))
			return NULL;
		if (pool_take(&pool, place)) {
			*place = ROW_NO_ROOM;
			return NULL;
		}
		r = &pool.row[*place];
		r->train_gen = p->train_gen ^ 0x80000000;
		r->test_gen = p->test_gen ^ (had_no_room ? 0 : 0x80000000);
		for (u32 k = 0; k < CHUNKS - 1; k++)
			r->more[k] = had_no_room ? ROW_NO_ROOM : 0;
		memset(r->cell, 0xff, sizeof(r->cell));
	}
	if (!row_is_current(&pool.row[*place], p))
		row_sync(&pool.row[*place], chunk, p);
	return &pool.row[*place];
}

static u8 kernel_train(struct profile *p, u8 current, u64 window)
{
	u8 missing = 0;

	kernel_row(p, current, 0, true);
	for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
		struct row *r;

		if (!window_in_chunk(window, chunk))
			continue;
		r = kernel_row(p, current, chunk, true);
		if (!r)
			continue;
		missing |= row_missing(r, chunk, window, TRAIN_SHIFT);
		row_learn(r, chunk, window);
	}
	return missing;
}

/* The naive truth: train and test bits by symbols. */
static u16 naive[SYMBOLS + 1][SYMBOLS + 1];

static u32 naive_index(u32 symbol)
{
	return symbol == SYMBOL_NONE ? SYMBOLS : symbol;
}

static void naive_clear(u16 keep, bool copy)
{
	for (u32 i = 0; i <= SYMBOLS; i++)
		for (u32 j = 0; j <= SYMBOLS; j++) {
			u16 cell = naive[i][j];

			naive[i][j] = copy ? (cell & 0xff) * 0x101 : cell & keep;
		}
}

/* One call of SYMBOL, learned by P and by the naive table. */
static u64 kernel_call(struct profile *p, u64 window, u32 symbol)
{
	u8 index = p->index[symbol];

	if (!index)
		index = symbol_add(p, symbol);
	if (kernel_train(p, index, window))
		profile_changed(p);
	p->train_count++;
	p->count++;
	for (u32 d = 1; d <= DISTANCES; d++) {
		u8 earlier = window_at(window, d);

		if (earlier)
			naive[naive_index(p->symbol[index])]
			     [naive_index(p->symbol[earlier])] |= 1u << (d - 1);
	}
	return window_push(window, index, ~0ULL);
}

/* Life: calls of KINDS kinds; now and then what clears or copies pairs, lazily. */
static void kernel_live(struct profile *p, u32 kinds, u32 steps)
{
	u16 symbol[SYMBOLS];
	u64 window = 0;

	random_symbols(symbol, kinds);
	for (u32 i = 0; i < steps; i++) {
		switch (random_below(300)) {
		case 0:
			sensitize(p);
			naive_clear(0xff00, false);
			break;
		case 1:
			normalize(p);
			naive_clear(0, true);
			break;
		case 2:
			profile_reset(p);
			naive_clear(0, false);
			break;
		case 3:
			tolerize(p);
			break;
		case 4:
			window = 0;
			break;
		default:
			window = kernel_call(p, window, symbol[random_below(kinds)]);
		}
	}
}

static void assert_as_naive(const struct image *im)
{
	u32 seen = 0, all = 0;

	for (u32 i = 0; i < im->calls; i++)
		for (u32 j = 0; j < im->calls; j++) {
			u16 cell = *image_cell(im, i, j);

			seen += cell != 0;
			assert_int_equal(cell, naive[naive_index(im->call[i].symbol)]
						    [naive_index(im->call[j].symbol)]);
		}
	for (u32 i = 0; i <= SYMBOLS; i++)
		for (u32 j = 0; j <= SYMBOLS; j++)
			all += naive[i][j] != 0;
	assert_int_equal(seen, all);
}

/* A profile that lived, to an image and back: the same pairs, and the same again. */
static void round_trip(u32 kinds, u32 steps)
{
	const struct instant now = {.real = 1700000000000000000ULL, .boot = 5000000};
	struct profile p = {.identity = {1, 2, 3, 4, 5}}, again = {.train_gen = 77};
	struct image im, back;

	pool_clear(POOL - 1);
	memset(naive, 0, sizeof(naive));
	profile_reset(&p);
	kernel_live(&p, kinds, steps);
	assert_int_equal(image_from_kernel(&im, &p, "/bin/x", 9, &now, &rows), 0);
	assert_null(image_fault(&im));
	assert_as_naive(&im);

	pool_clear(POOL - 1);
	assert_int_equal(image_to_kernel(&im, &again, p.normal_time, &rows), 0);
	assert_int_equal(again.state, p.state);
	assert_int_equal(again.count, p.count);
	assert_int_equal(last_mod_count(&again), last_mod_count(&p));
	assert_int_equal(again.sequences, p.sequences);
	assert_int_equal(again.symbols, p.symbols);
	assert_int_equal(again.overflowed, p.overflowed);
	assert_memory_equal(again.symbol, p.symbol, sizeof(p.symbol));
	assert_memory_equal(again.index, p.index, sizeof(p.index));
	assert_int_equal(image_from_kernel(&back, &again, "/bin/x", 9, &now, &rows), 0);
	assert_true(image_equal(&im, &back));
	image_free(&im);
	image_free(&back);
}

static void kernel_and_back(void **state)
{
	static const u32 kinds[] = {1, 2, 20, 63, 64, 90, 130, 200, 254, 255, 300, 500};

	(void)state;
	for (u32 i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (u32 steps = 0; steps < 5000; steps = 3 * steps + 7)
			round_trip(kinds[i], steps);
}

/* Life goes on in what was loaded as in what was saved. */
static void life_goes_on_after_loading(void **state)
{
	const struct instant now = {.real = 1700000000000000000ULL, .boot = 5000000};

	(void)state;
	for (u32 round = 0; round < 40; round++) {
		struct profile p = {.identity = {1, 2, 3, 4, 5}}, again = {0};
		struct image im;

		pool_clear(POOL - 1);
		memset(naive, 0, sizeof(naive));
		profile_reset(&p);
		kernel_live(&p, 100, 1 + random_below(600));
		assert_int_equal(image_from_kernel(&im, &p, NULL, 9, &now, &rows), 0);
		pool_clear(POOL - 1);
		assert_int_equal(image_to_kernel(&im, &again, 0, &rows), 0);
		image_free(&im);
		kernel_live(&again, 100, random_below(600));
		assert_int_equal(image_from_kernel(&im, &again, NULL, 9, &now, &rows), 0);
		assert_as_naive(&im);
		image_free(&im);
	}
}

static void frozen_keeps_its_time(void **state)
{
	const struct instant now = {.real = 1700000000000000000ULL, .boot = 5000000};
	struct profile p = {.identity = {1, 2, 3, 4, 5}}, again = {0};
	struct image im;

	(void)state;
	pool_clear(POOL - 1);
	profile_reset(&p);
	p.state = STATE_FROZEN;
	p.normal_time = 9000000;
	assert_int_equal(image_from_kernel(&im, &p, NULL, 9, &now, &rows), 0);
	assert_int_equal(im.normal_time, now.real + 4000000);
	assert_int_equal(image_to_kernel(&im, &again, 123, &rows), 0);
	assert_int_equal(again.normal_time, 123);
	assert_int_equal(again.state, STATE_FROZEN);
	image_free(&im);
}

/* Too few rows: an error, all given back, the profile as it was. */
static void a_full_table_takes_nothing(void **state)
{
	struct image im;

	(void)state;
	random_image(&im, 150, 0, 3000);
	for (u32 limit = 0; limit < 200; limit += 7) {
		struct profile p = {.state = STATE_NORMAL, .train_gen = 5}, before = p;

		pool_clear(limit);
		assert_int_equal(image_to_kernel(&im, &p, 0, &rows), -ENOSPC);
		assert_int_equal(pool.used, 0);
		assert_memory_equal(&p, &before, sizeof(p));
	}
	image_free(&im);
}

/* No room for some rows: what is saved has to learn before it is normal. */
static void what_lacks_pairs_is_in_training(void **state)
{
	const struct instant now = {.real = 1700000000000000000ULL, .boot = 5000000};

	(void)state;
	for (u32 limit = 0; limit < 40; limit += 3) {
		struct profile p = {.identity = {1, 2, 3, 4, 5}};
		struct image im;

		pool_clear(limit);
		profile_reset(&p);
		kernel_live(&p, 90, 300);
		normalize(&p);
		assert_int_equal(image_from_kernel(&im, &p, NULL, 9, &now, &rows), 0);
		assert_int_equal(im.state, STATE_TRAINING);
		assert_int_equal(im.normal_time, 0);
		assert_true(im.change_count > 0); /* else it would never freeze */
		assert_int_equal(im.change_count, im.train_count);
		image_free(&im);
	}
}

/*
 * Room came when the profile was normal: what it then learns of a row that had none is
 * saved as the window has it.
 */
static void late_rows_fit_the_window(void **state)
{
	const struct instant now = {.real = 1700000000000000000ULL, .boot = 5000000};
	const u64 window = 0x0102; /* of three calls, the current one's index is 3 */
	struct profile p = {.identity = {1, 2, 3, 4, 5}};
	struct image im;

	(void)state;
	pool_clear(0);
	profile_reset(&p);
	for (u32 symbol = 10; symbol < 13; symbol++)
		symbol_add(&p, symbol);
	kernel_train(&p, 3, window);
	assert_int_equal(p.row[3], ROW_NO_ROOM);
	normalize(&p);
	pool_clear(10);
	kernel_train(&p, 3, window);
	assert_int_equal(image_from_kernel(&im, &p, NULL, 3, &now, &rows), 0);
	assert_int_equal(*image_cell(&im, 2, 1) & 0xff, 1);
	assert_int_equal(*image_cell(&im, 2, 0) & 0xff, 2);
	/* no call is in the row's further blocks: that those had no room is nothing */
	assert_int_equal(im.state, STATE_NORMAL);
	image_free(&im);
}

/* The first block's column 0 stands for empty slots of the window. */
static void loaded_rows_know_empty_slots(void **state)
{
	struct profile p = {0};
	struct image im;
	u32 firsts = 0;

	(void)state;
	pool_clear(POOL - 1);
	random_image(&im, 90, 0, 2000);
	assert_int_equal(image_to_kernel(&im, &p, 0, &rows), 0);
	for (u32 i = 0; i < 256; i++) {
		if (!p.row[i])
			continue;
		firsts++;
		assert_true(row_is_current(&pool.row[p.row[i]], &p));
		assert_true(row_knows(&pool.row[p.row[i]], 0, row_wanted(STATE_NORMAL)));
	}
	assert_int_equal(firsts, 90);
	image_free(&im);
}

/* More calls than the kernel tells apart: the last ones are one, no pair is lost. */
static void too_many_calls_are_folded(void **state)
{
	const struct instant now = {1, 1};
	struct profile p = {0};
	struct image im, back, both;

	(void)state;
	pool_clear(POOL - 1);
	random_image(&im, 300, 0, 4000);
	assert_null(image_fault(&im));
	assert_int_equal(image_to_kernel(&im, &p, 0, &rows), 0);
	assert_int_equal(p.symbols, 254);
	assert_int_equal(p.overflowed, 46);
	assert_int_equal(image_from_kernel(&back, &p, im.path, 9, &now, &rows), 0);
	assert_int_equal(back.calls, 301);
	/* what was learned is still known: the union adds nothing to it */
	assert_int_equal(image_merge(&both, &im, &back), 0);
	assert_memory_equal(both.cell, back.cell, sizeof(u16) * back.calls * back.calls);
	image_free(&im);
	image_free(&back);
	image_free(&both);
}

/* ---- merging ---- */

static void assert_same_bytes(const struct image *a, const struct image *b)
{
	size_t size_a, size_b;
	u8 *bytes_a, *bytes_b;

	assert_int_equal(codec_encode(a, &bytes_a, &size_a), 0);
	assert_int_equal(codec_encode(b, &bytes_b, &size_b), 0);
	assert_int_equal(size_a, size_b);
	assert_memory_equal(bytes_a, bytes_b, size_a);
	free(bytes_a);
	free(bytes_b);
}

static void merge(struct image *out, const struct image *a, const struct image *b)
{
	assert_int_equal(image_merge(out, a, b), 0);
	assert_null(image_fault(out));
}

static void merge_is_a_union(void **state)
{
	(void)state;
	for (u32 round = 0; round < 300; round++) {
		struct image a, b, c, ab, ba, aa, bc, ab_c, a_bc, absorbed;
		u32 folded = round % 3 ? 0 : random_below(6);

		random_image(&a, 6 + random_below(40), folded, random_below(300));
		random_image(&b, 6 + random_below(40), random_below(2) * folded,
			     random_below(300));
		random_image(&c, random_below(30), 0, random_below(300));
		merge(&ab, &a, &b);
		merge(&ba, &b, &a);
		merge(&aa, &a, &a);
		merge(&bc, &b, &c);
		merge(&ab_c, &ab, &c);
		merge(&a_bc, &a, &bc);
		merge(&absorbed, &ab, &a);
		assert_same_bytes(&ab, &ba);
		assert_same_bytes(&aa, &a);
		assert_same_bytes(&ab_c, &a_bc);
		assert_same_bytes(&absorbed, &ab);
		struct image *all[] = {&a,  &b,	 &c,	&ab,   &ba,
				       &aa, &bc, &ab_c, &a_bc, &absorbed};
		for (u32 i = 0; i < sizeof(all) / sizeof(*all); i++)
			image_free(all[i]);
	}
}

static void merge_has_every_pair(void **state)
{
	(void)state;
	for (u32 round = 0; round < 100; round++) {
		struct image a, b, ab;

		random_image(&a, 30, 0, 200);
		random_image(&b, 30, 0, 200);
		merge(&ab, &a, &b);
		for (u32 i = 0; i < ab.calls; i++)
			for (u32 j = 0; j < ab.calls; j++) {
				int ai = image_find(&a, ab.call[i].symbol);
				int aj = image_find(&a, ab.call[j].symbol);
				int bi = image_find(&b, ab.call[i].symbol);
				int bj = image_find(&b, ab.call[j].symbol);
				u16 x = ai < 0 || aj < 0 ? 0 : *image_cell(&a, ai, aj);
				u16 y = bi < 0 || bj < 0 ? 0 : *image_cell(&b, bi, bj);

				assert_int_equal(*image_cell(&ab, i, j), x | y);
			}
		image_free(&a);
		image_free(&b);
		image_free(&ab);
	}
}

static void merge_refuses_strangers(void **state)
{
	struct image a, b, out;
	u64 found;

	(void)state;
	random_image(&a, 10, 0, 20);
	random_image(&b, 10, 0, 20);
	b.window = 5;
	assert_int_equal(image_merge(&out, &a, &b), -EXDEV);
	assert_int_equal(image_diff(&a, &b, NULL, NULL, &found), -EXDEV);
	b.window = 9;
	b.arch = ARCH_AARCH64;
	assert_int_equal(image_merge(&out, &a, &b), -EXDEV);
	image_free(&a);
	image_free(&b);
	image_free(&out);
}

static void diff_counts_pairs(void **state)
{
	struct image a, b;
	u64 found;

	(void)state;
	random_image(&a, 30, 0, 300);
	merge(&b, &a, &a);
	assert_int_equal(image_diff(&a, &b, NULL, NULL, &found), 0);
	assert_int_equal(found, 0);
	*image_cell(&b, 3, 4) ^= 0x0101;
	assert_int_equal(image_diff(&a, &b, NULL, NULL, &found), 0);
	assert_int_equal(found, 2);
	image_reset(&b);
	assert_int_equal(image_diff(&a, &b, NULL, NULL, &found), 0);
	assert_int_equal(found,
			 image_pairs(&a, TRAIN_SHIFT) + image_pairs(&a, TEST_SHIFT));
	image_free(&a);
	image_free(&b);
}

static void normalize_copies_pairs(void **state)
{
	struct image im;

	(void)state;
	random_image(&im, 30, 0, 300);
	image_normalize(&im);
	assert_null(image_fault(&im));
	for (u32 i = 0; i < im.calls * im.calls; i++)
		assert_int_equal(im.cell[i] & 0xff, im.cell[i] >> 8);
	assert_int_equal(im.state, STATE_NORMAL);
	assert_int_equal(im.train_count, 0);
	image_free(&im);
}

/* A file that takes over learns on, and can freeze without ever seeing a new pair. */
static void an_adopted_profile_trains(void **state)
{
	const struct identity id = {9, 8, 7, 6, 5};
	const struct rules rules = {.factor = 128, .factor_den = 32};
	struct profile p = {0};
	struct image im, before;
	u32 calls = 0;

	(void)state;
	random_image(&im, 30, 0, 300);
	merge(&before, &im, &im);
	image_normalize(&im);
	image_adopt(&im, &id);
	assert_null(image_fault(&im));
	assert_true(identity_equal(&im.identity, &id));
	assert_int_equal(im.state, STATE_TRAINING);
	assert_int_equal(image_pairs(&im, TRAIN_SHIFT),
			 image_pairs(&before, TRAIN_SHIFT));
	pool_clear(POOL - 1);
	assert_int_equal(image_to_kernel(&im, &p, 0, &rows), 0);
	for (; !freeze(&p, &rules, 0); calls++)
		settle(&p, 1, p.epoch);
	assert_in_range(calls, 3 * im.sequences, 3 * im.sequences + 4);
	image_free(&im);
	image_free(&before);
}

static void faults_are_named(void **state)
{
	struct image im;

	(void)state;
	random_image(&im, 10, 2, 40);
	assert_null(image_fault(&im));
	im.window = 10;
	assert_non_null(image_fault(&im));
	im.window = 2;
	assert_non_null(image_fault(&im)); /* pairs at distances above 1 */
	im.window = 9;
	im.state = STATE_FREE;
	assert_non_null(image_fault(&im));
	im.state = STATE_NORMAL;
	im.normal_time = 1;
	assert_non_null(image_fault(&im));
	im.normal_time = 0;
	im.change_count = im.train_count + 1;
	assert_non_null(image_fault(&im));
	im.change_count = 0;
	assert_null(image_fault(&im));
	im.call[1].symbol = im.call[0].symbol;
	assert_non_null(image_fault(&im));
	image_free(&im);
	assert_int_equal(image_init(&im, IMAGE_CALLS_MAX + 1), -EINVAL);
}

/* ---- the clock ---- */

static void expect_wait(u64 saved, u64 normal, u64 wait, u64 now, u64 remaining,
			enum wait_clock clock)
{
	struct wait w = wait_remaining(saved, normal, wait, now);

	assert_int_equal(w.remaining, remaining);
	assert_int_equal(w.clock, clock);
	assert_int_equal(wait_clock_text(w.clock) != NULL, clock != WAIT_CLOCK_FINE);
}

static void waits_survive_clocks(void **state)
{
	const u64 day = 86400000000000ULL, t = 1700000000000000000ULL, week = 7 * day;

	(void)state;
	/* off for two days counts; off for longer than the wait ends it */
	expect_wait(t, t + 5 * day, week, t, 5 * day, WAIT_CLOCK_FINE);
	expect_wait(t, t + 5 * day, week, t + 2 * day, 3 * day, WAIT_CLOCK_FINE);
	expect_wait(t, t + 5 * day, week, t + 5 * day, 0, WAIT_CLOCK_FINE);
	expect_wait(t, t + 5 * day, week, t + 100 * day, 0, WAIT_CLOCK_FINE);
	/* backwards: not longer than what was left, nor than the wait */
	expect_wait(t, t + 5 * day, week, t - day, 5 * day, WAIT_CLOCK_BACKWARDS);
	expect_wait(t, t + 5 * day, week, 0, 5 * day, WAIT_CLOCK_BACKWARDS);
	expect_wait(t, t + 500 * day, week, 1, week, WAIT_CLOCK_BACKWARDS);
	/* a century forward: not normal at once, and not without a word */
	expect_wait(t, t + 5 * day, week, t + 36525 * day, 5 * day, WAIT_CLOCK_FORWARD);
	expect_wait(0, 5 * day, week, t, 5 * day, WAIT_CLOCK_FORWARD);
	/* the limit itself */
	expect_wait(t, t + 5 * day, week, t + 366 * day, 0, WAIT_CLOCK_FINE);
	expect_wait(t, t + 5 * day, week, t + 366 * day + 1, 5 * day, WAIT_CLOCK_FORWARD);
	expect_wait(t, t + 400 * day, 500 * day, t + 390 * day, 10 * day,
		    WAIT_CLOCK_FINE);
	/* a shorter wait now, a normal time that was reached or cannot be */
	expect_wait(t, t + 5 * day, day, t, day, WAIT_CLOCK_FINE);
	expect_wait(t, t - day, week, t - 2 * day, 0, WAIT_CLOCK_BACKWARDS);
	expect_wait(t, UINT64_MAX, week, t, week, WAIT_CLOCK_FINE);
	expect_wait(t, t + 5 * day, 0, t, 0, WAIT_CLOCK_FINE);
	expect_wait(0, UINT64_MAX, week, UINT64_MAX, week, WAIT_CLOCK_FORWARD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_back),
		cmocka_unit_test(life_goes_on_after_loading),
		cmocka_unit_test(frozen_keeps_its_time),
		cmocka_unit_test(a_full_table_takes_nothing),
		cmocka_unit_test(what_lacks_pairs_is_in_training),
		cmocka_unit_test(late_rows_fit_the_window),
		cmocka_unit_test(loaded_rows_know_empty_slots),
		cmocka_unit_test(too_many_calls_are_folded),
		cmocka_unit_test(merge_is_a_union),
		cmocka_unit_test(merge_has_every_pair),
		cmocka_unit_test(merge_refuses_strangers),
		cmocka_unit_test(diff_counts_pairs),
		cmocka_unit_test(normalize_copies_pairs),
		cmocka_unit_test(an_adopted_profile_trains),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(waits_survive_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
