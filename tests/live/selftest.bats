#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

# ebph --self-test, where ebph works and where it cannot.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
}

teardown() {
	rm -rf "$DIR"
}

@test "--self-test passes here, and prints a line a feature" {
	run "$EBPH" --self-test
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "self-test passed" ]
	names=(kernel libbcc libbpf BTF 'kernel headers' kheaders capabilities lockdown 'ring buffer'
		'task storage' 'atomic exchange' preemption sys_enter sched_process_fork
		sched_process_exec sched_process_exit signal_deliver signal_generate send_signal
		'BPF LSM' JIT 'unprivileged BPF' memory 'headers used' 'end to end')
	diff <(printf '%s\n' "${names[@]}") <(sed -nE 's/^(.{18})  [^ ].*/\1/; T; s/ *$//p' <<<"$output")
	[[ "${lines[0]}" == *"$(uname -r)"* ]]
	grep -E '^signal_generate +the raw one, for ' <<<"$output"
	if [ ! -r /sys/kernel/security/lsm ]; then
		grep '^BPF LSM .*mount -t securityfs' <<<"$output"
	fi
}

@test "--self-test says which tracepoints are taken, and why" {
	[ -e /sys/kernel/btf/vmlinux ] || skip "without BTF they are always raw"
	run "$EBPH" --self-test
	if grep -q '^preemption .* are not preempted: ebph takes raw tracepoints$' <<<"$output"; then
		kind=raw
	else
		grep '^preemption .* may be preempted: ebph takes classic tracepoints$' <<<"$output"
		kind=classic
	fi
	[ "$(grep -cE "^(sys_enter|sched_.*|signal_deliver) +the $kind one, for " <<<"$output")" -eq 5 ]
	EBPH_TRACEPOINTS=classic run "$EBPH" --self-test
	echo "$output"
	[ "$status" -eq 0 ]
	grep '^preemption .*: ebph takes classic tracepoints, as EBPH_TRACEPOINTS says$' <<<"$output"
	[ "$(grep -cE '^(sys_enter|sched_.*|signal_deliver) +the classic one, for ' <<<"$output")" -eq 5 ]
}

@test "--self-test in a container with process ids of its own says so on the last line" {
	run unshare -pf --mount-proc "$EBPH" --self-test
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == "self-test failed: this is a container with process ids of its own"* ]]
}

@test "--self-test without BTF and headers says what to install on the last line" {
	run unshare -m bash -c 'for d in /lib/modules /usr/src /sys/kernel; do
			[ ! -d $d ] || mount -t tmpfs none $d
		done
		EBPH_BTF=none exec "$1" --self-test' - "$EBPH"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == "self-test failed: EBPH_BTF=none hides"*"apt install linux-headers-$(uname -r))"* ]]
	grep '^BTF  *no: EBPH_BTF=none hides' <<<"$output"
	grep '^kernel headers  *none installed' <<<"$output"
	grep '^preemption .*without BTF: ebph takes raw' <<<"$output"
}

@test "--self-test with --kernel-headers is about these" {
	run "$EBPH" --self-test --kernel-headers "$DIR/none"
	echo "$output"
	[ "$status" -eq 1 ]
	grep "^kernel headers  *cannot read the headers in $DIR/none: No such file" <<<"$output"
	[[ "${lines[-1]}" == "self-test failed: cannot read the headers in $DIR/none: No such file"* ]]
}

@test "--self-test into a full file, or none, is an error" {
	run bash -c '"$0" --self-test >/dev/full' "$EBPH"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot write to standard output: No space left on device"* ]]
	run bash -c '"$0" --self-test >&-' "$EBPH"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot write to standard output: "* ]]
}

@test "--self-test needs no other file" {
	cp "$EBPH" "$DIR/e"
	cd /
	run env -i "$DIR/e" --self-test
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "--self-test without capabilities says which are missing, exit status 1" {
	chmod 755 "$DIR"
	cp "$EBPH" "$DIR/ebph"
	run setpriv --reuid 65534 --clear-groups --inh-caps=-all "$DIR/ebph" --self-test
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == "self-test failed: capabilities: "*"CAP_BPF and CAP_PERFMON"* ]]
}

@test "--self-test without libbcc says what to install, exit status 1" {
	lib=$("$EBPH" --self-test | awk '$1 == "libbcc" { print $2 }')
	[ -e "$lib" ]
	run unshare -m sh -c 'mount --bind /dev/null "$0" && exec "$1" --self-test' "$lib" "$EBPH"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == "self-test failed: libbcc: "*"install libbpfcc"* ]]
}

@test "--self-test fails when one call does not come as it must, and when the program dies" {
	# strace takes the call away before the kernel side can see it
	run strace -f -qq -o "$DIR/strace" -e inject=getsid:error=EPERM "$EBPH" --self-test
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == "self-test failed: "*"anomal"* ]]
	run strace -f -qq -o "$DIR/strace" -e inject=getpgid:signal=SIGKILL "$EBPH" --self-test
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "self-test failed: ebph ended with status 137" ]
}

@test "CAP_BPF and CAP_PERFMON are enough (with one more, or CAP_SYS_ADMIN, on some kernels), not less" {
	chmod 755 "$DIR"
	cp "$EBPH" "$DIR/ebph"
	# Before 5.11 the maps must fit into RLIMIT_MEMLOCK; raising that is another capability.
	ulimit -l unlimited || true
	as_nobody() {
		run setpriv --reuid 65534 --clear-groups --bounding-set="-all,$1" \
			--inh-caps="-all,$1" --ambient-caps="-all,$1" "$DIR/ebph" --self-test
		echo "$output"
	}
	need=+bpf,+perfmon
	# The numbers of classic tracepoints are in files that only root may read.
	if "$EBPH" --self-test | grep -q 'may be preempted'; then
		as_nobody "$need"
		[ "$status" -eq 1 ]
		if [[ $output == *"kernel.perf_event_paranoid above 2"*"CAP_SYS_ADMIN"* ]]; then
			need=+sys_admin
			as_nobody "$need"
			[ "$status" -eq 1 ]
		fi
		[[ $output == *"CAP_DAC_READ_SEARCH"* ]]
		need+=,+dac_read_search
	fi
	as_nobody "$need"
	[ "$status" -eq 0 ]
	as_nobody +bpf
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == *"it has CAP_BPF" ]]
	as_nobody +perfmon
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == *"it has CAP_PERFMON" ]]
}
