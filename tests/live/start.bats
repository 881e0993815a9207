#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

load wait

# How ebph starts, and what it says when it cannot.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	chmod 755 "$DIR"
	export EBPH_PROFILE_DIR=$BATS_TEST_TMPDIR/profiles
	export EBPH_SOCKET=$BATS_TEST_TMPDIR/socket
	RELEASE=$(uname -r)
}

teardown() {
	rm -rf "$DIR"
}

# fake_tree RELEASE: kernel headers of structs that no kernel has
fake_tree() {
	local include=$DIR/tree/include
	mkdir -p "$include"/{generated,linux/sched,uapi/linux,asm}
	echo "#define UTS_RELEASE \"$1\"" >"$include/generated/utsrelease.h"
	for file in linux/{bpf_common,cgroup-defs,cred,kernfs,log2,fs,mm_types,pid,dcache,fdtable,fs_struct,mount,signal_types,sched/signal}.h \
		uapi/linux/{if_packet,ptrace}.h asm/ptrace.h; do
		echo '#include <linux/types.h>' >"$include/$file"
	done
	echo '#include <bcc/bpf.h>' >"$include/uapi/linux/bpf.h"
	echo '#define CONFIG_BPF_SYSCALL 1' >"$include/linux/kconfig.h"
	echo '#define PAGE_SIZE 4096' >"$include/asm/page.h"
	echo '#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))' >"$include/linux/version.h"
	echo '#define LINUX_VERSION_CODE KERNEL_VERSION(6, 0, 0)' >>"$include/linux/version.h"
	cat >"$include/linux/types.h" <<'C'
#pragma once
typedef signed char __s8; typedef unsigned char __u8; typedef short __s16;
typedef unsigned short __u16; typedef int __s32; typedef unsigned int __u32;
typedef long long __s64; typedef unsigned long long __u64;
typedef __u8 u8; typedef __u16 u16; typedef __u32 u32; typedef __u64 u64;
typedef __s8 s8; typedef __s16 s16; typedef __s32 s32; typedef __s64 s64;
typedef __u16 __be16; typedef __u32 __be32; typedef __u64 __be64; typedef __u32 __wsum;
typedef unsigned long size_t; typedef unsigned long uintptr_t; typedef _Bool bool;
#define __aligned_u64 __u64 __attribute__((aligned(8)))
C
	cat >"$include/linux/sched.h" <<'C'
#pragma once
#include <linux/types.h>
struct timespec64 { long tv_sec, tv_nsec; };
struct path { void *mnt, *dentry; };
struct head { long flags, status; };
struct task_struct {
	struct head thread_info;
	char gap[1000];
	struct { void *mm; }; /* at 1016 */
	void *fs, *real_parent, *group_leader, *thread_pid, *signal, *files;
	long sas_ss_sp, sas_ss_size;
	int pid, tgid;
	void *cred, *cgroups;
	int ptrace, flags;
	long jobctl, start_boottime;
	struct { void *list; long signal; } pending;
	struct { void *next, *prev; } children, sibling;
	void *stack;
};
struct cred { int usage, uid; };
struct css_set { long a; void *dfl_cgrp; };
struct cgroup { long a; void *kn; };
struct kernfs_node { long a; u64 id; };
struct signal_struct { int sigcnt, live, flags; struct { void *list; long signal; } shared_pending; };
struct k_sigaction { struct { void *sa_handler; long sa_flags; } sa; };
struct upid { long a, b, c; };
struct pid { int count, level; struct upid numbers[1]; };
struct mm_struct { long a; void *exe_file; };
struct file { struct path; struct path f_path; void *f_inode; };
struct super_block { long a; int s_dev; };
struct dentry { struct { long hash_len; char *name; int len; } d_name; void *d_parent; };
struct files_struct { int a; void *fdt; };
struct fdtable { int a; void *fd; };
struct fs_struct { int users; struct path root; };
struct vfsmount { void *mnt_root; };
struct pt_regs { long regs[31], sp, syscallno, ax, orig_ax; };
C
	fake_inode 'long i_mtime_sec; int i_mtime_nsec;'
}

fake_inode() { # MEMBERS: from byte 32 on
	cat >"$DIR/tree/include/linux/fs.h" <<-C
		#pragma once
		#include <linux/sched.h>
		struct inode { void *i_sb; long i_ino, i_size; int i_generation; $1 };
	C
}

