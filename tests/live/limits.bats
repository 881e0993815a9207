#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS: locality frames, anomaly limit, tolerize limit.

load common

# In a profile that learned getppid after getppid, in windows of two calls, each of
# `getuid,getppid` is an anomaly.
NORMAL=(--window 2 --normal-time 0)

# All that happened but the learning, in order: `event syscall-or-state lfc anomalies`.
history() { # EXE
	jq -r --arg exe "$1" 'select(.exe == $exe) | select(.event | IN("sequence", "profile",
		"freeze", "exec", "exit") | not) | "\(.event) \(.syscall // "-") \(.lfc // 0) \(.anomalies // 0)"' "$OUT"
}

@test "an anomaly limit of N allows N anomalies, the next one means training" {
	watch_die "${NORMAL[@]}" --anomaly-limit 3 --tolerize-limit 128 -- "$PLAY" \
		200x:getppid 4x:getuid,getppid die
	same "normal - 0 0
anomaly getuid 1 1
anomaly getppid 2 2
anomaly getuid 3 3
anomaly getppid 4 4
anomaly_limit - 4 4" "$(history "$PLAY")"
	same training "$(row "$PLAY" .state)"
	# N anomalies alone leave it normal
	watch_die "${NORMAL[@]}" --anomaly-limit 3 --tolerize-limit 128 -- "$PLAY" \
		200x:getppid getuid getppid getuid die
	same 3 "$(count anomaly "$PLAY")"
	same "3 normal" "$(row "$PLAY" '"\(.anomalies) \(.state)"')"
}

@test "an anomaly limit of 0: the first anomaly means training" {
	watch_die "${NORMAL[@]}" --anomaly-limit 0 -- "$PLAY" 200x:getppid 4x:getuid,getppid die
	same "normal - 0 0
anomaly getuid 1 1
anomaly_limit - 1 1" "$(history "$PLAY")"
}

@test "past the anomaly limit what was learned is kept, and no frame keeps its ones" {
	# 2 is also the tolerize limit: a thread that kept its ones would not learn.
	# The thread has three of them, the main thread the other two.
	watch_die "${NORMAL[@]}" --anomaly-limit 4 --tolerize-limit 2 -- "$PLAY" getpid \
		thread 1x:getppid + @2 getuid getppid getuid + @4 getegid getegid + end \
		@1 200x:getppid + @3 getuid getppid + @5 join getgid getgid die
	same "tolerize_limit 1,anomaly_limit 1" "$(jq -s -r '[.[] | select(.event | endswith("_limit"))]
		| group_by(.event) | map("\(.[0].event) \(length)") | reverse | join(",")' "$OUT")"
	for pair in "getegid > getegid @1" "getgid > getgid @1"; do
		pairs "$PLAY" | grep -x "$pair"
	done
	# Since the crossing: the main thread's two anomalies, and five calls more. Each new.
	same "training 7 7" "$(row "$PLAY" '"\(.state) \(.train_count) \(.sequences)"')"
}

@test "tolerize limit: once per crossing, forget what was learned, stay normal" {
	watch_die "${NORMAL[@]}" --tolerize-limit 3 -- "$PLAY" 200x:getppid \
		3x:getuid,getppid getppid die
	same "normal - 0 0
anomaly getuid 1 1
anomaly getppid 2 2
anomaly getuid 3 3
anomaly getppid 4 4
tolerize_limit - 4 4
anomaly getuid 5 5
anomaly getppid 6 6" "$(history "$PLAY")"
	# Nothing is learned above the limit; getppid after getppid is as normal as before.
	same "normal 0 0 0 6 207" "$(row "$PLAY" \
		'"\(.state) \(.train_count) \(.last_mod_count) \(.sequences) \(.anomalies) \(.count)"')"
}

@test "below the tolerize limit again a thread learns again, and may cross it again" {
	# The frame's oldest one leaves it 128 calls after it came in.
	watch_die "${NORMAL[@]}" --tolerize-limit 3 -- "$PLAY" 200x:getppid \
		2x:getuid,getppid 124x:getppid 2x:getppid 20x:getppid \
		2x:getuid,getppid die
	same "anomaly getuid 1 1
anomaly getppid 2 2
anomaly getuid 3 3
anomaly getppid 4 4
tolerize_limit - 4 4
anomaly getuid 1 5
anomaly getppid 2 6
anomaly getuid 3 7
anomaly getppid 4 8
tolerize_limit - 4 8" "$(history "$PLAY" | sed 1d)"
	# getppid was learned again by the call after the one that brought the frame down
	events sequence "$PLAY" | jq -s -e 'map(select(.syscall == "getppid" and
		.sequence == ["getppid", "getppid"])) | length == 2'
}

@test "a frame holds 128 calls" {
	copy a b c
	{
		echo "$DIR/a 200x:getppid getuid,getppid 125x:getppid getuid die"
		echo "$DIR/b 200x:getppid getuid,getppid 126x:getppid getuid die"
		echo "$DIR/c 200x:getppid getuid,getppid 127x:getppid getuid die"
	} >"$DIR/session"
	watch_die "${NORMAL[@]}" -- sh "$DIR/session"
	same "1 2 3" "$(events anomaly "$DIR/a" | jq -s -r 'map(.lfc) | join(" ")')"
	same "1 2 2" "$(events anomaly "$DIR/b" | jq -s -r 'map(.lfc) | join(" ")')"
	same "1 2 1" "$(events anomaly "$DIR/c" | jq -s -r 'map(.lfc) | join(" ")')"
}

@test "each thread has a frame of its own" {
	watch_die "${NORMAL[@]}" -- "$PLAY" thread 1x:getppid + @2 getuid getppid + end \
		@1 200x:getppid + @3 getuid join die
	same "getuid 1,getppid 2,exit 3" "$(lfcs 'select(.pid != .tid)')"
	same "getuid 1" "$(lfcs 'select(.pid == .tid)')"
}

@test "becoming normal empties the frames" {
	# Normal, one anomaly too many, training, normal again: the next one is the first.
	watch_die --window 2 --normal-time 0 --normal-factor 1 --anomaly-limit 1 \
		--tolerize-limit 128 -- "$PLAY" 200x:getppid getuid getppid 200x:getgid getuid die
	same "normal - 0 0
anomaly getuid 1 1
anomaly getppid 2 2
anomaly_limit - 2 2
normal - 0 0
anomaly getuid 1 1" "$(history "$PLAY")"
}

@test "what was forgotten does not come back when the profile is normal again" {
	watch_die --window 2 --normal-time 0 --normal-factor 1 --anomaly-limit 2 \
		--tolerize-limit 1 -- "$PLAY" 200x:getppid getuid getppid getuid \
		200x:getgid getppid getppid die
	# Crossed at getppid, past the limit at getuid; then only getgid is learned
	same "normal - 0 0
anomaly getuid 1 1
anomaly getppid 2 2
tolerize_limit - 2 2
anomaly getuid 3 3
anomaly_limit - 3 3
normal - 0 0
anomaly getppid 1 1
anomaly getppid 2 2
tolerize_limit - 2 2" "$(history "$PLAY")"
}
