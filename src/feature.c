/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "feature.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "privilege.h"

#define FIRST_PID_NAMESPACE 0xeffffffcU /* its inode: PROC_PID_INIT_INO in the kernel */

static const struct {
	enum bpf_map_type type;
	const char *name;
} maps[] = {
	{BPF_MAP_TYPE_ARRAY, "array maps (Linux 3.19)"},
	{BPF_MAP_TYPE_HASH, "hash maps (Linux 3.19)"},
	{BPF_MAP_TYPE_PROG_ARRAY, "tail calls (Linux 4.2)"},
	{BPF_MAP_TYPE_PERCPU_ARRAY, "arrays with a value per CPU (Linux 4.6)"},
	{BPF_MAP_TYPE_CGROUP_ARRAY, "arrays of cgroups (Linux 4.8, CONFIG_CGROUPS)"},
	{BPF_MAP_TYPE_STACK, "stack maps (Linux 4.20)"},
	{BPF_MAP_TYPE_RINGBUF, "ring buffers (Linux 5.8)"},
};

static const struct {
	enum bpf_func_id id;
	const char *name;
	bool storage; /* asked for with task storage only */
} helpers[] = {
	{BPF_FUNC_probe_read_kernel, "bpf_probe_read_kernel (Linux 5.5)", false},
	{BPF_FUNC_probe_read_kernel_str, "bpf_probe_read_kernel_str (Linux 5.5)", false},
	{BPF_FUNC_jiffies64, "bpf_jiffies64 (Linux 5.5)", false},
	{BPF_FUNC_ktime_get_boot_ns, "bpf_ktime_get_boot_ns (Linux 5.8)", false},
	{BPF_FUNC_ringbuf_output, "bpf_ringbuf_output (Linux 5.8)", false},
	{BPF_FUNC_get_current_task_btf, "bpf_get_current_task_btf (Linux 5.11)", true},
	{BPF_FUNC_task_storage_get, "bpf_task_storage_get (Linux 5.13)", true},
};

bool feature_knows_cap_bpf(void)
{
	return prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) >= 0;
}

const char *feature_capabilities(unsigned long long effective, bool knows_cap_bpf)
{
	const bool admin = effective >> CAP_SYS_ADMIN & 1, bpf = effective >> CAP_BPF & 1,
		   perfmon = effective >> CAP_PERFMON & 1;

	if (admin)
		return NULL;
	if (!knows_cap_bpf)
		return "CAP_SYS_ADMIN";
	if (bpf && perfmon)
		return NULL;
	return bpf	 ? "CAP_PERFMON beside CAP_BPF, or CAP_SYS_ADMIN"
	       : perfmon ? "CAP_BPF beside CAP_PERFMON, or CAP_SYS_ADMIN"
			 : "CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON";
}

bool feature_locked_down(const char *text)
{
	return strstr(text, "[confidentiality]") != NULL;
}

static bool locked_down(void)
{
	char text[128] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	if (f && !fgets(text, sizeof(text), f))
		*text = 0;
	if (f)
		fclose(f);
	return feature_locked_down(text);
}

/* Load COUNT instructions as a program of KIND: its descriptor, or -errno. */
static int load(enum bpf_prog_type kind, const struct bpf_insn *code, size_t count)
{
	int fd = bpf_prog_load(kind, "ebph_nothing", "GPL", code, count, NULL);

	return fd < 0 ? -errno : fd;
}

int feature_program(enum bpf_prog_type kind)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load(kind, nothing, sizeof(nothing) / sizeof(*nothing));
}

/* Whether PROGRAM was compiled to machine code, or else is interpreted. */
static bool is_compiled(int program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(program, &info, &size) && info.jited_prog_len;
}

