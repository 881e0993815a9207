/* SPDX-License-Identifier: GPL-2.0-only */
/* normalize, sensitize, tolerize, reset, forget: what is told to profiles. */
#ifndef EBPH_CONTROL_PROFILES_H
#define EBPH_CONTROL_PROFILES_H

#include "control.h"
#include "request.h"

/*
 * Do what Q says to the profiles that it names, and answer TO with a row for each. It is
 * done to all of them even if the client does not wait.
 */
void control_profiles(struct control *c, struct client *to, const struct request *q);

#endif
