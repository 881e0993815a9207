/* SPDX-License-Identifier: GPL-2.0-only */
/* The detector's arithmetic and life cycle, against naive models of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"

static const struct rules rules = {
	.factor = 128,
	.factor_den = 32,
	.anomaly_limit = 30,
	.tolerize_limit = 12,
	.normal_wait = 1000,
};

/* xorshift64*: the same numbers in every run. */
static u64 random_state;

static u64 random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static u32 random_below(u32 limit)
{
	return (u32)(random_next() >> 32) % limit;
}

/* ---- the naive model: pairs[current][earlier][distance] ---- */

typedef bool pair_table[256][256][9];

static pair_table naive_train, naive_test;
static struct row rows[256][CHUNKS];
static struct profile profile;

static u8 naive_missing(pair_table pairs, u32 current, const u8 earlier[9])
{
	u8 missing = 0;

	for (u32 d = 1; d <= 8; d++)
		if (earlier[d] && !pairs[current][earlier[d]][d])
			missing |= 1 << (d - 1);
	return missing;
}

static void naive_learn(pair_table pairs, u32 current, const u8 earlier[9])
{
	for (u32 d = 1; d <= 8; d++)
		if (earlier[d])
			pairs[current][earlier[d]][d] = true;
}

static void tables_clear(u64 seed)
{
	random_state = seed;
	memset(naive_train, 0, sizeof(naive_train));
	memset(naive_test, 0, sizeof(naive_test));
	memset(rows, 0, sizeof(rows));
	memset(&profile, 0, sizeof(profile));
	for (u32 c = 0; c < 256; c++)
		row_sync(&rows[c][0], 0, &profile);
}

/* Some slots empty, in any place; indices 1..LIMIT. */
static u64 random_window(u8 earlier[9], u32 limit)
{
	u32 empty = random_below(4);
	u64 window = 0;

	earlier[0] = 0;
	for (u32 d = 1; d <= 8; d++) {
		earlier[d] = random_below(8) < empty ? 0 : 1 + random_below(limit);
		window |= (u64)earlier[d] << (8 * (d - 1));
	}
	return window;
}

static u8 rows_missing(u32 current, u64 window, u32 shift)
{
	u8 missing = 0, filled = 0;

	for (u32 k = 0; k < CHUNKS; k++) {
		u8 here = row_missing(&rows[current][k], k, window, shift);
		u8 in = window_in_chunk(window, k);

		assert_int_equal(here & ~in, 0);
		assert_int_equal(filled & in, 0);
		missing |= here;
		filled |= in;
	}
	for (u32 d = 1; d <= 8; d++)
		assert_int_equal(filled >> (d - 1) & 1,
				 window_at(window, d) != INDEX_NONE);
	if (!window_is_wide(window) && row_is_current(&rows[current][0], &profile))
		assert_int_equal(row_knows(&rows[current][0], window, 1 << shift),
				 !missing);
	return missing;
}

static void rows_learn(u32 current, u64 window)
{
	for (u32 k = 0; k < CHUNKS; k++)
		row_learn(&rows[current][k], k, window);
}

static void rows_sync(u32 current)
{
	for (u32 k = 0; k < CHUNKS; k++) {
		row_sync(&rows[current][k], k, &profile);
		assert_true(row_is_current(&rows[current][k], &profile));
	}
}

static void assert_every_bit(void)
{
	for (u32 c = 0; c < 256; c++)
		for (u32 e = 1; e < 256; e++) /* 0 is the empty slot */
			for (u32 d = 1; d <= 8; d++) {
				u16 cell = rows[c][e / CHUNK].cell[e % CHUNK];

				if ((cell >> (d - 1) & 1) != naive_train[c][e][d] ||
				    (cell >> (d + 7) & 1) != naive_test[c][e][d])
					fail_msg("pair %u %u at distance %u", c, e, d);
			}
}

static void rows_agree_with_naive_pairs(void **state)
{
	static const u32 limits[] = {5, 63, 64, 128, 192, 255};

	(void)state;
	tables_clear(0x9e3779b97f4a7c15ULL);
	for (u32 i = 0; i < 60000; i++) {
		u32 limit = limits[random_below(6)], current = 1 + random_below(limit);
		u8 earlier[9];
		u64 window = random_window(earlier, limit);

		assert_int_equal(rows_missing(current, window, TRAIN_SHIFT),
				 naive_missing(naive_train, current, earlier));
		/* Nothing was copied: all that is filled is missing. */
		assert_int_equal(rows_missing(current, window, TEST_SHIFT),
				 naive_missing(naive_test, current, earlier));
		if (random_below(2)) {
			rows_learn(current, window);
			naive_learn(naive_train, current, earlier);
			assert_int_equal(rows_missing(current, window, TRAIN_SHIFT), 0);
		}
	}
	assert_every_bit();
}

