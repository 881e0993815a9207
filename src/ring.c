/* SPDX-License-Identifier: GPL-2.0-only */
#include "ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "array.h"
#include "lookahead.h"
#include "bucket.h"

struct ring {
	struct ring_buffer *buffer;
	ring_event *event;
	void *context;
	struct array counts; /* by enum ring_count */
	u64 read;	     /* bytes so far */
};

static int on_record(void *context, void *data, size_t size)
{
	struct ring *r = context;

	r->event(r->context, data, size);
	r->read += ring_bytes(size);
	array_write(&r->counts, RING_READ, &r->read);
	return 0;
}

struct ring *ring_open(const struct loaded *l, ring_event *event, void *context)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->event = event;
	r->context = context;
	r->buffer = ring_buffer__new(l->events, on_record, r, NULL);
	if (r->buffer && !array_map(&r->counts, l->ring, RING_COUNTS, sizeof(u64)))
		return r;
	ring_close(r);
	return NULL;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	array_unmap(&r->counts);
	ring_buffer__free(r->buffer);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return ring_buffer__epoll_fd(r->buffer);
}

void ring_read(struct ring *r)
{
	ring_buffer__consume(r->buffer);
}
