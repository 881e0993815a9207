/* SPDX-License-Identifier: GPL-2.0-only */
/* What the control socket's requests do (ebph-protocol(7)). */
#ifndef EBPH_CONTROL_H
#define EBPH_CONTROL_H

#include <stdbool.h>

#include "attach.h"
#include "kernel.h"
#include "options.h"
#include "server.h"
#include "setting.h"
#include "tables.h"

/* Where the socket is unless --socket says otherwise: $EBPH_SOCKET, or /run/ebph.sock. */
const char *control_default_socket(void);

/* What only the watching loop can tell or do; CONTEXT is its own. */
struct control_ops {
	/* The path of SLOT's executable, which has ID; NULL: not known. */
	const char *(*exe)(void *context, u32 slot, const struct identity *id);
	u64 (*losses)(void *context);	 /* so far */
	u64 (*anomalies)(void *context); /* so far */
	/* To be added to what the profiles count: calls of those that left, and so on. */
	u64 (*calls_elsewhere)(void *context);
	/* The profile of ID in SLOT was forgotten. */
	void (*forget)(void *context, u32 slot, const struct identity *id);
	/* True when another one will take the place of that in SLOT, as soon as it can. */
	bool (*waits)(void *context, u32 slot);
	/*
	 * Let process PID (0: all) go that delays have stopped, and forget its threads'
	 * anomalies; gives how many were continued.
	 */
	u32 (*release)(void *context, u32 pid);
	/*
	 * Have the kernel side do what S's responses say, which is not compiled in: 0, or
	 * -errno with a sentence in ERROR (SIZE bytes), and then all is as it was.
	 */
	int (*respond)(void *context, const struct settings *s, char *error, size_t size);
	/* Something was set: S is in force. */
	void (*set)(void *context, const struct settings *s);
	/*
	 * Save all profiles, or load what was saved: 0, or -errno with a sentence in
	 * ERROR (SIZE bytes).
	 */
	int (*save)(void *context, char *error, size_t size);
	int (*load)(void *context, char *error, size_t size);
};

struct control {
	const struct control_ops *ops;
	void *context;
	const struct options *o;
	const struct kernel *kernel;
	const struct loaded *l;
	bool raw; /* raw tracepoints are in use */
	struct tables *tables;
	struct links *links;
	struct settings settings;
	struct server *server; /* NULL: no socket */
	bool paused;
	u64 started, since; /* ns since 1970; since: watching or paused */
};

/*
 * Open the socket that C->o wants, if any; C's other members above `settings` are set
 * and stay valid. 0, also when there is no socket because another ebph has the usual one
 * and this run is no guard of the whole machine (said on standard error unless quiet);
 * or -errno with a sentence in ERROR (SIZE bytes). control_close() in any case.
 */
int control_open(struct control *c, char *error, size_t size);
void control_close(struct control *c);

/* All is attached: times begin. */
void control_begin(struct control *c);

/* To be polled for input; -1: nothing. */
int control_fd(const struct control *c);

/* Serve clients, a bounded share. To be called a few times a second. */
void control_serve(struct control *c);

/* Whether someone follows, as FOLLOW_JSON or FOLLOW_TEXT; and LINE to whoever does. */
bool control_has_followers(const struct control *c, enum follow kind);
void control_publish(struct control *c, enum follow kind, const char *line);

/*
 * See no calls from now on, or again. What lies between is a gap. 0, also when it is so
 * already; or, with a sentence, not 0: -errno, or the kernel side's enum answer.
 */
int control_pause(struct control *c, char *error, size_t size);
int control_resume(struct control *c, char *error, size_t size);

#endif
