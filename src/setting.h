/* SPDX-License-Identifier: GPL-2.0-only */
/* The settings that can be changed while ebph runs (`ebph admin set`). */
#ifndef EBPH_SETTING_H
#define EBPH_SETTING_H

#include <stdbool.h>
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
	const struct options *o; /* tells which responses are compiled in now */
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
 * What becomes of S when NAME is set to what VALUE says: CHANGED, of which nothing is in
 * force yet. 0, or -EINVAL with a sentence in ERROR (SIZE bytes).
 */
int settings_understand(const struct settings *s, const char *name, const char *value,
			struct settings *changed, char *error, size_t size);

/* Whether S has responses do something that is not compiled in. */
bool settings_need_more(const struct settings *s);

/*
 * Have S be as CHANGED, for which everything is compiled in: 0, or -errno of the kernel
 * with a sentence. It takes effect with each profile's next new, anomalous or freezing
 * call; no call goes unseen, nothing learned is lost.
 */
int settings_change(struct settings *s, const struct settings *changed, char *error,
		    size_t size);

/* The name of setting number I = 0, 1, ...; NULL: past all. */
const char *settings_name(size_t i);

/* The value of setting number I, as settings_understand() takes it. */
const char *settings_value(const struct settings *s, size_t i, char text[SETTING_TEXT]);

#endif
