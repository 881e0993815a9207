/* SPDX-License-Identifier: GPL-2.0-only */
/* The sentence that says why what was asked for is refused. */
#ifndef EBPH_COMPLAINT_H
#define EBPH_COMPLAINT_H

#include <stddef.h>

/* Where the sentence goes: SIZE bytes, cut to fit. */
struct complaint {
	char *text;
	size_t size;
};

/* Make FORMAT the sentence of C. Gives RESULT. */
int complain(const struct complaint *c, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
