#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# In a guest whose BTF is hidden: the headers that Debian ships for its kernel serve.

load ../../live/common

TREE=/lib/modules/$(uname -r)/build
IN_REGEX=${TREE//+/\\+}
HIDDEN=/run/hidden-btf # the copy of tests/kernels/guest

# The offsets and sizes in a printed source, but those in the events of classic tracepoints:
# no header has these, and they are used with BTF only.
layout() {
	grep -E '^#define (OFFSET|SIZE)_' | grep -vE ' OFFSET_(sys_enter|exec_old|fork_child|signal_sa)_' | sort
}

@test "BTF is hidden, and the self-test says what that means" {
	[ ! -e /sys/kernel/btf/vmlinux ]
	run "$EBPH" --kernel-headers btf -d 1
	same 1 "$status"
	[[ $output == *"/sys/kernel/btf/vmlinux"*"--kernel-headers DIR or auto can do without"* ]]
	grep -E "^headers used +$IN_REGEX\$" "$VMRUN_OUT/selftest"
	grep -E '^task storage .*a hash of tasks' "$VMRUN_OUT/selftest"
	grep -E '^preemption .*without BTF' "$VMRUN_OUT/selftest"
	grep -E "^kernel headers +$IN_REGEX, this kernel's; taken in place of BTF" "$VMRUN_OUT/selftest"
}

@test "the self-test passes with --kernel-headers where BTF is there" {
	EBPH_BTF=$HIDDEN run "$EBPH" --self-test --kernel-headers "$TREE"
	echo "$output"
	same 0 "$status"
	grep -E "^kernel headers +$IN_REGEX, this kernel's; taken, as --kernel-headers says" <<<"$output"
	grep -E "^headers used +$IN_REGEX\$" <<<"$output"
}

@test "the layout that the headers give is that of the kernel's BTF" {
	"$EBPH" --kernel-headers "$TREE" --ebpf | layout >"$DIR/headers"
	EBPH_BTF=$HIDDEN "$EBPH" --kernel-headers btf --ebpf | layout >"$DIR/btf"
	[ "$(wc -l <"$DIR/btf")" -gt 20 ]
	diff "$DIR/btf" "$DIR/headers"
}

@test "--kernel-headers DIR watches to the call" {
	watch --kernel-headers "$TREE" -- "$PLAY" getppid getuid getppid
	same 4 "$(row "$PLAY" .count)" # with exit_group
	nothing_lost
}