# offset NAME: as ebph would compile it
offset() {
	awk -v name="$1" '$1 == "#define" && $2 == name { print $3 }' "$DIR/source"
}

# leftovers: private directories that no running ebph holds
leftovers() {
	local d
	for d in /run/ebph-private-* /tmp/ebph-private-*; do
		[ ! -d "$d" ] || flock -n "$d" echo "$d"
	done
}

# watched FILE: a run of /bin/ls was counted
watched() {
	jq -s -e '.[-1].profiles | length == 1 and .[0].exe == "/usr/bin/ls" and .[0].count > 10' "$1"
}

@test "--kernel-headers btf and auto watch alike" {
	for mode in btf auto; do
		"$EBPH" --kernel-headers "$mode" -j -o "$DIR/out" -- /bin/ls / >/dev/null
		watched "$DIR/out"
	done
}

@test "--kernel-headers DIR: offsets are what the headers say" {
	fake_tree "$RELEASE"
	"$EBPH" --kernel-headers "$DIR/tree" --ebpf >"$DIR/source"
	[ "$(offset OFFSET_task_mm)" -eq 1016 ]
	[ "$(offset OFFSET_task_tgid)" -eq 1092 ]
	[ "$(offset OFFSET_signal_live)" -eq 4 ]
	[ "$(offset SIZE_upid)" -eq 24 ]
	[ "$(offset OFFSET_file_path_dentry)" -eq 24 ] # after a struct without a name
	[ "$(offset OFFSET_inode_mtime_sec)" -eq 32 ]
	[ "$(offset OFFSET_dentry_d_name_len)" -eq 16 ]
	# no header has struct mount: from BTF, or as it has always been
	[ "$(offset OFFSET_mount_mnt)" -eq 32 ]
	EBPH_BTF=none "$EBPH" --kernel-headers "$DIR/tree" --ebpf >"$DIR/source"
	[ "$(offset OFFSET_mount_mnt)" -eq 32 ]
	[ "$(offset OFFSET_mount_mnt_parent)" -eq 16 ]
	[ "$(offset USE_TASK_STORAGE)" -eq 0 ]
}

@test "--kernel-headers DIR: a member that was renamed is found by the name that the headers have" {
	fake_tree "$RELEASE"
	fake_inode 'struct timespec64 i_mtime;' # to Linux 6.6
	"$EBPH" --kernel-headers "$DIR/tree" --ebpf >"$DIR/source"
	[ "$(offset OFFSET_inode_mtime_sec)" -eq 32 ]
	[ "$(offset OFFSET_inode_mtime_nsec)" -eq 40 ]
	fake_inode 'long gap; struct timespec64 __i_mtime;' # to 6.10
	"$EBPH" --kernel-headers "$DIR/tree" --ebpf >"$DIR/source"
	[ "$(offset OFFSET_inode_mtime_sec)" -eq 40 ]
	[ "$(offset OFFSET_inode_mtime_nsec)" -eq 48 ]
}

@test "--kernel-headers DIR: two halves are put together" {
	fake_tree "$RELEASE"
	mkdir -p "$DIR/half/include"
	mv "$DIR/tree/include/generated" "$DIR/half/include"
	run "$EBPH" --kernel-headers "$DIR/half" --ebpf
	[ "$status" -eq 1 ]
	[[ $output == *"$DIR/half has but half of the headers"* ]]
	echo "include $DIR/tree/Makefile" >"$DIR/half/Makefile"
	echo '#include <generated/half.h>' >>"$DIR/tree/include/linux/sched.h"
	echo '#define gap gap2' >"$DIR/half/include/generated/half.h"
	"$EBPH" --kernel-headers "$DIR/half" --ebpf >"$DIR/source"
	[ "$(offset OFFSET_task_mm)" -eq 1016 ]
}

@test "--kernel-headers DIR: headers of another kernel, none, and broken ones are refused" {
	fake_tree 1.2.3-other
	run "$EBPH" --kernel-headers "$DIR/tree" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"those of Linux 1.2.3-other, but the kernel that runs is $RELEASE"* ]]
	run "$EBPH" --kernel-headers "$DIR/none" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"$DIR/none: No such file"* ]]
	run "$EBPH" --kernel-headers "$DIR" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"$DIR is no kernel build directory"* ]]
	fake_tree "$RELEASE"
	echo 'struct broken { int' >>"$DIR/tree/include/linux/fs.h"
	run "$EBPH" --kernel-headers "$DIR/tree" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"libbcc could not compile the kernel headers in $DIR/tree"* ]]
	fake_tree "$RELEASE"
	echo '#define CONFIG_RANDSTRUCT 1' >>"$DIR/tree/include/linux/kconfig.h"
	run "$EBPH" --kernel-headers "$DIR/tree" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"random order"* ]]
}

