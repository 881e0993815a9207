/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"
#include "bucket.h"

static const u64 now = 5000 * BUCKET_TOKEN_NS;

static u64 take_all(u64 *full_at, u64 when, u64 size)
{
	u64 taken = 0;

	while (taken <= size && bucket_take(full_at, when, size))
		taken++;
	return taken;
}

/* A bucket that nobody ever took from, and one that was left alone for long, are full. */
static void test_full(void **state)
{
	u64 full_at = 0;

	(void)state;
	assert_int_equal(take_all(&full_at, now, BUCKET_SIZE), BUCKET_SIZE);
	assert_int_equal(full_at, now + BUCKET_SIZE * BUCKET_TOKEN_NS);
	assert_int_equal(take_all(&full_at, 2 * now, BUCKET_SIZE), BUCKET_SIZE);
}

static void test_comes_back(void **state)
{
	u64 full_at = 0;

	(void)state;
	take_all(&full_at, now, BUCKET_SIZE);
	assert_int_equal(take_all(&full_at, now + BUCKET_TOKEN_NS - 1, BUCKET_SIZE), 0);
	assert_int_equal(take_all(&full_at, now + BUCKET_TOKEN_NS, BUCKET_SIZE), 1);
	assert_int_equal(take_all(&full_at, now + 8 * BUCKET_TOKEN_NS, BUCKET_SIZE), 7);
}

/* Who has taken its share gets no more of a small bucket, and what was left of a large. */
static void test_share(void **state)
{
	u64 full_at = 0;

	(void)state;
	assert_int_equal(take_all(&full_at, now, BUCKET_SHARE), BUCKET_SHARE);
	assert_int_equal(take_all(&full_at, now, BUCKET_SIZE),
			 BUCKET_SIZE - BUCKET_SHARE);
	assert_int_equal(take_all(&full_at, now + 9 * BUCKET_TOKEN_NS, BUCKET_SHARE), 0);
}

/* Also while what is read was counted, and what is written was not yet. */
static void test_crowded(void **state)
{
	(void)state;
	assert_false(ring_is_crowded(0, 0, 4096));
	assert_false(ring_is_crowded(9000, 9000 - 2048, 4096));
	assert_true(ring_is_crowded(9000, 9000 - 2056, 4096));
	assert_false(ring_is_crowded(9000, 9168, 4096));
}

/* The boot clock does not go backwards, but two CPUs may read it in another order. */
static void test_late(void **state)
{
	u64 full_at = 0;

	(void)state;
	assert_int_equal(bucket_take(&full_at, now, 2), 1);
	assert_int_equal(bucket_take(&full_at, now - 1, 2), 0);
	assert_int_equal(bucket_take(&full_at, now, 2), 1);
}

/* The kernel's 8 bytes before each record, and each begins at a multiple of 8. */
static void test_ring_bytes(void **state)
{
	(void)state;
	assert_int_equal(ring_bytes(160), 168);
	assert_int_equal(ring_bytes(161), 176);
	assert_int_equal(ring_bytes(168), 176);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),	   cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_share),	   cmocka_unit_test(test_late),
		cmocka_unit_test(test_ring_bytes), cmocka_unit_test(test_crowded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
