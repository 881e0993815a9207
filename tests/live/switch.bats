#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Responses switched on with `ebph admin set` in an ebph that was started without.
#
# All of it is aimed at programs that these tests start: ebph gets a COMMAND, or -e with a
# program of the test's own.

load common
load respond

FRESH=(--no-load --no-save)

# guard_program with a socket, and nothing of responses in the kernel
guard() { # NAME OPTION...
	guard_program "$@" --socket "$DIR/socket"
	remember
	run ! grep -Eq '^(respond|on_generate|release|bprm_check) ' "$DIR/as-before"
}

# What ebph holds: programs, how many descriptors, processes.
holds() {
	programs_of "$(ebph_pid)"
	find "/proc/$(ebph_pid)/fd" -type l | wc -l
	pgrep -P "$(ebph_pid)" || true
}

remember() {
	holds >"$DIR/as-before"
	grep -q '^enter ' "$DIR/as-before"
}

# Fails unless it is as it was.
as_before() {
	same "$(cat "$DIR/as-before")" "$(holds)"
}

# What happened to process $1: `CALL LFC` of anomalies, `MS LFC` of delays.
fate() { # PID
	jq -s -r --argjson pid "$1" 'map(select(.pid == $pid and (.event | IN("anomaly", "delay")))
		| "\(.syscall // .milliseconds) \(.lfc)") | join(", ")' "$OUT"
}

has_met() { # PID FATE
	[ "$(fate "$1")" = "$2" ]
}

@test "set delay: it holds up, no call is missed and nothing that was learned is lost" {
	local calls=20000000 count sequences
	guard a
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	"$DIR/a" 200x:getppid read getuid getppid die <"$DIR/pipe" 3>&- 7>&- &
	pid=$!
	STARTED+=("$pid")
	poll has_met "$pid" 'read 1'
	count=$(profile a .count) sequences=$(profile a .sequences)
	"$DIR/a" ${calls}x:getppid die 3>&- 7>&- &
	busy=$!
	STARTED+=("$busy")
	start=$(date +%s%N)
	admin set delay 250
	echo "# switched on in $((($(date +%s%N) - start) / 1000000)) ms" >&3
	kill -0 "$busy" # it called before, meanwhile and since
	same 250 "$(admin get delay)"
	same "normal $sequences" "$(profile a '"\(.state) \(.sequences)"')"
	poll gone "$busy" || poll gone "$busy"
	wait "$busy" || true
	same $((count + calls)) "$(profile a .count)"
	same '' "$(fate "$busy")"
	# its window was not emptied: getuid after read is new
	echo >&7
	poll has_met "$pid" 'read 1, getuid 2, 1000 2, getppid 3, 2000 3'
	poll gone "$pid"
	jq -s -e --argjson pid "$pid" 'map(select(.pid == $pid and (.event | IN("anomaly", "delay"))))
		| .[2].until <= .[3].time and .[2].time < .[2].until' "$OUT"
	# and off, and on, as in one that was started with it
	admin set delay 0
	"$DIR/a" 200x:getppid getuid die || true
	same 2 "$(count delay)"
	admin set delay 1
	"$DIR/a" 200x:getppid getuid die || true
	same 3 "$(count delay)"
	watch_end
	nothing_lost
}

@test "processes that begin and end meanwhile are followed" {
	local n=1000 steps
	copy b
	watch_begin -e "$DIR/b" --normal-time 1h --socket "$DIR/socket"
	steps=$(printf 'fork getppid end wait %.0s' $(seq $n))
	# shellcheck disable=SC2086 # many
	again_and_again "$DIR/b" getuid $steps die 3>&- &
	busy=$!
	STARTED+=("$busy")
	poll calls_many
	admin set delay 60000
	touch "$DIR/stop"
	poll gone "$busy"
	same $(($(wc -l <"$DIR/runs") * (1 + 4 * n))) "$(profile b .count)"
	same "0 0" "$(admin -j status | jq -r '"\(.processes) \(.threads)"')"
	watch_end
	nothing_lost
}

# Until $DIR/stop is there; $DIR/runs gets a line a run.
again_and_again() { # COMMAND...
	until [ -e "$DIR/stop" ]; do
		"$@" || true
		echo >>"$DIR/runs"
	done
}

