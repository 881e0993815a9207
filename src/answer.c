/* SPDX-License-Identifier: GPL-2.0-only */
#include "answer.h"

#include <string.h>

#include "types.h"
#include "model.h"

const char *answer_text(int answer)
{
	switch (answer) {
	case ANSWER_DONE:
		return "done";
	case ANSWER_NO_PROFILE:
		return "gone";
	case ANSWER_IN_USE:
		return "in use";
	case ANSWER_LOCKED:
		return "busy";
	default:
		return strerror(-answer);
	}
}
