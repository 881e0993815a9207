#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/number.h"

#define UNTOUCHED 4711
#define SECOND 1000000000ull
#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

struct sample {
	const char *text;
	int err;
	uint64_t value;
};

static void check(int (*parse)(const char *, uint64_t *), const struct sample *samples,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sample *s = &samples[i];
		uint64_t value = UNTOUCHED;
		int err = parse(s->text, &value);

		if (err != s->err || value != (err ? UNTOUCHED : s->value))
			fail_msg("'%s': %d, %llu", s->text, err,
				 (unsigned long long)value);
	}
}

static int parse_any(const char *text, uint64_t *out)
{
	return number_u64(text, 0, UINT64_MAX, out);
}

static int parse_2_to_9(const char *text, uint64_t *out)
{
	return number_u64(text, 2, 9, out);
}

static void test_u64(void **state)
{
	static const struct sample any[] = {
		{"0", 0, 0},
		{"7", 0, 7},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"99999999999999999999999x", -EINVAL, 0},
		{"", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"1\n", -EINVAL, 0},
		{"\xd9\xa1", -EINVAL, 0},
	};
	static const struct sample range[] = {
		{"1", -ERANGE, 0},  {"2", 0, 2},	 {"9", 0, 9},
		{"10", -ERANGE, 0}, {"two", -EINVAL, 0},
	};

	(void)state;
	check(parse_any, any, LENGTH(any));
	check(parse_2_to_9, range, LENGTH(range));
}

static void test_duration(void **state)
{
	static const struct sample samples[] = {
		{"0", 0, 0},
		{"0.0h", 0, 0},
		{"3", 0, 3 * SECOND},
		{"3s", 0, 3 * SECOND},
		{"250ms", 0, SECOND / 4},
		{"10m", 0, 600 * SECOND},
		{"6h", 0, 21600 * SECOND},
		{"2d", 0, 172800 * SECOND},
		{"1w", 0, 604800 * SECOND},
		{"1.5h", 0, 5400 * SECOND},
		{".5", 0, SECOND / 2},
		{"0.1", 0, SECOND / 10},
		{"0.3", 0, 3 * SECOND / 10},
		{"0.000001ms", 0, 1},
		{"0.0000019ms", 0, 1},
		{"0.9999999999", 0, SECOND - 1},
		{"0.5000000000000000000000000000000000w", 0, 302400 * SECOND},
		{"9223372036.854775807", 0, INT64_MAX},
		{"9223372036.854775808", -ERANGE, 0},
		{"18446744073.709551616", -ERANGE, 0},
		{"15251w", -ERANGE, 0},
		{"30501w", -ERANGE, 0},
		{"99999999999999999999999s", -ERANGE, 0},
		{"0.0000000001", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{".", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{".s", -EINVAL, 0},
		{"1.2.3", -EINVAL, 0},
		{"1,5", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"1s ", -EINVAL, 0},
		{"1S", -EINVAL, 0},
		{"1us", -EINVAL, 0},
		{"1y", -EINVAL, 0},
		{"1h30m", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"inf", -EINVAL, 0},
		{"nan", -EINVAL, 0},
		{"0x1", -EINVAL, 0},
	};

	(void)state;
	check(number_duration_ns, samples, LENGTH(samples));
}

static void test_size(void **state)
{
	static const struct sample samples[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"64K", 0, 65536},
		{"8M", 0, 8388608},
		{"4G", 0, 4294967296},
		{"17179869183G", 0, 17179869183ull << 30},
		{"17179869184G", -ERANGE, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"K", -EINVAL, 0},
		{"1k", -EINVAL, 0},
		{"1KB", -EINVAL, 0},
		{"1KiB", -EINVAL, 0},
		{"1T", -EINVAL, 0},
		{"1.5M", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"1 K", -EINVAL, 0},
		{" 1K", -EINVAL, 0},
		{"1KK", -EINVAL, 0},
	};

	(void)state;
	check(number_size, samples, LENGTH(samples));
}

static void test_ratio(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint32_t num, den;
	} samples[] = {
		{"128/32", 0, 128, 32},
		{"4", 0, 4, 1},
		{"1/65535", 0, 1, 65535},
		{"65535/1", 0, 65535, 1},
		{"0", -ERANGE, 0, 0},
		{"1/0", -ERANGE, 0, 0},
		{"0/1", -ERANGE, 0, 0},
		{"65536", -ERANGE, 0, 0},
		{"1/65536", -ERANGE, 0, 0},
		{"0/x", -EINVAL, 0, 0},
		{"4294967297/4294967297", -ERANGE, 0, 0},
		{"", -EINVAL, 0, 0},
		{"/", -EINVAL, 0, 0},
		{"1/", -EINVAL, 0, 0},
		{"/1", -EINVAL, 0, 0},
		{"1/2/3", -EINVAL, 0, 0},
		{"1 /2", -EINVAL, 0, 0},
		{"1/ 2", -EINVAL, 0, 0},
		{"-1/2", -EINVAL, 0, 0},
		{"1/-2", -EINVAL, 0, 0},
		{"1.5", -EINVAL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(samples); i++) {
		uint32_t num = UNTOUCHED, den = UNTOUCHED;
		int err = number_ratio(samples[i].text, &num, &den);

		if (err != samples[i].err || num != (err ? UNTOUCHED : samples[i].num) ||
		    den != (err ? UNTOUCHED : samples[i].den))
			fail_msg("'%s': %d, %u/%u", samples[i].text, err, num, den);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_ratio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
