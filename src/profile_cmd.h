/* SPDX-License-Identifier: GPL-2.0-only */
/* `ebph profile`: look into saved profiles and change them. Needs no kernel, no root. */
#ifndef EBPH_PROFILE_CMD_H
#define EBPH_PROFILE_CMD_H

#include "store.h"

/* The subcommand: argv[0] is "profile". Gives the exit status. */
int profile_main(int argc, char **argv);

/* What the command line says. Strings point into argv. */
struct profile_args {
	const char *command; /* "list", ... */
	const char *dir;
	const char *output; /* -o; NULL: not given */
	const char *sort;   /* a column of list */
	bool json, csv, seccomp;
	bool reverse, pairs, test, replace;
	u32 top; /* pairs that show prints */
	char **names;
	int count;
};

/* One of the subcommands; each gives the exit status. */
int profile_cmd_list(const struct profile_args *a);
int profile_cmd_check(const struct profile_args *a);
int profile_cmd_show(const struct profile_args *a);
int profile_cmd_diff(const struct profile_args *a);
int profile_cmd_plot(const struct profile_args *a);
int profile_cmd_merge(const struct profile_args *a);
int profile_cmd_export(const struct profile_args *a);
int profile_cmd_import(const struct profile_args *a);
int profile_cmd_rm(const struct profile_args *a);
int profile_cmd_normalize(const struct profile_args *a);
int profile_cmd_reset(const struct profile_args *a);

/* 1 when SORT is a column that list knows. */
bool profile_is_column(const char *sort);

/* ---- what they share ---- */

/* A message on standard error, "ebph profile: " before it and a line end behind. */
__attribute__((format(printf, 1, 2))) void profile_error(const char *format, ...);

/* A profile that was found by its name on the command line. */
struct found {
	struct image image;
	char *file;  /* path of the file it is in; belongs to this struct */
	bool stored; /* in the profile directory, under the name that it has there */
};

/*
 * Find NAME: a file with a profile in it; the name of one in the profile directory; a
 * key; or the path of a program. An error is printed. 0 or -errno.
 */
int profile_find(const struct profile_args *a, const char *name, struct found *f);
void found_free(struct found *f);

/* Write the SIZE bytes of DATA to -o, or standard output. An error is printed. */
int profile_output(const struct profile_args *a, const void *data, size_t size);

/* With -j: a line that says that the command did IM, in FILE. */
void profile_done(const struct profile_args *a, const struct image *im, const char *file);

/* IM's path as text that can be printed, "(unknown)" without one: free() it. */
char *profile_exe(const struct image *im);

/* Flush standard output. 0, or 1 when it could not be written (printed, unless closed). */
int profile_flush(void);

#endif
