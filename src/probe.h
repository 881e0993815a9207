/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel, libbcc and libbpf offer, and what ebph does with it. */
#ifndef EBPH_PROBE_H
#define EBPH_PROBE_H

#include <stddef.h>
#include <stdio.h>

/*
 * Print a line a feature to OUT: its name, what was found. Gives the number of those
 * without which ebph, with --kernel-headers HEADERS, cannot work; the first one's line is
 * then also in ERROR (of SIZE bytes). Loads small programs for a moment, so it needs what
 * ebph needs.
 */
int probe_print(FILE *out, const char *headers, char *error, size_t size);

#endif
