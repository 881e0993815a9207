#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Tables that are full, and events that find no room: counted, and said.

load common

@test "more programs alive than --max-profiles: their calls are counted as lost" {
	names=(c1 c2 c3 c4 c5 c6 c7 c8)
	copy "${names[@]}"
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	{
		for name in "${names[@]}"; do
			echo "$DIR/$name 5x:getppid read 5x:getppid <$DIR/pipe & echo \$! >>$DIR/pids"
		done
		echo wait
	} >"$DIR/session"
	watch_begin --max-profiles 4 -- sh "$DIR/session"
	poll eval '[ "$(wc -l <"$DIR/pids")" -eq 8 ]'
	for pid in $(cat "$DIR/pids"); do
		poll inside "$pid" 0
	done
	echo -n 12345678 >&7
	wait "$WATCHER"
	exec 7>&-
	# sh and three of them have a profile: five programs make at least six calls more
	# than are seen, and all twelve unless a profile becomes free in time.
	lost=$(lost max-profiles)
	echo "lost $lost"
	[ "$lost" -ge 30 ] && [ "$lost" -le 60 ]
	[ "$(row '' '.profiles | length')" -le 4 ]
	same "$(row '' .lost)" "$(lost .)"
	grep -q "lost: .*max-profiles" "$ERR"
}

@test "more pairs than --max-pairs-memory: calls are counted as lost" {
	watch --max-pairs-memory 64K -- "$PLAY" 2x:sweep:250
	[ "$(lost max-pairs-memory)" -gt 0 ]
	# Also when the profile made room for others at the end
	same 501 "$(row '' .system_calls)"
	grep -q "lost: .*max-pairs-memory" "$ERR"
}

@test "a call beyond --max-pairs-memory is counted once" {
	copy homeless
	watch --max-pairs-memory 64K -- "$PLAY" 2x:sweep:250 \
		fork exec:"$DIR/homeless" 2000x:getppid end end wait
	lost=$(lost max-pairs-memory)
	echo "lost $lost"
	[ "$lost" -ge 2000 ] && [ "$lost" -le 2501 ]
}

@test "anomalies that nobody reads in time are counted as lost, all others arrive" {
	# ebph is stopped while each of 60,000 calls is an anomaly.
	VERBOSE='' blocked 0 --window 2 --normal-time 0 --anomaly-limit 1000000 --tolerize-limit 128 -- \
		"$PLAY" 200x:getppid read 30000x:getuid,getgid write:2 read
	ebph=$(ebph_pid)
	kill -STOP "$ebph"
	echo -n x >&7
	poll grep -q + "$ERR"
	kill -CONT "$ebph"
	let_go
	seen=$(count anomaly "$PLAY")
	lost=$(lost anomalies)
	echo "seen $seen, lost $lost"
	[ "$lost" -gt 0 ]
	same "$(row "$PLAY" .anomalies)" $((seen + lost))
	grep -q "lost: .* anomalies" "$ERR"
}

@test "a full pairs memory raises no alarm" {
	# A program that repeats itself exactly, in a profile that could not learn it all.
	watch --max-pairs-memory 64K --normal-factor 1 --normal-time 0 -- "$PLAY" 6x:sweep:250
	[ "$(lost max-pairs-memory)" -gt 0 ]
	same "" "$(events anomaly "$PLAY" | jq -r 'select(.syscall != "exit_group").syscall' | head -3)"
}

finds_room() {
	"$DIR/third" getuid getgid
	[ "$(count sequence "$DIR/third")" -gt 0 ]
}

@test "what could not be learned for want of room raises no alarm when there is room again" {
	copy late full third
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	watch_begin --max-pairs-memory 64K --normal-factor 1 --normal-time 0 -e "$DIR/late" -e "$DIR/full" -e "$DIR/third"
	"$DIR/late" 20x:sched_get_priority_max,sched_get_priority_min read 3x:sweep:100 write:2 read 3x:sweep:100 \
		<"$DIR/pipe" 2>"$DIR/mark" 3>&- 7>&- &
	late=$!
	STARTED+=("$late")
	poll inside "$late" 0
	"$DIR/full" 2x:sweep:250 nap:$((600 * 1000)) 3>&- 7>&- &
	full=$!
	STARTED+=("$full")
	poll inside "$full" 35
	echo -n x >&7
	poll test -s "$DIR/mark"
	kill "$full"
	wait "$full" || true
	poll finds_room
	before=$(count anomaly "$DIR/late")
	echo -n x >&7
	exec 7>&-
	wait "$late"
	watch_end
	[ "$(lost max-pairs-memory)" -gt 0 ]
	events anomaly "$DIR/late" | jq -r .syscall | tail -n "+$((before + 1))" >"$DIR/after"
	same '' "$(grep -vE "^(read|exit_group)$" "$DIR/after")"
}

@test "programs that start when events find no room are named when they do" {
	# The ring buffer has room for 130 such names.
	deep=$DIR/$(printf "/$(printf 'd%.0s' {1..250})%.0s" {1..14})
	mkdir -p "$deep"
	for i in {1..150}; do
		cp "$PLAY" "$deep/$i"
	done
	mkfifo "$DIR/pipe" "$DIR/start"
	exec 7<>"$DIR/pipe"
	cat >"$DIR/session" <<-S
		read go <$DIR/start
		for i in \$(seq 150); do
			"$deep/\$i" getppid read getuid <$DIR/pipe &
			echo \$! >>$DIR/pids
		done
		wait
	S
	watch_begin -- sh "$DIR/session"
	ebph=$(ebph_pid)
	kill -STOP "$ebph"
	echo >"$DIR/start"
	poll eval '[ "$(wc -l <"$DIR/pids")" -eq 150 ]'
	for pid in $(cat "$DIR/pids"); do
		poll inside "$pid" 0
	done
	kill -USR1 "$ebph"
	kill -CONT "$ebph"
	# ebph prints the summary after it has read what was in the ring.
	poll grep -q '"summary"' "$OUT"
	[ "$(row '' '[.profiles[] | select(.exe == null)] | length')" -gt 0 ]
	head -c 150 /dev/zero >&7
	exec 7>&-
	wait "$WATCHER"
	same 150 "$(events profile | jq -r .exe | grep -c "/ddd.*ddd/[0-9]*$")"
	same 0 "$(row '' '[.profiles[] | select(.exe == null)] | length')"
}
