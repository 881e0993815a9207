/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "watch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "lookahead.h"

enum { LINKS = 5, TICK_MS = 200 };

struct watch {
	const struct options *o;
	struct loaded *l;
	const struct bounds *bounds;
	struct report report;
	struct ring_buffer *ring;
	int links[LINKS];
	int signals;
	pid_t command;
	int command_status;
	bool done;
	u64 lost[LOST_KINDS];
};

static const char *const lost_names[LOST_KINDS] = {
	[LOST_EVENT] = "events: the ring buffer was full",
	[LOST_THREAD] = "calls of threads beyond the table of threads",
	[LOST_PROFILE] = "calls of programs beyond --max-profiles",
	[LOST_ROW] = "calls beyond --max-pairs-memory",
	[LOST_PATH] = "names: the path was too long to read",
	[LOST_LOCK] = "calls not judged: the profile was busy",
	[LOST_OVERFLOW] = "calls told apart no further: over 254 kinds in a program",
	[LOST_FORK] = "children that began with an empty window",
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* ---- start ---- */

static int fill_stack(int map, u32 count)
{
	for (u32 i = count; i; i--)
		if (bpf_map_update_elem(map, NULL, &i, BPF_ANY))
			return -errno;
	return 0;
}

static int prepare_maps(struct watch *w)
{
	int *tails[] = {&w->l->attach, &w->l->judge, &w->l->report};
	int result = fill_stack(w->l->free_profiles, w->bounds->profiles);

	if (!result)
		result = fill_stack(w->l->free_rows, w->bounds->rows);
	if (!result)
		result = fill_stack(w->l->free_threads, w->bounds->threads);
	for (u32 i = 0; i < sizeof(tails) / sizeof(*tails) && !result; i++)
		if (bpf_map_update_elem(w->l->tails, &i, tails[i], BPF_ANY))
			result = -errno;
	return result;
}

static int add_target(struct watch *w, u32 tgid, u32 how)
{
	if (bpf_map_update_elem(w->l->targets, &tgid, &how, BPF_ANY))
		return -errno;
	return 0;
}

static int add_pids(struct watch *w)
{
	for (size_t i = 0; i < w->o->pid_count; i++) {
		if (kill(w->o->pids[i], 0) && errno == ESRCH) {
			fprintf(stderr, "ebph: no process has the id %d\n",
				(int)w->o->pids[i]);
			return -ESRCH;
		}
		if (add_target(w, w->o->pids[i], TARGET_NOW))
			return -errno;
	}
	return 0;
}

/* Let the kernel side know the file PATH as HOW. */
static int add_exe(struct watch *w, const char *path, enum exe how)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	u64 args[2] = {fd, how};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .ctx_in = args, .ctx_size_in = sizeof(args)};
	struct stat st = {0};
	int result = 0;

	if (fd < 0 || fstat(fd, &st))
		result = -errno;
	else if (!S_ISREG(st.st_mode))
		result = -EINVAL;
	else if (bpf_prog_test_run_opts(w->l->resolve, &run))
		result = -errno;
	else if (run.retval)
		result = -ENOSPC;
	if (result)
		fprintf(stderr, "ebph: cannot watch the program %s: %s\n", path,
			result == -EINVAL ? "it is no regular file" : strerror(-result));
	if (fd >= 0)
		close(fd);
	return result;
}

static int add_exes(struct watch *w)
{
	int result = 0;

	for (size_t i = 0; i < w->o->exe_count && !result; i++)
		result = add_exe(w, w->o->exes[i], EXE_ONLY);
	for (size_t i = 0; i < w->o->not_exe_count && !result; i++)
		result = add_exe(w, w->o->not_exes[i], EXE_NOT);
	return result;
}

