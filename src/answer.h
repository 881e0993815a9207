/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side answered to a command, in words. */
#ifndef EBPH_ANSWER_H
#define EBPH_ANSWER_H

/* The word for ANSWER, of tables_command(): an enum answer, or -errno. */
const char *answer_text(int answer);

#endif
