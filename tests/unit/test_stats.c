/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats.h"

/* A descriptor that is no program's is an error, not a program without runs. */
static void test_no_program(void **state)
{
	FILE *f = tmpfile();
	struct stats s = {1, 1, 1};

	(void)state;
	assert_non_null(f);
	assert_true(stats_read(fileno(f), &s) < 0);
	assert_int_equal(s.runs, 0);
	assert_true(stats_read(-1, &s) < 0);
	fclose(f);
}

/* What is not there is left out, header and all. */
static void test_prints_nothing(void **state)
{
	const char *const names[] = {"enter", "judge"};
	const int fds[] = {-1, -1};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	stats_print(f, names, fds, 2);
	fclose(f);
	assert_int_equal(size, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_prints_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
