/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel looks like: offsets of the struct members that are read. */
#ifndef EBPH_KERNEL_H
#define EBPH_KERNEL_H

#include <stddef.h>
#include <stdio.h>

struct btf;

/*
 * Write a `#define OFFSET_... N` (bytes) for each member that the BPF source reads,
 * from the running kernel's BTF, to OUT. 0, or -errno with a sentence in ERROR: no
 * BTF, or a member that is not there, by name.
 */
int kernel_offsets(FILE *out, char *error, size_t size);

/*
 * The offset in bytes, to OFFSET, of PATH in struct NAME as BTF has it. PATH: member
 * names with dots between, alternatives with '|' between, the first that is there is
 * taken. 0, or -ENOENT.
 */
int kernel_member(const struct btf *btf, const char *name, const char *path,
		  unsigned int *offset);

/* 1 when the running kernel has tasks' local storage (5.11 on), as its BTF tells. */
int kernel_has_task_storage(void);

/* 1 when BPF programs may ask for a task's user registers (5.15), else 0. */
int kernel_has_task_regs(void);

#endif
