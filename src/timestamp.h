/* SPDX-License-Identifier: GPL-2.0-only */
/* Times as RFC 3339 writes them, in UTC, to the nanosecond. */
#ifndef EBPH_TIMESTAMP_H
#define EBPH_TIMESTAMP_H

#include <stddef.h>

#include "types.h"

enum { TIMESTAMP_TEXT = 40 }; /* bytes that hold any */

/* NS since 1970 into TEXT: "2026-11-21T07:05:00.000000001Z". Gives TEXT. */
const char *timestamp_text(u64 ns, char *text, size_t size);

/* The reverse, of exactly that form: 0, -EINVAL, or -ERANGE outside 1970..2554. */
int timestamp_parse(const char *text, u64 *ns);

#endif
