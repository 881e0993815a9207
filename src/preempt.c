/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BPF program runs once per CPU at a time: if a thread is preempted inside one, the
 * calls of all others on that CPU pass unseen until it runs again. Whether that can
 * happen depends on the kernel's version and on its preemption model, so a program
 * reads the kernel's preemption count from inside the tracepoint.
 */
#define _GNU_SOURCE
#include "preempt.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

/* The count's bits that preempt_disable(), soft and hard interrupts add to. */
enum { COUNT_MASK = 0x00ffffff };

/* Set in the map beside what was read: the program ran. */
static const uint64_t RAN = 1ULL << 32;

/* What tells, and where the running kernel keeps it. */
struct place {
	int variable;	     /* BTF id of a per-CPU variable; 0: in the current task */
	unsigned int offset; /* in it */
	int size;	     /* bytes to read of the task: 2 or 4 */
	uint32_t mask;	     /* the bits that matter */
	int when_zero;	     /* the answer when all of them are 0; else the opposite */
};

/* The count itself: x86-64 has it per CPU, arm64 in each task. */
static int find_count(const struct btf *btf, struct place *p)
{
	int id = btf__find_by_name_kind(btf, "__preempt_count", BTF_KIND_VAR);

	*p = (struct place){.size = 4, .mask = COUNT_MASK, .when_zero = 1};
	if (id > 0) {
		p->variable = id;
		return 0;
	}
	id = btf__find_by_name_kind(btf, "pcpu_hot", BTF_KIND_VAR); /* 6.2 to 6.14 */
	if (id > 0 && !kernel_member(btf, "pcpu_hot", "preempt_count", &p->offset)) {
		p->variable = id;
		return 0;
	}
	return kernel_member(btf, "task_struct",
			     "thread_info.preempt.count|thread_info.preempt_count",
			     &p->offset);
}

/*
 * Without CONFIG_KALLSYMS_ALL no program may read the count. But a program stays on
 * its CPU because preemption is off, or because the task's migration is disabled: if
 * the latter is not so, the former is. If it is so, preemption must be taken for
 * possible.
 */
static int find_migration(const struct btf *btf, struct place *p)
{
	*p = (struct place){.size = 2, .mask = 0xffff, .when_zero = 0};
	return kernel_member(btf, "task_struct", "migration_disabled", &p->offset);
}

/* clang-format off */
#define INSN(code, to, from, offset, value) \
	((struct bpf_insn){code, to, from, offset, value})
#define MOVE(to, from)            INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, value)            INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define ADD(to, value)            INSN(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value)
#define OR(to, from)              INSN(BPF_ALU64 | BPF_OR | BPF_X, to, from, 0, 0)
#define SKIP_UNLESS_0(reg, skip)  INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, skip, 0)
#define CALL(function)            INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##function)
#define LOAD32(to, from, offset)  INSN(BPF_LDX | BPF_MEM | BPF_W, to, from, offset, 0)
#define STORE64(to, offset, from) INSN(BPF_STX | BPF_MEM | BPF_DW, to, from, offset, 0)
#define ZERO32(to, offset)        INSN(BPF_ST | BPF_MEM | BPF_W, to, 0, offset, 0)
#define EXIT                      INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* 64 bits, or what KIND says that they name: two instructions */
#define WIDE(to, kind, low, high) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, to, kind, 0, low), INSN(0, 0, 0, 0, high)
/* clang-format on */

enum { R0, R1, R2, R3, R6 = 6, R7, R10 = 10 };

/* Copy SIZE bytes of instructions; gives their number. */
static size_t add(struct bpf_insn *to, const struct bpf_insn *from, size_t size)
{
	memcpy(to, from, size);
	return size / sizeof(*from);
}