calls_many() {
	[ "$(profile b .count)" -gt 1000 ]
}

@test "set abort-exec: by killing" {
	guard a --abort-exec-by kill
	admin set abort-exec 100
	set_abort_exec
	watch_end
	nothing_lost
}

@test "set abort-exec: through BPF LSM" {
	grep -qw bpf /sys/kernel/security/lsm 2>/dev/null || skip "BPF LSM is not active here"
	guard a
	admin set abort-exec 100
	set_abort_exec
	watch_end
	nothing_lost
}

@test "set abort-exec is refused where BPF LSM is not active, with advice" {
	if grep -qw bpf /sys/kernel/security/lsm 2>/dev/null; then
		skip "BPF LSM is active here"
	fi
	guard a
	run -1 admin set abort-exec 1
	[[ $output == *"--abort-exec needs BPF LSM"*"--abort-exec-by kill"* ]]
	same 0 "$(admin get abort-exec)"
	as_before
	watch_end
}

# Which of two capabilities are left?
left() {
	admin status | grep -o 'CAP_PERFMON\|CAP_KILL' | tr '\n' ' '
}

@test "one after the other; then what that took is given up" {
	guard a --abort-exec-by kill
	same "CAP_KILL CAP_PERFMON " "$(left)"
	admin set delay-max 300ms # takes nothing yet
	as_before
	admin set abort-exec 2
	same "CAP_KILL CAP_PERFMON " "$(left)"
	tries 2 aborted
	admin set delay 100
	if "$EBPH" --ebpf | grep -q 'RAW_TRACEPOINTS 1'; then
		same "CAP_KILL " "$(left)"
	fi
	tries 2 aborted
	same "200 300" "$(events delay "$DIR/a" | jq -s -r 'map(.milliseconds) | join(" ")')"
	watch_end
	nothing_lost
}

@test "a capability that is missing is named, and nothing changes" {
	copy a
	for name in kill sys_ptrace; do
		timeout -k 5 "$TIMEOUT" setpriv --bounding-set=-$name --inh-caps=-$name "$EBPH" -v \
			"${FRESH[@]}" "${NORMAL[@]}" -j -o "$OUT" -e "$DIR/a" --socket "$DIR/socket" 2>"$ERR" 3>&- &
		WATCHER=$!
		STARTED+=("$WATCHER")
		poll grep -q '^ebph: watching' "$ERR"
		remember
		run -1 admin set delay 1
		[[ $output == *"takes CAP_${name^^}, which this ebph does not have"* ]]
		same 0 "$(admin get delay)"
		as_before
		"$DIR/a" 200x:getppid die || true
		same 200 "$(profile a .count)"
		watch_end
	done
}

@test "a failure at the last moment: all is as it was, and it works when that is mended" {
	copy b
	guard a -e "$DIR/b" --never-respond-to "$DIR/none"
	for _ in 1 2; do
		run -1 admin set delay 60000
		[[ $output == *"$DIR/none: No such file"* ]]
		same 0 "$(admin get delay)"
		as_before
	done
	"$DIR/a" 200x:getppid getuid die || true
	same 401 "$(profile a .count)"
	mv "$DIR/b" "$DIR/none"
	admin set delay 60000
	crowd 2
	same 2 "$(count delay "$DIR/a")"
	watch_end
	nothing_lost
}

@test "a compilation that fails: all is as it was" {
	guard a
	admin set delay 60000 >"$DIR/said" 2>&1 &
	asked=$!
	poll pgrep -P "$(ebph_pid)"
	kill -KILL "$(pgrep -P "$(ebph_pid)" | head -n 1)"
	status=0
	wait "$asked" || status=$?
	same 1 "$status"
	grep -q 'a process that compiles the BPF source was killed by signal 9' "$DIR/said"
	as_before
	# no room for what is compiled
	prlimit --pid "$(ebph_pid)" --nofile=$(($(find "/proc/$(ebph_pid)/fd" -type l | wc -l) + 4)):4096
	run -1 admin set delay 60000
	echo "$output"
	[[ ${output,,} == *"too many open files"* ]]
	as_before
	prlimit --pid "$(ebph_pid)" --nofile=1024:4096
	admin set delay 60000
	crowd 1
	watch_end
	nothing_lost
}

