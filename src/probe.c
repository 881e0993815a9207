/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "attach.h"
#include "feature.h"
#include "kernel.h"
#include "preempt.h"
#include "privilege.h"
#include "tree.h"

/* What several lines are about. */
struct machine {
	const char *headers; /* as --kernel-headers says */
	struct btf *btf;     /* NULL: none, and why: */
	char no_btf[300];
	struct preempt_choice tracepoints;
};

struct finding;

struct feature {
	const char *name;
	void (*look)(struct finding *f);
	const char *argument; /* a file, a library, or a tracepoint's group */
	const char *purpose;  /* of a tracepoint */
};

struct finding {
	const struct machine *machine;
	const struct feature *feature;
	char text[600];
	bool fatal; /* ebph cannot work like this */
};

static __attribute__((format(printf, 2, 3))) void say(struct finding *f,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
}

/* The first line of PATH without its end; an empty one when it cannot be read. */
static const char *first_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	*line = '\0';
	if (f && !fgets(line, (int)size, f))
		*line = '\0';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void look_kernel(struct finding *f)
{
	struct utsname u;

	uname(&u);
	say(f, "%s %s %s", u.sysname, u.release, u.machine);
}

static void look_libbcc(struct finding *f)
{
	void *library = dlopen(f->feature->argument, RTLD_LAZY | RTLD_LOCAL);
	char path[PATH_MAX];
	struct link_map *map;

	if (!library) {
		f->fatal = true;
		say(f, "%s cannot be opened: install libbpfcc, version 0.25 or later",
		    f->feature->argument);
		return;
	}
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) || !realpath(map->l_name, path))
		snprintf(path, sizeof(path), "%s", f->feature->argument);
	say(f, "%.380s (compiles the BPF source)", path);
	dlclose(library);
}

static void look_libbpf(struct finding *f)
{
	say(f, "%s (reads BTF, attaches the programs)", libbpf_version_string());
}

static bool has_headers_named(const struct machine *m)
{
	return strcmp(m->headers, "auto") && strcmp(m->headers, "btf");
}

static void look_btf(struct finding *f)
{
	const char *path = kernel_btf_file();
	struct stat st = {0};

	if (!f->machine->btf) {
		say(f, "no: %s; headers must do", f->machine->no_btf);
		return;
	}
	stat(path, &st);
	say(f, "%s, %lld KB, for %s", path, (long long)st.st_size / 1024,
	    has_headers_named(f->machine) ? "what the headers do not tell"
					  : "the layout of the kernel's structs");
}

/* Headers of another kernel are worse than none: say whose they are. */
static void look_headers(struct finding *f)
{
	const struct machine *m = f->machine;
	char dir[PATH_MAX], error[500];
	struct utsname u;
	struct tree t;

	uname(&u);
	snprintf(dir, sizeof(dir), "/lib/modules/%s/build", u.release);
	if (has_headers_named(m)) {
		snprintf(dir, sizeof(dir), "%s", m->headers);
	} else if (access(dir, F_OK)) {
		say(f, "none installed for this kernel%s",
		    m->btf ? "; not needed with BTF" : "");
		return;
	}
	if (tree_open(dir, &t, error, sizeof(error)) ||
	    tree_check(&t, dir, u.release, error, sizeof(error)))
		say(f, "%s", error);
	else
		say(f, "%.300s, this kernel's; %s", dir,
		    has_headers_named(m) ? "taken, as --kernel-headers says"
		    : m->btf		 ? "not needed with BTF"
					 : "taken in place of BTF");
}

static void look_kheaders(struct finding *f)
{
	const char *path = f->feature->argument;

	say(f, "%s%s%s", access(path, R_OK) ? "no " : "", path,
	    f->machine->btf ? "; not needed with BTF"
			    : "; for where neither BTF nor those above are");
}

/* Say YES or NO, as HAS is 1 or 0, or why it cannot be told: -errno. */
static void say_whether(struct finding *f, int has, const char *yes, const char *no)
{
	if (has < 0)
		say(f, "cannot be told: %s", strerror(-has));
	else
		say(f, "%s", has ? yes : no);
}

static void look_ring_buffer(struct finding *f)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ebph_ring", 0, 0,
				(unsigned int)sysconf(_SC_PAGESIZE), NULL);

	f->fatal = fd < 0;
	if (fd >= 0)
		say(f, "yes, for events");
	else if (errno == EINVAL)
		say(f, "no: ebph needs Linux 5.8 or later");
	else
		say(f, "cannot be made: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void look_task_storage(struct finding *f)
{
	say_whether(
		f,
		feature_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_storage_get),
		f->machine->btf ? "yes, for the state of threads"
				: "yes, but not used without BTF: a hash of tasks leads "
				  "to the state of threads",
		"no: a hash of tasks leads to the state of threads");
}

