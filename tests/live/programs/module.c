/* SPDX-License-Identifier: GPL-2.0-only */
/* A module that Redis is talked into loading: it starts a shell before Redis looks at it. */
#include <stdlib.h>

__attribute__((constructor)) static void begin(void)
{
	if (system("echo owned >\"$OWNED\""))
		return;
}
