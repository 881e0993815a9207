/* SPDX-License-Identifier: GPL-2.0-only */
/* How often system calls were made and how long they took: printed, read, compared. */
#ifndef EBPH_RECORDING_H
#define EBPH_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "types.h"

/* One system call. Entered, but not returned: it never did, or had not yet. */
struct tally {
	u32 symbol; /* model.h */
	u64 entered, returned;
	u64 ns; /* in all that returned */
};

struct recording {
	double seconds;
	u64 lost; /* calls that could not be followed */
	size_t count;
	struct tally *tally; /* each symbol once */
};

/* Add T to R: 0 or -ENOMEM. */
int recording_add(struct recording *r, const struct tally *t);

/* Put what took longest first; what took the same time by symbol. */
void recording_sort(struct recording *r);

/*
 * Read what recording_print() wrote as JSON, the last of it, from the file PATH into R,
 * to be freed: 0, or -errno with a sentence in ERROR.
 */
int recording_read(struct recording *r, const char *path, char *error, size_t size);

void recording_free(struct recording *r);

/* Print R, sorted, as a table or as JSON on one line. 0 or -errno of the writing. */
int recording_print(const struct recording *r, FILE *out, bool json);

/*
 * Print the calls of both, side by side, with the overhead in per cent:
 * 100 * (t_with - t_without) / t_without, t being a call's mean time. 0 or -errno.
 */
int recording_compare(const struct recording *without, const struct recording *with,
		      FILE *out, bool json);

#endif
