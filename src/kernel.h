/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel looks like: offsets of the struct members that are read. */
#ifndef EBPH_KERNEL_H
#define EBPH_KERNEL_H

#include <stddef.h>
#include <stdio.h>

/*
 * Write a `#define OFFSET_... N` (bytes) for each member that the BPF source reads,
 * from the running kernel's BTF, to OUT. 0, or -errno with a sentence in ERROR: no
 * BTF, or a member that is not there, by name.
 */
int kernel_offsets(FILE *out, char *error, size_t size);

/* 1 when the running kernel has tasks' local storage (5.11 on), as its BTF tells. */
int kernel_has_task_storage(void);

#endif