/* Each single pair sets one bit of one cell. */
static void one_pair_is_one_bit(void **state)
{
	(void)state;
	for (u32 index = 1; index < 256; index++)
		for (u32 d = 1; d <= 8; d++)
			for (u32 k = 0; k < CHUNKS; k++) {
				struct row row = {.unused = 0};
				u64 window = (u64)index << (8 * (d - 1));
				bool here = index / CHUNK == k;

				assert_int_equal(row_missing(&row, k, window,
							     TRAIN_SHIFT),
						 here ? 1 << (d - 1) : 0);
				row_learn(&row, k, window);
				for (u32 i = 0; i < CHUNK; i++)
					assert_int_equal(row.cell[i],
							 here && i == index % CHUNK
								 ? 1 << (d - 1)
								 : 0);
				assert_int_equal(window_is_wide(window), index >= CHUNK);
				/* The test pairs are the high byte, and only it. */
				assert_int_equal(row_missing(&row, k, window, TEST_SHIFT),
						 here ? 1 << (d - 1) : 0);
				for (u32 i = 0; i < CHUNK; i++)
					row.cell[i] <<= TEST_SHIFT;
				assert_int_equal(row_missing(&row, k, window, TEST_SHIFT),
						 0);
				assert_int_equal(row_missing(&row, k, window,
							     TRAIN_SHIFT),
						 here ? 1 << (d - 1) : 0);
			}
}

/* Rows synced only when used mean what eager copying and clearing would. */
static void lazy_rows_agree_with_eager_tables(void **state)
{
	(void)state;
	tables_clear(0x123456789abcdefULL);
	profile_reset(&profile);
	for (u32 i = 0; i < 60000; i++) {
		u32 what = random_below(400), current = 1 + random_below(255);
		u8 earlier[9];
		u64 window = random_window(earlier, 255);

		if (what == 0) {
			profile_reset(&profile);
			memset(naive_train, 0, sizeof(naive_train));
			memset(naive_test, 0, sizeof(naive_test));
		} else if (what <= 3) {
			sensitize(&profile);
			memset(naive_train, 0, sizeof(naive_train));
		} else if (what <= 6) {
			normalize(&profile);
			memcpy(naive_test, naive_train, sizeof(naive_test));
		} else if (what == 7) {
			tolerize(&profile);
		}
		rows_sync(current);
		assert_int_equal(rows_missing(current, window, TRAIN_SHIFT),
				 naive_missing(naive_train, current, earlier));
		assert_int_equal(rows_missing(current, window, TEST_SHIFT),
				 naive_missing(naive_test, current, earlier));
		if (random_below(4)) {
			rows_learn(current, window);
			naive_learn(naive_train, current, earlier);
		}
	}
	for (u32 c = 0; c < 256; c++)
		rows_sync(c);
	assert_every_bit();
}

/* ---- windows ---- */

static void windows_keep_their_length(void **state)
{
	(void)state;
	random_state = 42;
	for (u32 length = 2; length <= 9; length++) {
		u64 mask = window_mask(length), window = 0;
		u8 history[300] = {0};

		for (u32 d = 1; d <= 8; d++)
			assert_int_equal(window_at(mask, d), d < length ? 0xff : 0);
		for (u32 n = 0; n < 300; n++) {
			bool wide = false;

			for (u32 d = 1; d <= 8; d++) {
				u8 want = d < length && d <= n ? history[n - d]
							       : INDEX_NONE;

				assert_int_equal(window_at(window, d), want);
				wide |= want >= CHUNK;
			}
			assert_int_equal(window_is_wide(window), wide);
			history[n] = 1 + random_below(n % 3 ? 63 : 255);
			window = window_push(window, history[n], mask);
		}
	}
}

/* ---- settling ---- */

static struct profile training(u64 train_count, u64 change_count)
{
	struct profile p = {.state = STATE_FREE};

	profile_reset(&p);
	p.count = train_count;
	p.train_count = train_count;
	p.change_count = change_count;
	return p;
}

