/* SPDX-License-Identifier: GPL-2.0-only */
/* What a watching ebph is made of. */
#ifndef EBPH_WATCHER_H
#define EBPH_WATCHER_H

#include <stdbool.h>

#include "attach.h"
#include "child.h"
#include "compile.h"
#include "control.h"
#include "keeper.h"
#include "kernel.h"
#include "options.h"
#include "report.h"
#include "respond.h"
#include "ring.h"
#include "setting.h"
#include "tables.h"
#include "target.h"

struct watch {
	const struct options *o; /* OPTIONS, for all who only look */
	struct options options;	 /* as started, and the responses switched on since */
	const struct kernel *kernel;
	struct loaded *l;
	bool raw;
	struct tables tables;
	struct targets targets;
	struct links links;
	struct report report;
	struct respond respond;
	struct keeper *keeper;
	struct child child;
	struct control control;
	struct ring *ring;
	struct meanwhile meanwhile; /* what cannot wait for what takes long */
	int signals;
	enum verbosity verbosity;
	bool done;
	u64 forgotten;		       /* profiles that made room, not told of yet */
	u64 losses_at;		       /* when to tell what was lost, */
	u64 reap_at;		       /* and to look for threads that are gone */
	u64 refresh_at, exceptions_at; /* when to look who else is watched, or spared */
	bool unguarded;		       /* the guardian has ended */
	bool on_terminal;	       /* whose end is ours */
	u64 watchdog_ns, watchdog_at;  /* how often, and when, to say that all is well */
	u32 unsaved;		       /* profiles that could not be saved in the end */
};

#endif
