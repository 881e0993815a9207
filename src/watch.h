/* SPDX-License-Identifier: GPL-2.0-only */
/* Attach what was loaded, print what it finds, and end. */
#ifndef EBPH_WATCH_H
#define EBPH_WATCH_H

#include "compile.h"
#include "kernel.h"
#include "options.h"
#include "source.h"

/*
 * Watch as O says, on kernel K, with the programs (for raw tracepoints or not: RAW)
 * and maps of L, in place of which others may come, printing to OUT, until a signal, the time
 * limit, or the end of O's command. SIGINT, SIGTERM, SIGCHLD, SIGUSR1 and SIGHUP are
 * blocked by the caller. Gives the exit status.
 */
int watch(const struct options *o, const struct kernel *k, struct loaded *l,
	  const struct bounds *b, bool raw, FILE *out);

#endif