static struct profile frozen(u64 normal_time)
{
	struct profile p = training(401, 100);

	assert_int_equal(freeze(&p, &rules, normal_time - rules.normal_wait), 1);
	assert_int_equal(p.state, STATE_FROZEN);
	assert_int_equal(p.normal_time, normal_time);
	return p;
}

/* A memo tells apart all calls that end in one window, whatever the window's length. */
static void memos_know_what_was_pushed_out(void **context)
{
	(void)context;
	random_state = 5;
	for (u32 length = 2; length <= WINDOW_MAX; length++) {
		u64 mask = window_mask(length), before = random_next() & mask;
		u64 after = window_push(before, 7, mask);
		u64 rest = memo_rest(before, after, mask, 3);

		for (u32 index = 0; index < 256; index++) {
			u64 shift = 8 * (length - 2);
			u64 other = (before & ~(0xffULL << shift)) | (u64)index << shift;

			assert_int_equal(window_push(other, 7, mask), after);
			assert_int_equal(memo_rest(other, after, mask, 3) == rest,
					 other == before);
		}
		assert_int_not_equal(memo_rest(before, after, mask, 4), rest);
	}
}

/* Halves that two threads wrote at once do not pass for a memo of either's window. */
static void memos_do_not_tear(void **context)
{
	const u64 mask = window_mask(WINDOW_MAX);

	(void)context;
	random_state = 6;
	for (u32 i = 0; i < 100000; i++) {
		u64 before = random_next(), after = window_push(before, 7, mask);
		u64 other = after ^ (1ULL + random_below(255)) << 8 * random_below(8);

		assert_int_not_equal(memo_rest(before, after, mask, 3),
				     memo_rest(before, other, mask, 3));
	}
}

static void settle_in_the_current_epoch(void **state)
{
	struct profile p = training(100, 40);

	(void)state;
	settle(&p, 7, p.epoch);
	assert_int_equal(p.count, 107);
	assert_int_equal(p.train_count, 107);
	assert_int_equal(p.change_count, 40);
	assert_int_equal(last_mod_count(&p), 67);
}

static void settle_from_before_a_change(void **state)
{
	struct profile p = training(100, 40);
	u32 epoch = p.epoch;

	(void)state;
	settle(&p, 1, epoch);
	profile_changed(&p);
	assert_int_equal(last_mod_count(&p), 0);
	assert_int_equal(p.change_count, 101);
	settle(&p, 5, p.epoch);
	assert_int_equal(last_mod_count(&p), 5);

	settle(&p, 9, epoch);
	assert_int_equal(p.count, 115);
	assert_int_equal(p.train_count, 115);
	assert_int_equal(p.change_count, 110);
	assert_int_equal(last_mod_count(&p), 5);
}

static void settle_from_before_a_zeroing(void **state)
{
	static void (*const zeroing[])(struct profile *) = {normalize, sensitize,
							    profile_reset};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		struct profile p = training(100, 40);
		u32 epoch = p.epoch;

		zeroing[i](&p);
		assert_int_equal(p.zero_epoch, p.epoch);
		settle(&p, 9, epoch);
		assert_int_equal(p.count, 109);
		assert_int_equal(p.train_count, 0);
		assert_int_equal(p.change_count, 0);

		/* Held since exactly the zeroing: these do count. */
		settle(&p, 3, p.zero_epoch);
		assert_int_equal(p.count, 112);
		assert_int_equal(p.train_count, 3);
		assert_int_equal(last_mod_count(&p), 3);
	}
}

static void settle_where_epochs_wrap(void **state)
{
	struct profile p = training(100, 40);

	(void)state;
	p.epoch = 0xffffffff;
	p.zero_epoch = 0xfffffff0;
	sensitize(&p);
	assert_int_equal(p.epoch, 0);
	settle(&p, 9, 0xffffffff);
	assert_int_equal(p.train_count, 0);
	assert_int_equal(p.count, 109);
	settle(&p, 9, 0);
	assert_int_equal(p.train_count, 9);
}

/* ---- freezing, thawing, becoming normal ---- */

