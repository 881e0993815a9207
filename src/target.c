/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "target.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- programs ---- */

/* Let the kernel side know the file of E: 0 or -errno; -EINVAL: no regular file. */
static int add_exe(const struct loaded *l, struct target_exe *e)
{
	int fd = open(e->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	u64 args[2] = {fd, e->how};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .ctx_in = args, .ctx_size_in = sizeof(args)};
	struct stat st = {0};
	int result = 0;

	if (fd < 0 || fstat(fd, &st))
		result = -errno;
	else if (!S_ISREG(st.st_mode))
		result = -EINVAL;
	else if (bpf_prog_test_run_opts(l->resolve, &run))
		result = -errno;
	else if (run.retval)
		result = -ENOSPC;
	if (!result) {
		e->device = st.st_dev;
		e->inode = st.st_ino;
		e->changed = st.st_ctim;
	}
	if (fd >= 0)
		close(fd);
	return result;
}

/* The same; what failed is in ERROR. */
static int try_exe(const struct loaded *l, struct target_exe *e, char *error, size_t size)
{
	int result = add_exe(l, e);

	if (result == -ENOSPC)
		snprintf(error, size,
			 "cannot use the program %s: over %d files were named, those "
			 "included that have been replaced; start ebph again",
			 e->path, EXES_MAX);
	else if (result)
		snprintf(error, size, "cannot use the program %s: %s%s", e->path,
			 result == -EINVAL ? "it is no regular file" : strerror(-result),
			 result == -EACCES ? "; to look at it takes its owner, root or "
					     "CAP_DAC_READ_SEARCH"
					   : "");
	return result;
}

static int add_exes(struct targets *t, const char *const *paths, size_t count,
		    enum exe how, char *error, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		struct target_exe *e = &t->exes[t->exe_count++];
		int result;

		*e = (struct target_exe){.path = paths[i], .how = how};
		result = try_exe(t->l, e, error, size);
		if (result)
			return result;
	}
	return 0;
}

/* Whether another file than that in E, or none that E knows, is at its path. */
static bool has_another(const struct target_exe *e)
{
	struct stat st;

	return !stat(e->path, &st) && (st.st_dev != e->device || st.st_ino != e->inode ||
				       st.st_ctim.tv_sec != e->changed.tv_sec ||
				       st.st_ctim.tv_nsec != e->changed.tv_nsec);
}

int targets_refresh(struct targets *t, char *error, size_t size)
{
	for (size_t i = 0; i < t->exe_count; i++) {
		struct target_exe *e = &t->exes[i];
		bool had_failed = e->failed;
		int result;

		if (!has_another(e))
			continue;
		result = try_exe(t->l, e, error, size);
		/* it may have gone again just now */
		e->failed = result && result != -ENOENT;
		if (e->failed && !had_failed)
			return result;
	}
	return 0;
}

/* ---- a cgroup ---- */

static int add_cgroup(const struct loaded *l, const char *path, char *error, size_t size)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	u32 first = 0;

	if (fd < 0 || bpf_map_update_elem(l->cgroups, &first, &fd, BPF_ANY))
		result = -errno;
	if (result)
		snprintf(error, size,
			 "cannot watch the cgroup %s: %s; give the folder of a cgroup of "
			 "version 2, such as one below /sys/fs/cgroup",
			 path,
			 result == -EBADF ? "it is none" /* the kernel's word for that */
					  : strerror(-result));
	if (fd >= 0)
		close(fd);
	return result;
}

/* ---- processes ---- */

struct process {
	pid_t parent;
	unsigned int flags; /* PF_* of the kernel */
};