@test "without BTF, headers and kheaders: what to install" {
	mkdir -p "$DIR/lib" "$DIR/sys"
	run "$EBPH" --kernel-headers btf -d 1
	EBPH_BTF=none run "$EBPH" --kernel-headers btf -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"EBPH_BTF=none hides"* ]]
	echo junk >"$DIR/junk"
	EBPH_BTF=$DIR/junk run "$EBPH" --kernel-headers btf -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"cannot read the kernel's types"*"$DIR/junk"* ]]
	# BTF, headers and kheaders all out of sight, in a mount namespace of its own
	run unshare -m bash -c 'for d in /lib/modules /usr/src /sys/kernel; do
			[ ! -d "$d" ] || mount -t tmpfs none "$d" || exit 9
		done; exec "$0" -d 1' "$EBPH"
	[ "$status" -eq 1 ]
	[[ $output == *"/sys/kernel/btf/vmlinux: No such file"* ]]
	[[ $output == *"kheaders.tar.xz"* ]]
	[[ $output == *"apt install linux-headers-$RELEASE"* ]]
}

@test "auto: the installed headers of another version are refused too" {
	fake_tree 1.2.3-other
	run unshare -m bash -c 'mkdir -p /lib/modules && mount -t tmpfs none /lib/modules &&
			mkdir "/lib/modules/$1" && ln -s "$2" "/lib/modules/$1/build" || exit 9
		EBPH_BTF=none exec "$0" -d 1' "$EBPH" "$RELEASE" "$DIR/tree"
	[ "$status" -eq 1 ]
	[[ $output == *"those of Linux 1.2.3-other, but the kernel that runs is $RELEASE"* ]]
}

@test "auto: kheaders are unpacked, and nothing of them stays" {
	fake_tree "$RELEASE"
	tar -C "$DIR/tree" -cJf "$DIR/kheaders.tar.xz" .
	unshare -m bash -c 'for d in /lib/modules /usr/src /sys/kernel; do
			[ ! -d "$d" ] || mount -t tmpfs none "$d" || exit 9
		done; ln -s "$1" /sys/kernel/kheaders.tar.xz; exec "$0" --ebpf' \
		"$EBPH" "$DIR/kheaders.tar.xz" >"$DIR/source"
	[ "$(offset OFFSET_task_mm)" -eq 1016 ]
	[ -z "$(leftovers)" ]
}

@test "CAP_BPF and CAP_PERFMON are enough, and either alone is named" {
	cp "$EBPH" "$DIR/ebph"
	drop=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	run "${drop[@]}" --inh-caps=-all,+bpf --ambient-caps=-all,+bpf "$DIR/ebph" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"CAP_PERFMON beside CAP_BPF"* ]]
	run "${drop[@]}" --inh-caps=-all,+perfmon --ambient-caps=-all,+perfmon "$DIR/ebph" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"CAP_BPF beside CAP_PERFMON"* ]]
	run "${drop[@]}" --inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon \
		"$DIR/ebph" -q -d 0.2 --no-load --no-save
	if "$EBPH" --ebpf | grep -q 'RAW_TRACEPOINTS 0'; then
		[ "$status" -eq 1 ] # classic tracepoints take more: privilege.bats
	else
		[ "$status" -eq 0 ]
		[[ $output == *"ebph: watching"* ]]
	fi
	[ -z "$(leftovers)" ]
}

@test "with process ids of its own, as in a container, it would watch the wrong ones" {
	run timeout $((20 * PATIENCE)) unshare --pid --fork --mount-proc "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == "ebph: this is a container with process ids of its own"*"docker run --pid=host"* ]]
	run timeout $((20 * PATIENCE)) unshare --pid --fork --mount-proc "$EBPH" bench -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"a container with process ids of its own"* ]]
	timeout $((20 * PATIENCE)) unshare --pid --fork --mount-proc "$EBPH" --ebpf | grep '#define SELF' # harmless
}