static void freezes_beyond_the_exact_boundary(void **state)
{
	(void)state;
	for (u64 change = 1; change < 2000; change++) {
		struct profile p = training(change, change);

		while (p.train_count < 4 * change) {
			settle(&p, 1, p.epoch);
			if (freeze(&p, &rules, 5))
				fail_msg("early");
		}
		assert_int_equal(p.train_count * 32, p.change_count * 128);
		assert_int_equal(p.state, STATE_TRAINING);
		assert_int_equal(p.normal_time, 0);

		u32 epoch = p.epoch;

		settle(&p, 1, p.epoch);
		assert_int_equal(freeze(&p, &rules, 5), 1);
		assert_int_equal(p.state, STATE_FROZEN);
		assert_int_equal(p.normal_time, 5 + rules.normal_wait);
		assert_int_not_equal(p.epoch, epoch);
		assert_int_equal(p.train_count, 4 * change + 1);

		/* Only once: its time is not put off. */
		assert_int_equal(freeze(&p, &rules, 6), 0);
		assert_int_equal(p.normal_time, 5 + rules.normal_wait);
	}
}

static void freezes_by_other_factors(void **state)
{
	const struct rules third = {.factor = 4, .factor_den = 3, .normal_wait = 1};
	struct profile p = training(4, 3);

	(void)state;
	assert_int_equal(freeze(&p, &third, 0), 0);
	p = training(5, 3);
	assert_int_equal(freeze(&p, &third, 0), 1);
	p = training(133, 100);
	assert_int_equal(freeze(&p, &third, 0), 0);
	p = training(134, 100);
	assert_int_equal(freeze(&p, &third, 0), 1);
}

static void without_a_change_never_freezes(void **state)
{
	struct profile p = training(0, 0);

	(void)state;
	assert_int_equal(freeze(&p, &rules, 0), 0);
	for (u32 i = 0; i < 100000; i++) {
		settle(&p, 1000, p.epoch);
		assert_int_equal(freeze(&p, &rules, i), 0);
	}
	assert_int_equal(p.state, STATE_TRAINING);
}

static void only_training_freezes(void **state)
{
	static const u32 others[] = {STATE_FREE, STATE_FROZEN, STATE_NORMAL};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		struct profile p = training(1000, 1);

		p.state = others[i];
		assert_int_equal(freeze(&p, &rules, 0), 0);
		assert_int_equal(p.state, others[i]);
	}
}

static void ripens_on_time(void **state)
{
	struct profile p = frozen(5000);
	u32 frame_gen = p.frame_gen, train_gen = p.train_gen, epoch = p.epoch;

	(void)state;
	p.sequences = 17;
	p.anomalies = 3;
	assert_int_equal(ripen(&p, 0), 0);
	assert_int_equal(ripen(&p, 4999), 0);
	assert_int_equal(p.state, STATE_FROZEN);
	assert_int_equal(p.train_count, 401);
	assert_int_equal(p.epoch, epoch);

	assert_int_equal(ripen(&p, 5000), 1);
	assert_int_equal(p.state, STATE_NORMAL);
	assert_int_equal(p.normal_time, 0);
	assert_int_equal(p.train_count, 0);
	assert_int_equal(p.change_count, 0);
	assert_int_equal(p.anomalies, 0);
	assert_int_equal(p.sequences, 17);
	assert_int_equal(p.count, 401);
	assert_int_equal(p.train_gen, train_gen);
	assert_int_not_equal(p.frame_gen, frame_gen);
	assert_int_not_equal(p.epoch, epoch);
	assert_int_equal(ripen(&p, 6000), 0);

	p = frozen(5000);
	assert_int_equal(ripen(&p, 1000000), 1);
	p = training(1000, 1);
	assert_int_equal(ripen(&p, 1000000), 0);
	assert_int_equal(p.state, STATE_TRAINING);
}

static void a_change_thaws(void **state)
{
	struct profile p = frozen(5000);
	u32 epoch = p.epoch;

	(void)state;
	settle(&p, 1, p.epoch);
	assert_int_equal(profile_changed(&p), 1);
	assert_int_equal(p.state, STATE_TRAINING);
	assert_int_equal(p.normal_time, 0);
	assert_int_equal(p.sequences, 1);
	assert_int_equal(p.train_count, 402);
	assert_int_equal(p.change_count, 402);
	assert_int_equal(last_mod_count(&p), 0);
	assert_int_not_equal(p.epoch, epoch);
	assert_int_equal(ripen(&p, 1000000), 0);
	assert_int_equal(freeze(&p, &rules, 0), 0);

	/* In the other states it is a change and nothing more. */
	assert_int_equal(profile_changed(&p), 0);
	assert_int_equal(p.state, STATE_TRAINING);
	assert_int_equal(p.sequences, 2);
	normalize(&p);
	assert_int_equal(profile_changed(&p), 0);
	assert_int_equal(p.state, STATE_NORMAL);
	assert_int_equal(p.sequences, 3);
}

