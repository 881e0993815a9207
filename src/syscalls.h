/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of symbols (model.h), as libseccomp knows them. */
#ifndef EBPH_SYSCALLS_H
#define EBPH_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

/* The name of SYMBOL in its own ABI into NAME; "syscall_N" where it has none. */
const char *syscall_name(unsigned int symbol, char *name, size_t size);

/*
 * Who names symbols from SYMBOLS on, those of recorded calls (symbols.h): gives NAME, or
 * NULL for a symbol that it does not know. What prints need not know where from.
 */
typedef const char *syscall_namer(void *context, unsigned int symbol, char *name,
				  size_t size);
void syscall_names_extend(syscall_namer *namer, void *context);

/* The number of the call NAME here, or in 32-bit programs if COMPAT; -1: none. */
int syscall_number(const char *name, bool compat);

#endif
