/* SPDX-License-Identifier: GPL-2.0-only */
/* An array map as memory: over a file, which is laid out as the kernel's are. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "array.h"

enum { COUNT = 1000, SIZE = 13, STRIDE = 16 }; /* elements begin at multiples of 8 */

static int file;
static struct array array;

static int setup(void **state)
{
	(void)state;
	file = memfd_create("array", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, 4 * sysconf(_SC_PAGESIZE)))
		return -1;
	return array_map(&array, file, COUNT, SIZE);
}

static int teardown(void **state)
{
	(void)state;
	array_unmap(&array);
	return close(file);
}

static void elements_are_where_the_kernel_has_them(void **state)
{
	char in[SIZE] = "twelve bytes", out[SIZE], raw[SIZE];

	(void)state;
	assert_int_equal(array_write(&array, 999, in), 0);
	assert_int_equal(pread(file, raw, SIZE, 999 * STRIDE), SIZE);
	assert_memory_equal(raw, in, SIZE);
	assert_int_equal(pwrite(file, "kernel's side", SIZE, 7 * STRIDE), SIZE);
	assert_int_equal(array_read(&array, 7, out), 0);
	assert_memory_equal(out, "kernel's side", SIZE);
	assert_int_equal(array_read(&array, 8, out), 0);
	assert_int_equal(out[0], 0);
}

static void past_the_end_there_is_nothing(void **state)
{
	char element[SIZE] = "as it was";

	(void)state;
	assert_int_equal(array_read(&array, COUNT, element), -ENOENT);
	assert_int_equal(array_write(&array, COUNT, element), -ENOENT);
	assert_string_equal(element, "as it was");
}

static void what_is_not_mapped_is_empty(void **state)
{
	struct array none = {0};
	char element[SIZE];

	(void)state;
	assert_int_equal(array_map(&none, -1, COUNT, SIZE), -EBADF);
	assert_int_equal(array_read(&none, 0, element), -ENOENT);
	assert_int_equal(array_bytes(&none), 0);
	array_unmap(&none);
}

static void whole_pages_are_taken(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	assert_int_equal(array_bytes(&array), (COUNT * STRIDE + page - 1) / page * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(elements_are_where_the_kernel_has_them,
						setup, teardown),
		cmocka_unit_test_setup_teardown(past_the_end_there_is_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_not_mapped_is_empty, setup,
						teardown),
		cmocka_unit_test_setup_teardown(whole_pages_are_taken, setup, teardown),
	};

	return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