/* ---- rows brought up to date late ---- */

static const u64 some_window = 0x3f10080402010503ULL;
static const u64 other_window = 0x0102030405060708ULL;

/* A training profile with one row that knows SOME_WINDOW. */
static void learned(struct profile *p, struct row *row)
{
	memset(row, 0, sizeof(*row));
	*p = training(10, 5);
	row_sync(row, 0, p);
	row_learn(row, 0, some_window);
	assert_int_equal(row_missing(row, 0, some_window, TRAIN_SHIFT), 0);
	assert_int_equal(row_missing(row, 0, some_window, TEST_SHIFT), 0xff);
}

static void assert_row(const struct row *row, bool train, bool test)
{
	assert_int_equal(row_missing(row, 0, some_window, TRAIN_SHIFT), train ? 0 : 0xff);
	assert_int_equal(row_missing(row, 0, some_window, TEST_SHIFT), test ? 0 : 0xff);
	if (!train)
		for (u32 i = 1; i < CHUNK; i++)
			assert_int_equal(row->cell[i] & 0xff, 0);
	if (!test)
		for (u32 i = 1; i < CHUNK; i++)
			assert_int_equal(row->cell[i] >> TEST_SHIFT, 0);
	assert_int_equal(row->cell[INDEX_NONE], 0xffff);
	if (train && test)
		for (u32 i = 0; i < CHUNK; i++)
			assert_int_equal(row->cell[i] & 0xff, row->cell[i] >> TEST_SHIFT);
}

static void normalize_copies_train_to_test(void **state)
{
	struct profile p;
	struct row row, again;

	(void)state;
	learned(&p, &row);
	normalize(&p);
	assert_int_equal(row_is_current(&row, &p), 0);
	row_sync(&row, 0, &p);
	assert_int_equal(row_is_current(&row, &p), 1);
	assert_row(&row, true, true);

	/* Once more changes nothing. */
	again = row;
	row_sync(&again, 0, &p);
	assert_memory_equal(&again, &row, sizeof(row));

	/* What is learned while normal is not tested against ... */
	row_learn(&row, 0, other_window);
	assert_int_equal(row_missing(&row, 0, other_window, TRAIN_SHIFT), 0);
	assert_int_not_equal(row_missing(&row, 0, other_window, TEST_SHIFT), 0);
	/* ... before the next time. */
	normalize(&p);
	row_sync(&row, 0, &p);
	assert_row(&row, true, true);
	assert_int_equal(row_missing(&row, 0, other_window, TEST_SHIFT), 0);
}

static void sensitize_keeps_test_and_normal(void **state)
{
	struct profile p;
	struct row row;
	u32 epoch;

	(void)state;
	learned(&p, &row);
	normalize(&p);
	row_sync(&row, 0, &p);
	p.sequences = 3;
	p.anomalies = 4;
	settle(&p, 20, p.epoch);
	profile_changed(&p);
	epoch = p.epoch;

	sensitize(&p);
	assert_int_equal(p.state, STATE_NORMAL);
	assert_int_equal(p.train_count, 0);
	assert_int_equal(p.change_count, 0);
	assert_int_equal(p.sequences, 0);
	assert_int_equal(p.anomalies, 4);
	assert_int_equal(p.count, 30);
	assert_int_not_equal(p.epoch, epoch);
	assert_int_equal(row_is_current(&row, &p), 0);
	row_sync(&row, 0, &p);
	assert_row(&row, false, true);
}

static void sensitize_thaws(void **state)
{
	struct profile p = frozen(5000);

	(void)state;
	sensitize(&p);
	assert_int_equal(p.state, STATE_TRAINING);
	assert_int_equal(p.normal_time, 0);
	assert_int_equal(ripen(&p, 1000000), 0);
	assert_int_equal(freeze(&p, &rules, 0), 0);

	p = training(10, 5);
	sensitize(&p);
	assert_int_equal(p.state, STATE_TRAINING);
}

