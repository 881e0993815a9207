/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shared arithmetic compiled as BPF, to be run on chosen arguments by test-run:
 * enum property, current call, window. main.c runs it.
 */
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#include <bpf/bpf_helpers.h>

#include "model.h"
#include "lookahead.h"
#include "property.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256 * CHUNKS);
	__type(key, u32);
	__type(value, struct row);
} rows __attribute__((section(".maps"), used));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct profile);
} profiles __attribute__((section(".maps"), used));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct thread);
} threads __attribute__((section(".maps"), used));

/* In functions of their own: the stack has 512 bytes a function. */
#define APART static __attribute__((noinline))

APART u32 missing_in(const struct row *r, u32 chunk, u64 window, u32 shift)
{
	return row_missing(r, chunk, window, shift);
}

APART u32 knows(const struct row *r, u64 window, u32 shift)
{
	return row_knows(r, window, 1 << shift);
}

APART u32 learn(struct row *r, u32 chunk, u64 window)
{
	row_learn(r, chunk, window);
	return 0;
}

static inline __attribute__((always_inline)) u32 on_rows(struct profile *p, u64 what,
							 u32 current, u64 window)
{
	u32 shift = what == PROPERTY_TEST ? TEST_SHIFT : TRAIN_SHIFT;
	u32 missing = 0;

	NO_UNROLL
	for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
		u32 slot = (current & 255) * CHUNKS + chunk;
		struct row *r = bpf_map_lookup_elem(&rows, &slot);

		if (!r)
			return PROPERTY_FAILED;
		if (!row_is_current(r, p))
			row_sync(r, chunk, p);
		if (!chunk && !window_is_wide(window) && knows(r, window, shift))
			missing |= PROPERTY_KNOWS;
		missing |= missing_in(r, chunk, window, shift);
		if (what == PROPERTY_LEARN)
			learn(r, chunk, window);
	}
	return missing;
}

__attribute__((section("raw_tracepoint"), used)) int
property(struct bpf_raw_tracepoint_args *ctx)
{
	u64 what = ctx->args[0], window = ctx->args[2];
	u32 zero = 0;
	struct profile *p = bpf_map_lookup_elem(&profiles, &zero);
	struct thread *t = bpf_map_lookup_elem(&threads, &zero);

	if (!p || !t)
		return PROPERTY_FAILED;
	switch (what) {
	case PROPERTY_RESET:
		profile_reset(p);
		return 0;
	case PROPERTY_SENSITIZE:
		sensitize(p);
		return 0;
	case PROPERTY_NORMALIZE:
		normalize(p);
		return 0;
	case PROPERTY_FRAME:
		frame_push(t, ctx->args[1] & 1);
		return t->lfc;
	default:
		return on_rows(p, what, ctx->args[1], window);
	}
}

char terms[] __attribute__((section("license"), used)) = "GPL";
