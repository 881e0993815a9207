/* SPDX-License-Identifier: GPL-2.0-only */
/* ebph bench: how often system calls are made, and how long they take. */
#ifndef EBPH_BENCH_H
#define EBPH_BENCH_H

/* Run with the arguments behind "ebph"; argv[0] is "bench". Gives the exit status. */
int bench_main(int argc, char **argv);

#endif
