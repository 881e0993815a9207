/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel side and user space share: the layout of profiles, rows,
 * threads and events. Included by C files after <stdint.h> types named u8..u64
 * exist, and pasted into the BPF source.
 */
#ifndef EBPH_MODEL_H
#define EBPH_MODEL_H

enum {
	WINDOW_MAX = 9,	      /* the current call and eight before it */
	DISTANCES = 8,	      /* a bit of a byte for each */
	FRAME_LENGTH = 128,   /* calls in a locality frame */
	INDEX_NONE = 0,	      /* an empty slot of a window */
	INDEX_OVERFLOW = 255, /* all calls beyond the 254 that a profile tells apart */
	CHUNK = 64,	      /* columns in a row's block */
	CHUNKS = 4,
	SIGNAL_DEPTH = 4, /* nested handlers whose windows are kept */
	/* calls that a thread may hold back from a profile in training, and from others */
	PENDING_TRAINING = 64,
	PENDING_MAX = 4096,
	EXES_MAX = 1024, /* files that -e and the like name, and that took their place */
	MEMOS = 32,	 /* windows that a profile remembers to be known; a power of 2 */
};

#define ROW_NO_ROOM 0xffffffffU /* in place of a block's slot */

/*
 * A symbol is a call by ABI and number. x86-64 and arm64 calls come first, then
 * those of 32-bit programs, then x32's (whose own numbers begin at 512).
 */
enum {
	CALLS_MAX = 512, /* numbers of an ABI; those from here on are x32's own */
	X32_CALLS = 36,
	SYMBOL_NATIVE = 0,
	SYMBOL_COMPAT = 512,
	SYMBOL_X32 = 1024,
	SYMBOL_UNKNOWN = 1600,
	SYMBOLS = 1601,
	SYMBOL_OTHER = 0xfffe, /* in events: folded into INDEX_OVERFLOW */
	SYMBOL_NONE = 0xffff,
};

enum profile_state {
	STATE_FREE,
	STATE_TRAINING,
	STATE_FROZEN,
	STATE_NORMAL,
	STATE_RETIRED, /* its threads look for another profile at their next call */
};

/*
 * A block of a row: for one current call, CHUNK earlier calls. A cell's low byte
 * holds the train pairs, its high byte the test pairs, so that one load answers
 * both. A bit d-1 is set when the earlier call was seen at distance d.
 *
 * Clearing all rows of a profile, and copying train to test, cost one increment:
 * a row whose generations are not its profile's is brought up to date when it is
 * next used (row_sync).
 *
 * Column 0 of the first block stands for an empty slot of the window: all its bits
 * are set, so that no test need look whether a slot is filled.
 */
struct row {
	union {
		struct {
			u32 train_gen;
			u32 test_gen;
		};
		u64 gens;
	};
	u32 more[CHUNKS - 1]; /* blocks of the columns from CHUNK on; 0: none */
	u32 unused;
	union {
		u16 cell[CHUNK];
		u64 word[CHUNK / 4]; /* the same, four cells at a time */
	};
};

/* Who a file is. The first two make the key that people see. */
struct identity {
	u64 device;
	u64 inode;
	u64 generation;
	u64 size;
	u64 mtime; /* ns since 1970 */
};

/* How a profile learns; constants of a run. */
struct rules {
	u32 factor; /* freeze when train_count * factor_den > normal_count * factor */
	u32 factor_den;
	u32 anomaly_limit;
	u32 tolerize_limit;
	u64 normal_wait; /* ns */
	u32 changed;	 /* by the operator: not those that were compiled in */
	u32 unused;
};

/* A window whose pairs were all known when its profile's epoch was EPOCH. */
struct memo {
	u64 window; /* after the call */
	union {
		struct {
			u32 epoch;
			u32 check; /* the index that the call pushed out, and see memo_rest() */
		};
		u64 rest;
	};
};

/* Events that a program might raise without end. */
enum limited {
	LIMITED_ANOMALY,
	LIMITED_TOLERIZE,
	LIMITED_DELAY,
	LIMITED_ABORT,
	LIMITED_KINDS,
};

/*
 * The first part is only read by a known call, what calls write comes last, memos (seldom)
 * before counters: threads on different CPUs then do not take each other's cache lines away.
 */