/* Load a program that stores RAN | what P names into element 0 of MAP: a descriptor. */
static int load(int map, const struct place *p)
{
	const struct bpf_insn per_cpu[] = {
		WIDE(R1, BPF_PSEUDO_BTF_ID, p->variable, 0),
		CALL(this_cpu_ptr),
		LOAD32(R7, R0, (int16_t)p->offset),
	};
	const struct bpf_insn in_task[] = {
		CALL(get_current_task),	 MOVE(R3, R0),	       ADD(R3, (int)p->offset),
		SET(R2, p->size),	 MOVE(R1, R10),	       ADD(R1, -16),
		CALL(probe_read_kernel), LOAD32(R7, R10, -16),
	};
	const struct bpf_insn before[] = {
		ZERO32(R10, -4),
		ZERO32(R10, -16),
		MOVE(R2, R10),
		ADD(R2, -4),
		WIDE(R1, BPF_PSEUDO_MAP_FD, map, 0),
		CALL(map_lookup_elem),
		SKIP_UNLESS_0(R0, 2),
		SET(R0, 0),
		EXIT,
		MOVE(R6, R0),
	};
	const struct bpf_insn after[] = {
		WIDE(R1, 0, (int)(uint32_t)RAN, (int)(RAN >> 32)),
		OR(R7, R1),
		STORE64(R6, 0, R7),
		SET(R0, 0),
		EXIT,
	};
	struct bpf_insn all[32];
	size_t n = 0;
	int fd;

	n += add(all + n, before, sizeof(before));
	if (p->variable)
		n += add(all + n, per_cpu, sizeof(per_cpu));
	else
		n += add(all + n, in_task, sizeof(in_task));
	n += add(all + n, after, sizeof(after));
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ebph_preempt", "GPL", all, n,
			   NULL);
	return fd < 0 ? -errno : fd;
}

/*
 * Whose call it is does not matter, all come by the same way: so no filter, which in
 * a container would have to know its task ids outside.
 */
static int observe(const char *name, const struct place *p, void (*trigger)(void))
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ebph_preempt", 4, 8, 1, NULL);
	int program = map < 0 ? -errno : load(map, p);
	int link = program < 0 ? program : bpf_raw_tracepoint_open(name, program);
	int result = program < 0 ? program : link < 0 ? -errno : 0;
	uint32_t first = 0;
	uint64_t seen = 0;

	if (!result) {
		trigger();
		if (bpf_map_lookup_elem(map, &first, &seen))
			result = -errno;
		else if (!(seen & RAN))
			result = -ENODATA;
		else
			result = seen & p->mask ? !p->when_zero : p->when_zero;
	}
	if (link >= 0)
		close(link);
	if (program >= 0)
		close(program);
	if (map >= 0)
		close(map);
	return result;
}

static int at(const struct btf *btf, const char *name, void (*trigger)(void))
{
	struct place place;
	int result = find_count(btf, &place);

	if (!result)
		result = observe(name, &place, trigger);
	if (result < 0 && !find_migration(btf, &place))
		result = observe(name, &place, trigger);
	return result;
}

int preempt_at(const char *name, void (*trigger)(void))
{
	struct btf *btf = btf__load_vmlinux_btf();
	int result = btf ? at(btf, name, trigger) : -errno;

	btf__free(btf);
	return result;
}

static void call(void)
{
	syscall(SYS_getppid);
}

int preempt_raw_tracepoints_by(const struct btf *btf)
{
	unsigned int offset;

	/* to 6.12 system-call tracepoints always run with preemption off */
	if (kernel_member(btf, "tracepoint_ext", "faultable", &offset))
		return 0;
	return at(btf, "sys_enter", call);
}

struct preempt_choice preempt_choose(const struct btf *btf)
{
	const char *wish = getenv("EBPH_TRACEPOINTS");
	struct preempt_choice c = {.raw = true, .preempted = -ENOENT};

	if (!btf) /* nothing tells what classic ones hand over */
		return c;
	c.wished = wish && *wish;
	c.preempted = preempt_raw_tracepoints_by(btf);
	/* who may not look will not get to attach either */
	c.raw = !c.preempted || c.preempted == -EPERM;
	if (c.wished)
		c.raw = strcmp(wish, "classic") != 0;
	return c;
}
