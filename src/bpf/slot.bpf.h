/* SPDX-License-Identifier: GPL-2.0-only */
/* Free slots of profiles, rows and threads, in ranges. */

/*
 * What is left of range R when its first slot is taken goes back to its list. Meanwhile
 * others find further ranges there: user space begins with many.
 */
INLINE u32 take_profile(void)
{
	struct range r = {};
	u32 slot;

	if (free_profiles.pop(&r))
		return 0;
	slot = r.first++;
	if (--r.count)
		free_profiles.push(&r, 0);
	count_taken(TAKEN_PROFILES, 1);
	return slot;
}

INLINE u32 take_row(void)
{
	struct range r = {};
	u32 slot;

	if (free_rows.pop(&r))
		return 0;
	slot = r.first++;
	if (--r.count)
		free_rows.push(&r, 0);
	count_taken(TAKEN_ROWS, 1);
	return slot;
}

/*
 * Where each CPU keeps one slot at hand, leave SLOT there, 0: none, and give what was there;
 * elsewhere give SLOT back.
 */
INLINE u32 swap_thread(u32 slot)
{
#if HAS_EXCHANGE
	u32 zero = 0;
	u64 *kept = kept_thread.lookup(&zero);

	if (kept)
		return __sync_lock_test_and_set(kept, slot);
#endif
	return slot;
}

INLINE u32 take_thread(void)
{
	struct range r = {};
	u32 slot = swap_thread(0);

	if (!slot) {
		if (free_threads.pop(&r))
			return 0;
		slot = r.first++;
		if (--r.count)
			free_threads.push(&r, 0);
	}
	count_taken(TAKEN_THREADS, 1);
	return slot;
}

INLINE void give_profile(u32 slot)
{
	struct range r = {.first = slot, .count = 1};

	free_profiles.push(&r, 0);
	count_taken(TAKEN_PROFILES, -1);
}

/* Whoever gets the thread's SLOT next owes nothing. */
INLINE void delay_clear(u32 slot)
{
#if USE_DELAY
	struct delay *d = delays.lookup(&slot);

	if (d) {
		d->due = 0;
		d->halts = 0;
	}
#endif
}

INLINE void give_thread(u32 slot)
{
	struct range r = {.count = 1};

	delay_clear(slot);
	r.first = swap_thread(slot);
	if (r.first)
		free_threads.push(&r, 0);
	count_taken(TAKEN_THREADS, -1);
}
