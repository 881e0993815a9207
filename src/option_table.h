/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of the watching form: a rule each, for the command line and for files. */
#ifndef EBPH_OPTION_TABLE_H
#define EBPH_OPTION_TABLE_H

#include <getopt.h>

#include "option_value.h"

enum { OPTION_TABLE_MAX = 64 }; /* there are no more options than this */

/* What getopt_long() wants. */
struct option_getopt {
	char letters[2 * OPTION_TABLE_MAX + 3];
	struct option longs[OPTION_TABLE_MAX + 1];
};

/* Fill T, which is zeroed. A word that is no option ends them; a missing value is ':'. */
void option_getopt_fill(struct option_getopt *t);

/* The rule of what getopt_long() gave, or of its optopt; NULL: there is none. */
const struct option_rule *option_by_value(int value);

const struct option_rule *option_by_name(const char *name); /* NULL: there is none */

/* The place of R among all rules: 0..OPTION_TABLE_MAX - 1. */
size_t option_place(const struct option_rule *r);

#endif
