/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that outlives ebph, however ebph ends, and then continues all processes that
 * delays have stopped. It holds nothing but the kernel side's table of them and a socket
 * to ebph, whose end is ebph's end.
 */
#ifndef EBPH_GUARDIAN_H
#define EBPH_GUARDIAN_H

#include <stddef.h>
#include <sys/types.h>

#include "stopped.h"

struct guardian_page; /* what both share */

struct guardian {
	pid_t pid;		/* 0: there is none */
	int socket;		/* readable when the guardian has ended */
	struct continuing *now; /* what ebph is about to continue */
	struct guardian_page *page;
};

/*
 * Start it over TABLE, a map's descriptor, which stays the caller's: 0, or -errno with a
 * sentence in ERROR (SIZE bytes). To be called before anything is attached: what is open
 * then is closed in the guardian.
 */
int guardian_start(struct guardian *g, int table, char *error, size_t size);

/* Let it continue all that is in the table, end, and be gone. May be called again. */
void guardian_end(struct guardian *g);

#endif
