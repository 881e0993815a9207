/* SPDX-License-Identifier: GPL-2.0-only */
/* Random images, the same in every run. Included by tests, after their headers. */
#ifndef TESTS_IMAGES_H
#define TESTS_IMAGES_H

#include <stdlib.h>

#include "image.h"
#include "lookahead.h"

/* xorshift64* */
static u64 random_state = 0x9e3779b97f4a7c15ULL;

static u64 random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static u32 random_below(u32 limit)
{
	return (u32)(random_next() >> 32) % limit;
}

/* COUNT different symbols into SYMBOL, in random order. */
static void random_symbols(u16 *symbol, u32 count)
{
	bool taken[SYMBOLS] = {false};

	for (u32 i = 0; i < count;) {
		u32 s = random_below(4) ? random_below(400) : random_below(SYMBOLS);

		if (taken[s])
			continue;
		taken[s] = true;
		symbol[i++] = (u16)s;
	}
}

static void random_counters(struct image *im)
{
	char path[64];

	im->identity = (struct identity){random_below(9), random_below(9), random_next(),
					 random_below(9), random_next()};
	im->arch = ARCH_X86_64;
	im->window = WINDOW_MAX;
	im->state = STATE_TRAINING + random_below(3);
	im->count = random_next();
	im->train_count = random_next() >> 1;
	im->change_count = random_next() % (im->train_count + 1);
	im->sequences = random_below(5000);
	im->anomalies = random_below(30);
	im->saved = random_next();
	im->normal_time = im->state == STATE_FROZEN ? random_next() : 0;
	snprintf(path, sizeof(path), "/usr/bin/prog%u", random_below(5));
	image_set_path(im, random_below(8) ? path : NULL, 64);
}

/* The first FOLDED calls are not told apart; the kernel has no more ranks than RANK_MAX. */
static u16 random_rank(u32 i, u32 folded)
{
	if (i < folded)
		return RANK_FOLDED;
	return i - folded < RANK_MAX ? (u16)(i - folded + 1) : RANK_MAX;
}

/*
 * CALLS calls, of which FOLDED are not told apart (and then SYMBOL_NONE besides); about
 * PAIRS pairs.
 */
static void random_image(struct image *im, u32 calls, u32 folded, u32 pairs)
{
	u32 all = calls + (folded ? 1 : 0);
	u16 symbol[SYMBOLS];
	u32 n = 0;

	image_init(im, all);
	random_counters(im);
	random_symbols(symbol, calls);
	for (u32 s = 0; s < SYMBOLS; s++)
		for (u32 i = 0; i < calls; i++)
			if (symbol[i] == s)
				im->call[n++] = (struct image_call){
					(u16)s, random_rank(i, folded)};
	if (folded)
		im->call[n] = (struct image_call){SYMBOL_NONE, RANK_OTHER};
	for (u32 i = 0; all && i < pairs; i++) {
		u32 current = random_below(all), earlier = random_below(all);

		if (im->call[current].rank != RANK_FOLDED &&
		    im->call[earlier].rank != RANK_FOLDED)
			*image_cell(im, current, earlier) |= 1u << random_below(16);
	}
}

#endif
