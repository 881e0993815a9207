/* SPDX-License-Identifier: GPL-2.0-only */
/* The values of options: parsed strictly, and stored where an option's rule says. */
#ifndef EBPH_OPTION_VALUE_H
#define EBPH_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "complaint.h"

/* What a value is, and the type of the field that holds it. */
enum option_kind {
	OPTION_NONE,	 /* nothing is stored */
	OPTION_FLAG,	 /* bool: true once given; there is no value */
	OPTION_NUMBER,	 /* uint32_t, MIN..MAX */
	OPTION_DURATION, /* uint64_t in ns, MIN or more */
	OPTION_SIZE,	 /* uint64_t in bytes, MIN..MAX */
	OPTION_RATIO,	 /* uint32_t; OTHER: likewise, its denominator */
	OPTION_WORD,	 /* an enum: the place in WORDS */
	OPTION_STRING,	 /* const char *, not empty; the last one counts */
	OPTION_ONCE,	 /* likewise, of MAX bytes (0: any number); a second is refused */
	OPTION_USER,	 /* uid_t; OTHER: bool, it was given; a second is refused */
	/* Lists, to be freed; OTHER: size_t, how many. Each that is given is added. */
	OPTION_STRINGS, /* const char **, none empty */
	OPTION_USERS,	/* uid_t * */
	OPTION_PIDS,	/* pid_t *, each 1..4194304; a value may have several */
};

struct option_rule {
	const char *name;
	int letter; /* 0: has no short form */
	enum option_kind kind;
	size_t field, other; /* where they are in the struct of options */
	uint64_t min, max;
	const char *const *words; /* NULL at the end */
	const char *expected;	  /* the value; NULL: the option takes none */
	const char *excludes; /* the option that makes no sense beside it; NULL: none */
};

/*
 * Store VALUE as R says in the struct at OPTIONS; strings in it point into VALUE. 0, or
 * -errno with C's sentence, which names the option and the value.
 */
int option_set(const struct complaint *c, const struct option_rule *r, void *options,
	       const char *value);

#endif
