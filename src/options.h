/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of the watching form: ebph [OPTIONS] [-- COMMAND...]. */
#ifndef EBPH_OPTIONS_H
#define EBPH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum options_result {
	OPTIONS_RUN,	 /* all is well: do what the options say */
	OPTIONS_HELP,	 /* -h: print the help, exit 0 */
	OPTIONS_VERSION, /* -V: print the version, exit 0 */
	OPTIONS_BAD,	 /* bad usage: print the error, exit 2 */
};

enum options_color {
	COLOR_AUTO,
	COLOR_NEVER,
	COLOR_ALWAYS,
};

enum options_abort {
	ABORT_BY_LSM,
	ABORT_BY_KILL,
};

/*
 * All strings point into argv or the text of --config (or are constants) and are not
 * empty; the lists themselves and that text belong to this struct. NULL, 0 and false
 * mean: not given.
 */
struct options {
	/* whom to watch */
	pid_t *pids; /* -p, each 1..4194304 */
	size_t pid_count;
	const char **exes; /* -e */
	size_t exe_count;
	const char **not_exes; /* --not-exe */
	size_t not_exe_count;
	bool has_uid; /* -u given; it can be 0 */
	uid_t uid;
	uid_t *not_uids; /* --not-uid */
	size_t not_uid_count;
	const char *cgroup; /* -c */
	const char *comm;   /* -n, 1..15 bytes */
	char **command;	    /* after --, in argv, NULL at its end */

	/* what to print, where, how long */
	const char *output;   /* -o */
	uint64_t duration_ns; /* -d, 0: until stopped */
	uint64_t interval_ns; /* -i, 0: only at the end */
	bool timestamp;
	bool json;
	bool quiet; /* never with verbose */
	bool verbose;
	bool check;
	bool ebpf;
	bool self_test;
	enum options_color color;

	/* how it is steered */
	const char *socket; /* --socket */
	bool no_socket;	    /* never with socket */

	/* the detector */
	uint64_t normal_wait_ns; /* 0: at the next call after freezing */
	uint32_t factor;	 /* freeze ratio factor/factor_den, */
	uint32_t factor_den;	 /* each 1..65535 */
	uint32_t anomaly_limit;	 /* 0..1000000 */
	uint32_t tolerize_limit; /* 0..128 */
	uint32_t window;	 /* 2..9 */

	/* responses */
	uint32_t delay_ms;     /* the unit, 0: no delays */
	uint64_t delay_max_ns; /* above 0 */
	uint32_t abort_lfc;    /* 1..128, 0: no aborting */
	enum options_abort abort_by;
	const char **respond; /* --respond-to */
	size_t respond_count;
	const char **never_respond; /* --never-respond-to */
	size_t never_respond_count;
	bool dry_run;
	bool show_exceptions;

	/* profiles on disk */
	const char *profile_dir;
	bool no_load, no_save;
	uint64_t save_interval_ns;
	bool adopt_upgrades;

	/* kernel memory and compilation */
	uint32_t max_profiles;	   /* 1..65536 */
	uint64_t max_pairs_memory; /* bytes, 64 KiB..4 GiB */
	const char *headers;	   /* "auto", "btf" or a directory */

	const char *config; /* --config */
	char *config_text;  /* what the strings of --config's file point into */
};

/*
 * Fill o (whatever it held: nothing is freed first) from the command line,
 * defaults included. argv must outlive o and is not changed. After OPTIONS_RUN
 * o owns its lists: options_free(). After any other result o holds nothing,
 * and for OPTIONS_BAD error (size bytes) has one line, without a line end,
 * that names the option and the bad value. Uses getopt's globals, so: one
 * thread at a time.
 */
int options_parse(int argc, char **argv, struct options *o, char *error, size_t size);

/* Whether O has any response do anything. */
bool options_respond(const struct options *o);

/* Free the lists and clear o. May be called twice and after any result. */
void options_free(struct options *o);

/* Write the help, with ranges and defaults, to out. */
void options_help(FILE *out);

#endif