static void look_exchange(struct finding *f)
{
	say_whether(f, feature_exchange(), "yes, for the locks of profiles",
		    "no: the locks of profiles are entries of a hash");
}

/* Attach a program that does nothing to tracepoint X for a moment: 0 or -errno. */
static int try_tracepoint(const struct feature *x, bool raw)
{
	int program = feature_program(raw ? BPF_PROG_TYPE_RAW_TRACEPOINT
					  : BPF_PROG_TYPE_TRACEPOINT);
	int link = program;

	if (program < 0)
		return program;
	if (raw) {
		link = bpf_raw_tracepoint_open(x->name, program);
		link = link < 0 ? -errno : link;
	} else {
		link = attach_classic(attach_classic_id(x->argument, x->name), program);
	}
	if (link >= 0)
		close(link);
	close(program);
	return link < 0 ? link : 0;
}

static void look_tracepoint(struct finding *f)
{
	const struct feature *x = f->feature;
	const bool raw = f->machine->tracepoints.raw;
	int result = try_tracepoint(x, raw), classic;

	f->fatal = result != 0;
	if (result) {
		say(f, "the %s one cannot be attached to: %s%s", raw ? "raw" : "classic",
		    strerror(-result), raw ? "" : attach_classic_advice(result));
	} else if (!raw) {
		say(f, "the classic one, for %s", x->purpose);
	} else {
		classic = attach_classic_id(x->argument, x->name);
		say(f, "the raw one, for %s (the classic one: %s)", x->purpose,
		    classic < 0 ? strerror(-classic) : "yes");
	}
}

/* It is raw whatever the others are, and responses alone need it. */
static void look_response_tracepoint(struct finding *f)
{
	int result = try_tracepoint(f->feature, true);

	if (result)
		say(f,
		    "the raw one cannot be attached to: %s; no --delay, no --abort-exec",
		    strerror(-result));
	else
		say(f, "the raw one, for %s", f->feature->purpose);
}

static void look_preemption(struct finding *f)
{
	const struct preempt_choice c = f->machine->tracepoints;
	const char *taken = c.raw ? "raw tracepoints" : "classic tracepoints",
		   *wished = c.wished ? ", as EBPH_TRACEPOINTS says" : "";

	if (!f->machine->btf)
		say(f, "cannot be told without BTF: ebph takes %s", taken);
	else if (c.preempted < 0)
		say(f, "cannot be told: %s: ebph takes %s%s", strerror(-c.preempted),
		    taken, wished);
	else
		say(f, "programs of raw tracepoints %s preempted: ebph takes %s%s",
		    c.preempted ? "may be" : "are not", taken, wished);
}

static void look_send_signal(struct finding *f)
{
	say_whether(f, feature_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_send_signal),
		    "yes, for --delay and --abort-exec-by kill",
		    "no: a thread cannot be stopped or killed");
}

static void look_lsm(struct finding *f)
{
	const char *path = f->feature->argument;
	char list[300];

	first_line(path, list, sizeof(list));
	if (!*list)
		say(f,
		    "cannot be told, and --abort-exec must know: %s cannot be read; "
		    "mount -t securityfs securityfs /sys/kernel/security",
		    path);
	else if (feature_lists(list, "bpf"))
		say(f, "active (%s), for --abort-exec", list);
	else
		say(f, "not active (%s): needs bpf in the kernel's lsm= to deny an exec",
		    list);
}

static void look_jit(struct finding *f)
{
	char value[16];

	first_line(f->feature->argument, value, sizeof(value));
	if (!*value)
		say(f, "cannot be told: %s cannot be read", f->feature->argument);
	else if (*value == '0')
		say(f, "off: every system call costs more; set %s to 1",
		    f->feature->argument);
	else
		say(f, "on (%s), so that a system call costs little more", value);
}

/* The mode is the word in square brackets. */
static void look_lockdown(struct finding *f)
{
	char line[100];

	first_line(f->feature->argument, line, sizeof(line));
	f->fatal = strstr(line, "[confidentiality]") != NULL;
	if (f->fatal)
		say(f, "confidentiality: programs may not read the kernel's memory, so "
		       "ebph cannot run; boot with lockdown=integrity or none");
	else if (strstr(line, "[integrity]"))
		say(f, "integrity: ebph may run");
	else
		say(f, "%s", *line ? "none" : "not in this kernel, or not to be read");
}

