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

#include "feature.h"
#include "preempt.h"
#include "privilege.h"

static const char kernel_btf[] = "/sys/kernel/btf/vmlinux";

struct finding {
	char text[400];
	bool fatal; /* ebph cannot work like this */
};

struct feature {
	const char *name;
	void (*look)(struct finding *f, const char *argument);
	const char *argument;
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

static void look_kernel(struct finding *f, const char *unused)
{
	struct utsname u;

	(void)unused;
	uname(&u);
	say(f, "%s %s %s", u.sysname, u.release, u.machine);
}

static void look_libbcc(struct finding *f, const char *name)
{
	void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	char path[PATH_MAX];
	struct link_map *map;

	if (!library) {
		f->fatal = true;
		say(f, "%s cannot be opened: install libbpfcc, version 0.25 or later",
		    name);
		return;
	}
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) || !realpath(map->l_name, path))
		snprintf(path, sizeof(path), "%s", name);
	say(f, "%.380s", path);
	dlclose(library);
}

static void look_libbpf(struct finding *f, const char *unused)
{
	(void)unused;
	say(f, "%s", libbpf_version_string());
}

static void look_btf(struct finding *f, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		say(f, "no %s: the kernel was built without CONFIG_DEBUG_INFO_BTF", path);
	else
		say(f, "%s, %lld KB", path, (long long)st.st_size / 1024);
}

/* Headers of another kernel are worse than none: say whose they are. */
static void look_headers(struct finding *f, const char *unused)
{
	char path[300], line[200], release[100] = "";
	struct utsname u;

	(void)unused;
	uname(&u);
	snprintf(path, sizeof(path),
		 "/lib/modules/%s/build/include/generated/utsrelease.h", u.release);
	first_line(path, line, sizeof(line));
	if (sscanf(line, "#define UTS_RELEASE \"%99[^\"]", release) != 1)
		say(f, "none installed for this kernel");
	else if (strcmp(release, u.release))
		say(f, "/lib/modules/%.100s/build is of another kernel: %s", u.release,
		    release);
	else
		say(f, "/lib/modules/%.100s/build, this kernel's", u.release);
}

/* A program that does nothing: its descriptor or -errno. */
static int load_nothing(void)
{
	const struct bpf_insn nothing[] = {
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ebph_nothing", "GPL",
			       nothing, 2, NULL);

	return fd < 0 ? -errno : fd;
}

/* 1 or 0: programs of KIND may call FUNCTION; -errno: cannot be told. */
static int has_helper(enum bpf_prog_type kind, enum bpf_func_id function)
{
	int program = load_nothing(); /* without the right to, libbpf says "yes" */

	if (program < 0)
		return program;
	close(program);
	return libbpf_probe_bpf_helper(kind, function, NULL);
}

static void look_ring_buffer(struct finding *f, const char *unused)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ebph_ring", 0, 0,
				(unsigned int)sysconf(_SC_PAGESIZE), NULL);

	(void)unused;
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

static void look_task_storage(struct finding *f, const char *unused)
{
	int has = has_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_storage_get);

	(void)unused;
	if (has < 0)
		say(f, "cannot be told: %s", strerror(-has));
	else if (has && access(kernel_btf, R_OK))
		say(f, "yes, but not used without BTF: a hash of tasks leads to "
		       "the state of threads");
	else
		say(f, "%s",
		    has ? "yes, for the state of threads"
			: "no: a hash of tasks leads to the state of threads");
}

static void look_exchange(struct finding *f, const char *unused)
{
	int has = feature_exchange();

	(void)unused;
	if (has < 0)
		say(f, "cannot be told: %s", strerror(-has));
	else
		say(f, "%s",
		    has ? "yes, for the locks of profiles"
			: "no: the locks of profiles are entries of a hash");
}

static void look_tracepoint(struct finding *f, const char *name)
{
	int program = load_nothing();
	int link = program < 0 ? program : bpf_raw_tracepoint_open(name, program);
	int result = program < 0 ? program : link < 0 ? -errno : 0;

	f->fatal = result != 0;
	if (program < 0)
		say(f, "no program can be loaded: %s", strerror(-result));
	else if (result)
		say(f, "cannot be attached to: %s", strerror(-result));
	else
		say(f, "yes");
	if (link >= 0)
		close(link);
	if (program >= 0)
		close(program);
}

static void look_preemption(struct finding *f, const char *unused)
{
	int may = preempt_raw_tracepoints();

	(void)unused;
	if (may < 0 && access(kernel_btf, R_OK))
		say(f, "cannot be told without BTF: ebph takes raw tracepoints");
	else if (may < 0)
		say(f, "cannot be told: %s", strerror(-may));
	else
		say(f, "programs of raw tracepoints %s",
		    may ? "may be preempted: ebph takes the classic ones"
			: "are not preempted: ebph takes them");
}

