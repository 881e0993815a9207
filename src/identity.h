/* SPDX-License-Identifier: GPL-2.0-only */
/* Which file a profile is of. */
#ifndef EBPH_IDENTITY_H
#define EBPH_IDENTITY_H

#include <stdbool.h>

#include "types.h"
#include "model.h"

enum { IDENTITY_KEY_TEXT = 17 }; /* bytes that hold any key */

bool identity_equal(const struct identity *a, const struct identity *b);

/* What people name a profile by: (device << 32) + inode. Two files may share one. */
u64 identity_key(const struct identity *id);

/* The same into TEXT, which is returned: 16 hexadecimal digits. */
const char *identity_key_text(const struct identity *id, char text[IDENTITY_KEY_TEXT]);

#endif
