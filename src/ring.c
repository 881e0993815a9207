/* SPDX-License-Identifier: GPL-2.0-only */
#include "ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "lookahead.h"
#include "bucket.h"

struct ring {
	struct ring_buffer *buffer;
	ring_event *event;
	void *context;
	int counts; /* map: enum ring_count */
	u64 read;   /* bytes so far */
};

static int on_record(void *context, void *data, size_t size)
{
	struct ring *r = context;
	u32 key = RING_READ;

	r->event(r->context, data, size);
	r->read += ring_bytes(size);
	bpf_map_update_elem(r->counts, &key, &r->read, BPF_ANY);
	return 0;
}

struct ring *ring_open(const struct loaded *l, ring_event *event, void *context)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->event = event;
	r->context = context;
	r->counts = l->ring;
	r->buffer = ring_buffer__new(l->events, on_record, r, NULL);
	if (r->buffer)
		return r;
	free(r);
	return NULL;
}

void ring_close(struct ring *r)
{
	if (r)
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
