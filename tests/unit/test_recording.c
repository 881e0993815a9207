/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recording.h"
#include "model.h"
#include "syscalls.h"

static struct recording make(u64 factor)
{
	struct recording r = {.seconds = 1.5, .lost = 3};
	const struct tally few = {.symbol = SYMBOL_NATIVE + 1,
				  .entered = 11,
				  .returned = 10,
				  .ns = 1000 * factor};
	const struct tally most = {.symbol = SYMBOL_COMPAT + 4,
				   .entered = 4,
				   .returned = 4,
				   .ns = 9000 * factor};
	const struct tally never = {.symbol = SYMBOL_NATIVE + 39, .entered = 1};

	assert_int_equal(recording_add(&r, &few), 0);
	assert_int_equal(recording_add(&r, &most), 0);
	assert_int_equal(recording_add(&r, &never), 0);
	return r;
}

/* Write R as JSON to a new file; its name, which the caller unlinks and frees. */
static char *save(const struct recording *r)
{
	char *path = strdup("/tmp/test_recording-XXXXXX");
	FILE *f = fdopen(mkstemp(path), "w");

	assert_non_null(f);
	assert_int_equal(recording_print(r, f, true), 0);
	fclose(f);
	return path;
}

static void test_sort(void **state)
{
	struct recording r = make(1);

	(void)state;
	recording_sort(&r);
	assert_int_equal(r.tally[0].symbol, SYMBOL_COMPAT + 4);
	assert_int_equal(r.tally[1].symbol, SYMBOL_NATIVE + 1);
	assert_int_equal(r.tally[2].ns, 0);
	recording_free(&r);
}

/* What was written is read back, with each call's ABI. */
static void test_round_trip(void **state)
{
	struct recording r = make(1), back;
	char *path = save(&r), error[200];

	(void)state;
	assert_int_equal(recording_read(&back, path, error, sizeof(error)), 0);
	assert_int_equal(back.count, r.count);
	assert_int_equal(back.lost, 3);
	assert_true(back.seconds > 1.49 && back.seconds < 1.51);
	for (size_t i = 0; i < r.count; i++)
		assert_memory_equal(&back.tally[i], &r.tally[i], sizeof(r.tally[i]));
	recording_free(&r);
	recording_free(&back);
	unlink(path);
	free(path);
}

static char *compare_text(const struct recording *a, const struct recording *b)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(recording_compare(a, b, f, false), 0);
	fclose(f);
	return text;
}

/* Three times the time is an overhead of 200 %; the reverse, of -66.7 %. */
static void test_overhead(void **state)
{
	struct recording a = make(1), b = make(3);
	char *text = compare_text(&a, &b), *back = compare_text(&b, &a);
	char label[SYSCALL_LABEL];

	(void)state;
	syscall_label(arch_native(), SYMBOL_NATIVE + 1, label, sizeof(label));
	assert_non_null(strstr(text, "200.0"));
	assert_non_null(strstr(text, label));
	assert_non_null(strstr(back, "-66.7"));
	/* A call that never returned has no mean to compare. */
	syscall_label(arch_native(), SYMBOL_NATIVE + 39, label, sizeof(label));
	assert_null(strstr(text, label));
	free(text);
	free(back);
	recording_free(&a);
	recording_free(&b);
}

static void test_spoilt(void **state)
{
	static const char *const texts[] = {
		"",
		"{\n",
		"{\"event\":\"summary\"}\n",
		"{\"event\":\"bench\"}\n",
		"{\"event\":\"bench\",\"calls\":[{}]}\n",
		"{\"event\":\"bench\",\"calls\":[{\"syscall\":\"write\",\"entered\":1,"
		"\"count\":-1,\"total_ns\":1}]}\n",
		"{\"event\":\"bench\",\"calls\":[{\"syscall\":\"no such\",\"entered\":1,"
		"\"count\":1,\"total_ns\":1}]}\n",
	};
	char path[] = "/tmp/test_recording-XXXXXX", error[200];
	struct recording r;

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		FILE *f = fopen(path, "w");

		fputs(texts[i], f);
		fclose(f);
		*error = 0;
		assert_true(recording_read(&r, path, error, sizeof(error)) < 0);
		assert_non_null(strstr(error, path));
		assert_int_equal(r.count, 0);
	}
	unlink(path);
	assert_true(recording_read(&r, path, error, sizeof(error)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_overhead),
		cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
