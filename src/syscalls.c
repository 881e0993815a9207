/* SPDX-License-Identifier: GPL-2.0-only */
#include "syscalls.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types.h"
#include "model.h"
#include "number.h"

/* libseccomp numbers x32's calls with this bit, model.h without. */
static const int x32_bit = 0x40000000;

struct abi_row {
	const char *name;
	u32 token;
};

static const struct {
	const char *name;
	struct abi_row abi[3];
} archs[] = {
	[ARCH_NONE] = {.name = "none"},
	[ARCH_X86_64] = {"x86_64",
			 {{"x86_64", SCMP_ARCH_X86_64},
			  {"i386", SCMP_ARCH_X86},
			  {"x32", SCMP_ARCH_X32}}},
	[ARCH_AARCH64] = {"aarch64",
			  {{"aarch64", SCMP_ARCH_AARCH64}, {"arm", SCMP_ARCH_ARM}}},
};

enum { ARCHS = sizeof(archs) / sizeof(*archs) };

enum arch arch_native(void)
{
#if defined(__x86_64__)
	return ARCH_X86_64;
#elif defined(__aarch64__)
	return ARCH_AARCH64;
#else
	return ARCH_NONE;
#endif
}

const char *arch_name(enum arch arch)
{
	return archs[arch].name;
}

enum arch arch_find(const char *name)
{
	for (int i = 1; i < ARCHS; i++)
		if (!strcmp(archs[i].name, name))
			return (enum arch)i;
	return ARCH_NONE;
}

const char *abi_name(enum arch arch, enum abi abi)
{
	if (abi == ABI_UNKNOWN)
		return "unknown";
	if (abi == ABI_OTHER)
		return "other";
	return archs[arch].abi[abi].name;
}

uint32_t abi_token(enum arch arch, enum abi abi)
{
	return abi <= ABI_X32 ? archs[arch].abi[abi].token : 0;
}

enum abi symbol_abi(unsigned int symbol)
{
	if (symbol == SYMBOL_UNKNOWN)
		return ABI_UNKNOWN;
	if (symbol > SYMBOL_UNKNOWN)
		return ABI_OTHER;
	if (symbol >= SYMBOL_X32)
		return ABI_X32;
	return symbol >= SYMBOL_COMPAT ? ABI_COMPAT : ABI_NATIVE;
}

static const struct {
	unsigned int first, end;
} abi_symbols[ABIS] = {
	[ABI_NATIVE] = {SYMBOL_NATIVE, SYMBOL_COMPAT},
	[ABI_COMPAT] = {SYMBOL_COMPAT, SYMBOL_X32},
	[ABI_X32] = {SYMBOL_X32, SYMBOL_UNKNOWN},
	[ABI_UNKNOWN] = {SYMBOL_UNKNOWN, SYMBOL_UNKNOWN + 1},
	[ABI_OTHER] = {SYMBOL_NONE, SYMBOL_NONE + 1},
};

unsigned int symbol_number(unsigned int symbol)
{
	return symbol > SYMBOL_UNKNOWN ? 0
				       : symbol - abi_symbols[symbol_abi(symbol)].first;
}

long syscall_number(unsigned int symbol)
{
	enum abi abi = symbol_abi(symbol);

	if (abi == ABI_UNKNOWN || abi == ABI_OTHER)
		return -1;
	return (long)symbol_number(symbol) | (abi == ABI_X32 ? x32_bit : 0);
}

int symbol_make(enum abi abi, unsigned int number)
{
	if (number >= abi_symbols[abi].end - abi_symbols[abi].first)
		return -1;
	return (int)(abi_symbols[abi].first + number);
}

const char *syscall_name_on(enum arch arch, unsigned int symbol, char *name, size_t size)
{
	enum abi abi = symbol_abi(symbol);
	u32 token = abi_token(arch, abi);
	int number = (int)symbol_number(symbol);
	char *known = NULL;

	if (abi == ABI_UNKNOWN || abi == ABI_OTHER) {
		snprintf(name, size, "%s", abi_name(arch, abi));
		return name;
	}
	if (token)
		known = seccomp_syscall_resolve_num_arch(
			token, abi == ABI_X32 ? number | x32_bit : number);
	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "syscall_%d", number);
	free(known);
	return name;
}

const char *syscall_name(unsigned int symbol, char *name, size_t size)
{
	return syscall_name_on(arch_native(), symbol, name, size);
}

const char *syscall_name_by(const struct syscall_namer *namer, unsigned int symbol,
			    char *name, size_t size)
{
	return namer ? namer->name(namer->context, symbol, name, size)
		     : syscall_name(symbol, name, size);
}

long syscall_number_by(const struct syscall_namer *namer, unsigned int symbol)
{
	return namer ? namer->number(namer->context, symbol) : syscall_number(symbol);
}

const char *syscall_label(enum arch arch, unsigned int symbol, char *label, size_t size)
{
	enum abi abi = symbol_abi(symbol);
	int prefix = 0;

	if (abi == ABI_COMPAT || abi == ABI_X32) {
		const char *name = abi_name(arch, abi);

		prefix = snprintf(label, size, "%s:", name ? name : "none");
	}
	syscall_name_on(arch, symbol, label + prefix, size - (size_t)prefix);
	return label;
}

/*
 * The number by which libseccomp calls it NAME; -1: none. For calls that socketcall or
 * ipc can make too it gives negative numbers of its own when asked for the name.
 */
static int search_number(enum arch arch, enum abi abi, const char *name)
{
	char known[SYSCALL_LABEL];

	for (int number = 0; symbol_make(abi, (unsigned int)number) >= 0; number++) {
		unsigned int symbol =
			(unsigned int)symbol_make(abi, (unsigned int)number);

		if (!strcmp(syscall_name_on(arch, symbol, known, sizeof(known)), name))
			return number;
	}
	return -1;
}

/* The number of NAME, a call's or "syscall_N"; -1: none. */
static int number_of(enum arch arch, enum abi abi, const char *name)
{
	static const char bare[] = "syscall_";
	uint64_t value;
	int number;

	if (!strncmp(name, bare, sizeof(bare) - 1))
		return number_u64(name + sizeof(bare) - 1, 0, 4095, &value) ? -1
									    : (int)value;
	number = seccomp_syscall_resolve_name_arch(abi_token(arch, abi), name);
	if (number == __NR_SCMP_ERROR)
		return -1;
	if (number < 0)
		return search_number(arch, abi, name);
	return abi == ABI_X32 ? number & ~x32_bit : number;
}

int syscall_find(enum arch arch, enum abi abi, const char *name)
{
	int number = abi_token(arch, abi) ? number_of(arch, abi, name) : -1;

	return number < 0 ? -1 : symbol_make(abi, (unsigned int)number);
}

int syscall_symbol(enum arch arch, const char *label)
{
	const char *colon = strchr(label, ':');
	enum abi abi = ABI_NATIVE;

	if (!strcmp(label, "unknown"))
		return SYMBOL_UNKNOWN;
	if (!strcmp(label, "other"))
		return SYMBOL_NONE;
	if (colon) {
		size_t length = (size_t)(colon - label);

		for (abi = ABI_COMPAT; abi <= ABI_X32; abi++) {
			const char *name = abi_name(arch, abi);

			if (name && strlen(name) == length &&
			    !strncmp(name, label, length))
				break;
		}
		if (abi > ABI_X32)
			return -1;
		label = colon + 1;
	}
	return syscall_find(arch, abi, label);
}
