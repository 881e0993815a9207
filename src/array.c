/* SPDX-License-Identifier: GPL-2.0-only */
#include "array.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

size_t array_bytes(const struct array *a)
{
	return round_up(a->count * a->stride, (size_t)sysconf(_SC_PAGESIZE));
}

int array_map(struct array *a, int fd, u32 count, size_t size)
{
	void *base;

	*a = (struct array){.size = size, .stride = round_up(size, 8), .count = count};
	base = mmap(NULL, array_bytes(a), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED) {
		*a = (struct array){0};
		return -errno;
	}
	madvise(base, array_bytes(a), MADV_DONTFORK); /* a child has no use for it */
	a->base = base;
	return 0;
}

void array_unmap(struct array *a)
{
	if (a->base)
		munmap(a->base, array_bytes(a));
	*a = (struct array){0};
}

/* By words, from the first on: memcpy may begin at the end. */
int array_read(const struct array *a, u32 i, void *element)
{
	char *to = element;

	if (i >= a->count)
		return -ENOENT;
	for (size_t at = 0; at < a->size; at += sizeof(u64)) {
		const char *from = a->base + i * a->stride + at;
		u64 word = __atomic_load_n((const u64 *)(const void *)from,
					   __ATOMIC_ACQUIRE);

		memcpy(to + at, &word,
		       a->size - at < sizeof(word) ? a->size - at : sizeof(word));
	}
	return 0;
}

int array_write(struct array *a, u32 i, const void *element)
{
	if (i >= a->count)
		return -ENOENT;
	atomic_thread_fence(memory_order_release);
	memcpy(a->base + i * a->stride, element, a->size);
	return 0;
}
