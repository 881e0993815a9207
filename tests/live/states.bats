#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS, "One system call, in order" and "States": windows, training, freezing,
# thawing, becoming normal; counters.

load common

# What happened to PLAY's profile, in order.
history() {
	jq -r --arg exe "$PLAY" 'select(.exe == $exe and (.event |
		IN("sequence", "profile", "exec", "exit") | not)) | .event' "$OUT" | xargs
}

@test "window lengths 2 to 9: pairs up to that distance, no others" {
	calls=(getpid getppid gettid getuid getgid getegid getpgrp)
	for n in 2 3 4 5 6 7 8 9; do
		between=("${calls[@]:0:n-2}")
		# repeated until it is remembered; then the pair of the largest distance is new
		loop=(geteuid "${between[@]}" times getsid "${between[@]}" alarm)
		last=(geteuid "${between[@]}" times getsid "${between[@]}" times)
		watch --window $n -- "$PLAY" "${calls[@]}" "60x:$(IFS=, && echo "${loop[*]}")" "${last[@]}"
		learned "$PLAY" <<<"$(chain $n "${calls[@]}" "${loop[@]}" "${loop[@]}" "${last[@]}" exit_group)"
	done
}

@test "an empty slot is no miss" {
	# A second run: each call's misses are as many as there are calls before it.
	watch --normal-factor 1 --normal-time 0 -- "$PLAY" 200x:getppid \
		exec:"$PLAY" getuid getgid getegid end
	same "execve 8,getgid 1,getegid 2,exit_group 3" "$(events anomaly "$PLAY" |
		jq -s -r 'map("\(.syscall) \(.misses)") | join(",")')"
	events anomaly | jq -s -e 'map(.misses == (.missed | length)) | all'
}

@test "an anomaly tells its sequence, oldest first, and which pairs were missed" {
	watch --window 4 --normal-factor 1 --normal-time 0 -- "$PLAY" \
		100x:getppid,getuid getgid getuid getppid
	events anomaly "$PLAY" | jq -c '[.syscall, .sequence, (.missed | map(.prev, .distance))]' >"$DIR/seen"
	same '["getgid",["getuid","getppid","getuid","getgid"],["getuid",1,"getppid",2,"getuid",3]]
["getuid",["getppid","getuid","getgid","getuid"],["getgid",1]]
["getppid",["getuid","getgid","getuid","getppid"],["getgid",2]]
["exit_group",["getgid","getuid","getppid","exit_group"],["getppid",1,"getuid",2,"getgid",3]]' \
		"$(cat "$DIR/seen")"
}

@test "freeze rule: never a call early; and at the end of a thread not late" {
	# The last change is at call 9: freeze when train_count * 32 > 9 * 128, so at 37.
	copy early late
	echo "$DIR/early 36x:getppid die; $DIR/late 37x:getppid die" >"$DIR/session"
	watch_die -- sh "$DIR/session"
	same 0 "$(count freeze "$DIR/early")"
	same "36 27 training" "$(row "$DIR/early" '"\(.train_count) \(.last_mod_count) \(.state)"')"
	same 37 "$(events freeze "$DIR/late" | jq .train_count)"
	same "37 28 frozen" "$(row "$DIR/late" '"\(.train_count) \(.last_mod_count) \(.state)"')"
}

@test "freeze rule: at most 64 calls late, by the ratio that was asked for" {
	# 7/2: when train_count * 2 > 9 * 7, so from 32 on
	copy early late long
	echo "$DIR/early 31x:getppid die; $DIR/late 32x:getppid die; $DIR/long 300x:getppid die" \
		>"$DIR/session"
	watch_die --normal-factor 7/2 -- sh "$DIR/session"
	same 0 "$(count freeze "$DIR/early")"
	same 32 "$(events freeze "$DIR/late" | jq .train_count)"
	at=$(events freeze "$DIR/long" | jq .train_count)
	echo "frozen at $at"
	[ "$at" -ge 32 ] && [ "$at" -le $((32 + 64)) ]
}

@test "a profile without a pair does not freeze" {
	# Runs of one call each: train_count grows, but nothing was learned.
	for _ in $(seq 100); do echo "$PLAY"; done >"$DIR/session"
	watch --normal-factor 1 -- sh "$DIR/session"
	same "100 100 0 training" \
		"$(row "$PLAY" '"\(.train_count) \(.last_mod_count) \(.sequences) \(.state)"')"
}

@test "a new pair thaws a frozen profile; it freezes again by the same rule" {
	watch_die --window 2 -- "$PLAY" 200x:getppid getuid 1000x:getuid die
	# getuid is call 201, the second new pair is of call 202: frozen from 809 on
	same "freeze thaw freeze" "$(history)"
	same 201 "$(events thaw "$PLAY" | jq .train_count)"
	again=$(events freeze "$PLAY" | jq -s '.[1].train_count')
	echo "again at $again"
	[ "$again" -ge 809 ] && [ "$again" -le $((809 + 64)) ]
	same "1201 999 3 frozen" \
		"$(row "$PLAY" '"\(.train_count) \(.last_mod_count) \(.sequences) \(.state)"')"
}

