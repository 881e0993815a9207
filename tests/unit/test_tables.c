/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tables as user space fills and reads them: over maps that are made up. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "runners.h"
#include "tables.h"

enum { PROFILES = 4, ROWS = 1, THREADS = 8, STACK = 16 };
enum { FD_PROFILES = 1, FD_THREADS, FD_BY_IDENTITY, FD_FREE_PROFILES, FD_OTHER };

/* What the maps hold; others take everything and have nothing. */
static struct {
	struct profile profile[PROFILES + 1];
	struct thread thread[THREADS + 1];
	u64 other[LOST_KINDS + sizeof(struct row) * (ROWS + 1) / sizeof(u64)];
	struct range free[STACK];
	u32 depth;
	bool full;   /* by_identity has no room, */
	bool exists; /* or has it already */
	void (*after_read)(void);
} kernel;

static const struct loaded loaded = {.profiles = FD_PROFILES,
				     .threads = FD_THREADS,
				     .by_identity = FD_BY_IDENTITY,
				     .free_profiles = FD_FREE_PROFILES,
				     .rows = FD_OTHER,
				     .losses = FD_OTHER,
				     .taken = FD_OTHER,
				     .free_rows = FD_OTHER,
				     .free_threads = FD_OTHER,
				     .tails = FD_OTHER,
				     .attach = -1,
				     .known = -1,
				     .judge = -1,
				     .name = -1,
				     .report = -1,
				     .respond = -1};
static const struct bounds bounds = {
	.profiles = PROFILES, .rows = ROWS, .threads = THREADS};
static struct tables tables;

/* ---- in place of array.c's: CMakeLists.txt has the linker wrap them ---- */

int __wrap_array_map(struct array *a, int fd, u32 count, size_t size);
void __wrap_array_unmap(struct array *a);
int __wrap_array_read(const struct array *a, u32 i, void *element);
int __real_array_read(const struct array *a, u32 i, void *element);

int __wrap_array_map(struct array *a, int fd, u32 count, size_t size)
{
	void *base = fd == FD_PROFILES	? (void *)kernel.profile
		     : fd == FD_THREADS ? (void *)kernel.thread
					: (void *)kernel.other;

	*a = (struct array){.base = base, .size = size, .stride = size, .count = count};
	return 0;
}

void __wrap_array_unmap(struct array *a)
{
	*a = (struct array){0};
}

int __wrap_array_read(const struct array *a, u32 i, void *element)
{
	int result = __real_array_read(a, i, element);

	if (kernel.after_read)
		kernel.after_read();
	return result;
}

/* ---- in place of libbpf's ---- */

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	(void)key;
	if (fd == FD_BY_IDENTITY && kernel.full)
		return errno = E2BIG, -1;
	if (fd == FD_BY_IDENTITY && kernel.exists && flags == BPF_NOEXIST)
		return errno = EEXIST, -1;
	if (fd == FD_FREE_PROFILES)
		kernel.free[kernel.depth++] = *(const struct range *)value;
	return 0;
}

int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value)
{
	(void)key;
	if (fd != FD_FREE_PROFILES || !kernel.depth)
		return errno = ENOENT, -1;
	*(struct range *)value = kernel.free[--kernel.depth];
	return 0;
}

static u32 reaped;

int bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *run)
{
	(void)fd;
	kernel.thread[((const u64 *)run->ctx_in)[0]].tid = 0;
	run->retval = 1;
	reaped++;
	return 0;
}

static int setup(void **state)
{

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return tables_init(&tables, &loaded, &bounds);
}

static int teardown(void **state)
{
	(void)state;
	tables_free(&tables);
	return 0;
}

/* ---- what goes in ---- */

static void a_profile_that_cannot_be_found_leaves_its_slot_empty(void **state)
{
	static const struct profile nothing;
	const struct profile p = {.state = STATE_NORMAL,
				  .identity = {.inode = 7},
				  .symbols = 1,
				  .row = {[1] = 1},
				  .count = 9};
	u32 first, slot, again;

	(void)state;
	assert_int_equal(tables_install(&tables, &p, 0, &first), 0);
	assert_int_equal(kernel.profile[first].count, 9);
	kernel.full = true;
	assert_int_equal(tables_install(&tables, &p, 0, &slot), -E2BIG);
	assert_int_not_equal(slot, first);
	assert_memory_equal(&kernel.profile[slot], &nothing, sizeof(nothing));
	kernel.full = false;
	assert_int_equal(tables_install(&tables, &p, 0, &again), 0);
	assert_int_equal(again, slot);
}

/* A program began after it was looked for: its profile, which threads use, stays findable. */
static void a_profile_made_meanwhile_is_not_written_over(void **state)
{
	const struct profile p = {.state = STATE_NORMAL, .identity = {.inode = 7}};
	u32 slot;

	(void)state;
	kernel.exists = true;
	assert_int_equal(tables_install(&tables, &p, 0, &slot), -EEXIST);
	assert_int_equal(tables_install(&tables, &p, 1, &slot), 0);
}

/* ---- who is gone ---- */

