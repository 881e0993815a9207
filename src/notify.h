/* SPDX-License-Identifier: GPL-2.0-only */
/* What a service tells the manager that started it: sd_notify(3)'s protocol. */
#ifndef EBPH_NOTIFY_H
#define EBPH_NOTIFY_H

#include "types.h"

/* Tell STATE, such as "READY=1", if $NOTIFY_SOCKET says whom; nothing is waited for. */
void notify(const char *state);

/* How often, in ns, "WATCHDOG=1" is expected; 0: not at all. */
u64 notify_watchdog(void);

#endif
