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
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "child.h"
#include "control.h"
#include "journal.h"
#include "exception.h"
#include "feature.h"
#include "keeper.h"
#include "notify.h"
#include "output.h"
#include "privilege.h"
#include "report.h"
#include "respond.h"
#include "ring.h"
#include "stats.h"
#include "tables.h"
#include "target.h"

enum { TICK_MS = 200, REFRESH_TICKS = 5, EXCEPTION_TICKS = 25 };

#define LOSSES_NS 10000000000ULL /* so often is told what was lost meanwhile */

struct watch {
	const struct options *o;
	const struct kernel *kernel;
	const struct loaded *l;
	bool raw;
	struct tables tables;
	struct targets targets;
	struct links links;
	struct report report;
	struct respond respond;
	struct keeper *keeper;
	struct child child;
	struct control control;
	struct journal *journal; /* where events go; NULL: to the output */
	struct ring *ring;
	int signals;
	enum verbosity verbosity;
	bool done;
	u64 forgotten;		      /* profiles that made room, not told of yet */
	u64 losses_at;		      /* when to tell what was lost */
	bool unguarded;		      /* the guardian has ended */
	bool on_terminal;	      /* whose end is ours */
	u64 watchdog_ns, watchdog_at; /* how often, and when, to say that all is well */
	u32 unsaved;		      /* profiles that could not be saved in the end */
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* ---- what happens ---- */

/* Events that the kernel side sends for --verbose only. */
static bool is_verbose(const struct event *e)
{
	return e->type == EVENT_SEQUENCE || e->type == EVENT_EXEC ||
	       e->type == EVENT_EXIT;
}

/* An event for those who follow. */
static void follow_event(struct watch *w, const struct event *e, size_t size)
{
	for (enum follow kind = FOLLOW_JSON; kind <= FOLLOW_TEXT; kind++) {
		char *line;

		if (!control_has_followers(&w->control, kind))
			continue;
		line = report_render(&w->report, e, size, kind == FOLLOW_JSON);
		if (line)
			control_publish(&w->control, kind, line);
		free(line);
	}
}

static void journal_enter(struct watch *w, const struct event *e, size_t size)
{
	char *text, *json;

	if (!w->journal || (w->report.quiet && e->type != EVENT_ANOMALY))
		return;
	text = report_render(&w->report, e, size, false);
	json = report_render(&w->report, e, size, true);
	if (text && json)
		journal_event(w->journal, text, json);
	free(text);
	free(json);
}

static void on_event(void *context, const struct event *e, size_t size)
{
	struct watch *w = context;

	respond_event(&w->respond, e);
	if (is_verbose(e) && w->verbosity != VERBOSITY_VERBOSE)
		return;
	report_event(&w->report, e, size);
	journal_enter(w, e, size);
	follow_event(w, e, size);
	if (e->type == EVENT_PROFILE)
		keeper_arrived(w->keeper, e->slot, &e->identity,
			       report_exe(&w->report, e->slot, &e->identity));
	else if (e->type == EVENT_NORMAL)
		keeper_ripened(w->keeper, e->slot);
}

static void on_lost(void *context, const char *what, u64 count)
{
	struct watch *w = context;

	report_lost(&w->report, what, count);
}

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

static void on_stopped(void *context, pid_t pid, const struct stop *s)
{
	struct watch *w = context;

	report_delayed(&w->report, pid, s);
}

/* All that was lost so far; tells of what is new. */
static u64 losses(void *context)
{
	struct watch *w = context;

	return tables_losses(&w->tables, on_lost, w) + w->tables.evicted +
	       keeper_lost(w->keeper);
}

static void print_summary(struct watch *w)
{
	struct totals totals = {.map_memory = tables_memory(&w->tables)};
	struct profile *all =
		tables_profiles(&w->tables, &totals.threads, &totals.processes);

	if (!all) {
		fprintf(stderr, "ebph: no memory for a summary\n");
		return;
	}
	ring_read(w->ring); /* the names of profiles that are just new */
	totals.lost = losses(w);
	totals.system_calls = w->tables.evicted_calls - keeper_calls(w->keeper);
	report_summary_begin(&w->report);
	for (u32 i = 1; i <= w->tables.bounds->profiles; i++) {
		if (all[i].state == STATE_FREE)
			continue;
		totals.system_calls += all[i].count;
		if (all[i].last_used) /* those of the store that did not run are left out */
			report_profile(&w->report, i, &all[i]);
	}
	respond_each(&w->respond, on_stopped, w);
	report_summary_end(&w->report, &totals);
	free(all);
}

/* ---- the control socket ---- */

/* Also those that were counted only. */
static u64 anomalies(void *context)
{
	struct watch *w = context;

	losses(w);
	return w->report.anomalies + w->tables.lost[LOST_ANOMALY];
}

static u64 calls_elsewhere(void *context)
{
	const struct watch *w = context;

	return w->tables.evicted_calls - keeper_calls(w->keeper);
}

static void on_set(void *context, const struct settings *s)
{
	struct watch *w = context;

	w->verbosity = s->verbosity;
	w->report.quiet = s->verbosity == VERBOSITY_QUIET;
	respond_enable(&w->respond, s->response.delay_unit != 0);
}

static u32 release(void *context, u32 pid)
{
	struct watch *w = context;

	return respond_release(&w->respond, (pid_t)pid);
}

static void forget(void *context, u32 slot, const struct identity *id)
{
	const struct watch *w = context;

	keeper_forget(w->keeper, slot, id);
}

static int save(void *context, char *error, size_t size)
{
	const struct watch *w = context;
	u32 failed = keeper_save(w->keeper);

	if (failed)
		snprintf(error, size, "%u profiles could not be saved in %s", failed,
			 w->o->profile_dir);
	return failed ? -EIO : 0;
}

static int load(void *context, char *error, size_t size)
{
	const struct watch *w = context;

	return keeper_load(w->keeper, error, size);
}

static int open_control(struct watch *w, char *error, size_t size)
{
	static const struct control_ops ops = {.exe = path_of,
					       .losses = losses,
					       .anomalies = anomalies,
					       .calls_elsewhere = calls_elsewhere,
					       .set = on_set,
					       .forget = forget,
					       .release = release,
					       .save = save,
					       .load = load};

	w->control = (struct control){.ops = &ops,
				      .context = w,
				      .o = w->o,
				      .kernel = w->kernel,
				      .l = w->l,
				      .raw = w->raw,
				      .tables = &w->tables,
				      .links = &w->links};
	w->verbosity = w->o->verbose ? VERBOSITY_VERBOSE : VERBOSITY_NORMAL;
	return control_open(&w->control, error, size);
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

	keeper_save(w->keeper);
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
			print_summary(w);
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

static void tell_watchdog(struct watch *w)
{
	u64 now = now_ns();

	if (!w->watchdog_ns || now < w->watchdog_at)
		return;
	notify("WATCHDOG=1");
	w->watchdog_at = now + w->watchdog_ns / 4;
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
static void look_again(struct watch *w, unsigned int tick)
{
	if (tick % REFRESH_TICKS == 0)
		targets_refresh(&w->targets);
	if (tick % EXCEPTION_TICKS == 0 && options_respond(w->o))
		exceptions_tell(w->l->exempt, w->respond.guardian.pid);
}

static void tell_losses(struct watch *w)
{
	if (now_ns() < w->losses_at)
		return;
	losses(w);
	w->losses_at = now_ns() + LOSSES_NS;
}

static void loop(struct watch *w)
{
	u64 start = now_ns(), next = start + w->o->interval_ns;
	struct pollfd fds[] = {{.fd = ring_fd(w->ring), .events = POLLIN},
			       {.fd = w->signals, .events = POLLIN},
			       {.fd = control_fd(&w->control), .events = POLLIN},
			       {.fd = w->respond.timer, .events = POLLIN},
			       {.fd = w->respond.guardian.socket, .events = POLLIN}};

	for (unsigned int tick = 0; !w->done && !w->report.error; tick++) {
		poll(fds, sizeof(fds) / sizeof(*fds), TICK_MS);
		ring_read(w->ring);
		respond(w);
		make_room(w);
		keeper_tick(w->keeper, now_ns());
		on_signal(w);
		control_serve(&w->control);
		tell_watchdog(w);
		look_again(w, tick);
		tell_losses(w);
		if (w->o->interval_ns && now_ns() >= next) {
			print_summary(w);
			next += w->o->interval_ns;
		}
		if (w->o->duration_ns && now_ns() - start >= w->o->duration_ns)
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
	w->ring = ring_open(w->l, on_event, w);
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
						   .lost = on_lost,
						   .path_of = path_of,
						   .named = on_named};

	w->keeper = keeper_open(&o, &callbacks, &w->tables, error, size);
	return w->keeper ? 0 : -EIO;
}

static int start_responses(struct watch *w, const struct bounds *b, char *error,
			   size_t size)
{
	int result = respond_start(&w->respond, w->l, b->threads,
				   w->o->delay_ms && !w->o->dry_run, error, size);

	if (result || !options_respond(w->o))
		return result;
	if (!feature_may_look()) {
		snprintf(
			error, size,
			"responses need CAP_SYS_PTRACE, to know by their executables whom "
			"they must spare; run ebph as root, or give it that capability");
		return -EPERM;
	}
	result = settings_write_response(&w->control.settings);
	if (result) {
		snprintf(error, size, "cannot tell the kernel how to respond: %s",
			 strerror(-result));
		return result;
	}
	result = exceptions_tell(w->l->exempt, w->respond.guardian.pid);
	if (result)
		snprintf(error, size, "cannot spare whom responses must spare: %s",
			 strerror(-result));
	return result;
}

/* All is attached: from here on less is needed than it took to get there. */
static int give_up_privileges(const struct watch *w, char *error, size_t size)
{
	u64 held = privilege_held(), keep = privilege_for_watching(held, w->o, w->raw);

	if (!w->raw)
		keep |= privilege_for_events(held, keep);
	keep |= privilege_for_files(held, keep, w->o, fileno(w->report.out));
	return privilege_keep(keep, error, size);
}

static int start(struct watch *w, const struct bounds *b, char *error, size_t size)
{
	int result = tables_init(&w->tables, w->l, b);

	if (result) {
		snprintf(error, size, "cannot fill the kernel's tables: %s",
			 strerror(-result));
		return result;
	}
	result = open_control(w, error, size);
	if (!result)
		result = open_keeper(w, error, size);
	if (!result)
		result = open_events(w, error, size);
	if (!result)
		result = targets_init(&w->targets, w->l, w->o, error, size);
	if (!result)
		result = start_responses(w, b, error, size);
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
		result = give_up_privileges(w, error, size);
	if (result)
		return result;
	output_empty(w->report.out);
	report_start(&w->report, w->o, w->kernel->release, w->kernel->headers);
	control_begin(&w->control);
	w->on_terminal = hangs_on_terminal();
	w->watchdog_ns = notify_watchdog();
	w->journal = journal_open(w->report.out);
	w->report.elsewhere = w->journal != NULL;
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
	notify("STOPPING=1");
	attach_none(&w->links);
	if (w->o->verbose)
		print_costs(w->l);
	ring_read(w->ring);
	respond_end(&w->respond);
	if (!w->o->quiet)
		print_summary(w);
	w->unsaved = keeper_save(w->keeper);
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
	if (w->o->check && anomalies(w))
		return 3;
	return w->o->command ? w->child.status : 0;
}

int watch(const struct options *o, const struct kernel *k, const struct loaded *l,
	  const struct bounds *b, bool raw, FILE *out)
{
	struct watch w = {.o = o,
			  .kernel = k,
			  .l = l,
			  .raw = raw,
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
	journal_close(w.journal);
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
