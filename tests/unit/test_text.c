/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/text.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static void expect(const char *bytes, enum text_use use, const char *wanted)
{
	char *text = text_escape(bytes, strlen(bytes), use);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static void test_plain_text_stays(void **state)
{
	static const char plain[] = "/usr/bin/\xc3\xa4-\xe2\x82\xac-\xf0\x9f\x90\xa7";

	(void)state;
	for (int use = TEXT_LINE; use <= TEXT_JSON; use++) {
		expect(plain, use, plain);
		expect("", use, "");
		expect("~!\"'`$&<>|*?", use, "~!\"'`$&<>|*?");
	}
}

static void test_backslash_is_always_escaped(void **state)
{
	(void)state;
	expect("a\\x0a", TEXT_LINE, "a\\x5cx0a");
	expect("a\\x0a", TEXT_WORD, "a\\x5cx0a");
	expect("a\\x0a", TEXT_JSON, "a\\x5cx0a");
}

static void test_spaces_only_in_words(void **state)
{
	(void)state;
	expect("a b", TEXT_LINE, "a b");
	expect("a b", TEXT_WORD, "a\\x20b");
	expect("a b", TEXT_JSON, "a b");
	/* no-break, en and ideographic space look like one */
	expect("\xc2\xa0", TEXT_LINE, "\xc2\xa0");
	expect("\xc2\xa0", TEXT_WORD, "\\xc2\\xa0");
	expect("\xe2\x80\x82", TEXT_WORD, "\\xe2\\x80\\x82");
	expect("\xe3\x80\x80", TEXT_WORD, "\\xe3\\x80\\x80");
}

static void test_control_characters(void **state)
{
	(void)state;
	expect("a\nb\x1b[2Jc\r\t\x7f", TEXT_LINE, "a\\x0ab\\x1b[2Jc\\x0d\\x09\\x7f");
	expect("a\nb\x1b", TEXT_JSON, "a\nb\x1b");
	/* C1: U+009B is CSI to some terminals; U+0085 ends a line */
	expect("\xc2\x9b"
	       "2J\xc2\x85",
	       TEXT_LINE, "\\xc2\\x9b2J\\xc2\\x85");
	/* line and paragraph separators, right-to-left override, zero-width space, BOM */
	expect("\xe2\x80\xa8", TEXT_LINE, "\\xe2\\x80\\xa8");
	expect("\xe2\x80\xa9", TEXT_LINE, "\\xe2\\x80\\xa9");
	expect("\xe2\x80\xae", TEXT_LINE, "\\xe2\\x80\\xae");
	expect("\xe2\x80\x8b", TEXT_LINE, "\\xe2\\x80\\x8b");
	expect("\xef\xbb\xbf", TEXT_LINE, "\\xef\\xbb\\xbf");
	expect("\xe2\x80\xae", TEXT_JSON, "\xe2\x80\xae");
}

/* Overlong, surrogates, beyond U+10FFFF, cut off, stray: each byte on its own. */
static void test_what_is_not_utf8(void **state)
{
	static const char *const pairs[][2] = {
		{"\xff", "\\xff"},
		{"a\x80z", "a\\x80z"},
		{"\xc0\xaf", "\\xc0\\xaf"},
		{"\xc1\xbf", "\\xc1\\xbf"},
		{"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\xe2(\xa1", "\\xe2(\\xa1"},
		{"\xc3", "\\xc3"},
		/* the good neighbours of a bad byte stay */
		{"\xc3\xa4\xc3\xc3\xa4", "\xc3\xa4\\xc3\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(pairs); i++)
		for (int use = TEXT_LINE; use <= TEXT_JSON; use++)
			expect(pairs[i][0], use, pairs[i][1]);
}

/* The first and last of each length, which are characters. */
static void test_edges_of_utf8(void **state)
{
	static const char *const edges[] = {
		"\x7e",		"\xc2\xa1",	    "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf",	    "\xee\x80\x80",
		"\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(edges); i++)
		for (int use = TEXT_LINE; use <= TEXT_JSON; use++)
			expect(edges[i], use, edges[i]);
}

/* Undo the escapes; what comes out must be what went in, whatever that was. */
static void test_bytes_can_be_had_back(void **state)
{
	char bytes[64], again[64], *text;
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t length = 1 + (size_t)round % 60, n = 0;

		for (size_t i = 0; i < length; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (char)(seed >> 20);
			if (seed >> 16 & 1)
				bytes[i] = "\\x4\xc3\xa4"[seed >> 20 & 3];
		}
		text = text_escape(bytes, length, round % 3);
		assert_non_null(text);
		for (const char *c = text; *c; c++) {
			char hex[3] = "";

			if (*c != '\\') {
				again[n++] = *c;
				continue;
			}
			assert_int_equal(c[1], 'x');
			memcpy(hex, c + 2, 2);
			again[n++] = (char)strtoul(hex, NULL, 16);
			c += 3;
		}
		assert_int_equal(n, length);
		assert_memory_equal(again, bytes, length);
		free(text);
	}
}

static void test_length_counts_not_the_end(void **state)
{
	char *text = text_escape("abc\xe2\x82\xac", 5, TEXT_LINE);

	(void)state;
	assert_string_equal(text, "abc\\xe2\\x82");
	free(text);
	text = text_escape("a\0b", 3, TEXT_JSON);
	assert_string_equal(text, "a\\x00b");
	free(text);
}

static void test_characters(void **state)
{
	(void)state;
	assert_int_equal(text_characters(""), 0);
	assert_int_equal(text_characters("abc"), 3);
	assert_int_equal(text_characters("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays),
		cmocka_unit_test(test_backslash_is_always_escaped),
		cmocka_unit_test(test_spaces_only_in_words),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_what_is_not_utf8),
		cmocka_unit_test(test_edges_of_utf8),
		cmocka_unit_test(test_bytes_can_be_had_back),
		cmocka_unit_test(test_length_counts_not_the_end),
		cmocka_unit_test(test_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
