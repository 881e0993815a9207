/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "libarchive.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#define LIBARCHIVE "libarchive.so.13" /* of all releases since 3.0 */

int libarchive_open(struct libarchive *lib, char *error, size_t size)
{
	void *handle = dlopen(LIBARCHIVE, RTLD_NOW | RTLD_LOCAL);

#define FIND(member, function)                                  \
	lib->member = handle ? dlsym(handle, #function) : NULL; \
	if (!lib->member)                                       \
		goto missing;
	LIBARCHIVE_FUNCTIONS(FIND)
#undef FIND
	return 0;
missing:
	snprintf(error, size,
		 "cannot open libarchive: %s; install it (Debian: apt install "
		 "libarchive13)",
		 dlerror());
	return -ENOENT;
}
