/* SPDX-License-Identifier: GPL-2.0-only */
/* A small C project to build. */
#ifndef BENCH_PROJECT_H
#define BENCH_PROJECT_H

/*
 * Write it into a new folder "project" in DIR, and tell workers, by the environment
 * variable BENCH_PROJECT, where it is. 0 or -errno.
 */
int project_write(const char *dir);

/* Remove it, with all that was built. */
void project_remove(const char *dir);

#endif