/* Only processes below the cgroup (version 2) at PATH. */
static int add_cgroup(struct watch *w, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	u32 first = 0;

	if (fd < 0 || bpf_map_update_elem(w->l->cgroups, &first, &fd, BPF_ANY))
		result = -errno;
	if (result)
		fprintf(stderr,
			"ebph: cannot watch the cgroup %s: %s; give the folder of a "
			"cgroup of version 2, such as one below /sys/fs/cgroup\n",
			path, strerror(-result));
	if (fd >= 0)
		close(fd);
	return result;
}

static int attach_all(struct watch *w)
{
	static const char *const points[LINKS] = {"sched_process_exit",
						  "sched_process_exec",
						  "sched_process_fork", "signal_deliver",
						  "sys_enter"};
	int programs[LINKS] = {w->l->on_exit, w->l->on_exec, w->l->on_fork,
			       w->l->on_signal, w->l->enter};

	for (int i = 0; i < LINKS; i++) {
		w->links[i] = bpf_raw_tracepoint_open(points[i], programs[i]);
		if (w->links[i] < 0) {
			fprintf(stderr, "ebph: cannot attach to raw tracepoint %s: %s\n",
				points[i], strerror(errno));
			return -errno;
		}
	}
	return 0;
}

static void detach_all(struct watch *w)
{
	for (int i = LINKS - 1; i >= 0; i--) {
		if (w->links[i] >= 0)
			close(w->links[i]);
		w->links[i] = -1;
	}
}

/* ---- the command ---- */

/* Start the command; it waits to be told, through TELL, that it is watched. */
static int command_start(struct watch *w, int *tell)
{
	sigset_t none;
	int gate[2];

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	w->command = fork();
	if (!w->command) {
		char go;
		int failed;

		if (read(gate[0], &go, 1) != 1)
			_exit(1);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		execvp(w->o->command[0], w->o->command);
		failed = errno;
		fprintf(stderr, "ebph: cannot run %s: %s\n", w->o->command[0],
			strerror(failed));
		_exit(failed == ENOENT ? 127 : 126);
	}
	close(gate[0]);
	*tell = gate[1];
	return w->command < 0 ? -errno : add_target(w, w->command, TARGET_AFTER_EXEC);
}

static void command_reap(struct watch *w)
{
	int status;

	if (w->command <= 0 || waitpid(w->command, &status, WNOHANG) != w->command)
		return;
	w->command_status =
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	w->command = 0;
	w->done = true;
}

/* ---- what happens ---- */

static int on_event(void *context, void *data, size_t size)
{
	struct watch *w = context;

	report_event(&w->report, data, size);
	return 0;
}

static u64 report_losses(struct watch *w)
{
	int cpus = libbpf_num_possible_cpus();
	u64 *each = calloc(cpus > 0 ? cpus : 1, sizeof(*each)), total = 0;

	for (u32 kind = 0; each && kind < LOST_KINDS; kind++) {
		u64 sum = 0;

		if (bpf_map_lookup_elem(w->l->losses, &kind, each))
			continue;
		for (int i = 0; i < cpus; i++)
			sum += each[i];
		if (sum > w->lost[kind])
			report_lost(&w->report, lost_names[kind], sum - w->lost[kind]);
		w->lost[kind] = sum;
		total += sum;
	}
	free(each);
	return total;
}

/* Add to ALL what each thread holds back; gives the number of threads. */
static u32 settle_threads(struct watch *w, struct profile *all)
{
	struct thread t;
	u32 threads = 0;

	for (u32 i = 1; i <= w->bounds->threads; i++) {
		if (bpf_map_lookup_elem(w->l->threads, &i, &t) || !t.tid || !t.profile)
			continue;
		threads++;
		if (t.profile <= w->bounds->profiles)
			settle(&all[t.profile], t.pending, t.epoch);
	}
	return threads;
}

