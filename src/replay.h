/* SPDX-License-Identifier: GPL-2.0-only */
/* ebph replay: the detector over recorded traces. */
#ifndef EBPH_REPLAY_H
#define EBPH_REPLAY_H

/* The subcommand: ARGV[0] is "replay". Gives the exit status. */
int replay_main(int argc, char **argv);

#endif
