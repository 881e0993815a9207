/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls without a C library, so that a test program makes the calls that its
 * test names and no others. x86-64 and, with -m32, i386.
 */
#ifndef EBPH_TESTS_RAW_H
#define EBPH_TESTS_RAW_H

#include <asm/unistd.h>

#ifndef __x86_64__
/* The frame pointer is the sixth argument's register: kept across the call. */
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	long all[2] = {nr, f}, result;

	__asm__ volatile("pushl %%ebp\n\t"
			 "movl 4(%1), %%ebp\n\t"
			 "movl (%1), %%eax\n\t"
			 "int $0x80\n\t"
			 "popl %%ebp"
			 : "=a"(result)
			 : "0"(all), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return result;
}
#else
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#endif

static inline long raw(long nr, long a, long b, long c, long d)
{
	return raw6(nr, a, b, c, d, 0, 0);
}

/*
 * A call without arguments that leaves the stack alone: a vforked child's calls of
 * functions would write over what the parent has put there.
 */
static inline __attribute__((always_inline)) long raw_vfork(long nr)
{
	long result;

#ifdef __x86_64__
	__asm__ volatile("syscall" : "=a"(result) : "0"(nr) : "rcx", "r11", "memory");
#else
	__asm__ volatile("int $0x80" : "=a"(result) : "0"(nr) : "memory");
#endif
	return result;
}

/* What a 32-bit program does; a 64-bit one may do it too. */
static inline long raw_int80(long nr, long a, long b, long c)
{
	long result;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(nr), "b"(a), "c"(b), "d"(c)
			 : "r8", "r9", "r10", "r11", "memory");
#else
	result = raw6(nr, a, b, c, 0, 0, 0);
#endif
	return result;
}

/* gcc writes calls of these. */
void *memset(void *to, int byte, unsigned long size)
{
	unsigned char *at = to;

	while (size--)
		*at++ = (unsigned char)byte;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long size)
{
	unsigned char *at = to;
	const unsigned char *source = from;

	while (size--)
		*at++ = *source++;
	return to;
}

static inline int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The text behind PREFIX in TEXT; NULL when TEXT does not begin so. */
static inline const char *after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return 0;
	return text;
}

/* A number, decimal or 0x, perhaps negative; END: where it stops. */
static inline long number(const char *text, const char **end)
{
	long sign = *text == '-' ? -1 : 1, value = 0, base = 10;

	text += *text == '-';
	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	for (;; text++) {
		int digit = *text >= '0' && *text <= '9' ? *text - '0'
			    : base == 16 && *text >= 'a' && *text <= 'f'
				    ? *text - 'a' + 10
				    : -1;

		if (digit < 0)
			break;
		value = value * base + digit;
	}
	if (end)
		*end = text;
	return sign * value;
}

#endif