/* The first map type or helper that the kernel does not have, or NULL. */
static const char *first_missing(bool task_storage)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		if (!libbpf_probe_bpf_map_type(maps[i].type, NULL))
			return maps[i].name;
	for (size_t i = 0; i < sizeof(helpers) / sizeof(*helpers); i++)
		if ((task_storage || !helpers[i].storage) &&
		    !libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, helpers[i].id,
					     NULL))
			return helpers[i].name;
	if (task_storage && !libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL))
		return "storage in tasks (Linux 5.11)";
	return NULL;
}

/* 1 with a sentence in ERROR when something is missing, else 0. */
static int probe(bool task_storage, const char *release, char *error, size_t size)
{
	const char *missing = first_missing(task_storage);

	if (!missing)
		return 0;
	snprintf(error, size,
		 "this kernel (%s) has no BPF %s; ebph needs Linux 5.8 or later", release,
		 missing);
	return 1;
}

/* Load the smallest program: 0, or its -errno with a sentence in ERROR. */
static int check_loading(const char *release, char *error, size_t size)
{
	int program = feature_program(BPF_PROG_TYPE_RAW_TRACEPOINT);
	int result = program < 0 ? program : 0;

	if (program >= 0)
		close(program);
	if (result == -ENOSYS)
		snprintf(error, size,
			 "this system has no bpf() system call: the kernel (%s) needs "
			 "CONFIG_BPF_SYSCALL, and a container's seccomp filter must let "
			 "bpf() through",
			 release);
	else if (result == -EPERM || result == -EACCES)
		snprintf(
			error, size,
			"the bpf() system call is forbidden here (%s) in spite of the "
			"capabilities: a container's seccomp filter or user namespace, a "
			"security module, or lockdown; run ebph on the host, as root",
			strerror(-result));
	else if (result == -EINVAL)
		snprintf(error, size,
			 "this kernel (%s) has no BPF programs on raw tracepoints (Linux "
			 "4.17, CONFIG_BPF_EVENTS); ebph needs Linux 5.8 or later",
			 release);
	else if (result)
		snprintf(error, size, "the kernel loads no BPF program at all: %s",
			 strerror(-result));
	return result;
}

/*
 * The kernel side's process ids are those of the first namespace: -p, delays, and not
 * watching ebph itself would be about other processes than ours.
 */
static bool has_own_process_ids(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) &&
	       (unsigned int)st.st_ino != FIRST_PID_NAMESPACE;
}

int feature_check(char *error, size_t size)
{
	struct utsname u;
	const char *needed =
		feature_capabilities(privilege_held(), feature_knows_cap_bpf());
	int result;

	uname(&u);
	if (needed) {
		snprintf(
			error, size,
			"loading BPF programs needs root, or a process with %s; run ebph "
			"as root, or give it these capabilities",
			needed);
		return -EPERM;
	}
	if (has_own_process_ids()) {
		snprintf(
			error, size,
			"this is a container with process ids of its own, and ebph needs "
			"those that the kernel uses: run it on the host, or in a "
			"container with the host's (docker run --pid=host)");
		return -ENOTSUP;
	}
	result = check_loading(u.release, error, size);
	if (result)
		return result;
	if (locked_down()) {
		snprintf(error, size,
			 "the kernel is locked down (confidentiality): BPF programs may "
			 "not read its memory; see /sys/kernel/security/lockdown, and "
			 "lockdown= on the kernel's command line");
		return -EPERM;
	}
	/* before anyone installs headers in vain */
	if (!libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) &&
	    feature_missing(false, error, size))
		return -ENOTSUP;
	return 0;
}

/*
 * Does locked memory, which maps and programs count as before 5.11, have a limit? Where it
 * is so low that not even this may ask, it is refused like all else.
 */
static bool memory_is_limited(struct rlimit *limit)
{
	int charged = feature_charges_cgroup();

	return !getrlimit(RLIMIT_MEMLOCK, limit) && limit->rlim_cur != RLIM_INFINITY &&
	       (charged == 0 || charged == -EPERM);
}

