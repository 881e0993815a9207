/* SPDX-License-Identifier: GPL-2.0-only */
/* `ebph admin`: ask and steer a running ebph. */
#ifndef EBPH_ADMIN_H
#define EBPH_ADMIN_H

/* ARGV[0] is "admin". Gives the exit status. */
int admin_main(int argc, char **argv);

#endif
