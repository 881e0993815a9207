/* SPDX-License-Identifier: GPL-2.0-only */
/* ebph --self-test: does ebph work on this machine, and if not, why. */
#ifndef EBPH_SELFTEST_H
#define EBPH_SELFTEST_H

/* The hidden first argument that makes ebph the program that the test watches. */
#define SELFTEST_CHILD "--self-test-child"

/*
 * Print what the machine offers (probe.h) to standard output, then have ebph watch a
 * program of known calls and compare what it says with what must come out. HEADERS: as
 * of --kernel-headers. Gives the exit status: 0, or 1 with the sentence to act on as the
 * last line.
 */
int selftest(const char *headers);

/* Be the program of known calls. Gives its exit status. */
int selftest_child(void);

#endif
