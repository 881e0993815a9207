/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel side's events, read so that it knows how much room there is. */
#ifndef EBPH_RING_H
#define EBPH_RING_H

#include <stddef.h>

#include "compile.h"
#include "types.h"
#include "model.h"

/* What gets E, of SIZE bytes with what follows it. */
typedef void ring_event(void *context, const struct event *e, size_t size);

struct ring;

/* The ring buffer of L, whose maps stay the caller's; NULL with errno. */
struct ring *ring_open(const struct loaded *l, ring_event *event, void *context);
void ring_close(struct ring *r);

/* To be polled for input. */
int ring_fd(const struct ring *r);

/* Hand over all events that are there. */
void ring_read(struct ring *r);

#endif
