/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

/* ---- lines ---- */

static void feed(struct request_reader *r, const char *bytes, size_t length)
{
	size_t room = 0;
	char *to = request_reader_room(r, &room);

	assert_non_null(to);
	assert_true(room >= length);
	memcpy(to, bytes, length);
	request_reader_add(r, length);
}

static void expect_line(struct request_reader *r, const char *expected)
{
	size_t length = 12345;
	const char *line = request_reader_line(r, &length);

	if (!expected) {
		assert_null(line);
		return;
	}
	assert_non_null(line);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(line, expected, length);
}

static void test_lines(void **state)
{
	struct request_reader r = {0};

	(void)state;
	expect_line(&r, NULL);
	feed(&r, "on", 2);
	expect_line(&r, NULL);
	feed(&r, "e\ntwo\n\nth", 9);
	expect_line(&r, "one");
	expect_line(&r, "two");
	expect_line(&r, "");
	expect_line(&r, NULL);
	feed(&r, "ree\n", 4);
	expect_line(&r, "three");
	expect_line(&r, NULL);
	request_reader_free(&r);
}

/* The longest line fits, whatever was read before it; one byte more does not. */
static void test_longest_line(void **state)
{
	static char line[REQUEST_MAX];
	struct request_reader r = {0};
	size_t room = 0, length;

	(void)state;
	memset(line, 'x', sizeof(line));
	feed(&r, "short\n", 6);
	expect_line(&r, "short");
	feed(&r, line, REQUEST_MAX - 1);
	expect_line(&r, NULL);
	feed(&r, "\n", 1);
	assert_non_null(request_reader_line(&r, &length));
	assert_int_equal(length, REQUEST_MAX - 1);
	feed(&r, line, REQUEST_MAX);
	expect_line(&r, NULL);
	request_reader_room(&r, &room);
	assert_int_equal(room, 0);
	request_reader_free(&r);
}

/* ---- requests ---- */

static int parse(const char *line, struct request *q, char error[200])
{
	strcpy(error, "");
	return request_parse(line, strlen(line), q, error, 200);
}

static void expect_bad(const char *line, const char *expected)
{
	struct request q;
	char error[200];

	assert_int_equal(parse(line, &q, error), -EINVAL);
	assert_null(q.json);
	if (!strstr(error, expected))
		fail_msg("%s: '%s' lacks '%s'", line, error, expected);
}

static void test_good(void **state)
{
	struct request q;
	char error[200];

	(void)state;
	assert_int_equal(parse("{\"ebph\":1,\"do\":\"status\"}", &q, error), 0);
	assert_string_equal(q.what, "status");
	assert_int_equal(q.scope, SCOPE_NONE);
	assert_null(q.name);
	request_free(&q);
	assert_int_equal(
		parse("{\"do\":\"reset\",\"key\":\"fE00000000000012\",\"ebph\":1}", &q,
		      error),
		0);
	assert_int_equal(q.scope, SCOPE_KEY);
	assert_true(q.key == 0xfe00000000000012ULL);
	request_free(&q);
	assert_int_equal(
		parse("{\"ebph\":1,\"do\":\"reset\",\"pid\":4194304}", &q, error), 0);
	assert_int_equal(q.scope, SCOPE_PID);
	assert_int_equal(q.pid, 4194304);
	request_free(&q);
	assert_int_equal(
		parse("{\"ebph\":1,\"do\":\"set\",\"name\":\"a\",\"value\":\"b\"}", &q,
		      error),
		0);
	assert_string_equal(q.name, "a");
	assert_string_equal(q.value, "b");
	request_free(&q);
	assert_int_equal(parse("{\"ebph\":1,\"do\":\"x\",\"all\":true,\"text\":false}",
			       &q, error),
			 0);
	assert_int_equal(q.scope, SCOPE_ALL);
	assert_false(q.text);
	request_free(&q);
}

static void test_bad(void **state)
{
	(void)state;
	expect_bad("", "no JSON");
	expect_bad("garbage", "no JSON");
	expect_bad("[1]", "no JSON object");
	expect_bad("{}", "lacks \"ebph\"");
	expect_bad("{\"ebph\":1}", "lacks \"do\"");
	expect_bad("{\"ebph\":2,\"do\":\"ps\"}", "version");
	expect_bad("{\"ebph\":\"1\",\"do\":\"ps\"}", "version");
	expect_bad("{\"ebph\":1,\"do\":1}", "\"do\" must be a string");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"pid\":0}", "1..4194304");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"pid\":4194305}", "1..4194304");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"pid\":1.5}", "1..4194304");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"pid\":\"1\"}", "1..4194304");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"exe\":\"\"}", "a path");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"key\":\"\"}", "hexadecimal");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"key\":\"0x1\"}", "hexadecimal");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"key\":\"00000000000000001\"}",
		   "hexadecimal");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"all\":false}", "true");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"all\":true,\"pid\":1}", "no other");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"more\":1}", "\"more\"");
	expect_bad("{\"ebph\":1,\"do\":\"x\",\"do\":\"y\"}", "duplicate");
	expect_bad("{\"ebph\":1,\"do\":\"x\"} {}", "no JSON");
}

/* A zero byte ends no line, and a string with one is refused. */
static void test_zero_bytes(void **state)
{
	static const char line[] = "{\"ebph\":1,\"do\":\"a\\u0000b\"}";
	struct request q;
	char error[200];

	(void)state;
	assert_int_equal(request_parse(line, sizeof(line) - 1, &q, error, sizeof(error)),
			 -EINVAL);
	assert_int_equal(request_parse("{}\0{}", 5, &q, error, sizeof(error)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),	   cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_good),	   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_zero_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
