/* SPDX-License-Identifier: GPL-2.0-only */
#include "syscalls.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "types.h"
#include "model.h"

#if defined(__x86_64__)
enum { NATIVE = SCMP_ARCH_X86_64, COMPAT = SCMP_ARCH_X86, X32 = SCMP_ARCH_X32 };
#else
enum { NATIVE = SCMP_ARCH_NATIVE, COMPAT = SCMP_ARCH_ARM, X32 = SCMP_ARCH_NATIVE };
#endif

static struct {
	syscall_namer *name;
	void *context;
} further;

void syscall_names_extend(syscall_namer *namer, void *context)
{
	further.name = namer;
	further.context = context;
}

int syscall_number(const char *name, bool compat)
{
	int number = seccomp_syscall_resolve_name_arch(compat ? COMPAT : NATIVE, name);

	/* libseccomp gives negative numbers to calls of other ABIs. */
	return number >= 0 && number < SYMBOL_COMPAT ? number : -1;
}

const char *syscall_name(unsigned int symbol, char *name, size_t size)
{
	unsigned int base = symbol >= SYMBOL_X32      ? SYMBOL_X32
			    : symbol >= SYMBOL_COMPAT ? SYMBOL_COMPAT
						      : SYMBOL_NATIVE;
	unsigned int arch = base == SYMBOL_X32	    ? (unsigned int)X32
			    : base == SYMBOL_COMPAT ? (unsigned int)COMPAT
						    : (unsigned int)NATIVE;
	int number = (int)(symbol - base);
	char *known;

	if (symbol >= SYMBOLS && further.name &&
	    further.name(further.context, symbol, name, size))
		return name;
	if (symbol == SYMBOL_UNKNOWN || symbol == SYMBOL_NONE) {
		snprintf(name, size, symbol == SYMBOL_NONE ? "other" : "unknown");
		return name;
	}
#if defined(__x86_64__)
	if (base == SYMBOL_X32)
		number |= 0x40000000;
#endif
	known = seccomp_syscall_resolve_num_arch(arch, number);
	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "syscall_%u", symbol - base);
	free(known);
	return name;
}
