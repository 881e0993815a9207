/* SPDX-License-Identifier: GPL-2.0-only */
/* The reader of bare numbers: in one piece or in many, it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

struct seen {
	u64 sum, count;
};

static int take(void *context, u32 pid, const u32 *numbers, size_t count)
{
	struct seen *s = context;

	if (!count || count > NUMBERS_BATCH)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] > NUMBERS_MAX)
			abort();
		s->sum = s->sum * 31 + pid * 7 + numbers[i];
		s->count++;
	}
	return 0;
}

static int read_in(struct numbers *n, bool with_pid, const char *data, size_t size,
		   size_t piece, struct seen *s)
{
	int result = 0, end;

	memset(s, 0, sizeof(*s));
	numbers_init(n, with_pid, take, s);
	for (size_t i = 0; i < size && !result; i += piece)
		result = numbers_feed(n, data + i, size - i < piece ? size - i : piece);
	end = numbers_end(n, false);
	return result ? result : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct numbers whole, pieces;
	struct seen a, b;

	for (int with_pid = 0; with_pid < 2; with_pid++) {
		int first = read_in(&whole, with_pid, (const char *)data, size,
				    size ? size : 1, &a);
		int second = read_in(&pieces, with_pid, (const char *)data, size, 3, &b);

		if (first != second || whole.line != pieces.line || a.sum != b.sum ||
		    a.count != b.count || strcmp(whole.error, pieces.error) ||
		    (first && !whole.error[0]))
			abort();
	}
	return 0;
}
