/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of symbols (model.h), as libseccomp knows them, on this machine and on others. */
#ifndef EBPH_SYSCALLS_H
#define EBPH_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* Machines whose system calls ebph can name. Each has up to three ABIs. */
enum arch {
	ARCH_NONE, /* not known to this version */
	ARCH_X86_64,
	ARCH_AARCH64,
};

/* The ABI of a symbol, by its place in model.h's table. */
enum abi {
	ABI_NATIVE,  /* the machine's own */
	ABI_COMPAT,  /* of its 32-bit programs */
	ABI_X32,     /* x86-64 only */
	ABI_UNKNOWN, /* SYMBOL_UNKNOWN: a number that the kernel does not know */
	ABI_OTHER,   /* SYMBOL_NONE: all calls beyond those that a profile tells apart */
	ABIS,
};

enum { SYSCALL_LABEL = 64 }; /* bytes that hold any label */

/* The machine ebph was built for. */
enum arch arch_native(void);

/* As `uname -m` writes it ("x86_64", "aarch64"); "none" for ARCH_NONE. */
const char *arch_name(enum arch arch);

/* The reverse; ARCH_NONE for a name that this version does not know. */
enum arch arch_find(const char *name);

/* What ABI is called on ARCH ("i386"); NULL where ARCH has no such ABI. */
const char *abi_name(enum arch arch, enum abi abi);

/* libseccomp's token of ABI (SCMP_ARCH_...) on ARCH; 0 where it has none. */
uint32_t abi_token(enum arch arch, enum abi abi);

/* A symbol's ABI, and its number there (0 for ABI_UNKNOWN and ABI_OTHER). */
enum abi symbol_abi(unsigned int symbol);
unsigned int symbol_number(unsigned int symbol);

/*
 * The number of SYMBOL as its ABI's headers have it (x32's with its bit 30 set); -1
 * where it stands for more than one.
 */
long syscall_number(unsigned int symbol);

/* The symbol of call NUMBER of ABI; -1 where model.h has no room for it. */
int symbol_make(enum abi abi, unsigned int number);

/* The name of SYMBOL in its own ABI into NAME; "syscall_N" where it has none. */
const char *syscall_name(unsigned int symbol, char *name, size_t size);

/*
 * Who names the calls of a recorded trace (symbols.h), among them symbols that are not in
 * model.h's table. Both are as syscall_name() and syscall_number().
 */
struct syscall_namer {
	const char *(*name)(const void *context, unsigned int symbol, char *name,
			    size_t size);
	long (*number)(const void *context, unsigned int symbol);
	const void *context;
};

/* Name and number as NAMER has them; NULL: those of the calls made on this machine. */
const char *syscall_name_by(const struct syscall_namer *namer, unsigned int symbol,
			    char *name, size_t size);
long syscall_number_by(const struct syscall_namer *namer, unsigned int symbol);

/* The same on machine ARCH. */
const char *syscall_name_on(enum arch arch, unsigned int symbol, char *name, size_t size);

/*
 * A text that tells SYMBOL from all others of ARCH: its name, with the ABI and a colon
 * before it where that is not the native one ("i386:socketcall").
 */
const char *syscall_label(enum arch arch, unsigned int symbol, char *label, size_t size);

/* The symbol of the call NAME in ABI of ARCH; -1 when there is none. */
int syscall_find(enum arch arch, enum abi abi, const char *name);

/* The symbol of LABEL, as syscall_label() writes it; -1 when there is none. */
int syscall_symbol(enum arch arch, const char *label);

#endif
