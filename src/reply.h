/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines that answer requests on the control socket; all to be freed, NULL: no memory. */
#ifndef EBPH_REPLY_H
#define EBPH_REPLY_H

#include <jansson.h>

/* It is done; NAME, unless NULL: VALUE, which is taken. */
char *reply_ok(const char *name, json_t *value);

/* It is not done, and why. */
char *reply_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One row of several; VALUE, which is taken. */
char *reply_row(json_t *value);

/* TEXT, an event as a line of text, without its end. */
char *reply_line(const char *text);

#endif
