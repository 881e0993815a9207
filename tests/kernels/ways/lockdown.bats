#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# In a guest that was booted with lockdown=integrity. The last test raises that.

load ../../live/common

LOCKDOWN=/sys/kernel/security/lockdown

@test "lockdown integrity: ebph works, and the self-test says the mode" {
	grep -F '[integrity]' $LOCKDOWN
	grep -E '^lockdown +integrity' "$VMRUN_OUT/selftest"
	watch -- "$PLAY" getppid getuid getppid
	same 4 "$(row "$PLAY" .count)"
	nothing_lost
}

@test "lockdown integrity: delays stop and continue" {
	watch --window 2 --normal-time 0 --delay 10 --delay-max 50ms -- "$PLAY" 200x:getppid 2x:getuid,getppid
	[ "$(count delay "$PLAY")" -ge 4 ]
}

@test "lockdown confidentiality: refused, with the reason" {
	echo confidentiality >$LOCKDOWN
	run "$EBPH" "${FRESH[@]}" -d 1
	echo "$output"
	same 1 "$status"
	[[ $output == *"locked down (confidentiality)"*"/sys/kernel/security/lockdown"* ]]
	run "$EBPH" --self-test
	same 1 "$status"
	[[ "${lines[-1]}" == "self-test failed: "*"lockdown"* ]]
}