static void normalize_then_sensitize_before_the_row_is_used(void **state)
{
	struct profile p;
	struct row row;

	(void)state;
	learned(&p, &row);
	normalize(&p);
	sensitize(&p);
	row_sync(&row, 0, &p);
	assert_row(&row, false, true);

	/* And normal with nothing learned: what was copied is gone too. */
	learned(&p, &row);
	normalize(&p);
	sensitize(&p);
	normalize(&p);
	row_sync(&row, 0, &p);
	assert_row(&row, false, false);

	/* The other way round there was nothing to copy. */
	learned(&p, &row);
	sensitize(&p);
	normalize(&p);
	row_sync(&row, 0, &p);
	assert_row(&row, false, false);

	learned(&p, &row);
	normalize(&p);
	normalize(&p);
	row_sync(&row, 0, &p);
	assert_row(&row, true, true);
}

static void reset_empties_train_and_test(void **state)
{
	(void)state;
	for (u32 synced = 0; synced < 2; synced++) {
		struct profile p;
		struct row row;
		u32 frame_gen, epoch;

		learned(&p, &row);
		normalize(&p);
		if (synced)
			row_sync(&row, 0, &p);
		p.sequences = 3;
		p.anomalies = 4;
		p.train_count = 50;
		p.change_count = 20;
		p.normal_time = 60;
		frame_gen = p.frame_gen;
		epoch = p.epoch;

		profile_reset(&p);
		assert_int_equal(p.state, STATE_TRAINING);
		assert_int_equal(p.sequences, 0);
		assert_int_equal(p.anomalies, 0);
		assert_int_equal(p.train_count, 0);
		assert_int_equal(p.change_count, 0);
		assert_int_equal(p.normal_time, 0);
		assert_int_not_equal(p.frame_gen, frame_gen);
		assert_int_not_equal(p.epoch, epoch);
		row_sync(&row, 0, &p);
		assert_row(&row, false, false);

		/* Normal again: only what came since. */
		row_learn(&row, 0, other_window);
		normalize(&p);
		row_sync(&row, 0, &p);
		assert_int_equal(row_missing(&row, 0, other_window, TEST_SHIFT), 0);
		assert_int_not_equal(row_missing(&row, 0, some_window, TEST_SHIFT), 0);
	}
}

/* ---- anomalies ---- */

static void anomaly_limit_allows_its_number(void **state)
{
	static const u32 limits[] = {0, 1, 2, 30, 1000};

	(void)state;
	for (u32 i = 0; i < 5; i++) {
		const struct rules r = {.anomaly_limit = limits[i]};
		struct profile p;
		struct row row;
		u32 frame_gen, epoch;

		learned(&p, &row);
		normalize(&p);
		frame_gen = p.frame_gen;
		epoch = p.epoch;
		for (u32 n = 1; n <= limits[i]; n++) {
			assert_int_equal(anomaly(&p, &r), 0);
			assert_int_equal(p.anomalies, n);
			assert_int_equal(p.state, STATE_NORMAL);
			assert_int_equal(p.frame_gen, frame_gen);
			assert_int_equal(p.epoch, epoch);
		}
		assert_int_equal(anomaly(&p, &r), 1);
		assert_int_equal(p.state, STATE_TRAINING);
		assert_int_equal(p.anomalies, limits[i] + 1);
		assert_int_not_equal(p.frame_gen, frame_gen);
		assert_int_not_equal(p.epoch, epoch);

		/* What was learned stays, the test pairs for looking at. */
		row_sync(&row, 0, &p);
		assert_row(&row, true, true);

		/* The next time counts from zero. */
		normalize(&p);
		assert_int_equal(p.anomalies, 0);
		assert_int_equal(anomaly(&p, &r), limits[i] == 0);
	}
}

/* ---- locality frame ---- */

static void frame_rises_and_decays(void **state)
{
	struct thread t = {.lfc = 0};

	(void)state;
	for (u32 i = 1; i <= 128; i++) {
		frame_push(&t, 1);
		assert_int_equal(t.lfc, i);
		assert_int_equal(t.max_lfc, i);
	}
	for (u32 i = 0; i < 300; i++) {
		frame_push(&t, 1);
		assert_int_equal(t.lfc, 128);
	}
	for (u32 i = 1; i <= 128; i++) {
		frame_push(&t, 0);
		assert_int_equal(t.lfc, 128 - i);
		assert_int_equal(t.max_lfc, 128);
	}
	for (u32 i = 0; i < 300; i++) {
		frame_push(&t, 0);
		assert_int_equal(t.lfc, 0);
	}
	assert_int_equal(t.max_lfc, 128);

	/* One anomaly stays for exactly 128 calls, itself included. */
	frame_push(&t, 1);
	for (u32 i = 1; i < FRAME_LENGTH; i++) {
		frame_push(&t, 0);
		assert_int_equal(t.lfc, 1);
	}
	frame_push(&t, 0);
	assert_int_equal(t.lfc, 0);
}

