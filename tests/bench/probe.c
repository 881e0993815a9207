/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "probe.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

static int load(struct probe *p, enum bpf_prog_type type)
{
	*p = (struct probe){-1, -1};
	p->program = bpf_prog_load(type, "empty", "GPL", nothing,
				   sizeof(nothing) / sizeof(*nothing), NULL);
	return p->program < 0 ? -errno : 0;
}

static int keep(struct probe *p, int link)
{
	int result = link < 0 ? -errno : 0;

	p->link = link;
	if (result)
		probe_detach(p);
	return result;
}

int probe_raw(struct probe *p)
{
	int result = load(p, BPF_PROG_TYPE_RAW_TRACEPOINT);

	return result ? result
		      : keep(p, bpf_raw_tracepoint_open("sys_enter", p->program));
}

/* The id that tracefs gives the tracepoint; -1: no tracefs. */
static int tracepoint_id(void)
{
	static const char *const roots[] = {"/sys/kernel/tracing",
					    "/sys/kernel/debug/tracing"};
	int id = -1;

	for (int i = 0; i < 2 && id < 0; i++) {
		char path[128];
		FILE *f;

		snprintf(path, sizeof(path), "%s/events/raw_syscalls/sys_enter/id",
			 roots[i]);
		f = fopen(path, "re");
		if (f && fscanf(f, "%d", &id) != 1)
			id = -1;
		if (f)
			fclose(f);
	}
	return id;
}

int probe_classic(struct probe *p)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1};
	int id = tracepoint_id(), result = load(p, BPF_PROG_TYPE_TRACEPOINT), link;

	if (!result && id < 0)
		result = -ENOENT;
	if (result) {
		probe_detach(p);
		return result;
	}
	attr.config = id;
	/* On one CPU: the program runs on all. */
	link = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (link >= 0 && (ioctl(link, PERF_EVENT_IOC_SET_BPF, p->program) ||
			  ioctl(link, PERF_EVENT_IOC_ENABLE, 0))) {
		result = -errno;
		close(link);
		errno = -result;
		link = -1;
	}
	return keep(p, link);
}

void probe_detach(struct probe *p)
{
	if (p->link >= 0)
		close(p->link);
	if (p->program >= 0)
		close(p->program);
	*p = (struct probe){-1, -1};
}

int probe_count(void)
{
	__u32 id = 0;
	int count = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		char name[64] = "";
		struct bpf_link_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		info.raw_tracepoint.tp_name = (__u64)(unsigned long)name;
		info.raw_tracepoint.tp_name_len = sizeof(name);
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) &&
		    info.type == BPF_LINK_TYPE_RAW_TRACEPOINT &&
		    (!strcmp(name, "sys_enter") || !strcmp(name, "sys_exit")))
			count++;
		close(fd);
	}
	return count;
}
