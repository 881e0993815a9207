/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured, and under which ways of watching. */
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

enum job_id {
	JOB_GETPPID,
	JOB_ONE_THREAD,
	JOB_TWO_THREADS,
	JOB_WRITE,
	JOB_READ,
	JOB_FSTAT,
	JOB_STAT,
	JOB_OPEN,
	JOB_SELECT_FILE_10,
	JOB_SELECT_FILE_100,
	JOB_SELECT_FILE_250,
	JOB_SELECT_FILE_500,
	JOB_SELECT_TCP_10,
	JOB_SELECT_TCP_100,
	JOB_SELECT_TCP_250,
	JOB_SELECT_TCP_500,
	JOB_INSTALL,
	JOB_SIGNAL,
	JOB_PIPE,
	JOB_UNIX,
	JOB_FORK_EXIT,
	JOB_FORK_EXEC,
	JOB_FORK_SH,
	JOB_BUILD,
	JOBS,
};

struct job {
	const char *name;    /* for --only, JSON */
	const char *title;   /* for people */
	const char *program; /* the worker's; see worker.c */
	int threads;
	int anywhere;	      /* 1: not pinned to a CPU */
	int others;	      /* 1: other programs take part; their profiles are theirs */
	double paper_ns;      /* the thesis: added by its code, ns; 0: not known here */
	double paper_percent; /* the thesis: slow-down; 0: not known here */
};

extern const struct job jobs[JOBS];

enum way {
	WAY_NORMAL,
	WAY_TRAINING,
	WAY_OTHER_PID,
	WAY_OTHER_EXE,
	WAY_OTHER_UID,
	WAY_OTHER_CGROUP,
	WAY_CLASSIC, /* no ebph: an empty program at the classic tracepoint */
	WAYS,
};

struct way_text {
	const char *name;
	const char *title;
	const char *state; /* the worker's profile must be in; "": it has none */
};

extern const struct way_text ways[WAYS];

#endif
