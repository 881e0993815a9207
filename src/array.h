/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An array map of the kernel side's as memory of this process. Not through bpf(2): while
 * that reads or changes an element, the kernel runs no program of a classic tracepoint on its
 * CPU, and a preemptible kernel may let others run there meanwhile, whose calls nobody sees.
 */
#ifndef EBPH_ARRAY_H
#define EBPH_ARRAY_H

#include <stddef.h>

#include "types.h"

struct array {
	char *base;	     /* NULL: not mapped */
	size_t size, stride; /* bytes of an element, and from one to the next */
	u32 count;
};

/* Map FD, an array of COUNT elements of SIZE bytes made with BPF_F_MMAPABLE: 0 or -errno. */
int array_map(struct array *a, int fd, u32 count, size_t size);

/* May be called for one that is not mapped, if it is all zero. */
void array_unmap(struct array *a);

/* Bytes of this process's address space that A takes. */
size_t array_bytes(const struct array *a);

/*
 * Copy element I to, or from, SIZE bytes at ELEMENT: 0, or -ENOENT past the end. The
 * kernel side may change it meanwhile; what is read first is not newer than what is read
 * later, and what is written first is seen first.
 */
int array_read(const struct array *a, u32 i, void *element);
int array_write(struct array *a, u32 i, const void *element);

#endif