/* In the middle of an exec a thread has another id: it must be gone at two looks. */
static void who_was_gone_twice_is_reaped(void **state)
{
	enum { NOBODY = 0x3ffffff0 };

	(void)state;
	reaped = 0;
	kernel.thread[1].tid = NOBODY;
	kernel.thread[2].tid = NOBODY + 1;
	kernel.thread[3].tid = (u32)getpid();
	assert_int_equal(tables_reap(&tables), 0); /* nothing was skipped */
	tables.skipped_before = 1;
	assert_int_equal(tables_reap(&tables), 0);
	kernel.thread[2].tid = NOBODY + 2; /* another one has its slot since */
	assert_int_equal(tables_reap(&tables), 1);
	assert_int_equal(kernel.thread[1].tid, 0);
	assert_int_equal(tables_reap(&tables), 1);
	assert_int_equal(tables_reap(&tables), 0);
	assert_int_equal(kernel.thread[3].tid, getpid());
	assert_int_equal(reaped, 2);
}

/* ---- what is held back ---- */

static struct runners runners;

static struct thread runs(u32 profile, u32 pending)
{
	return (struct thread){
		.tid = 1, .tgid = 1, .profile = profile, .epoch = 5, .pending = pending};
}

static int setup_runners(void **state)
{
	int result = setup(state);

	for (u32 slot = 1; slot <= 3; slot++)
		kernel.profile[slot] = (struct profile){.state = STATE_TRAINING,
							.epoch = 5,
							.zero_epoch = 1,
							.count = 100 * slot,
							.train_count = 100 * slot,
							.change_count = 10};
	kernel.thread[2] = runs(2, 7);
	kernel.thread[3] = runs(1, 4);
	kernel.thread[5] = runs(2, 30);
	kernel.thread[6] = runs(2, 1000);
	kernel.thread[6].tid = 0; /* it is gone */
	kernel.thread[8] = runs(3, 1);
	return result || runners_init(&runners, &tables);
}

static int teardown_runners(void **state)
{
	runners_free(&runners);
	return teardown(state);
}

static void all_that_runs_a_profile_is_counted_in(void **state)
{
	struct profile p;

	(void)state;
	assert_int_equal(runners_look(&runners), 0);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(runners_read(&runners, 1, &p), 0);
		assert_int_equal(p.count, 104);
		assert_int_equal(runners_read(&runners, 2, &p), 0);
		assert_int_equal(p.count, 237);
		assert_int_equal(p.train_count, 237);
		assert_int_equal(p.change_count, 10);
		assert_int_equal(runners_read(&runners, 3, &p), 0);
		assert_int_equal(p.count, 301);
		assert_int_equal(runners_read(&runners, 4, &p), -ENOENT);
	}
	assert_int_equal(kernel.profile[2].count,
			 200); /* the kernel's own is as it was */
}

static void held_back_since_before_a_change_is_before_it(void **state)
{
	struct profile p;

	(void)state;
	kernel.thread[2].epoch = 4;
	kernel.thread[5].epoch = 0; /* and before the counts began anew */
	assert_int_equal(runners_look(&runners), 0);
	assert_int_equal(runners_read(&runners, 2, &p), 0);
	assert_int_equal(p.count, 237);
	assert_int_equal(p.train_count, 207);
	assert_int_equal(p.change_count, 17);
}

static void who_runs_another_since_is_left_out(void **state)
{
	struct profile p;

	(void)state;
	assert_int_equal(runners_look(&runners), 0);
	kernel.thread[2].profile = 3;
	kernel.thread[5].tid = 0;
	assert_int_equal(runners_read(&runners, 2, &p), 0);
	assert_int_equal(p.count, 200);
}

static void flush(void)
{
	kernel.profile[2].count += kernel.thread[2].pending + kernel.thread[5].pending;
	kernel.thread[2].pending = kernel.thread[5].pending = 0;
}

static void what_is_added_meanwhile_is_not_counted_twice(void **state)
{
	struct profile p;

	(void)state;
	assert_int_equal(runners_look(&runners), 0);
	kernel.after_read = flush;
	assert_int_equal(runners_read(&runners, 2, &p), 0);
	assert_in_range(p.count, 200, 237);
	assert_int_equal(runners_read(&runners, 2, &p), 0);
	assert_int_equal(p.count, 237);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_profile_that_cannot_be_found_leaves_its_slot_empty, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_profile_made_meanwhile_is_not_written_over, setup, teardown),
		cmocka_unit_test_setup_teardown(who_was_gone_twice_is_reaped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(all_that_runs_a_profile_is_counted_in,
						setup_runners, teardown_runners),
		cmocka_unit_test_setup_teardown(
			held_back_since_before_a_change_is_before_it, setup_runners,
			teardown_runners),
		cmocka_unit_test_setup_teardown(who_runs_another_since_is_left_out,
						setup_runners, teardown_runners),
		cmocka_unit_test_setup_teardown(
			what_is_added_meanwhile_is_not_counted_twice, setup_runners,
			teardown_runners),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