@test "a bpf() system call that is not there, or forbidden, is told apart" {
	cat >"$DIR/deny.c" <<'C'
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (argc < 3 || seccomp_rule_add(filter, SCMP_ACT_ERRNO(atoi(argv[1])), SCMP_SYS(bpf), 0) ||
	    seccomp_load(filter))
		return 9;
	execv(argv[2], argv + 2);
	return 9;
}
C
	gcc -o "$DIR/deny" "$DIR/deny.c" -lseccomp
	run "$DIR/deny" 38 "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"no bpf() system call"*"CONFIG_BPF_SYSCALL"* ]]
	run "$DIR/deny" 1 "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"forbidden"*"seccomp"* ]]
}

# Load SPOIL.c into ebph and its compiling child: what bpf() is asked there is changed.
spoil() {
	cat >"$DIR/spoil.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
int uname(struct utsname *u)
{
	int (*real)(struct utsname *) = dlsym(RTLD_NEXT, "uname");
	int result = real(u);

	if (getenv("FAKE_RELEASE"))
		snprintf(u->release, sizeof(u->release), "%s", getenv("FAKE_RELEASE"));
	return result;
}
long syscall(long number, ...)
{
	long (*real)(long, ...) = dlsym(RTLD_NEXT, "syscall");
	const char *map = getenv("NO_MAP"), *program = getenv("BAD_PROGRAM");
	const char *helper = getenv("NO_HELPER");
	union bpf_attr *attr;
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	attr = (union bpf_attr *)a[1];
	if (number == SYS_bpf && a[0] == BPF_MAP_CREATE && map && (int)attr->map_type == atoi(map)) {
		errno = EINVAL; /* as from a kernel that does not know the type */
		return -1;
	}
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && program && !strcmp(attr->prog_name, program)) {
		struct bpf_insn bad = {.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 9};
		memcpy((void *)attr->insns, &bad, sizeof(bad)); /* r0 = r9, never written */
	}
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && helper) {
		struct bpf_insn *code = (void *)attr->insns;

		for (unsigned int i = 0; i < attr->insn_cnt; i++) {
			if (code[i].code != (BPF_JMP | BPF_CALL) || code[i].src_reg || code[i].imm != atoi(helper))
				continue;
			if (attr->log_buf) /* in the words of a kernel that does not know it */
				snprintf((char *)attr->log_buf, attr->log_size, "invalid func unknown#%s", helper);
			errno = EINVAL;
			return -1;
		}
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
C
	gcc -shared -fPIC -o "$DIR/spoil.so" "$DIR/spoil.c"
}

@test "a program that the verifier refuses is named, with the end of the log or all of it" {
	local refusal='R9 (!read_ok|is not readable)' # Linux 7.3 says the latter
	spoil
	export BAD_PROGRAM=judge
	LD_PRELOAD=$DIR/spoil.so run "$EBPH" -d 1
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output =~ $refusal ]]
	[[ $output == *"verifier refused BPF program judge"*"EBPH_LOG=FILE"* ]]
	[ "${#lines[@]}" -le 25 ]
	EBPH_LOG=$DIR/log LD_PRELOAD=$DIR/spoil.so run "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"its log is in $DIR/log"* ]]
	grep -E "$refusal" "$DIR/log"
	EBPH_LOG=$DIR/none/log LD_PRELOAD=$DIR/spoil.so run "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"cannot write the verifier's log to $DIR/none/log"* ]]
}

@test "a kernel without ring buffers is told so" {
	spoil
	NO_MAP=27 LD_PRELOAD=$DIR/spoil.so run "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"has no BPF ring buffers (Linux 5.8)"* ]]
	NO_MAP=27 LD_PRELOAD=$DIR/spoil.so run "$EBPH" --self-test
	[ "$status" -eq 1 ]
	grep '^ring buffer  *no: ebph needs Linux 5.8 or later$' <<<"$output"
	[ "${lines[-1]}" = "self-test failed: ring buffer: no: ebph needs Linux 5.8 or later" ]
	# one that is too old is told before all else, here: before "no BTF"
	FAKE_RELEASE=5.4.0-1 EBPH_BTF=none NO_MAP=27 LD_PRELOAD=$DIR/spoil.so run "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[ "$output" = "ebph: this kernel (5.4.0-1) has no BPF ring buffers (Linux 5.8); ebph needs Linux 5.8 or later" ]
}

