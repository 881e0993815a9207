/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "symbols.h"

#include <errno.h>
#include <search.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "lookahead.h"
#include "syscalls.h"

enum { DIRECT = 4096 }; /* numbers whose symbol is looked up without a search */

/* A call of which only a trace tells; its symbol is SYMBOLS + its place. */
struct foreign {
	char *name; /* NULL: the number's */
	u32 number;
};

struct name_entry {
	struct symbol_names names; /* first: the search tree holds pointers to entries */
	char name[];
};

struct number_entry {
	u32 number, symbol;
};

struct symbols {
	u32 arch; /* of bare numbers; 0: not known */
	u16 direct[DIRECT];
	void *names;   /* tsearch() trees */
	void *numbers; /* from DIRECT on */
	struct foreign *foreign;
	u32 count, room;
	u64 lost;
};

/* NULL: SYMBOL has its place in model.h. */
static const struct foreign *foreign_find(const struct symbols *s, u32 symbol)
{
	return symbol >= SYMBOLS && symbol - SYMBOLS < s->count
		       ? &s->foreign[symbol - SYMBOLS]
		       : NULL;
}

static const char *name_of(const void *context, unsigned int symbol, char *name,
			   size_t size)
{
	const struct symbols *s = context;
	const struct foreign *f = foreign_find(s, symbol);
	char *known = NULL;

	if (!f)
		return syscall_name(symbol, name, size);
	if (!f->name && s->arch)
		known = seccomp_syscall_resolve_num_arch(s->arch, (int)f->number);
	if (f->name || known)
		snprintf(name, size, "%s", f->name ? f->name : known);
	else
		snprintf(name, size, "syscall_%u", f->number);
	free(known);
	return name;
}

static long number_of(const void *context, unsigned int symbol)
{
	const struct foreign *f = foreign_find(context, symbol);

	if (!f)
		return syscall_number(symbol);
	return f->name ? -1 : (long)f->number;
}

struct syscall_namer symbols_namer(const struct symbols *s)
{
	return (struct syscall_namer){name_of, number_of, s};
}

struct symbols *symbols_new(const char *arch)
{
	struct symbols *s;
	u32 token = 0;

	if (arch) {
		token = seccomp_arch_resolve_name(arch);
		if (!token) {
			errno = EINVAL;
			return NULL;
		}
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->arch = token;
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	tdestroy(s->names, free);
	tdestroy(s->numbers, free);
	for (u32 i = 0; i < s->count; i++)
		free(s->foreign[i].name);
	free(s->foreign);
	free(s);
}

/* A new symbol; NAME, if not NULL, is its own from then on. */
static u32 foreign_add(struct symbols *s, char *name, u32 number)
{
	if (s->count == s->room) {
		u32 room = s->room ? 2 * s->room : 64;
		struct foreign *grown = reallocarray(s->foreign, room, sizeof(*grown));

		if (grown) {
			s->foreign = grown;
			s->room = room;
		}
	}
	if (s->count == s->room || SYMBOLS + s->count >= SYMBOL_NONE) {
		free(name);
		return SYMBOL_UNKNOWN;
	}
	s->foreign[s->count] = (struct foreign){.name = name, .number = number};
	return SYMBOLS + s->count++;
}

static int by_number(const void *a, const void *b)
{
	u32 left = ((const struct number_entry *)a)->number;
	u32 right = ((const struct number_entry *)b)->number;

	return (left > right) - (left < right);
}

static u32 number_search(struct symbols *s, u32 number)
{
	struct number_entry key = {.number = number}, *entry, **found;

	found = tfind(&key, &s->numbers, by_number);
	if (found)
		return (*found)->symbol;
	entry = malloc(sizeof(*entry));
	if (!entry)
		return SYMBOL_UNKNOWN;
	entry->number = number;
	entry->symbol = foreign_add(s, NULL, number);
	if (entry->symbol == SYMBOL_UNKNOWN || !tsearch(entry, &s->numbers, by_number)) {
		free(entry);
		return SYMBOL_UNKNOWN;
	}
	return entry->symbol;
}

static u32 number_add(struct symbols *s, u32 number)
{
	u32 symbol =
		number < DIRECT ? foreign_add(s, NULL, number) : number_search(s, number);
	if (symbol == SYMBOL_UNKNOWN)
		s->lost++;
	else if (number < DIRECT)
		s->direct[number] = symbol;
	return symbol;
}

void symbols_numbers(struct symbols *s, const u32 *numbers, u32 *symbols, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		u32 number = numbers[i];

		symbols[i] = number < DIRECT && s->direct[number] ? s->direct[number]
								  : number_add(s, number);
	}
}

