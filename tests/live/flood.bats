#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Programs that raise anomalies as fast as they can: told in part, counted in full, and
# no harm to who else is watched.

load common

# A program is normal when 200 calls brought nothing new; then each call is an anomaly
# that leaves it so.
NORMAL=(--window 2 --normal-time 0 --anomaly-limit 1000000 --tolerize-limit 128)

# Watches copies of PLAY, which begin later.
watch_copies() { # NAME...
	local name exes=()
	for name; do
		copy "$name"
		exes+=(-e "$DIR/$name")
	done
	watch_begin "${NORMAL[@]}" "${exes[@]}"
}

# Starts the copy NAME: it becomes normal, and waits inside read for `go NAME`.
ready() { # NAME ARG...
	local name=$1
	shift
	mkfifo "$DIR/$name.pipe"
	"$DIR/$name" 200x:getppid read "$@" <>"$DIR/$name.pipe" 3>&- &
	STARTED+=("$!")
	poll inside "$!" 0
}

go() { # NAME
	echo >"$DIR/$1.pipe"
}

# Waits until process PID has made all its calls and naps.
done_with() { # PID
	poll inside "$1" 35
}

# At least NUMBER anomalies in CALL were told of copy NAME.
told() { # NAME CALL NUMBER
	[ "$(grep "\"anomaly\".*$DIR/$1\"" "$OUT" | grep -c "\"syscall\":\"$2\"")" -ge "$3" ]
}

@test "a million anomalies: 1,000 are told, all are counted, another program is heard" {
	watch_copies flood other
	ready other getuid nap:60000
	ready flood 499000x:getuid,getgid nap:60000
	flood=$!
	began=$EPOCHSECONDS
	go flood
	poll told flood getuid 1
	go other
	poll told other getuid 1
	done_with "$flood"
	watch_end
	seen=$(count anomaly "$DIR/flood") lost=$(lost anomalies)
	echo "seen $seen, lost $lost, $(stat -c %s "$OUT") bytes"
	# Tokens come back, one a second.
	[ "$seen" -ge 1000 ] && [ "$seen" -le $((1001 + EPOCHSECONDS - began)) ]
	same "$(row "$DIR/flood" .anomalies)" $((seen + lost))
	same 3 "$(row "$DIR/other" .anomalies)" # read, getuid, nanosleep
	[ "$(stat -c %s "$OUT")" -lt 1000000 ]
	grep -q "lost: .* anomalies" "$ERR"
}

@test "what is lost is told while ebph goes on" {
	watch_copies flood
	ready flood 2000x:getuid,getgid nap:60000
	go flood
	poll grep -q "lost: [0-9]* anomalies" "$ERR"
	same 0 "$(count summary)"
	watch_end
}

@test "programs that fill the ring buffer while nobody reads leave room for another" {
	# 8,000 anomalies at once: twice what the ring buffer holds.
	floods=(f1 f2 f3 f4)
	watch_copies "${floods[@]}" other
	ready other getuid nap:60000
	other=$!
	for name in "${floods[@]}"; do
		ready "$name" 1000x:getuid,getgid nap:60000
		pids+=("$!")
	done
	ebph=$(ebph_pid)
	kill -STOP "$ebph"
	for i in 0 1 2 3; do
		go "${floods[i]}"
		done_with "${pids[i]}"
	done
	go other
	done_with "$other"
	kill -CONT "$ebph"
	poll told other getuid 1
	watch_end
	seen=$(events anomaly | jq -r .exe | grep -c "/f[1-4]$") lost=$(lost anomalies)
	echo "seen $seen, lost $lost"
	same "$(row '' '[.profiles[] | select(.exe | test("/f[1-4]$")).anomalies] | add')" $((seen + lost))
	[ "$seen" -ge 1000 ] && [ "$lost" -ge 4000 ]
	same 3 "$(row "$DIR/other" .anomalies)" # read, getuid, nanosleep
}

@test "however often events come, files and processes are looked at by the clock" {
	copy a
	watch_begin "${NORMAL[@]}" -e "$DIR/a" --delay 1
	strace -qq -o "$DIR/trace" -e trace=poll,openat,%%stat -p "$(ebph_pid)" 3>&- &
	STARTED+=("$!")
	poll grep -q '^poll(' "$DIR/trace"
	began=$EPOCHSECONDS
	for i in {1..400}; do
		"$DIR/a" getuid
	done
	seconds=$((EPOCHSECONDS - began + 1))
	turns=$(grep -c '^poll(' "$DIR/trace")
	# The walk through all processes, and what -e names.
	walks=$(grep -c '^openat(.*"/proc", ' "$DIR/trace") || true
	stats=$(grep -c "^[a-z]*stat.*\"$DIR/a\"" "$DIR/trace") || true
	echo "$seconds s, $turns turns of the loop, $walks walks, $stats looks at the file"
	[ "$turns" -ge 250 ]
	[ "$walks" -le $((seconds / 5 + 1)) ]
	[ "$stats" -le $((seconds + 1)) ]
	# but looked at they are
	poll grep -q '^openat(.*"/proc", ' "$DIR/trace"
	poll grep -q "^[a-z]*stat.*\"$DIR/a\"" "$DIR/trace"
	watch_end
}
