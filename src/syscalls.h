/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of symbols (model.h), as libseccomp knows them. */
#ifndef EBPH_SYSCALLS_H
#define EBPH_SYSCALLS_H

#include <stddef.h>

/* The name of SYMBOL in its own ABI into NAME; "syscall_N" where it has none. */
const char *syscall_name(unsigned int symbol, char *name, size_t size);

#endif
