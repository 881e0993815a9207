/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process that compiles BPF source, or one half of it, and loads its programs: what
 * compile.c starts. Descriptors leave it through a socket.
 */
#ifndef EBPH_LOADER_H
#define EBPH_LOADER_H

#include <stdbool.h>
#include <sys/types.h>

#include "compile.h"

/* What goes over a socket of type SOCK_SEQPACKET: a part, its descriptor with it, or an error. */
struct message {
	int index; /* of the part; -1: error */
	int half;  /* who sends it, as in struct loader */
	char error[700];
};

/* Send M, and FD with it if that is not negative. 0 or -errno. */
int message_send(int sock, const struct message *m, int fd);

/* Receive into M; FD: a descriptor, close-on-exec, or -1. 1; 0: the end. */
int message_receive(int sock, struct message *m, int *fd);

struct loader {
	const char *text, *headers; /* BPF C; the folder to compile it against */
	bool raw;		    /* what is attached is for raw tracepoints */
	const struct part *parts;
	int count;
	const void *running; /* descriptors of parts to go with; NULL: there are none */
	int half;	     /* 1, 2; 0: the whole source */
	int out;	     /* where parts and errors are sent */
	int maps;	     /* half 1 sends its maps there too, half 2 receives them */
	int log;	     /* what is to be standard error; -1: as it is */
	pid_t parent;
};

/* Exit status of who could not go on without the other half or the parent. */
enum { LOADER_LEFT_ALONE = 3 };

/* Be this process: compile, load, send, end. It ends as well when PARENT does. */
__attribute__((noreturn)) void loader_run(const struct loader *l);

#endif