struct profile {
	u32 state; /* enum profile_state */
	u32 epoch; /* changes whenever threads must look again */
	union {
		struct {
			u32 train_gen; /* changes when the train pairs are cleared */
			u32 test_gen;  /* changes when test pairs are replaced */
		};
		u64 gens;
	};
	u32 test_from;	/* the train_gen that test pairs were copied from */
	u32 test_valid; /* 0: test pairs are empty, not copied */
	u32 frame_gen;	/* changes when its threads' frames are emptied */
	u32 zero_epoch; /* epoch at which train_count last became zero */
	u64 check_at; /* jiffies from which a frozen profile's calls look at the clock */
	struct identity identity;
	u32 gap_epoch;	 /* threads that have not looked since have a gap behind them */
	u32 symbols;	 /* distinct calls seen: indices 1..symbols */
	u32 overflowed;	 /* distinct calls folded into INDEX_OVERFLOW */
	u32 row[256];	 /* block of each current call's row; 0: none */
	u16 symbol[256]; /* of each index */
	u8 index[SYMBOLS + 7];
	struct memo memo[MEMOS];
	u64 count; /* all calls ever */
	u64 train_count;
	u64 change_count; /* train_count at the last new pair: "normal_count" */
	u64 sequences;
	u64 anomalies;
	u64 normal_time;	    /* boot clock, ns; when frozen */
	u64 last_used;		    /* boot clock, ns */
	u32 threads;		    /* that run it now */
	u32 named;		    /* its path reached user space */
	u64 full_at[LIMITED_KINDS]; /* boot clock, ns: see bucket.h */
};

/* What one call did. */
struct verdict {
	u64 window; /* before the call */
	u8 index;
	u8 fresh;  /* distances whose pair the train pairs had not */
	u8 missed; /* distances whose pair the test pairs have not */
	u8 learns, thawed, froze, ripened, crossed, exceeded;
	/* of the kernel side's alone: */
	u8 execed;    /* it is the first of its program */
	u8 no_room;   /* for some of its pairs */
	u8 restarted; /* no call, but one that goes on after a signal */
};

/* A window that waits for a signal handler to return. */
struct interrupted {
	u64 window;
	u64 low, high; /* the handler runs with low <= stack pointer < high */
	u32 restart;   /* symbol + 1 of a call that will be entered again; 0: none */
	u32 unused;
};

struct thread {
	u64 window;  /* earlier calls, the nearest in the lowest byte */
	u32 tid;     /* 0: the slot is free */
	u32 profile; /* 0: none yet */
	u32 epoch;   /* its profile's when it last looked */
	u32 state;   /* its profile's at that epoch */
	u32 pending; /* calls not yet added to the profile */
	u32 full;    /* pending must stay below: 0 until it has looked */
	union {
		struct {
			u16 lfc;
			u16 depth;   /* handlers entered; above SIGNAL_DEPTH: not kept */
			u32 restart; /* as in struct interrupted */
		};
		u64 special; /* not 0: one of these is not */
	};
	u64 frame[2]; /* the newest call in the lowest bit of frame[0] */
	u32 frame_gen;
	u32 max_lfc;
	u32 tgid;
	u32 flags; /* THREAD_* */
	u32 slot;  /* its own */
	u32 unused2;
	union { /* kernel addresses: of its user registers, of its process's memory */
		u64 regs;
		u64 memory;
	};
	struct interrupted signal[SIGNAL_DEPTH];
};

enum {
	THREAD_EXCLUDED = 1, /* runs a program that is not watched */
	THREAD_EXECED = 2,   /* its exec is not told of yet */
	THREAD_HINTED = 4,   /* nothing but its hint tells that it is its task's */
};

enum event_type {
	EVENT_PROFILE, /* a new one; the path follows the struct */
	EVENT_FREEZE,
	EVENT_THAW,
	EVENT_NORMAL,
	EVENT_ANOMALY,
	EVENT_SEQUENCE,
	EVENT_ANOMALY_LIMIT,
	EVENT_TOLERIZE_LIMIT,
	EVENT_EXEC,
	EVENT_EXIT,
	EVENT_DELAY,
	EVENT_ABORT_EXEC,
};

struct event {
	u32 type;
	u32 slot; /* of the profile */
	u64 time; /* boot clock, ns */
	u64 cgroup;
	union {
		u64 train_count;
		u64 delay; /* ns; of EVENT_DELAY */
	};
	u64 sequences;
	union {
		u64 normal_time;
		u64 due; /* boot clock, ns; of EVENT_DELAY */
	};
	u64 anomalies;
	struct identity identity;
	u32 pid, tid, ppid, uid;
	u32 container_pid;
	u32 lfc;
	u16 sequence[WINDOW_MAX]; /* symbols, the nearest first; SYMBOL_NONE: empty */
	u8 missed; /* bit d-1: the pair at distance d is not in the profile */
	union {
		u8 truncated; /* the path that follows lacks its beginning */
		u8 dry_run;   /* of responses: it was not done */
	};
	u32 path_length;
	char comm[16];
};

