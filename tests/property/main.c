/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For random steps, a naive implementation, the shared code in user space and the
 * shared code as BPF (kern.c, by test-run) agree on every bit.
 * usage: property KERN.o STEPS
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"
#include "property.h"

static bool naive[2][256][256][DISTANCES + 1]; /* train, test */
static struct row rows[256][CHUNKS];
static struct profile profile;
static struct thread thread;
static u8 ring[FRAME_LENGTH];
static u64 state = 0x9e3779b97f4a7c15ULL;

static u32 below(u32 limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (u32)((state * 0x2545f4914f6cdd1dULL) >> 32) % limit;
}

static void die(const char *what, u64 step)
{
	fprintf(stderr, "property: step %llu: %s\n", (unsigned long long)step, what);
	exit(1);
}

/* ---- three implementations of one step ---- */

static u32 step_naive(u32 what, u32 current, u64 window, u64 step)
{
	u32 missing = 0, lfc = 0, widest = 0;

	if (what == PROPERTY_NORMALIZE)
		memcpy(naive[1], naive[0], sizeof(naive[0]));
	else if (what == PROPERTY_SENSITIZE)
		memset(naive[0], 0, sizeof(naive[0]));
	else if (what == PROPERTY_RESET)
		memset(naive, 0, sizeof(naive));
	for (u32 d = 1; what <= PROPERTY_TEST && d <= DISTANCES; d++) {
		u32 earlier = window >> (8 * (d - 1)) & 0xff;
		bool *pair = &naive[what == PROPERTY_TEST][current][earlier][d];

		missing |= (u32)(earlier && !*pair) << (d - 1);
		*pair |= earlier && what == PROPERTY_LEARN;
		widest = earlier > widest ? earlier : widest;
	}
	if (what <= PROPERTY_TEST && !missing && widest < CHUNK)
		return PROPERTY_KNOWS;
	if (what != PROPERTY_FRAME)
		return missing;
	ring[step % FRAME_LENGTH] = current & 1;
	for (u32 i = 0; i < FRAME_LENGTH; i++)
		lfc += ring[i];
	return lfc;
}

static u32 step_shared(u32 what, u32 current, u64 window)
{
	u32 missing = 0, shift = what == PROPERTY_TEST ? TEST_SHIFT : TRAIN_SHIFT;

	switch (what) {
	case PROPERTY_NORMALIZE:
		normalize(&profile);
		return 0;
	case PROPERTY_SENSITIZE:
		sensitize(&profile);
		return 0;
	case PROPERTY_RESET:
		profile_reset(&profile);
		return 0;
	case PROPERTY_FRAME:
		frame_push(&thread, current & 1);
		return thread.lfc;
	default:
		break;
	}
	for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
		struct row *r = &rows[current][chunk];

		if (!row_is_current(r, &profile))
			row_sync(r, chunk, &profile);
		if (!chunk && !window_is_wide(window) && row_knows(r, window, 1 << shift))
			missing |= PROPERTY_KNOWS;
		missing |= row_missing(r, chunk, window, shift);
		if (what == PROPERTY_LEARN)
			row_learn(r, chunk, window);
	}
	return missing;
}

static u32 step_bpf(int program, u32 what, u32 current, u64 window)
{
	u64 args[3] = {what, current, window};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .ctx_in = args, .ctx_size_in = sizeof(args)};

	if (bpf_prog_test_run_opts(program, &run)) {
		perror("property: test-run");
		exit(1);
	}
	return run.retval;
}

/* ---- all bits ---- */

static void compare_bits(int map, u64 step)
{
	for (u32 current = 0; current < 256; current++)
		for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
			struct row *shared = &rows[current][chunk], bpf;
			u32 slot = current * CHUNKS + chunk;

			if (bpf_map_lookup_elem(map, &slot, &bpf))
				die("cannot read a row", step);
			if (memcmp(shared, &bpf, sizeof(bpf)))
				die("BPF's row is not the shared code's", step);
			row_sync(&bpf, chunk, &profile);
			if (!chunk && bpf.cell[INDEX_NONE] != 0xffff)
				die("an empty slot is not known", step);
			for (u32 i = !chunk; i < CHUNK; i++)
				for (u32 d = 1; d <= DISTANCES; d++)
					for (u32 k = 0; k < 2; k++)
						if ((bpf.cell[i] >> (8 * k + d - 1) &
						     1) != naive[k][current]
								[chunk * CHUNK + i][d])
							die("a pair differs", step);
		}
}

static u32 choose(u64 step)
{
	u32 dice = below(1000);

	if (dice < 4)
		return dice < 2	  ? PROPERTY_NORMALIZE
		       : dice < 3 ? PROPERTY_SENSITIZE
				  : (below(4) ? PROPERTY_NORMALIZE : PROPERTY_RESET);
	if (step % 3 == 0)
		return PROPERTY_FRAME;
	return below(3); /* LEARN, TRAINED, TEST */
}

int main(int argc, char **argv)
{
	static const u32 limits[] = {5, 63, 64, 128, 255};
	u64 steps = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, frames = 0;
	struct bpf_object *object = steps ? bpf_object__open(argv[1]) : NULL;
	u64 counts[PROPERTY_FRAME + 1] = {0}, found = 0;
	int program, map;

	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "property: cannot load the program\n");
		return 1;
	}
	program = bpf_program__fd(bpf_object__find_program_by_name(object, "property"));
	map = bpf_object__find_map_fd_by_name(object, "rows");
	for (u64 step = 0; step < steps; step++) {
		u32 what = step ? choose(step) : PROPERTY_RESET;
		u32 limit = limits[below(5)], current = 1 + below(limit), a, b, c;
		u64 window = 0;

		for (u32 d = 0; d < DISTANCES; d++)
			window |= (u64)(below(6) ? 1 + below(limit) : 0) << (8 * d);
		a = step_naive(what, current, window, frames);
		b = step_shared(what, current, window);
		c = step_bpf(program, what, current, window);
		frames += what == PROPERTY_FRAME;
		counts[what]++;
		found += a;
		if (a != b || a != c) {
			fprintf(stderr,
				"property: step %llu, kind %u: naive %x, shared %x, BPF %x\n",
				(unsigned long long)step, what, a, b, c);
			return 1;
		}
		if (step % 10000 == 9999)
			compare_bits(map, step);
	}
	compare_bits(map, steps);
	printf("%llu steps agree: %llu learned, %llu tested, %llu normalized, sum %llu\n",
	       (unsigned long long)steps, (unsigned long long)counts[PROPERTY_LEARN],
	       (unsigned long long)counts[PROPERTY_TEST],
	       (unsigned long long)counts[PROPERTY_NORMALIZE], (unsigned long long)found);
	bpf_object__close(object);
	return 0;
}