static void frame_agrees_with_a_ring(void **state)
{
	struct thread t = {.lfc = 0};
	u8 ring[FRAME_LENGTH] = {0};
	u32 max = 0;

	(void)state;
	random_state = 7;
	for (u32 i = 0; i < 100000; i++) {
		u32 lfc = 0;

		/* Dense and sparse by turns; now and then emptied. */
		ring[i % FRAME_LENGTH] = random_below(100) < (i / 500 * 37) % 101;
		frame_push(&t, ring[i % FRAME_LENGTH]);
		for (u32 j = 0; j < FRAME_LENGTH; j++)
			lfc += ring[j];
		max = lfc > max ? lfc : max;
		if (t.lfc != lfc || t.max_lfc != max)
			fail_msg("call %u: lfc %u, not %u; max %u, not %u", i, t.lfc, lfc,
				 t.max_lfc, max);
		if (!random_below(3000)) {
			frame_clear(&t);
			memset(ring, 0, sizeof(ring));
			assert_int_equal(t.lfc, 0);
			assert_int_equal(t.max_lfc, max);
		}
		for (u32 j = 0; j < FRAME_LENGTH; j++)
			if ((t.frame[j / 64] >> j % 64 & 1) !=
			    ring[(i + FRAME_LENGTH - j) % FRAME_LENGTH])
				fail_msg("call %u: bit %u", i, j);
	}
}

static void gap_empties_windows_only(void **state)
{
	struct thread t = {.window = 0x0102, .depth = 2, .restart = 3, .pending = 5};

	(void)state;
	frame_push(&t, 1);
	thread_gap(&t);
	assert_int_equal(t.window, 0);
	assert_int_equal(t.depth, 0);
	assert_int_equal(t.restart, 0);
	assert_int_equal(t.lfc, 1);
	assert_int_equal(t.pending, 5);
}

/* ---- symbols ---- */

static void symbols_have_bounds(void **state)
{
	static const struct {
		u32 base, numbers;
	} abis[] = {
		{SYMBOL_NATIVE, 512},
		{SYMBOL_COMPAT, 512},
		{SYMBOL_X32, 548},
	};
	static bool seen[SYMBOLS];
	static const u64 beyond[] = {
		(u64)-1,     (u64)-2,	(u64)INT64_MIN, INT64_MAX,	  (u64)INT32_MIN,
		UINT32_MAX,  INT32_MAX, 1ULL << 32,	(1ULL << 32) + 1, 0x40000000,
		SYMBOL_NONE, 1600,	1601,
	};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		for (u32 n = 0; n < abis[i].numbers; n++) {
			u32 symbol = symbol_of(abis[i].base, n, CALLS_MAX);

			assert_int_equal(symbol, abis[i].base + n);
			assert_true(symbol < SYMBOL_UNKNOWN);
			assert_false(seen[symbol]);
			seen[symbol] = true;
		}
		for (u32 n = abis[i].numbers; n < 5000; n++)
			assert_int_equal(symbol_of(abis[i].base, n, CALLS_MAX),
					 SYMBOL_UNKNOWN);
		for (u32 j = 0; j < sizeof(beyond) / sizeof(*beyond); j++)
			assert_int_equal(symbol_of(abis[i].base, beyond[j], CALLS_MAX),
					 SYMBOL_UNKNOWN);
	}
	/* No symbol is left over but the unknown one and room behind x32's. */
	for (u32 i = 0; i < SYMBOLS; i++)
		assert_int_equal(seen[i], i < SYMBOL_X32 + 548);
}

static void symbols_end_where_the_kernels_table_does(void **state)
{
	static const u32 bases[] = {SYMBOL_NATIVE, SYMBOL_COMPAT, SYMBOL_X32};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		u32 base = bases[i];

		assert_int_equal(symbol_of(base, 0, 470), base);
		assert_int_equal(symbol_of(base, 469, 470), base + 469);
		assert_int_equal(symbol_of(base, 470, 470), SYMBOL_UNKNOWN);
		assert_int_equal(symbol_of(base, 511, 470), SYMBOL_UNKNOWN);
		assert_int_equal(symbol_of(base, 512, 470),
				 base == SYMBOL_X32 ? base + 512 : SYMBOL_UNKNOWN);
		assert_int_equal(symbol_of(base, 548, 470), SYMBOL_UNKNOWN);
	}
}

