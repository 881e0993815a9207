/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The symbols of recorded calls. Those of the ABIs that run here have their place in
 * model.h; every other call, by number or by name, is given a symbol from SYMBOLS on,
 * so that each is told apart.
 */
#ifndef EBPH_SYMBOLS_H
#define EBPH_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "syscalls.h"
#include "types.h"

struct symbols;

/* What the name of a recorded call tells. */
struct symbol_names {
	u32 native; /* its symbol in a 64-bit program */
	u32 compat; /* and in a 32-bit one */
	bool native_only, compat_only;
	u32 call; /* enum symbol_call */
};

/* Calls that change more than a window. */
enum symbol_call {
	CALL_OTHER,
	CALL_FORK, /* and vfork, clone, clone3 */
	CALL_EXEC,
	CALL_SIGACTION,
	CALL_SIGNAL,
	CALL_SIGRETURN,
	CALL_RESTART,
};

/*
 * ARCH is the name of the ABI of bare numbers as libseccomp has it, such as "x86";
 * NULL: not known, they stay numbers. Gives NULL with errno EINVAL for a name that
 * libseccomp has not, or ENOMEM.
 */
struct symbols *symbols_new(const char *arch);
void symbols_free(struct symbols *s);

/*
 * The symbols of COUNT bare NUMBERS into SYMBOLS, which may be the same. Never fails:
 * see symbols_lost().
 */
void symbols_numbers(struct symbols *s, const u32 *numbers, u32 *symbols, size_t count);

/* What strace calls NAME, LENGTH bytes; NULL: no memory. Valid as long as S. */
const struct symbol_names *symbols_name(struct symbols *s, const char *name,
					size_t length);

/* Calls that found no symbol of their own and became "unknown". */
u64 symbols_lost(const struct symbols *s);

/* Names and numbers of S's symbols, and of those in model.h. Valid as long as S. */
struct syscall_namer symbols_namer(const struct symbols *s);

/* The number of SYMBOL in its ABI; -1 where only its name is known. */
long symbols_nr(const struct symbols *s, u32 symbol);

#endif
