/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Delays, seen from user space: the kernel side stops processes, this continues them when
 * they are due. Without --delay all of it does nothing.
 */
#ifndef EBPH_RESPOND_H
#define EBPH_RESPOND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "compile.h"
#include "guardian.h"
#include "tables.h"
#include "types.h"
#include "model.h"

/* A moment at which to look whether a process is due. */
struct wake {
	u64 due; /* boot clock, ns */
	pid_t pid;
};

struct respond {
	const struct loaded *l;
	const struct tables *t;
	struct guardian guardian;
	int timer;	   /* readable when something is due; -1: there are no delays */
	struct wake *heap; /* the earliest first */
	u32 count, room;
	u64 late;      /* wake-ups for which there was no room, not told of yet */
	bool disabled; /* whoever is stopped yet is due */
	u64 scanned;   /* boot clock, ns: when the whole table was last looked through */
};

/*
 * Prepare to continue what the programs over T, which must outlive R, will stop; DELAYS:
 * whether they will. 0, or -errno with a sentence in ERROR (SIZE bytes). Nothing may be
 * attached yet. respond_end() frees R whatever came of it.
 */
int respond_start(struct respond *r, const struct tables *t, bool delays, char *error,
		  size_t size);

/* An event came: take note of delays. */
void respond_event(struct respond *r, const struct event *e);

/*
 * Continue all that is due. To be called when r->timer is readable and, should an event
 * have been lost, now and then. Gives how many wake-ups had no room since the last time.
 */
u64 respond_wake(struct respond *r);

/* Delays are on again; or not any more, and then all that are stopped are continued. */
void respond_enable(struct respond *r, bool on);

/* False when the guardian has ended: nothing may be stopped any more. */
bool respond_is_guarded(const struct respond *r);

/*
 * Let process PID, all its threads, go at once and forget their anomalies; 0 for PID: all
 * that are delayed. Gives how many processes were continued.
 */
u32 respond_release(struct respond *r, pid_t pid);

/* Call EACH for each process that is stopped. */
void respond_each(const struct respond *r,
		  void (*each)(void *context, pid_t pid, const struct stop *s),
		  void *context);

/* All programs are detached: continue everything, and free R. May be called again. */
void respond_end(struct respond *r);

#endif