static void look_send_signal(struct finding *f, const char *unused)
{
	int has = has_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_send_signal);

	(void)unused;
	if (has < 0)
		say(f, "cannot be told: %s", strerror(-has));
	else
		say(f, "%s", has ? "yes" : "no: a thread cannot be stopped or killed");
}

/* 1 when WORD is one of the words of LIST, which commas and spaces separate. */
static int has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at; at += strspn(at, ", ")) {
		size_t part = strcspn(at, ", ");

		if (part == length && !strncmp(at, word, part))
			return 1;
		at += part;
	}
	return 0;
}

static void look_lsm(struct finding *f, const char *path)
{
	char list[300];

	first_line(path, list, sizeof(list));
	if (!*list)
		say(f, "cannot be told: %s cannot be read", path);
	else if (has_word(list, "bpf"))
		say(f, "active (%s)", list);
	else
		say(f, "not active (%s): needs bpf in the kernel's lsm= to deny an exec",
		    list);
}

static void look_jit(struct finding *f, const char *path)
{
	char value[16];

	first_line(path, value, sizeof(value));
	if (!*value)
		say(f, "cannot be told: %s cannot be read", path);
	else if (*value == '0')
		say(f, "off: every system call costs more; set %s to 1", path);
	else
		say(f, "on (%s)", value);
}

/* The mode is the word in square brackets. */
static void look_lockdown(struct finding *f, const char *path)
{
	char line[100];

	first_line(path, line, sizeof(line));
	f->fatal = strstr(line, "[confidentiality]") != NULL;
	if (f->fatal)
		say(f, "confidentiality: programs may not read the kernel's memory, so "
		       "ebph cannot run; boot with lockdown=integrity or none");
	else if (strstr(line, "[integrity]"))
		say(f, "integrity: ebph may run");
	else
		say(f, "%s", *line ? "none" : "not in this kernel, or not to be read");
}

static void look_capabilities(struct finding *f, const char *unused)
{
	u64 held = privilege_held();
	char list[PRIVILEGE_TEXT];

	(void)unused;
	f->fatal = feature_capabilities(held, ~0U) != NULL;
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

static void look_unprivileged(struct finding *f, const char *path)
{
	char value[16];

	first_line(path, value, sizeof(value));
	if (!*value)
		say(f, "cannot be told: %s cannot be read", path);
	else
		say(f, "%s",
		    *value == '0' ? "allowed: ordinary users may load programs"
				  : "not allowed");
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
static void look_memory(struct finding *f, const char *unused)
{
	/* as old as this function */
	int charged =
		has_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns);
	struct rlimit locked = {0};
	char limit[40];

	(void)unused;
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
	{"kernel", look_kernel, NULL},
	{"libbcc", look_libbcc, "libbcc.so.0"},
	{"libbpf", look_libbpf, NULL},
	{"BTF", look_btf, kernel_btf},
	{"kernel headers", look_headers, NULL},
	{"capabilities", look_capabilities, NULL},
	{"lockdown", look_lockdown, "/sys/kernel/security/lockdown"},
	{"ring buffer", look_ring_buffer, NULL},
	{"task storage", look_task_storage, NULL},
	{"atomic exchange", look_exchange, NULL},
	{"sys_enter", look_tracepoint, "sys_enter"},
	{"sched_process_fork", look_tracepoint, "sched_process_fork"},
	{"sched_process_exec", look_tracepoint, "sched_process_exec"},
	{"sched_process_exit", look_tracepoint, "sched_process_exit"},
	{"signal_deliver", look_tracepoint, "signal_deliver"},
	{"preemption", look_preemption, NULL},
	{"send_signal", look_send_signal, NULL},
	{"BPF LSM", look_lsm, "/sys/kernel/security/lsm"},
	{"JIT", look_jit, "/proc/sys/net/core/bpf_jit_enable"},
	{"unprivileged BPF", look_unprivileged,
	 "/proc/sys/kernel/unprivileged_bpf_disabled"},
	{"memory", look_memory, NULL},
};

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int probe_print(FILE *out, char *error, size_t size)
{
	libbpf_print_fn_t before = libbpf_set_print(print_nothing);
	int fatal = 0;

	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
		struct finding f = {0};

		features[i].look(&f, features[i].argument);
		fprintf(out, "%-18s  %s\n", features[i].name, f.text);
		if (f.fatal && !fatal++)
			snprintf(error, size, "%s: %s", features[i].name, f.text);
	}
	libbpf_set_print(before);
	return fatal;
}