@test "a kernel that keeps task storage from tracing programs is watched without it" {
	"$EBPH" --ebpf | grep -q 'USE_TASK_STORAGE 1' || skip "this kernel has none"
	spoil
	export NO_HELPER=156
	LD_PRELOAD=$DIR/spoil.so "$EBPH" --ebpf | grep 'USE_TASK_STORAGE 0'
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
	for kind in raw classic; do
		EBPH_TRACEPOINTS=$kind LD_PRELOAD=$DIR/spoil.so run "$EBPH" --self-test
		echo "$output"
		[ "$status" -eq 0 ]
		grep '^task storage  *no: a hash' <<<"$output"
		grep "^sys_enter  *the $kind one" <<<"$output"
	done
	# what else asks the task, and what it had: a command, and a filter
	EBPH_TRACEPOINTS=classic LD_PRELOAD=$DIR/spoil.so "$EBPH" -e /bin/ls -u 0 -j -o "$DIR/out" \
		-- /bin/ls / >/dev/null
	watched "$DIR/out"
}

@test "locked memory that may not be raised is told, where it counts" {
	spoil
	# bpf_ktime_get_coarse_ns is as old as that it does not
	NO_HELPER=160 NO_MAP=27 LD_PRELOAD=$DIR/spoil.so run prlimit --memlock=65536:65536 \
		setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"the limit of 64 KB could not be raised"*"CAP_SYS_RESOURCE"* ]]
	# from 5.11 on it is no reason to fail
	run prlimit --memlock=65536:65536 \
		setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource "$EBPH" -q -d 0.1
	if printf '%s\n' 5.11 "$RELEASE" | sort -V -C; then
		[ "$status" -eq 0 ]
	else
		[ "$status" -eq 1 ]
		[[ $output == *"the limit of 64 KB could not be raised"*"CAP_SYS_RESOURCE"* ]]
	fi
}

@test "libbcc before 0.25, and none, are refused" {
	lib=$(ldconfig -p | awk '$1 == "libbcc.so.0" { print $NF; exit }')
	[ -n "$lib" ]
	cp "$lib" "$DIR/libbcc.so.0.24.0"
	ln -s libbcc.so.0.24.0 "$DIR/libbcc.so.0"
	LD_LIBRARY_PATH=$DIR run "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"libbcc.so.0.24.0 is too old"*"0.25"* ]]
	rm "$DIR/libbcc.so.0"
	echo none >"$DIR/libbcc.so.0"
	LD_LIBRARY_PATH=$DIR run "$EBPH" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"cannot open libbcc"*"apt install libbpfcc"* ]]
}

@test "killed at any instant of the start, nothing stays beyond the next start" {
	for i in $(seq 12); do
		"$EBPH" -q -o /dev/null 2>/dev/null &
		pid=$!
		sleep "0.$((i / 2))$((RANDOM % 10))"
		kill -9 "$pid"
		wait "$pid" || true
	done
	# and once when it surely has its directory
	"$EBPH" -q -o /dev/null 2>/dev/null &
	pid=$!
	for _ in $(seq 1000); do
		! ls -l "/proc/$pid/fd" | grep -q ebph-private || break
	done
	kill -9 "$pid"
	wait "$pid" || true
	# a compiling child, and its lock, dies with its parent, but not in the same instant
	wait_for eval '[ -n "$(leftovers)" ]'
	"$EBPH" -q -d 0.1 -o /dev/null
	[ -z "$(leftovers)" ]
}

@test "killed while it watches, its programs and maps are gone" {
	"$EBPH" -q -o /dev/null 2>"$DIR/err" &
	pid=$!
	wait_for grep -q watching "$DIR/err"
	ids=$(awk '/^prog_id:/ { print $2 }' /proc/"$pid"/fdinfo/* | sort -u)
	[ "$(wc -w <<<"$ids")" -ge 8 ]
	kill -9 "$pid"
	wait "$pid" || true
	for id in $ids; do # links are freed after a grace period
		for _ in $(seq 200); do
			bpftool prog show id "$id" >/dev/null 2>&1 || break
			sleep 0.1
		done
		run bpftool prog show id "$id"
		[ "$status" -ne 0 ]
	done
	[ -z "$(leftovers)" ]
}
