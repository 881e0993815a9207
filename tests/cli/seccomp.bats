#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

# `ebph profile export --seccomp`: a program runs under what it was seen to do, and can do
# nothing else. What it does is taken from strace here.

load profiles

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	gcc -Wall -o "$DIR/run" "$BATS_TEST_DIRNAME/seccomp_run.c" -ljansson -lseccomp
	cat >"$DIR/program.c" <<'C'
#include <stdio.h>
#include <sys/stat.h>
int main(int argc, char **argv)
{
	puts("hello");
	if (argc > 1 && mkdir(argv[1], 0700)) {
		perror("mkdir");
		return 3;
	}
	return 0;
}
C
	gcc -o "$DIR/program" "$DIR/program.c"
}

teardown() {
	rm -rf "$DIR"
}

# The calls that PROGRAM makes after its execve, as a profile.
seen() {
	strace -f -o "$DIR/strace" "$@" >/dev/null
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$DIR/strace" | tail -n +2 | sort -u |
		jq -nR --slurpfile p <(profile_json 1 1 1 training) '$p[0] |
			.pairs = [] | .calls = [inputs | {call: .}]' |
		"$EBPH" profile import -o "$DIR/program.ebph" -
}

@test "the program runs under its export, and a call outside it fails" {
	seen "$DIR/program"
	"$EBPH" profile export --seccomp -o "$DIR/seccomp.json" "$DIR/program.ebph"
	jq -e '.defaultAction == "SCMP_ACT_ERRNO" and .defaultErrnoRet == 1 and
		.architectures == ["SCMP_ARCH_X86_64"] and
		.syscalls[0].action == "SCMP_ACT_ALLOW" and (.syscalls | length) == 1 and
		(.syscalls[0].names | index("write") != null and index("mkdir") == null and
			index("execve") != null and . == unique)' "$DIR/seccomp.json"
	run -0 "$DIR/run" "$DIR/seccomp.json" "$DIR/program"
	[ "$output" = hello ]
	run -3 "$DIR/run" "$DIR/seccomp.json" "$DIR/program" "$DIR/new"
	[[ $output == *"mkdir: Operation not permitted"* && $output == *hello* ]]
	[ ! -e "$DIR/new" ]
	# what it was seen to do with the argument, it may do
	seen "$DIR/program" "$DIR/other"
	"$EBPH" profile export --seccomp -o "$DIR/seccomp.json" "$DIR/program.ebph"
	run -0 "$DIR/run" "$DIR/seccomp.json" "$DIR/program" "$DIR/new"
	[ -d "$DIR/new" ]
}

@test "libseccomp builds the filter of each export" {
	profile_json 1 330 9 normal '.calls += [{call: "i386:socketcall"}, {call: "i386:open"},
		{call: "x32:read"}]' >"$DIR/all.json"
	"$EBPH" profile import -o "$DIR/all.ebph" "$DIR/all.json"
	"$EBPH" profile export --seccomp -o "$DIR/all.seccomp" "$DIR/all.ebph"
	jq -e '(.syscalls[0].names | length) > 320 and .architectures ==
		["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]' "$DIR/all.seccomp"
	"$DIR/run" "$DIR/all.seccomp" -p | grep -q 'socketcall'
}

@test "a call without a name is said to be missing" {
	profile_json 1 3 1 training '.calls[2].nr = 400 | .calls += [{call: "unknown"}] |
		.calls[3].rank = 4' | "$EBPH" profile import -o "$DIR/x.ebph" -
	run -0 --separate-stderr "$EBPH" profile export --seccomp "$DIR/x.ebph"
	[[ $stderr == *"made the call syscall_400, which has no name"* ]]
	[[ $stderr == *"made the call unknown, which has no name"* ]]
	jq -e '.syscalls[0].names | index("read") != null and index("unknown") == null' \
		<<<"$output"
}
