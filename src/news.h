/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side tells, passed on to all who want to know. */
#ifndef EBPH_NEWS_H
#define EBPH_NEWS_H

#include "ring.h"
#include "watcher.h"

/* Have the events of W's programs read with this ring; ring_close(); NULL with errno. */
struct ring *news_open(struct watch *w);

#endif
