/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of options (ebph.conf): lines of `name = value`. */
#ifndef EBPH_CONFIG_H
#define EBPH_CONFIG_H

#include <stddef.h>

/*
 * Read the file PATH, and show ENTRY each line that is neither empty nor a comment (#):
 * its number, NAME, and VALUE without the blanks around it; NULL: there is no '='. Both
 * point into *TEXT, which is set, to be freed when they are not needed any more, whatever
 * came of it. What ENTRY gives that is not 0 ends the reading and is returned. 0, or
 * -errno with a sentence in ERROR (SIZE bytes) when the file cannot be read.
 */
int config_read(const char *path, char **text,
		int (*entry)(void *context, unsigned int line, const char *name,
			     const char *value),
		void *context, char *error, size_t size);

#endif
