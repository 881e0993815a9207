/* SPDX-License-Identifier: GPL-2.0-only */
/* What the control socket's requests have a watching ebph do. */
#ifndef EBPH_STEER_H
#define EBPH_STEER_H

#include <stddef.h>

#include "watcher.h"

/* Open the control socket, as control_open(), for W. */
int steer_open(struct watch *w, char *error, size_t size);

#endif
