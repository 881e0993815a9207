/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of ebph replay. */
#ifndef EBPH_REPLAY_OPTIONS_H
#define EBPH_REPLAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "types.h"
#include "model.h"
#include "run.h"

struct paths {
	const char **list;
	size_t count;
};

struct replay_options {
	enum trace_format format;
	const char *arch; /* NULL: not given */
	struct rules rules;
	u32 window, frame; /* calls */
	bool json, verbose, live, score;
	struct paths profiles; /* files */
	struct paths learn, normal, attack;
	struct paths test; /* what is behind the options */
	const char *plot;  /* NULL: none */
};

enum { REPLAY_RUN, REPLAY_HELP, REPLAY_BAD };

/*
 * Parse ARGV, whose strings must outlive O. On REPLAY_RUN, replay_options_free() frees
 * O; on REPLAY_BAD the SIZE bytes of ERROR say what is wrong.
 */
int replay_options_parse(int argc, char **argv, struct replay_options *o, char *error,
			 size_t size);
void replay_options_free(struct replay_options *o);

void replay_options_help(FILE *out);

#endif
