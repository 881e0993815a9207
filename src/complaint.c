/* SPDX-License-Identifier: GPL-2.0-only */
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>

int complain(const struct complaint *c, int result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->text, c->size, format, args);
	va_end(args);
	return result;
}
