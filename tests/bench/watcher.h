/* SPDX-License-Identifier: GPL-2.0-only */
/* An ebph that runs beside the measurement. */
#ifndef BENCH_WATCHER_H
#define BENCH_WATCHER_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

struct watcher {
	pid_t pid;
	int errors;	 /* its standard error, non-blocking */
	int events;	 /* the file it writes, for reading */
	double started;	 /* seconds from its start to "watching" */
	char words[512]; /* the end of what it said on standard error */
};

/* How a profile stands. */
struct standing {
	char state[16]; /* empty: there is no such profile */
	long long count, sequences, anomalies;
};

/*
 * Start PROGRAM with OPTIONS (ending in NULL) besides those that every measurement
 * needs, and wait until it watches. Its events go to a new file in folder DIR. 0, or
 * -errno with what it said in W->words.
 */
int watcher_start(struct watcher *w, const char *program, const char *const *options,
		  const char *dir);

/* 1 when it watches through the raw tracepoint sys_enter, 0 when through another. */
int watcher_is_raw(const struct watcher *w);

/* A summary, to be freed with json_decref(); NULL when none came in five seconds. */
json_t *watcher_summary(struct watcher *w);

/* How the profile of file EXE stands; 0, or -ETIME. */
int watcher_standing(struct watcher *w, const char *exe, struct standing *s);

/* End it, if it runs. */
void watcher_stop(struct watcher *w);

#endif
