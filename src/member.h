/* SPDX-License-Identifier: GPL-2.0-only */
/* The members of kernel structs that the BPF source reads, and where each one lies. */
#ifndef EBPH_MEMBER_H
#define EBPH_MEMBER_H

#include <bpf/btf.h>
#include <stdio.h>

enum { MEMBERS_MAX = 64, MEMBER_TYPES_MAX = 32 };

/* The value of a member that nothing tells. */
#define MEMBER_UNKNOWN (~0U)

/*
 * OFFSET_macro, or SIZE_macro where path is NULL. path: members between dots; where
 * kernels differ, alternatives between '|', the newest kernel's first.
 */
struct member {
	const char *macro, *type, *path;
};

extern const struct member members[];
extern const int member_count; /* up to MEMBERS_MAX */

/* The index of the struct called NAME, for ids of member_types(); -1: none of ours. */
int member_type(const char *name);

/*
 * The type number in BTF of each struct that MEMBERS names, 0 if it is not there, to
 * IDS (MEMBER_TYPES_MAX long).
 */
void member_types(const struct btf *btf, int *ids);

/* The offset (or size) of M in bytes, as BTF tells; -ENOENT: there is no such member. */
int member_from_btf(const struct btf *btf, const int *ids, const struct member *m,
		    unsigned int *value);

/*
 * The offset in bytes, to OFFSET, of PATH in struct NAME as BTF has it. PATH: member
 * names with dots between, alternatives with '|' between, the first that is there is
 * taken. 0, or -ENOENT.
 */
int kernel_member(const struct btf *btf, const char *name, const char *path,
		  unsigned int *offset);

/*
 * How many elements array NAME of struct TYPE (a number in BTF; 0: none) has; 0: there is
 * no such array.
 */
unsigned int member_elements(const struct btf *btf, int type, const char *name);

/* The members that M may be, for a sentence: its path with " or " between. Gives TEXT. */
const char *member_names(const struct member *m, char *text, size_t size);

/* The kernel header that declares the struct of M; NULL: none does. */
const char *member_header(const struct member *m);

/*
 * The offset of M in struct mount, as all kernels since 3.13 have it; MEMBER_UNKNOWN
 * for all other structs.
 */
unsigned int member_known(const struct member *m);

/* Write the `#include` lines that declare every struct with a header to OUT. */
void member_includes(FILE *out);

/*
 * Write a C expression for M to OUT. Where it has alternatives, that of which the text of
 * its HEADER has the name.
 */
void member_expression(FILE *out, const struct member *m, const char *header);

#endif
