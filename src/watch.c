/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "defend.h"
#include "exception.h"
#include "moment.h"
#include "news.h"
#include "notify.h"
#include "output.h"
#include "stats.h"
#include "steer.h"
#include "summary.h"
#include "watcher.h"

enum { TURN_MS = 200 }; /* the longest turn of the loop; the shortest is an event's */

#define SECOND_NS 1000000000ULL
#define REFRESH_NS SECOND_NS	      /* so often are the files of -e looked at */
#define EXCEPTIONS_NS (5 * SECOND_NS) /* whom responses spare */
#define LOSSES_NS (10 * SECOND_NS)    /* so often is told what was lost meanwhile */
#define REAP_NS (4 * SECOND_NS)	      /* so often are threads looked for that are gone */

/* ---- profiles come and go ---- */

static void on_warning(void *context, const char *subject, const char *message)
{
	struct watch *w = context;

	report_warning(&w->report, message, subject);
}

static const char *path_of(void *context, u32 slot, const struct identity *id)
{
	struct watch *w = context;

	return report_exe(&w->report, slot, id);
}

static void on_named(void *context, u32 slot, const struct identity *id, const char *path)
{
	struct watch *w = context;

	report_name(&w->report, slot, id, path);
}

static void on_gone(void *context, u32 slot, const struct profile *p)
{
	struct watch *w = context;

	keeper_leaves(w->keeper, slot, p);
	w->forgotten++;
}

static void make_room(struct watch *w)
{
	tables_make_room(&w->tables, on_gone, w);
	if (w->forgotten)
		report_lost(&w->report, "profiles without a process made room for others",
			    w->forgotten);
	w->forgotten = 0;
}

/* ---- the loop ---- */

/* 1 when this process ends with its terminal. */
static bool hangs_on_terminal(void)
{
	struct sigaction action;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && !sigaction(SIGHUP, NULL, &action) &&
	       action.sa_handler != SIG_IGN;
}

/* Save, and open -o's file anew: it may have been renamed to begin another. */
static void refresh(struct watch *w)
{
	char error[600];
	FILE *out;

	keeper_save(w->keeper, &w->meanwhile);
	if (!w->o->output)
		return;
	out = output_open(w->o->output, error, sizeof(error));
	if (out) {
		dup3(fileno(out), fileno(w->report.out), O_CLOEXEC);
		fclose(out);
	} else {
		report_warning(&w->report, error, NULL);
	}
}

/* Pass a signal on to COMMAND, which shall not sleep until it is due. */
static void end_command(struct watch *w, const struct signalfd_siginfo *si)
{
	if (si->ssi_code <= 0) /* a terminal's reaches it by itself */
		kill(w->child.pid, (int)si->ssi_signo);
	respond_release(&w->respond, 0);
}

static void on_signal(struct watch *w)
{
	struct signalfd_siginfo si;

	while (read(w->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGUSR1)
			summary_print(w);
		else if (si.ssi_signo == SIGCHLD)
			w->done |= child_reap(&w->child);
		else if (si.ssi_signo == SIGHUP && w->child.pid <= 0 && !w->on_terminal)
			refresh(w);
		else if (w->child.pid <= 0)
			w->done = true;
		else
			end_command(w, &si);
	}
}

/* Whether AT has come; then it comes again after PERIOD ns. Turns are no measure of time. */
static bool is_due(u64 *at, u64 period)
{
	u64 now = moment_monotonic();

	if (now < *at)
		return false;
	*at = now + period;
	return true;
}

static void tell_watchdog(void *context)
{
	struct watch *w = context;

	if (w->watchdog_ns && is_due(&w->watchdog_at, w->watchdog_ns / 4))
		notify("WATCHDOG=1");
}

/* Continue what is due. Without the guardian nothing may stay stopped. */
static void respond(struct watch *w)
{
	u64 late = respond_wake(&w->respond);

	if (late)
		report_lost(&w->report, "wake-ups on time: the queue was full", late);
	if (w->unguarded || respond_is_guarded(&w->respond))
		return;
	w->unguarded = true;
	w->done = true;
	report_error(&w->report,
		     "the guardian, which continues stopped processes should ebph end, "
		     "has ended: all are continued, and ebph ends",
		     NULL);
}