u64 symbols_lost(const struct symbols *s)
{
	return s->lost;
}

long symbols_nr(const struct symbols *s, u32 symbol)
{
	return number_of(s, symbol);
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct name_entry *)a)->name,
		      ((const struct name_entry *)b)->name);
}

static u32 call_of(const char *name)
{
	static const struct {
		const char *name;
		u32 call;
	} special[] = {
		{"fork", CALL_FORK},
		{"vfork", CALL_FORK},
		{"clone", CALL_FORK},
		{"clone2", CALL_FORK},
		{"clone3", CALL_FORK},
		{"execve", CALL_EXEC},
		{"execveat", CALL_EXEC},
		{"rt_sigaction", CALL_SIGACTION},
		{"sigaction", CALL_SIGACTION},
		{"signal", CALL_SIGNAL},
		{"rt_sigreturn", CALL_SIGRETURN},
		{"sigreturn", CALL_SIGRETURN},
		{"restart_syscall", CALL_RESTART},
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (!strcmp(special[i].name, name))
			return special[i].call;
	return CALL_OTHER;
}

/* strace's name for a number that it does not know: syscall_0x1ff. */
static bool unnamed_number(const char *name, u32 *number)
{
	static const char prefix[] = "syscall_0x";
	char *end;
	unsigned long value;

	if (strncmp(name, prefix, sizeof(prefix) - 1) || !name[sizeof(prefix) - 1])
		return false;
	errno = 0;
	value = strtoul(name + sizeof(prefix) - 1, &end, 16);
	if (*end || errno || value > 0xffffffff)
		return false;
	*number = value;
	return true;
}

/* Both symbols of a name: a real call's where the ABI has it, else one of its own. */
static int resolve(struct symbols *s, struct name_entry *entry)
{
	struct symbol_names *n = &entry->names;
	int native = syscall_find(arch_native(), ABI_NATIVE, entry->name);
	int compat = syscall_find(arch_native(), ABI_COMPAT, entry->name);
	u32 own = SYMBOL_UNKNOWN, number;

	n->call = call_of(entry->name);
	if (unnamed_number(entry->name, &number)) {
		n->native = symbol_of(SYMBOL_NATIVE, number, CALLS_MAX);
		n->compat = symbol_of(SYMBOL_COMPAT, number, CALLS_MAX);
		if (number >= 0x40000000)
			n->native = symbol_of(SYMBOL_X32, number - 0x40000000, CALLS_MAX);
		return 0;
	}
	if (native < 0 && compat < 0) {
		char *name = strdup(entry->name);

		if (!name)
			return -ENOMEM;
		own = foreign_add(s, name, 0);
		if (own == SYMBOL_UNKNOWN)
			s->lost++;
	}
	n->native_only = native >= 0 && compat < 0;
	n->compat_only = compat >= 0 && native < 0;
	n->native = native >= 0 ? (u32)native : own;
	n->compat = compat >= 0 ? (u32)compat : own;
	/* A program can make calls of the other ABI, and then does. */
	if (n->native_only)
		n->compat = n->native;
	if (n->compat_only)
		n->native = n->compat;
	return 0;
}

const struct symbol_names *symbols_name(struct symbols *s, const char *name,
					size_t length)
{
	struct name_entry *entry = calloc(1, sizeof(*entry) + length + 1), **found;

	if (!entry)
		return NULL;
	memcpy(entry->name, name, length);
	found = tfind(entry, &s->names, by_name);
	if (found) {
		free(entry);
		return &(*found)->names;
	}
	if (resolve(s, entry) || !tsearch(entry, &s->names, by_name)) {
		free(entry);
		return NULL;
	}
	return &entry->names;
}