@test "normal after the wait, not before, and at most a second late" {
	watch --normal-factor 1 --normal-time 700ms -- "$PLAY" 150x:nap:20
	same "freeze normal" "$(history | cut -d " " -f 1,2)"
	waited=$(jq -s 'def seconds: (.[0:19] + "Z" | fromdate) + ("0." + .[20:29] | tonumber);
		(map(select(.event == "normal"))[0].time | seconds)
		- (map(select(.event == "freeze"))[0].time | seconds)' "$OUT")
	echo "waited $waited"
	jq -n -e "$waited >= 0.7 and $waited < 2.2"
	# what `freeze` announced is freeze time plus the wait
	events freeze "$PLAY" | jq -s -e 'def seconds: (.[0:19] + "Z" | fromdate) + ("0." + .[20:29] | tonumber);
		.[0] | (.normal_time | seconds) - (.time | seconds) | . > 0.69 and . < 0.71'
}

@test "becoming normal: counts begin anew, all calls and sequences are kept" {
	watch_die --window 2 --normal-factor 1 --normal-time 0 -- "$PLAY" 300x:getppid die
	at=$(events freeze "$PLAY" | jq .train_count)
	same "freeze normal" "$(history)"
	# The next call after freezing makes it normal, and is the last one before zero.
	left=$((300 - at - 1))
	same "300 $left $left 1 0 normal" "$(row "$PLAY" \
		'"\(.count) \(.train_count) \(.last_mod_count) \(.sequences) \(.anomalies) \(.state)"')"
}

@test "a normal profile trains on: what was learned is no news, but still an anomaly" {
	watch_die --window 2 --normal-factor 1 --normal-time 0 -- "$PLAY" 300x:getppid \
		2x:getuid,getppid die
	same "getuid 1,getppid 2,getuid 3,getppid 4" "$(lfcs .)"
	same 3 "$(row "$PLAY" .sequences)"
	same normal "$(row "$PLAY" .state)"
}

@test "a call that is held back when the counts begin anew is not counted after it" {
	# The first thread holds back calls while the other makes the profile normal.
	watch_die --window 2 --normal-factor 1 --normal-time 0 -- "$PLAY" \
		thread 40x:getppid + @2 die end @1 300x:getppid + spin
	at=$(events freeze "$PLAY" | jq .train_count)
	same 341 "$(row "$PLAY" .count)"
	same normal "$(row "$PLAY" .state)"
	echo "frozen at $at"
	# Counted until freezing: clone, the thread's two calls that made a new pair, and
	# calls of the main thread; the one after that makes the profile normal.
	left=$((300 - (at - 3) - 1))
	same "$left $left" "$(row "$PLAY" '"\(.train_count) \(.last_mod_count)"')"
}

@test "a call that is held back during a change counts as before it" {
	# The thread holds back calls while the other learns a pair; then it is gone.
	# As after it, the 38 calls would freeze the profile.
	watch_die --window 2 -- "$PLAY" thread 40x:getppid + @2 die end @1 getuid getuid + spin
	same 0 "$(count freeze)"
	same "43 0 training" "$(row "$PLAY" '"\(.train_count) \(.last_mod_count) \(.state)"')"
}

@test "counts of threads and processes of one program are exact" {
	one=(40000x:getppid,getuid,getgid,getegid,geteuid)
	all=(sweep:100)
	for _ in 1 2 3; do all+=(thread "${one[@]}" end); done
	all+=("${one[@]}" join)
	watch --normal-factor 65535 -- "$PLAY" fork "${all[@]}" end fork "${all[@]}" end \
		"${all[@]}" wait wait
	# per process: 100 + 4 * 200000 + 3 clone + 3 exit + exit_group; 2 fork, 2 wait4
	total=$((3 * (100 + 800000 + 3 + 3 + 1) + 4))
	# A call whose profile was busy for too long is not counted, but said to be lost.
	lost=$(row '' .lost)
	same "$lost" "$(events lost | jq -s 'map(select(.what | test("busy")).count) | add // 0')"
	same "$total $total" "$(row "$PLAY" "\"\(.count + $lost) \(.train_count + $lost)\"")"
}

@test "a summary on demand counts what threads hold back" {
	# The thread's calls are over, and it makes no other, when the main thread reads.
	blocked 0 -- "$PLAY" thread 1000x:getppid + @2 end @1 read + join
	kill -USR1 "$(ebph_pid)"
	poll grep -q '"summary"' "$OUT"
	same 1002 "$(row "$PLAY" .count)"
	let_go
	same 1004 "$(row "$PLAY" .count)"
}

# Processor time of ebph so far, in ticks of 10 ms.
used() {
	awk '{ print $14 + $15 }' "/proc/$(ebph_pid)/stat"
}

# Half a second of which ebph uses a fifth at most.
sleeps() {
	local before
	before=$(used)
	sleep 0.5
	[ $(($(used) - before)) -le 10 ]
}

@test "when a program has become normal ebph sleeps again, whether it saves or not" {
	local saves
	for saves in --no-save "--save-interval 1h --profile-dir $DIR/profiles"; do
		read -ra FRESH <<<"--no-load --no-socket $saves"
		watch_begin --window 2 --normal-factor 1 --normal-time 0 -e "$PLAY"
		"$PLAY" 200x:getppid
		poll eval '[ "$(count normal "$PLAY")" -eq 1 ]'
		poll sleeps
		watch_end
	done
}