/* Who has begun or ended since may be one whom responses spare. */
static void look_again(struct watch *w)
{
	char error[600];

	if (is_due(&w->refresh_at, REFRESH_NS) &&
	    targets_refresh(&w->targets, error, sizeof(error)))
		report_warning(&w->report, error, NULL);
	if (options_respond(w->o) && is_due(&w->exceptions_at, EXCEPTIONS_NS))
		exceptions_tell(w->l->exempt, w->respond.guardian.pid);
}

static void tell_losses(struct watch *w)
{
	if (is_due(&w->losses_at, LOSSES_NS))
		summary_losses(w);
}

/* Wait until something has happened, TURN_MS at most. */
static void wait_for_more(const struct watch *w)
{
	struct pollfd fds[] = {{.fd = ring_fd(w->ring), .events = POLLIN},
			       {.fd = w->signals, .events = POLLIN},
			       {.fd = control_fd(&w->control), .events = POLLIN},
			       {.fd = w->respond.timer, .events = POLLIN},
			       {.fd = w->respond.guardian.socket, .events = POLLIN}};

	poll(fds, sizeof(fds) / sizeof(*fds), keeper_is_busy(w->keeper) ? 0 : TURN_MS);
}

/* What cannot wait for anything else. */
static void keep_up(void *context)
{
	struct watch *w = context;

	ring_read(w->ring);
	respond(w);
	make_room(w);
	tell_watchdog(w);
}

static void loop(struct watch *w)
{
	u64 start = moment_monotonic(), next = start + w->o->interval_ns;

	while (!w->done && !w->report.error) {
		wait_for_more(w);
		keep_up(w);
		keeper_tick(w->keeper, moment_monotonic());
		on_signal(w);
		control_serve(&w->control);
		look_again(w);
		if (is_due(&w->reap_at, REAP_NS))
			tables_reap(&w->tables);
		tell_losses(w);
		if (w->o->interval_ns && moment_monotonic() >= next) {
			summary_print(w);
			next += w->o->interval_ns;
		}
		if (w->o->duration_ns && moment_monotonic() - start >= w->o->duration_ns)
			w->done = true;
	}
}

/* Whatever ended the watching, the command's status is ours to pass on. */
static void wait_for_command(struct watch *w)
{
	struct pollfd fd = {.fd = w->signals, .events = POLLIN};

	while (w->child.pid > 0) {
		poll(&fd, 1, -1);
		on_signal(w);
	}
}

/* ---- from start to end ---- */

static int open_events(struct watch *w, char *error, size_t size)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	w->ring = news_open(w);
	if (w->signals >= 0 && w->ring)
		return 0;
	snprintf(error, size, "cannot read events: %s", strerror(errno));
	return -EIO;
}

static int start_command(struct watch *w, char *error, size_t size)
{
	int result = child_start(&w->child, w->o->command);

	if (!result)
		result = targets_add_after_exec(&w->targets, w->child.pid);
	if (result)
		snprintf(error, size, "cannot start %s: %s", w->o->command[0],
			 strerror(-result));
	return result;
}

/* The profiles of earlier runs. */
static int open_keeper(struct watch *w, char *error, size_t size)
{
	const struct keeper_options o = {
		.directory = w->o->profile_dir,
		.load = !w->o->no_load,
		.save = !w->o->no_save,
		.adopt = w->o->adopt_upgrades,
		.window = w->o->window,
		.normal_wait_ns = w->o->normal_wait_ns,
		.save_interval_ns = w->o->save_interval_ns,
	};
	const struct keeper_callbacks callbacks = {.context = w,
						   .warn = on_warning,
						   .lost = summary_lost,
						   .path_of = path_of,
						   .named = on_named};

	w->keeper = keeper_open(&o, &callbacks, &w->tables, error, size);
	return w->keeper ? 0 : -EIO;
}

