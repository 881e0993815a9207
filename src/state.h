/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of a profile's states (enum profile_state), as users read and write them. */
#ifndef EBPH_STATE_H
#define EBPH_STATE_H

#include "types.h"

/* "training", "frozen", "normal"; "free" for a place without a profile. */
const char *state_text(u32 state);

/* The state of that name, "free" excepted; STATE_FREE when there is none. */
u32 state_find(const char *text);

#endif