static void look_capabilities(struct finding *f)
{
	u64 held = privilege_held();
	char list[PRIVILEGE_TEXT];

	f->fatal = feature_capabilities(held, feature_knows_cap_bpf()) != NULL;
	privilege_text(held & (1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_RESOURCE |
			       1ULL << CAP_SYS_PTRACE | 1ULL << CAP_KILL |
			       1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_PERFMON |
			       1ULL << CAP_BPF),
		       list);
	if (f->fatal)
		say(f,
		    "ebph needs root, or CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON; "
		    "it has %.200s%s",
		    list, strcmp(list, "none") ? "" : " of them");
	else
		say(f, "%.300s", list);
}

static void look_unprivileged(struct finding *f)
{
	char value[16];

	first_line(f->feature->argument, value, sizeof(value));
	if (!*value)
		say(f, "cannot be told: %s cannot be read", f->feature->argument);
	else
		say(f, "%s",
		    *value == '0'
			    ? "allowed: ordinary users may load programs; ebph does not "
			      "count on that"
			    : "not allowed; ebph has no need of it");
}

/* The limit of the cgroup (version 2) that this process is in. */
static void cgroup_limit(char *limit, size_t size)
{
	char path[PATH_MAX + 100], line[PATH_MAX];
	FILE *f = fopen("/proc/self/cgroup", "re");

	*limit = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", line + 3);
		first_line(path, limit, size);
	}
	if (f)
		fclose(f);
}

/* From 5.11 on maps are charged to a cgroup, before that to RLIMIT_MEMLOCK. */
static void look_memory(struct finding *f)
{
	int charged = feature_charges_cgroup();
	struct rlimit locked = {0};
	char limit[40];

	cgroup_limit(limit, sizeof(limit));
	getrlimit(RLIMIT_MEMLOCK, &locked);
	if (charged < 0)
		say(f, "cannot be told: %s", strerror(-charged));
	else if (charged)
		say(f, "maps count against the memory cgroup, limit: %s",
		    *limit ? limit : "none");
	else if (locked.rlim_max == RLIM_INFINITY)
		say(f, "maps count against RLIMIT_MEMLOCK, which is unlimited");
	else
		say(f,
		    "maps count against RLIMIT_MEMLOCK, %llu KB; ebph raises it when it "
		    "has CAP_SYS_RESOURCE",
		    (unsigned long long)locked.rlim_max / 1024);
}

static const struct feature features[] = {
	{"kernel", look_kernel, NULL, NULL},
	{"libbcc", look_libbcc, "libbcc.so.0", NULL},
	{"libbpf", look_libbpf, NULL, NULL},
	{"BTF", look_btf, NULL, NULL},
	{"kernel headers", look_headers, NULL, NULL},
	{"kheaders", look_kheaders, "/sys/kernel/kheaders.tar.xz", NULL},
	{"capabilities", look_capabilities, NULL, NULL},
	{"lockdown", look_lockdown, "/sys/kernel/security/lockdown", NULL},
	{"ring buffer", look_ring_buffer, NULL, NULL},
	{"task storage", look_task_storage, NULL, NULL},
	{"atomic exchange", look_exchange, NULL, NULL},
	{"preemption", look_preemption, NULL, NULL},
	{"sys_enter", look_tracepoint, "raw_syscalls", "system calls"},
	{"sched_process_fork", look_tracepoint, "sched", "threads that begin"},
	{"sched_process_exec", look_tracepoint, "sched", "programs that begin"},
	{"sched_process_exit", look_tracepoint, "sched", "threads that end"},
	{"signal_deliver", look_tracepoint, "signal", "signal handlers that begin"},
	{"signal_generate", look_response_tracepoint, "signal",
	 "who else stops what --delay stops"},
	{"send_signal", look_send_signal, NULL, NULL},
	{"BPF LSM", look_lsm, "/sys/kernel/security/lsm", NULL},
	{"JIT", look_jit, "/proc/sys/net/core/bpf_jit_enable", NULL},
	{"unprivileged BPF", look_unprivileged,
	 "/proc/sys/kernel/unprivileged_bpf_disabled", NULL},
	{"memory", look_memory, NULL, NULL},
};

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int probe_print(FILE *out, const char *headers, char *error, size_t size)
{
	libbpf_print_fn_t before = libbpf_set_print(print_nothing);
	struct machine m = {.headers = headers};
	int fatal = 0;

	m.btf = kernel_load_btf(m.no_btf, sizeof(m.no_btf));
	m.tracepoints = preempt_choose(m.btf);
	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
		struct finding f = {.machine = &m, .feature = &features[i]};

		features[i].look(&f);
		fprintf(out, "%-18s  %s\n", features[i].name, f.text);
		if (f.fatal && !fatal++)
			snprintf(error, size, "%s: %s", features[i].name, f.text);
	}
	btf__free(m.btf);
	libbpf_set_print(before);
	return fatal;
}