/* What /proc says of PID: 0 or -errno. */
static int process_read(pid_t pid, struct process *p)
{
	char path[64], text[512];
	const char *rest;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	/* The name, in brackets, may hold anything: PID (NAME) STATE PPID ... */
	rest = strrchr(text, ')');
	if (!rest ||
	    sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %u", &p->parent, &p->flags) != 2)
		return -EIO;
	return 0;
}

/* The process that thread TID belongs to; 0: none. */
static pid_t group_of(pid_t tid)
{
	char path[64], line[128];
	int tgid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	if (f)
		fclose(f);
	return tgid;
}

/* PID must be a process with a program of its own; gives a pidfd or -errno. */
static int check_process(pid_t pid, char *error, size_t size)
{
	const unsigned int kernel_thread = 0x00200000; /* PF_KTHREAD */
	struct process p;
	pid_t group = group_of(pid);
	int fd;

	if (!group || process_read(pid, &p)) {
		snprintf(error, size, "no process has the id %d", (int)pid);
		return -ESRCH;
	}
	if (p.flags & kernel_thread) {
		snprintf(error, size,
			 "%d is a kernel thread: it makes no system calls to watch",
			 (int)pid);
		return -EINVAL;
	}
	if (group != pid) {
		snprintf(error, size,
			 "%d is a thread of process %d: give the process's id", (int)pid,
			 (int)group);
		return -EINVAL;
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) {
		snprintf(error, size, "cannot watch process %d: %s", (int)pid,
			 strerror(errno));
		return -errno;
	}
	return fd;
}

static int check_processes(struct targets *t, char *error, size_t size)
{
	for (size_t i = 0; i < t->o->pid_count; i++) {
		int fd = check_process(t->o->pids[i], error, size);

		if (fd < 0)
			return fd;
		t->pidfds[i] = fd;
	}
	return 0;
}

static int add(const struct loaded *l, pid_t pid, enum target how)
{
	u32 key = pid, value = how;

	return bpf_map_update_elem(l->targets, &key, &value, BPF_ANY) ? -errno : 0;
}

static bool is_target(const struct loaded *l, pid_t pid)
{
	u32 key = pid, value;

	return !bpf_map_lookup_elem(l->targets, &key, &value);
}

/* One walk through all processes: how many became targets by their parent, or -errno. */
static int add_children(const struct loaded *l)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	int added = 0, result = 0;

	if (!proc)
		return -errno;
	while (!result && (d = readdir(proc))) {
		struct process p;
		pid_t pid = atoi(d->d_name);

		if (!isdigit((unsigned char)d->d_name[0]) || is_target(l, pid) ||
		    process_read(pid, &p) || !is_target(l, p.parent))
			continue;
		result = add(l, pid, TARGET_NOW);
		added++;
	}
	closedir(proc);
	return result ? result : added;
}

int targets_add_processes(struct targets *t, char *error, size_t size)
{
	int result = 0;

	for (size_t i = 0; i < t->o->pid_count && !result; i++)
		result = add(t->l, t->o->pids[i], TARGET_NOW);
	if (!result && t->o->pid_count)
		do
			result = add_children(t->l);
		while (result > 0);
	if (result)
		snprintf(error, size, "cannot follow the processes of --pid: %s",
			 result == -E2BIG ? "with their children they are over 8192"
					  : strerror(-result));
	return result;
}

int targets_check_alive(const struct targets *t, char *error, size_t size)
{
	for (size_t i = 0; i < t->o->pid_count; i++) {
		struct pollfd fd = {.fd = t->pidfds[i], .events = POLLIN};

		if (poll(&fd, 1, 0) > 0) {
			snprintf(error, size,
				 "process %d ended while it was being attached to",
				 (int)t->o->pids[i]);
			return -ESRCH;
		}
	}
	return 0;
}

int targets_add_after_exec(struct targets *t, pid_t pid)
{
	return add(t->l, pid, TARGET_AFTER_EXEC);
}

/* ---- all together ---- */

int targets_respond(struct targets *t, char *error, size_t size)
{
	const struct options *o = t->o;
	int result;

	t->exe_count = o->exe_count + o->not_exe_count;
	result = add_exes(t, o->respond, o->respond_count, EXE_RESPOND, error, size);
	return result ? result
		      : add_exes(t, o->never_respond, o->never_respond_count, EXE_NEVER,
				 error, size);
}

int targets_init(struct targets *t, const struct loaded *l, const struct options *o,
		 char *error, size_t size)
{
	int result;

	*t = (struct targets){.l = l, .o = o};
	t->exes = calloc(o->exe_count + o->not_exe_count + o->respond_count +
				 o->never_respond_count + 1,
			 sizeof(*t->exes));
	t->pidfds = calloc(o->pid_count + 1, sizeof(*t->pidfds));
	if (!t->exes || !t->pidfds) {
		snprintf(error, size, "no memory for what is to be watched");
		return -ENOMEM;
	}
	for (size_t i = 0; i < o->pid_count; i++)
		t->pidfds[i] = -1;
	result = check_processes(t, error, size);
	if (!result)
		result = add_exes(t, o->exes, o->exe_count, EXE_ONLY, error, size);
	if (!result)
		result = add_exes(t, o->not_exes, o->not_exe_count, EXE_NOT, error, size);
	if (!result && options_respond(o))
		result = targets_respond(t, error, size);
	if (!result && o->cgroup)
		result = add_cgroup(l, o->cgroup, error, size);
	return result;
}

void targets_free(struct targets *t)
{
	for (size_t i = 0; t->pidfds && t->o && i < t->o->pid_count; i++)
		if (t->pidfds[i] >= 0)
			close(t->pidfds[i]);
	free(t->pidfds);
	free(t->exes);
	*t = (struct targets){0};
}
