/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes from outside (paths) as text that no terminal and no reader stumbles over. */
#ifndef EBPH_PRINTABLE_H
#define EBPH_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* BYTES as they may stand in a line (TEXT_LINE in text.h): free() it. NULL: no memory. */
char *printable(const char *bytes);

/* 1 when BYTES are UTF-8. */
bool printable_is_utf8(const char *bytes);

#endif
