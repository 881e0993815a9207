#include "number.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define RATIO_MAX 65535

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{"", 1000000000ull},	       {"ms", 1000000ull},
	{"s", 1000000000ull},	       {"m", 60 * 1000000000ull},
	{"h", 3600 * 1000000000ull},   {"d", 86400 * 1000000000ull},
	{"w", 604800 * 1000000000ull}, {NULL, 0},
};

static const struct unit sizes[] = {
	{"", 1}, {"K", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}, {NULL, 0},
};

/* Not isdigit(): that one depends on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many digits text starts with. */
static size_t count_digits(const char *text)
{
	size_t n = 0;

	while (is_digit(text[n]))
		n++;
	return n;
}

static int parse_digits(const char *digits, size_t count, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digits[i] - '0', &value))
			return -ERANGE;
	}
	*out = value;
	return 0;
}

/* As number_u64(), of the first count bytes only. */
static int parse_range(const char *text, size_t count, uint64_t min, uint64_t max,
		       uint64_t *out)
{
	uint64_t value;
	int err;

	if (count == 0 || count_digits(text) < count)
		return -EINVAL;
	err = parse_digits(text, count, &value);
	if (err)
		return err;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (!strcmp(units->name, name))
			return units;
	return NULL;
}

int number_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	return parse_range(text, strlen(text), min, max, out);
}

/*
 * 0.DIGITS of a unit, cut off to a whole number. From the last digit to the
 * first, so that it is exact, cannot overflow and takes any count of digits.
 */
static uint64_t fraction_of(uint64_t unit, const char *digits, size_t count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = (value + (uint64_t)(digits[count] - '0') * unit) / 10;
	return value;
}

int number_duration_ns(const char *text, uint64_t *ns)
{
	size_t whole = count_digits(text), part = 0;
	const char *fraction = text + whole, *end = fraction;
	const struct unit *unit;
	uint64_t value;
	int err;

	if (*end == '.') {
		fraction++;
		part = count_digits(fraction);
		end = fraction + part;
		if (part == 0)
			return -EINVAL;
	}
	unit = find_unit(durations, end);
	if (whole + part == 0 || !unit)
		return -EINVAL;
	err = parse_digits(text, whole, &value);
	if (err)
		return err;
	if (__builtin_mul_overflow(value, unit->factor, &value) ||
	    __builtin_add_overflow(value, fraction_of(unit->factor, fraction, part),
				   &value) ||
	    value > INT64_MAX)
		return -ERANGE;
	if (value == 0 && strspn(text, "0.") < (size_t)(end - text))
		return -ERANGE;
	*ns = value;
	return 0;
}

int number_size(const char *text, uint64_t *bytes)
{
	size_t count = count_digits(text);
	const struct unit *unit = find_unit(sizes, text + count);
	uint64_t value;
	int err;

	if (count == 0 || !unit)
		return -EINVAL;
	err = parse_digits(text, count, &value);
	if (err)
		return err;
	if (__builtin_mul_overflow(value, unit->factor, &value))
		return -ERANGE;
	*bytes = value;
	return 0;
}

int number_ratio(const char *text, uint32_t *num, uint32_t *den)
{
	size_t count = strcspn(text, "/");
	uint64_t n, d = 1;
	int err, err_den = 0;

	err = parse_range(text, count, 1, RATIO_MAX, &n);
	if (text[count] == '/')
		err_den = number_u64(text + count + 1, 1, RATIO_MAX, &d);
	if (err == -EINVAL || err_den == -EINVAL)
		return -EINVAL;
	if (err || err_den)
		return -ERANGE;
	*num = n;
	*den = d;
	return 0;
}
