/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel looks like: offsets of the struct members that are read. */
#ifndef EBPH_KERNEL_H
#define EBPH_KERNEL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "member.h"

struct kernel {
	char release[128];		  /* as uname -r */
	char headers[PATH_MAX];		  /* where the values are from: "btf", a folder */
	unsigned int values[MEMBERS_MAX]; /* of each of members[], in bytes */
	unsigned int calls; /* places in its table of system calls, up to CALLS_MAX */
	struct btf *btf;    /* of the kernel; NULL: there is none */
	bool task_storage;  /* tracing programs have it: 5.13 on, with BTF */
	bool task_regs;	    /* they may ask for a task's user registers: 5.15 on */
	bool exchange;	    /* they may exchange a word of memory at once: 5.12 on */
};

/*
 * Fill K for the kernel that runs, from what MODE names: "btf", "auto" or a kernel
 * build directory. 0, and then kernel_forget() frees what K owns; or -errno with a
 * sentence in ERROR.
 *
 * BTF comes from the kernel, or from the file that environment variable EBPH_BTF
 * names; its value "none" means that there is no BTF.
 */
int kernel_learn(const char *mode, struct kernel *k, char *error, size_t size);

/* The kernel's BTF as above, to be freed; NULL with a sentence in ERROR. */
struct btf *kernel_load_btf(char *error, size_t size);

/* The file that it is read from. */
const char *kernel_btf_file(void);

/* Free what K owns. What is in it otherwise can still be used. */
void kernel_forget(struct kernel *k);

/* The same from BTF alone, whatever kernel it is of; fills in the values only. */
int kernel_from_btf(const struct btf *btf, struct kernel *k, char *error, size_t size);

/*
 * Write `#define CALLS N`, and for each known member `#define OFFSET_... N` or
 * `SIZE_... N`, to OUT.
 */
void kernel_write(const struct kernel *k, FILE *out);

#endif