/* What could not be done, by reason; the kernel side counts, user space reports. */
enum lost {
	LOST_EVENT,    /* no room in the ring buffer, or more than a program may have */
	LOST_ANOMALY,  /* likewise, anomalies */
	LOST_THREAD,   /* calls of threads for which there was no room */
	LOST_PROFILE,  /* calls of executables for which there was no room */
	LOST_ROW,      /* calls whose pairs found no room */
	LOST_PATH,     /* executables whose path could not be read */
	LOST_LOCK,     /* calls not judged: their profile was busy */
	LOST_OVERFLOW, /* calls folded into the overflow symbol */
	LOST_FORK,     /* children that began without their parent's window */
	LOST_TARGET,   /* children of what is watched that could not be noted */
	LOST_DELAY,    /* delays for which there was no room, or no way */
	LOST_KINDS,
};

/* Bytes of the ring buffer, so far. */
enum ring_count {
	RING_WRITTEN, /* by the kernel side */
	RING_READ,    /* by user space */
	RING_COUNTS,
};

/* Free slots FIRST.. of a table. Slot 0 is never used. */
struct range {
	u32 first, count; /* count 1 or more */
};

/* What was taken off the lists of free slots so far. */
enum taken {
	TAKEN_PROFILES,
	TAKEN_ROWS,
	TAKEN_THREADS,
	TAKEN_KINDS,
};

/* command()'s answer to it: one of these, which no errno is. */
enum answer {
	ANSWER_DONE,
	ANSWER_NO_PROFILE = -1001, /* the slot holds none */
	ANSWER_IN_USE = -1002,
	ANSWER_LOCKED = -1003, /* too busy: try again */
};

/* What user space may ask of a profile; see command() in the BPF source. */
enum verb {
	VERB_RETIRE_UNUSED, /* unless a thread runs it, or was last to use it at another time */
	VERB_RETIRE,
	VERB_NORMALIZE,
	VERB_TOLERIZE,
	VERB_SENSITIZE,
	VERB_RESET,
	VERB_GAP, /* calls were not seen: empty its threads' windows */
};

/* How much is done about anomalies; may be set at any time. */
struct response {
	u64 delay_unit; /* ns; 0: nobody is delayed */
	u64 delay_max;	/* ns */
	u32 abort_lfc;	/* 0: no exec is aborted */
	u32 unused;
};

/* A thread's delay; beside struct thread, so that it costs nothing where none is asked for. */
struct delay {
	u64 due;   /* boot clock, ns; 0: none */
	u64 halts; /* of its process, when the thread was last asked for them */
};

/*
 * A process that is stopped until DUE. Everyone who may have to continue it reads this
 * table: what is in it was, or is about to be, stopped. At process 0, which there is not,
 * a DUE that is not 0 says that nothing may be stopped any more.
 */
struct stop {
	u64 due;   /* boot clock, ns: the latest of its threads' */
	u64 start; /* boot clock, ns: when the process began; tells it from a later one */
	u32 tid, slot; /* of that thread; of its profile */
	u32 lfc;
	u32 foreign; /* somebody else has stopped it too: not ours to continue */
};

/* What -e and --not-exe name, as the kernel knows it. */
struct file_id {
	u64 device, inode, generation;
};

enum exe {
	EXE_ONLY = 1,
	EXE_NOT = 2,
	EXE_RESPOND = 4, /* --respond-to */
	EXE_NEVER = 8,	 /* --never-respond-to */
};

/* How a process came to be a target (-p, or COMMAND). */
enum target {
	TARGET_NOW = 1,
	TARGET_AFTER_EXEC = 2,
};

_Static_assert(sizeof(struct event) == 160, "struct event");
_Static_assert(sizeof(struct row) == 152, "struct row");
_Static_assert(sizeof(struct stop) == 32, "struct stop");
_Static_assert(sizeof(struct identity) == 40, "struct identity");
_Static_assert(sizeof(struct profile) == 3848, "struct profile");
_Static_assert(sizeof(struct thread) == 216, "struct thread");

#endif
