/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many events of one kind a program may have told of it: a bucket of tokens, of which
 * an event takes one, and which come back one by one. Once for the BPF program and for
 * tests, as lookahead.h is; to be included after that.
 */
#ifndef EBPH_BUCKET_H
#define EBPH_BUCKET_H

enum {
	BUCKET_SIZE = 1000, /* events at once */
	BUCKET_SHARE = 10, /* likewise, of a program that finds the ring buffer crowded */
};

#define BUCKET_TOKEN_NS 1000000000ULL /* a token comes back in this time */

/* Bytes of the ring buffer that an event of SIZE bytes takes, with the kernel's header. */
LOOKAHEAD_INLINE u64 ring_bytes(u64 size)
{
	return (size + 8 + 7) & ~7ULL;
}

/*
 * 1 when more than half of a ring buffer of SIZE bytes is WRITTEN and not READ. What is
 * read may be counted before it is counted as written.
 */
LOOKAHEAD_INLINE int ring_is_crowded(u64 written, u64 read, u64 size)
{
	return (long long)(written - read) > (long long)(size / 2);
}

/*
 * Take a token at NOW (ns) from the bucket of SIZE tokens whose last comes back at
 * *FULL_AT: 1, or 0 when there is none. No lock: two that take at one instant may take the
 * same, and that is all.
 */
LOOKAHEAD_INLINE int bucket_take(u64 *full_at, u64 now, u64 size)
{
	u64 missing = *full_at > now ? *full_at - now : 0;

	if (missing > (size - 1) * BUCKET_TOKEN_NS)
		return 0;
	*full_at = now + missing + BUCKET_TOKEN_NS;
	return 1;
}

#endif