/* Whether there is room for so few open files that a probe may fail of that alone. */
static bool files_are_limited(struct rlimit *limit)
{
	int fds[4], count = 0;
	bool limited;

	while (count < 4 && (fds[count] = memfd_create("ebph-probe", MFD_CLOEXEC)) >= 0)
		count++;
	limited = count < 4 && errno == EMFILE && !getrlimit(RLIMIT_NOFILE, limit);
	while (count--)
		close(fds[count]);
	return limited;
}

int feature_missing(bool task_storage, char *error, size_t size)
{
	struct utsname u;
	struct rlimit limit;

	uname(&u);
	/* a probe is a map or program itself and would be refused for the same reason */
	if (memory_is_limited(&limit)) {
		snprintf(
			error, size,
			"the kernel (%s) counts BPF maps as locked memory, and the limit "
			"of %llu KB could not be raised; give ebph CAP_SYS_RESOURCE, or "
			"raise it (ulimit -l unlimited)",
			u.release, (unsigned long long)limit.rlim_cur / 1024);
		return 1;
	}
	if (files_are_limited(&limit)) {
		snprintf(error, size,
			 "too many open files: no more than %llu are allowed; raise the "
			 "limit (ulimit -n)",
			 (unsigned long long)limit.rlim_cur);
		return 1;
	}
	return probe(task_storage, u.release, error, size);
}

int feature_helper(enum bpf_prog_type kind, enum bpf_func_id function)
{
	/* without the right to load any, libbpf says "yes" */
	int program = feature_program(BPF_PROG_TYPE_RAW_TRACEPOINT);

	if (program < 0)
		return program;
	close(program);
	return libbpf_probe_bpf_helper(kind, function, NULL);
}

int feature_charges_cgroup(void)
{
	/* a function that is as old as that */
	return feature_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns);
}

int feature_exchange(void)
{
	const struct bpf_insn exchange[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .off = -8,
		 .imm = BPF_XCHG},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const enum bpf_prog_type kind = BPF_PROG_TYPE_RAW_TRACEPOINT;
	int usual = feature_program(kind), program, result;

	if (usual < 0)
		return usual;
	program = load(kind, exchange, sizeof(exchange) / sizeof(*exchange));
	/* What arm64 cannot compile, to 5.17, is interpreted: no tail call leads there. */
	result = program >= 0 && is_compiled(program) == is_compiled(usual);
	if (program >= 0)
		close(program);
	close(usual);
	return result;
}

bool feature_lists(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (strncmp(text, name, length) ||
	       (text[length] && !strchr(",\n", text[length]))) {
		text = strchr(text, ',');
		if (!text)
			return false;
		text++;
	}
	return true;
}

int feature_lsm(char *error, size_t size)
{
	static const char path[] = "/sys/kernel/security/lsm";
	static const char instead[] =
		"--abort-exec-by kill does without: it ends the process instead";
	char text[256] = "";
	FILE *f = fopen(path, "re");

	if (!f) {
		snprintf(error, size,
			 "--abort-exec needs BPF LSM, and %s, which tells whether it is "
			 "active, cannot be read: %s; mount -t securityfs securityfs "
			 "/sys/kernel/security. %s",
			 path, strerror(errno), instead);
		return -ENOENT;
	}
	if (!fgets(text, sizeof(text), f))
		*text = 0;
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	if (feature_lists(text, "bpf"))
		return 0;
	snprintf(error, size,
		 "--abort-exec needs BPF LSM, which is not active: start the kernel with "
		 "lsm=%s%sbpf on its command line (it needs CONFIG_BPF_LSM). %s",
		 text, *text ? "," : "", instead);
	return -ENOTSUP;
}

bool feature_may_signal(void)
{
	return privilege_held() >> CAP_KILL & 1;
}

bool feature_may_look(void)
{
	return privilege_held() >> CAP_SYS_PTRACE & 1;
}