static void print_summary(struct watch *w)
{
	struct profile *all = calloc(w->bounds->profiles + 1, sizeof(*all));
	struct totals totals = {.lost = report_losses(w)};

	if (!all) {
		fprintf(stderr, "ebph: no memory for a summary\n");
		return;
	}
	for (u32 i = 1; i <= w->bounds->profiles; i++)
		if (bpf_map_lookup_elem(w->l->profiles, &i, &all[i]))
			all[i].state = STATE_FREE;
	totals.threads = settle_threads(w, all);
	report_summary_begin(&w->report);
	for (u32 i = 1; i <= w->bounds->profiles; i++) {
		if (all[i].state == STATE_FREE)
			continue;
		totals.system_calls += all[i].count;
		report_profile(&w->report, i, &all[i]);
	}
	report_summary_end(&w->report, &totals);
	free(all);
}

static void on_signal(struct watch *w)
{
	struct signalfd_siginfo si;

	while (read(w->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGUSR1)
			print_summary(w);
		else if (si.ssi_signo == SIGCHLD)
			command_reap(w);
		else if (w->command <= 0)
			w->done = true;
		else if (si.ssi_code <=
			 0) /* a terminal's reaches the command by itself */
			kill(w->command, (int)si.ssi_signo);
	}
}

static void loop(struct watch *w)
{
	u64 start = now_ns(), next = start + w->o->interval_ns;
	struct pollfd fds[] = {{.fd = ring_buffer__epoll_fd(w->ring), .events = POLLIN},
			       {.fd = w->signals, .events = POLLIN}};

	while (!w->done && !w->report.error) {
		poll(fds, 2, TICK_MS);
		ring_buffer__consume(w->ring);
		on_signal(w);
		if (w->o->interval_ns && now_ns() >= next) {
			print_summary(w);
			next += w->o->interval_ns;
		}
		if (w->o->duration_ns && now_ns() - start >= w->o->duration_ns)
			w->done = true;
	}
}

/* Whatever ended the watching, the command's status is ours to pass on. */
static void command_wait(struct watch *w)
{
	struct pollfd fd = {.fd = w->signals, .events = POLLIN};

	while (w->command > 0) {
		poll(&fd, 1, -1);
		on_signal(w);
	}
}

static int start(struct watch *w, int *tell)
{
	sigset_t set;
	int result = prepare_maps(w);

	if (result) {
		fprintf(stderr, "ebph: cannot fill the kernel's tables: %s\n",
			strerror(-result));
		return result;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	w->ring = ring_buffer__new(w->l->events, on_event, w, NULL);
	if (w->signals < 0 || !w->ring) {
		fprintf(stderr, "ebph: cannot read events: %s\n", strerror(errno));
		return -EIO;
	}
	result = add_exes(w);
	if (!result && w->o->cgroup)
		result = add_cgroup(w, w->o->cgroup);
	if (result)
		return result;
	result = w->o->command ? command_start(w, tell) : add_pids(w);
	return result ? result : attach_all(w);
}

int watch(const struct options *o, struct loaded *l, const struct bounds *b, FILE *out)
{
	struct watch w = {.o = o, .l = l, .bounds = b, .links = {-1, -1, -1, -1, -1}};
	int tell = -1, result, status = 0;

	if (report_init(&w.report, out, b->profiles))
		return 1;
	w.report.json = o->json;
	w.report.quiet = o->quiet;
	w.report.timestamp = o->timestamp;
	result = start(&w, &tell);
	if (!result) {
		fprintf(stderr, "ebph: watching\n");
		if (tell >= 0 && write(tell, "", 1) != 1)
			w.done = true;
		loop(&w);
		detach_all(&w);
		ring_buffer__consume(w.ring);
		if (!o->quiet)
			print_summary(&w);
		command_wait(&w);
		status = o->command ? w.command_status : 0;
		if (o->check && w.report.anomalies)
			status = 3;
	}
	detach_all(&w);
	ring_buffer__free(w.ring);
	report_free(&w.report);
	if (w.report.error && w.report.error != EPIPE) {
		fprintf(stderr, "ebph: cannot write %s: %s\n",
			o->output ? o->output : "to standard output",
			strerror(w.report.error));
		return 1;
	}
	return result ? 1 : status;
}
