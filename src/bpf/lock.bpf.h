/* SPDX-License-Identifier: GPL-2.0-only */
/* A profile's lock: whoever puts a word into its place, or its slot into the hash, has it. */

/* A word is a third of what making and deleting an entry of a hash costs. */
INLINE int try_lock(u32 slot)
{
#if HAS_EXCHANGE
	u64 *word = locks.lookup(&slot);

	return word && !__sync_lock_test_and_set(word, 1);
#else
	u32 one = 1;

	return !locks.insert(&slot, &one);
#endif
}

/*
 * The holder is done in a microsecond, unless interrupts keep it, or the host has taken
 * away its virtual CPU, for some milliseconds. A verifier follows each try, so between two
 * of them there is something slow that it need not follow: copying a buffer, more of it
 * each time. In all that is 10 to 20 ms (a fixed 256 KB were 1 to 2, too short on a busy
 * host).
 */
INLINE int lock(u32 slot)
{
	u32 zero = 0;
	struct spare *spare = spares.lookup(&zero);

	if (!spare)
		return -1;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (try_lock(slot))
			return 0;
		bpf_probe_read_kernel(spare->zeros, WAIT_STEP, spare->zeros);
	}
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (try_lock(slot))
			return 0;
		UNROLL
		for (int k = 0; k < 8; k++)
			bpf_probe_read_kernel(spare->zeros, WAIT_STEP * (i + 1),
					      spare->zeros);
	}
	return -1;
}

INLINE void unlock(u32 slot)
{
#if HAS_EXCHANGE
	u64 *word = locks.lookup(&slot);

	if (word)
		__sync_lock_test_and_set(word, 0);
#else
	locks.delete(&slot);
#endif
}
