/* SPDX-License-Identifier: GPL-2.0-only */
#include "state.h"

#include <string.h>

#include "model.h"

static const char *const names[] = {
	[STATE_FREE] = "free",
	[STATE_TRAINING] = "training",
	[STATE_FROZEN] = "frozen",
	[STATE_NORMAL] = "normal",
};

const char *state_text(u32 state)
{
	return state <= STATE_NORMAL ? names[state] : names[STATE_FREE];
}

u32 state_find(const char *text)
{
	for (u32 state = STATE_TRAINING; state <= STATE_NORMAL; state++)
		if (!strcmp(names[state], text))
			return state;
	return STATE_FREE;
}
