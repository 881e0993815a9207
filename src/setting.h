/* SPDX-License-Identifier: GPL-2.0-only */
/* The settings that can be changed while ebph runs (`ebph admin set`). */
#ifndef EBPH_SETTING_H
#define EBPH_SETTING_H

#include <stddef.h>

#include "compile.h"
#include "options.h"
#include "types.h"
#include "model.h"

enum verbosity {
	VERBOSITY_QUIET,
	VERBOSITY_NORMAL,
	VERBOSITY_VERBOSE,
};

enum { SETTING_TEXT = 64 }; /* bytes that hold any value */

struct settings {
	const struct options *o; /* tells which responses are compiled in */
	const struct loaded *l;
	struct rules rules;
	struct response response;
	enum verbosity verbosity;
	bool sends_all; /* the kernel side was compiled to send what verbose shows */
};

/* As O has them, of L's programs; they are written to L's maps when they are changed. */
void settings_init(struct settings *s, const struct options *o, const struct loaded *l);

/* Tell the kernel side of responses, which are not compiled into it: 0 or -errno. */
int settings_write_response(const struct settings *s);

/*
 * Set NAME to what VALUE says. 0: it is in force; -EINVAL with a sentence in ERROR (SIZE
 * bytes), or -errno of the kernel, also with one. It takes effect with each profile's
 * next new, anomalous or freezing call; no call goes unseen, nothing learned is lost.
 */
int settings_set(struct settings *s, const char *name, const char *value, char *error,
		 size_t size);

/* The name of setting number I = 0, 1, ...; NULL: past all. */
const char *settings_name(size_t i);

/* The value of setting number I, as settings_set() takes it. */
const char *settings_value(const struct settings *s, size_t i, char text[SETTING_TEXT]);

#endif
