/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom responses spare, whatever their LFC: without these nobody could repair anything. */
#ifndef EBPH_EXCEPTION_H
#define EBPH_EXCEPTION_H

#include <stdio.h>
#include <sys/types.h>

#include "options.h"

/*
 * Let the kernel side know, by its map EXEMPT, of all processes that are spared now, and
 * forget those that are not any more: some may have begun since the last time. GUARDIAN:
 * its process id, or 0. 0 or -errno.
 */
int exceptions_tell(int exempt, pid_t guardian);

/* Write whom responses under O spare, each with the reason, to OUT: 0 or -errno. */
int exceptions_print(const struct options *o, FILE *out);

#endif
