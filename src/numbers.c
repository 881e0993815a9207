/* SPDX-License-Identifier: GPL-2.0-only */
#include "numbers.h"

#include <errno.h>
#include <stdio.h>

void numbers_init(struct numbers *n, bool with_pid, numbers_sink *sink, void *context)
{
	n->with_pid = with_pid;
	n->sink = sink;
	n->context = context;
	n->line = 1;
	n->error[0] = '\0';
	n->value = 0;
	n->digits = 0;
	n->fields = 0;
	n->pid = 0;
	n->batch_pid = 0;
	n->count = 0;
}

static int flush(struct numbers *n)
{
	size_t count = n->count;

	n->count = 0;
	return count ? n->sink(n->context, n->batch_pid, n->batch, count) : 0;
}

static int add(struct numbers *n, u32 pid, u32 number)
{
	int result = 0;

	if (n->count == NUMBERS_BATCH || pid != n->batch_pid)
		result = flush(n);
	n->batch_pid = pid;
	n->batch[n->count++] = number;
	return result;
}

/* A number ended. */
static int number_done(struct numbers *n)
{
	u32 value = (u32)n->value;

	n->value = 0;
	n->digits = 0;
	n->fields++;
	if (!n->with_pid)
		return add(n, 0, value);
	if (n->fields == 1) {
		n->pid = value;
		return 0;
	}
	if (n->fields == 2)
		return add(n, n->pid, value);
	snprintf(n->error, sizeof(n->error), "more than PID NUMBER on a line");
	return -EINVAL;
}

static int line_done(struct numbers *n)
{
	if (n->with_pid && n->fields == 1) {
		snprintf(n->error, sizeof(n->error), "PID %u without a NUMBER", n->pid);
		return -EINVAL;
	}
	n->line++;
	n->fields = 0;
	return 0;
}

static int digit(struct numbers *n, unsigned int value)
{
	n->value = n->value * 10 + value;
	n->digits++;
	if (n->value <= NUMBERS_MAX && n->digits <= 32)
		return 0;
	snprintf(n->error, sizeof(n->error), "number out of range 0..%d", NUMBERS_MAX);
	return -EINVAL;
}

static int bad_byte(struct numbers *n, unsigned char c)
{
	if (c == '-')
		snprintf(n->error, sizeof(n->error), "negative number");
	else if (c > ' ' && c < 0x7f)
		snprintf(n->error, sizeof(n->error), "'%c' is no part of a number", c);
	else
		snprintf(n->error, sizeof(n->error),
			 "byte 0x%02x is no part of a number: not a text file", c);
	return -EINVAL;
}

int numbers_feed(struct numbers *n, const char *data, size_t size)
{
	int result = 0;

	for (size_t i = 0; i < size && !result; i++) {
		unsigned char c = data[i];

		if ((unsigned int)(c - '0') < 10) {
			result = digit(n, c - '0');
			continue;
		}
		if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
			result = bad_byte(n, c);
			break;
		}
		if (n->digits)
			result = number_done(n);
		if (c == '\n' && !result)
			result = line_done(n);
	}
	return result;
}

int numbers_end(struct numbers *n, bool damaged)
{
	int result = 0, flushed;

	if (!damaged && !n->error[0]) {
		if (n->digits)
			result = number_done(n);
		if (!result)
			result = line_done(n);
	}
	flushed = flush(n);
	return result ? result : flushed;
}
