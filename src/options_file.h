/* SPDX-License-Identifier: GPL-2.0-only */
/* What the file of --config adds to the command line. */
#ifndef EBPH_OPTIONS_FILE_H
#define EBPH_OPTIONS_FILE_H

#include <stdbool.h>

#include "complaint.h"
#include "options.h"

/*
 * Take into O what the file O->config has and the command line neither has (GIVEN, by
 * option_place()) nor excludes. OPTIONS_RUN; or OPTIONS_BAD with C's sentence, which
 * names the file and the line. O's strings then point into O->config_text, too, which is
 * set in either case.
 */
int options_file_take(const struct complaint *c, struct options *o, const bool *given);

#endif
