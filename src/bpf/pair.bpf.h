/* SPDX-License-Identifier: GPL-2.0-only */
/* The pairs that a profile knows, in blocks of rows. */

/*
 * A block for PLACE, not up to date; NULL: no room. What found no room once has not
 * learned all that was normal: until the profile next becomes normal it knows it all, and
 * so do the further blocks of a row whose first one found none.
 */
INLINE struct row *row_make(u32 *place, const struct profile *p)
{
	u32 slot = take_row(), had_no_room = *place == ROW_NO_ROOM;
	struct row *r = rows.lookup(&slot);

	if (!slot || !r) {
		*place = ROW_NO_ROOM;
		return 0;
	}
	r->train_gen = p->train_gen ^ 0x80000000;
	r->test_gen = p->test_gen ^ (had_no_room ? 0 : 0x80000000);
	r->more[0] = had_no_room ? ROW_NO_ROOM : 0;
	r->more[1] = r->more[0];
	r->more[2] = r->more[0];
	NO_UNROLL
	for (u32 i = 0; i < CHUNK / 4; i++)
		r->word[i] = ~0ULL;
#if HAS_EXCHANGE
	/* A barrier: who reads without the lock must not see it before it is filled. */
	__sync_lock_test_and_set(&r->word[0], ~0ULL);
#endif
	*place = slot;
	return r;
}

/* The block of CURRENT's row for columns of CHUNK_INDEX, up to date; made if MAKE. */
INLINE struct row *row_get(struct profile *p, u8 current, u32 chunk_index, int make)
{
	u32 *place = &p->row[current], slot = *place;
	struct row *r;

	if (slot && chunk_index) {
		r = rows.lookup(&slot);
		if (!r)
			return 0;
		place = &r->more[chunk_index - 1];
		slot = *place;
	}
	if (!slot || slot == ROW_NO_ROOM) {
		if (!make || (chunk_index && !p->row[current]))
			return 0;
		r = row_make(place, p);
		if (!r)
			return 0;
	} else {
		r = rows.lookup(&slot);
	}
	if (r && !row_is_current(r, p))
		row_sync(r, chunk_index, p);
	return r;
}

/* 1 when block CHUNK_INDEX of CURRENT's row was wanted and found no room. */
INLINE int row_had_no_room(struct profile *p, u8 current, u32 chunk_index)
{
	u32 slot = p->row[current];
	struct row *r = rows.lookup(&slot);

	if (!chunk_index || slot == ROW_NO_ROOM)
		return slot == ROW_NO_ROOM;
	return r && r->more[(chunk_index - 1) & 3] == ROW_NO_ROOM;
}

/*
 * Note in V the distances of its window that are new to the profile's train pairs; learn
 * them if V says so. V is in a map: a verifier does not follow what stands there, and
 * finds each turn of the loop like the one before.
 */
INLINE void train(struct profile *p, struct verdict *v, u64 window)
{
	row_get(p, v->index, 0, v->learns);
	NO_UNROLL
	for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
		struct row *r;

		if (!window_in_chunk(window, chunk))
			continue;
		r = row_get(p, v->index, chunk, v->learns);
		if (!r) {
			v->no_room = v->learns;
			continue;
		}
		v->fresh |= row_missing(r, chunk, window, TRAIN_SHIFT);
		if (v->learns)
			row_learn(r, chunk, window);
	}
	if (v->no_room)
		lose(LOST_ROW, 1);
}

/* Add to MISSING the distances that the profile's test pairs have not. */
INLINE void test(struct profile *p, u8 current, u64 window, u8 *missing)
{
	NO_UNROLL
	for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
		u8 filled = window_in_chunk(window, chunk);
		struct row *r;

		if (!filled)
			continue;
		r = row_get(p, current, chunk, 0);
		if (r)
			*missing |= row_missing(r, chunk, window, TEST_SHIFT);
		else if (!row_had_no_room(p, current, chunk))
			*missing |= filled;
	}
}

/* 1 when block CHUNK_INDEX of INDEX's row has the pairs of WINDOW that lie in it. */
INLINE int chunk_knows(struct profile *p, u8 index, u32 chunk_index, u64 window,
		       u32 state)
{
	u32 slot = p->row[index];
	struct row *r;

	if (!window_in_chunk(window, chunk_index))
		return 1;
	r = rows.lookup(&slot);
	if (r && slot && chunk_index) {
		slot = r->more[(chunk_index - 1) & 3];
		r = rows.lookup(&slot);
	}
	return r && slot && row_is_current(r, p) &&
	       !row_missing(r, chunk_index, window, TRAIN_SHIFT) &&
	       (state != STATE_NORMAL ||
		!row_missing(r, chunk_index, window, TEST_SHIFT));
}