@test "those killed while delayed leave no delay to a child that gets their slot" {
	copy a
	watch_begin "${NORMAL[@]}" -e "$DIR/a" --socket "$DIR/socket"
	"$DIR/a" getppid read fork 3x:getppid end wait 400x:getppid die </dev/null || true
	poll has_event normal "$DIR/a"
	mkfifo "$DIR/more"
	exec 8<>"$DIR/more"
	"$DIR/a" 3x:getppid read fork 3x:getppid getuid die end wait getppid die <"$DIR/more" 3>&- 8>&- &
	father=$!
	STARTED+=("$father")
	poll inside "$father" 0
	admin set delay 60000
	crowd 4
	kill -KILL "${PIDS[@]}"
	wait "${PIDS[@]}" || true
	admin set delay 1
	echo >&8
	poll gone "$father" # or its child is stopped for as long as the others would have been
	watch_end
	same "120000 120000 120000 120000 2" "$(events delay | jq -s -r 'map(.milliseconds) | join(" ")')"
	nothing_lost
}

@test "what is compiled, and the guardian, are part of ebph: nobody watches them" {
	cp "$EBPH" "$DIR/ebph"
	asks=$EBPH
	EBPH=$DIR/ebph watch_begin -e "$DIR/ebph" --socket "$DIR/socket" --abort-exec-by kill
	"$asks" admin --socket "$DIR/socket" set delay 1
	"$asks" admin --socket "$DIR/socket" set abort-exec 100
	pgrep -P "$(ebph_pid)" -x ebph-guardian
	same '' "$("$asks" ps --socket "$DIR/socket" -p -j)"
	"$DIR/ebph" -V # whom it does watch
	same 1 "$("$asks" ps --socket "$DIR/socket" -p -j | wc -l)"
	watch_end
}

@test "while it compiles, who is delayed runs on time" {
	guard_program a --delay 10 --delay-max 20ms --abort-exec-by kill --socket "$DIR/socket"
	"$DIR/a" 200x:getppid 2000x:getuid,getppid die 3>&- &
	pid=$!
	STARTED+=("$pid")
	poll has_event delay "$DIR/a"
	began=$(date -u +%FT%T.%N)
	admin set abort-exec 100
	ended=$(date -u +%FT%T.%N)
	kill -0 "$pid"
	kill -KILL "$pid"
	watch_end
	jq -s -r --arg began "$began" --arg ended "$ended" '
		def ms: (.[:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);
		map(select(.event | IN("anomaly", "delay")))
		| [range(1; length) as $i | select(.[$i].event == "anomaly" and .[$i - 1].event == "delay"
			and .[$i - 1].until > $began and .[$i].time < $ended)
			| (.[$i].time | ms) - (.[$i - 1].until | ms)]
		| "\(length) \(max)"' "$OUT" >"$DIR/late"
	read -r waits most <"$DIR/late"
	echo "# $waits waits while it compiled, late by $most ms at most" >&3
	[ "$waits" -ge 10 ]
	[ "$most" -lt $((400 * PATIENCE)) ]
}

@test "in an ebph that is paused: once it watches again, it delays" {
	guard a
	admin pause
	admin set delay 60000
	"$DIR/a" 200x:getppid getuid die || true
	same 0 "$(count anomaly)"
	admin resume
	crowd 1
	watch_end
}

@test "of a COMMAND, whose status is ebph's" {
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	timeout -k 5 "$TIMEOUT" "$EBPH" -v "${FRESH[@]}" "${NORMAL[@]}" --socket "$DIR/socket" -j -o "$OUT" -- \
		"$PLAY" 200x:getppid read getuid die <"$DIR/pipe" 2>"$ERR" 3>&- 7>&- &
	WATCHER=$!
	STARTED+=("$WATCHER")
	poll has_event anomaly "$PLAY"
	admin set delay 100
	echo >&7
	status=0
	wait "$WATCHER" || status=$?
	same 132 "$status"
	same "400 2" "$(events delay "$PLAY" | jq -r '"\(.milliseconds) \(.lfc)"')"
	nothing_lost
}
