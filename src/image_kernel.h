/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between images and the kernel's tables. Whoever calls holds the profile's lock, or
 * knows that nobody else uses it, and has settled what its threads hold back.
 */
#ifndef EBPH_IMAGE_KERNEL_H
#define EBPH_IMAGE_KERNEL_H

#include "image.h"

/* One instant on both clocks, in ns. */
struct instant {
	u64 real; /* since 1970 */
	u64 boot;
};

/* What the clocks show. */
struct instant instant_now(void);

/* The kernel's table of rows, by slot. Each gives 0 or -errno. */
struct row_table {
	void *context;
	/* A copy of SLOT into ROW. */
	int (*read)(void *context, u32 slot, struct row *row);
	/* ROW into SLOT, which take() gave. */
	int (*write)(void *context, u32 slot, const struct row *row);
	/* A free slot, 1 or more, into SLOT; -ENOSPC when there is none. */
	int (*take)(void *context, u32 *slot);
	/* Back to the free ones. */
	void (*give)(void *context, u32 slot);
};

/*
 * IM becomes what P holds, its rows read from ROWS (only read is called), at NOW. PATH
 * may be NULL; WINDOW is the run's window length. P and the rows are not changed: a row
 * that is out of date is brought up to date in a copy. IM->saved is NOW. A profile for
 * whose rows there was no room (ROW_NO_ROOM) becomes one in training: it lacks pairs. 0, -ENOMEM,
 * -EINVAL when P contradicts itself, or what read gave; IM is empty after a failure.
 */
int image_from_kernel(struct image *im, const struct profile *p, const char *path,
		      u32 window, const struct instant *now,
		      const struct row_table *rows);

/*
 * P becomes what IM holds, in rows from ROWS (read is not called). P's generations and
 * epoch go on from what they were, so that threads which know it look again; threads,
 * last_used and named stay. A frozen P becomes normal at NORMAL_TIME (boot
 * clock, see wait.h). Calls for which the kernel has no index share the overflow index,
 * those with the largest ranks first. The rows that P had before are the caller's to
 * free. 0, or what ROWS gave: then all that was taken is given back and P is as before.
 */
int image_to_kernel(const struct image *im, struct profile *p, u64 normal_time,
		    const struct row_table *rows);

#endif
