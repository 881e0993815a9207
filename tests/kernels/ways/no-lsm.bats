#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# In a guest that was booted without bpf in lsm=.

load ../../live/common

@test "BPF LSM is not active, and the self-test says what it takes" {
	run ! grep -qw bpf /sys/kernel/security/lsm
	grep -E '^BPF LSM +not active .*lsm=' "$VMRUN_OUT/selftest"
}

@test "--abort-exec is refused, with advice" {
	run "$EBPH" "${FRESH[@]}" --abort-exec 1 -- "$PLAY" getppid
	echo "$output"
	same 1 "$status"
	[[ $output == *"--abort-exec needs BPF LSM"*"--abort-exec-by kill"* ]]
}

@test "--abort-exec-by kill works" {
	cat >"$DIR/session" <<-S
		$PLAY 200x:getppid getuid getppid exec:/bin/touch $DIR/touched end
		echo status \$? >$DIR/status
	S
	watch --window 2 --normal-time 0 --abort-exec 2 --abort-exec-by kill -- sh "$DIR/session"
	[ ! -e "$DIR/touched" ]
	same 'status 137' "$(cat "$DIR/status")"
	same 1 "$(count abort_exec "$PLAY")"
}
