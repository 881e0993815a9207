/* SPDX-License-Identifier: GPL-2.0-only */
/* What `ebph admin status` prints. */
#ifndef EBPH_ADMIN_STATUS_H
#define EBPH_ADMIN_STATUS_H

#include <jansson.h>
#include <stdio.h>

/* Print STATUS, as ebph gives it, for a person to read. */
void admin_status_print(const json_t *status, FILE *out);

#endif