static int start(struct watch *w, const struct bounds *b, char *error, size_t size)
{
	int result = tables_init(&w->tables, w->l, b);

	if (result) {
		snprintf(error, size, "cannot fill the kernel's tables: %s",
			 strerror(-result));
		return result;
	}
	result = steer_open(w, error, size);
	if (!result)
		result = open_keeper(w, error, size);
	if (!result)
		result = open_events(w, error, size);
	if (!result)
		result = targets_init(&w->targets, w->l, w->o, error, size);
	if (!result)
		result = defend_start(w, error, size);
	if (!result && w->o->command)
		result = start_command(w, error, size);
	if (!result)
		result = attach_life(&w->links, w->l, w->raw, error, size);
	if (!result)
		result = targets_add_processes(&w->targets, error, size);
	if (!result)
		result = attach_calls(&w->links, w->l, w->raw, error, size);
	if (!result)
		result = targets_check_alive(&w->targets, error, size);
	if (!result)
		result = defend_settle(w, error, size);
	if (result)
		return result;
	output_empty(w->report.out);
	report_start(&w->report, w->o, w->kernel->release, w->kernel->headers);
	control_begin(&w->control);
	w->on_terminal = hangs_on_terminal();
	w->watchdog_ns = notify_watchdog();
	report_to_journal(&w->report);
	malloc_trim(0); /* what starting took is not needed again */
	fprintf(stderr, "ebph: watching\n");
	notify("READY=1");
	return w->o->command ? child_go(&w->child) : 0;
}

/* What the programs cost, where the kernel counts it. */
static void print_costs(const struct loaded *l)
{
	static const char *const names[] = {"system call", "signal", "fork", "exec",
					    "exit"};
	const int programs[] = {l->enter, l->on_signal, l->on_fork, l->on_exec,
				l->on_exit};

	stats_print(stderr, names, programs, sizeof(programs) / sizeof(*programs));
}

static void end(struct watch *w)
{
	const struct meanwhile alive = {.act = tell_watchdog, .context = w};

	notify("STOPPING=1");
	attach_none(&w->links);
	if (w->o->verbose)
		print_costs(w->l);
	ring_read(w->ring);
	respond_end(&w->respond);
	if (!w->o->quiet)
		summary_print(w);
	w->unsaved = keeper_save(w->keeper, &alive);
	control_close(&w->control);
	wait_for_command(w);
}

static int status_of(struct watch *w)
{
	if (w->report.error && w->report.error != EPIPE) {
		fprintf(stderr, "ebph: cannot write %s: %s\n",
			w->o->output ? w->o->output : "to standard output",
			strerror(w->report.error));
		return 1;
	}
	if (w->unguarded)
		return 1;
	if (w->unsaved) {
		fprintf(stderr, "ebph: %u profiles could not be saved in %s\n",
			w->unsaved, w->o->profile_dir);
		return 1;
	}
	if (w->o->check && summary_anomalies(w))
		return 3;
	return w->o->command ? w->child.status : 0;
}

int watch(const struct options *o, const struct kernel *k, struct loaded *l,
	  const struct bounds *b, bool raw, FILE *out)
{
	struct watch w = {.o = &w.options,
			  .options = *o,
			  .kernel = k,
			  .l = l,
			  .raw = raw,
			  .meanwhile = {.act = keep_up, .context = &w},
			  .signals = -1,
			  .child = {.gate = -1},
			  .respond = {.timer = -1, .guardian = {.socket = -1}}};
	char error[600];
	int status = 1;

	attach_init(&w.links);
	if (report_init(&w.report, o, out, b->profiles)) {
		fprintf(stderr, "ebph: no memory for %u profiles: lower --max-profiles\n",
			b->profiles);
		return 1;
	}
	if (start(&w, b, error, sizeof(error))) {
		fprintf(stderr, "ebph: %s\n", error);
	} else {
		loop(&w);
		end(&w);
		status = status_of(&w);
	}
	attach_none(&w.links);
	control_close(&w.control);
	respond_end(&w.respond);
	child_free(&w.child);
	targets_free(&w.targets);
	keeper_close(w.keeper);
	tables_free(&w.tables);
	ring_close(w.ring);
	report_free(&w.report);
	if (w.signals >= 0)
		close(w.signals);
	return status;
}