static void symbols_overflow_after_254(void **state)
{
	struct profile p = {.state = STATE_FREE};

	(void)state;
	for (u32 i = 1; i <= 254; i++) {
		u32 symbol = SYMBOL_UNKNOWN - 6 * (i - 1);

		assert_int_equal(p.index[symbol], INDEX_NONE);
		assert_int_equal(symbol_add(&p, symbol), i);
		assert_int_equal(p.symbols, i);
		assert_int_equal(p.symbol[i], symbol);
		assert_int_equal(p.index[symbol], i);
	}
	assert_int_equal(p.overflowed, 0);
	for (u32 i = 1; i <= 300; i++) {
		u32 symbol = 5 * i + (5 * i % 6 == SYMBOL_UNKNOWN % 6);

		if (p.index[symbol])
			continue;

		u32 before = p.overflowed;

		assert_int_equal(symbol_add(&p, symbol), INDEX_OVERFLOW);
		assert_int_equal(p.overflowed, before + 1);
		assert_int_equal(p.index[symbol], INDEX_OVERFLOW);
		assert_int_equal(p.symbol[INDEX_OVERFLOW], SYMBOL_NONE);
		assert_int_equal(p.symbols, 254);
	}
	assert_true(p.overflowed > 100);
	for (u32 i = 1; i <= 254; i++) {
		assert_int_equal(p.symbol[i], SYMBOL_UNKNOWN - 6 * (i - 1));
		assert_int_equal(p.index[p.symbol[i]], i);
	}
}

static void symbols_out_of_range_touch_nothing(void **state)
{
	struct profile p = {.state = STATE_FREE}, before = p;

	(void)state;
	assert_int_equal(symbol_add(&p, SYMBOLS), INDEX_OVERFLOW);
	assert_int_equal(symbol_add(&p, SYMBOL_NONE), INDEX_OVERFLOW);
	assert_int_equal(symbol_add(&p, UINT32_MAX), INDEX_OVERFLOW);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void settle_from_before_tolerize_is_no_change(void **state)
{
	struct profile p = training(0, 0);
	u32 epoch;

	(void)state;
	normalize(&p);
	epoch = p.epoch;
	tolerize(&p);
	settle(&p, 50, epoch);
	assert_int_equal(p.train_count, 50);
	assert_int_equal(p.change_count, 0);
	settle(&p, 100000, p.epoch);
	assert_int_equal(freeze(&p, &rules, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settle_from_before_tolerize_is_no_change),
		cmocka_unit_test(rows_agree_with_naive_pairs),
		cmocka_unit_test(one_pair_is_one_bit),
		cmocka_unit_test(lazy_rows_agree_with_eager_tables),
		cmocka_unit_test(windows_keep_their_length),
		cmocka_unit_test(memos_know_what_was_pushed_out),
		cmocka_unit_test(memos_do_not_tear),
		cmocka_unit_test(settle_in_the_current_epoch),
		cmocka_unit_test(settle_from_before_a_change),
		cmocka_unit_test(settle_from_before_a_zeroing),
		cmocka_unit_test(settle_where_epochs_wrap),
		cmocka_unit_test(freezes_beyond_the_exact_boundary),
		cmocka_unit_test(freezes_by_other_factors),
		cmocka_unit_test(without_a_change_never_freezes),
		cmocka_unit_test(only_training_freezes),
		cmocka_unit_test(ripens_on_time),
		cmocka_unit_test(a_change_thaws),
		cmocka_unit_test(normalize_copies_train_to_test),
		cmocka_unit_test(sensitize_keeps_test_and_normal),
		cmocka_unit_test(sensitize_thaws),
		cmocka_unit_test(normalize_then_sensitize_before_the_row_is_used),
		cmocka_unit_test(reset_empties_train_and_test),
		cmocka_unit_test(anomaly_limit_allows_its_number),
		cmocka_unit_test(frame_rises_and_decays),
		cmocka_unit_test(frame_agrees_with_a_ring),
		cmocka_unit_test(gap_empties_windows_only),
		cmocka_unit_test(symbols_have_bounds),
		cmocka_unit_test(symbols_end_where_the_kernels_table_does),
		cmocka_unit_test(symbols_overflow_after_254),
		cmocka_unit_test(symbols_out_of_range_touch_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
