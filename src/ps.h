/* SPDX-License-Identifier: GPL-2.0-only */
/* `ebph ps`: what a running ebph watches, as a table. */
#ifndef EBPH_PS_H
#define EBPH_PS_H

/* ARGV[0] is "ps". Gives the exit status. */
int ps_main(int argc, char **argv);

#endif
