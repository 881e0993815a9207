#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# An ebph that watches and cannot save: it says so, keeps what it has, tries again, and
# never writes over a profile that it could not use. Kills: killed.bats.

# shellcheck disable=SC2034 # common uses FRESH, OUT, ERR

load common

setup() {
	programs
	DIR=$BATS_TEST_TMPDIR
	OUT=$DIR/out.jsonl ERR=$DIR/err
	STARTED=()
	use "$DIR/p"
}

teardown() {
	local pid
	for pid in "${STARTED[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	! mountpoint -q "$DIR/small" || umount "$DIR/small"
}

use() { # DIRECTORY
	PROFILES=$1
	FRESH=(--no-socket --profile-dir "$1" --save-interval 50ms)
}

# A file system that is full but for what `room` gives back.
small() {
	mkdir "$DIR/small"
	mount -t tmpfs -o size=256k,mode=700 none "$DIR/small"
	use "$DIR/small/p"
}

fill() {
	head -c 1M /dev/zero >"$DIR/small/ballast" 2>/dev/null || true
}

room() {
	rm "$DIR/small/ballast"
}

profile() {
	"$EBPH" profile "$1" --profile-dir "$PROFILES" "${@:2}"
}

file_of() { # EXE
	profile show "$1" | awk '$1 == "file" { print $2; found = 1 } END { exit !found }'
}

# The count of all calls that the file of EXE has is N.
saved() { # EXE N
	[ "$(profile show -j "$1" | jq .count)" -eq "$2" ]
}

warned() { # REGEX
	events warning | jq -es --arg what "$1" 'any(.message | test($what))'
}

named() { # EXE
	[ "$(count profile "$1")" -eq 1 ]
}

# EIO, ENOSPC, EROFS, EDQUOT
error() { # ERRNO
	case $1 in
	5) echo 'Input/output error' ;;
	28) echo 'No space left on device' ;;
	30) echo 'Read-only file system' ;;
	122) echo 'Disk quota exceeded' ;;
	esac
}

none() { # PATTERN
	[ -z "$(compgen -G "$1")" ]
}

no_leftover() {
	none "$PROFILES/.new-*"
}

# Watches programs, for most of which there is room at a time.
few() { # NAME...
	local name options=()
	for name; do
		options+=(-e "$DIR/$name")
	done
	watch_begin --max-profiles 8 --save-interval 1ms "${options[@]}"
}

# While bpf(2) copies what is in a map, the kernel leaves out programs of classic tracepoints.
@test "while programs come, and it tells, counts and saves, it copies nothing by bpf(2)" {
	copy one two
	watch_begin --normal-time 0 -e "$DIR/one" -e "$DIR/two" --interval 0.1
	"$DIR/one" getuid
	poll saved "$DIR/one" 2
	strace -qq -f -o "$DIR/trace" -e trace=bpf,renameat,renameat2 -p "$(ebph_pid)" 3>&- &
	STARTED+=("$!")
	poll grep -q TracerPid.*[1-9] "/proc/$(ebph_pid)/status"
	for n in 2 3 4; do
		"$DIR/one" getuid geteuid
		poll saved "$DIR/one" $((n * 3 - 1))
	done
	poll grep -q rename "$DIR/trace"
	"$DIR/two" getuid
	poll saved "$DIR/two" 2
	summaries=$(count summary)
	poll eval '[ "$(count summary)" -gt $((summaries + 1)) ]'
	watch_end
	grep bpf "$DIR/trace" | grep -v BPF_OBJ_GET_INFO_BY_FD >"$DIR/copied" || true
	same '' "$(cat "$DIR/copied")"
}

@test "a disk that runs full while it watches: said, the old file stays, saved when there is room" {
	small
	copy one
	watch -e "$DIR/one" -- "$DIR/one" getuid
	saved "$DIR/one" 2
	cp "$(file_of "$DIR/one")" "$DIR/old"
	watch_begin -e "$DIR/one"
	fill
	"$DIR/one" getgid getppid
	poll warned 'could not be saved, and will be tried again: .*No space left'
	cmp "$(file_of "$DIR/one")" "$DIR/old"
	profile check
	no_leftover
	room
	poll saved "$DIR/one" 5
	watch_end
	no_leftover
	same 1 "$(events warning | wc -l)" # and not again at each try
}

@test "a disk that is full to the end: how many are unsaved is said, status 1, the old file stays" {
	small
	copy one
	watch -e "$DIR/one" -- "$DIR/one" getuid
	cp "$(file_of "$DIR/one")" "$DIR/old"
	fill
	EXPECT=1 watch -e "$DIR/one" -- "$DIR/one" getgid
	grep -q '1 profiles could not be saved' "$ERR"
	cmp "$(file_of "$DIR/one")" "$DIR/old"
	room
	watch -e "$DIR/one" -- "$DIR/one" getgid
	saved "$DIR/one" 4
}

@test "profiles that must leave the kernel while the disk is full are kept in memory" {
	small
	names=(a b c d e f g h i j k l)
	copy one "${names[@]}"
	few one "${names[@]}"
	fill
	"$DIR/one" getuid getgid
	for name in "${names[@]}"; do
		"$DIR/$name" getppid
		poll named "$DIR/$name"
		# let profiles make room for others
		sleep 0.3
	done
	poll warned 'could not be saved'
	[ "$(events lost | jq -s 'map(select(.what | test("made room")).count) | add')" -ge 4 ]
	none "$PROFILES/*.ebph"
	# it comes back with what it knew, and counts what it did until then as lost
	"$DIR/one" getgid getuid
	room
	for name in one "${names[@]}"; do
		poll file_of "$DIR/$name"
	done
	poll seen_in_all 6
	watch_end
	profile show -j --pairs "$DIR/one" |
		jq -e 'any(.pairs[]; .previous == "getuid" and .current == "getgid")'
	for name in "${names[@]}"; do
		saved "$DIR/$name" 2
	done
	same '' "$(events warning | grep lost)"
}

# What the file of `one` counts, and what was lost before that profile was back, is N.
seen_in_all() {
	local lost count
	lost=$(events lost | jq -s 'map(select(.what | test("before their profiles")).count) | add // 0')
	count=$(profile show -j "$DIR/one" | jq .count)
	[ $((lost + count)) -eq "$1" ]
}

@test "each call that can fail while it watches: said, the old file stays, saved when it works" {
	copy one
	gcc -shared -fPIC -o "$DIR/fail.so" "$BATS_TEST_DIRNAME/../cli/fail_write.c" -ldl
	export FAIL_FILE=$DIR/fail FAIL_IN=$PROFILES
	LD_PRELOAD=$DIR/fail.so watch_begin -e "$DIR/one"
	"$DIR/one"
	poll saved "$DIR/one" 1
	count=1
	for failure in openat:28 openat:30 write:5 write:28 fsync:5 close:122 renameat:5 renameat:30; do
		cp "$(file_of "$DIR/one")" "$DIR/old"
		echo "${failure/:/ }" >"$DIR/failing"
		mv "$DIR/failing" "$DIR/fail"
		"$DIR/one" getuid
		poll eval '[ "$(count warning)" -eq $count ]'
		events warning | tail -n 1 | grep "could not be saved.*$(error "${failure#*:}")"
		cmp "$(file_of "$DIR/one")" "$DIR/old"
		profile check
		rm "$DIR/fail"
		poll saved "$DIR/one" $((2 * count + 1))
		count=$((count + 1))
	done
	watch_end
	no_leftover
}

@test "a profile of another window is set aside, not written over" {
	copy one
	watch -e "$DIR/one" -- "$DIR/one" getuid getgid
	file=$(file_of "$DIR/one")
	cp "$file" "$DIR/old"
	watch --window 5 -e "$PLAY" -- "$PLAY"
	cmp "$file" "$DIR/old" # it did not run
	watch --window 5 -e "$DIR/one" -- "$DIR/one" getppid
	grep -q "$DIR/one: its profile is not used: it was made with another window" "$ERR"
	cmp "$file.misfit" "$DIR/old"
	same '5 2' "$(profile show -j "$DIR/one" | jq -r '"\(.window) \(.count)"')"
}

@test "a profile that was damaged meanwhile is set aside when its program returns" {
	names=(a b c d e f g h i j k l)
	copy one "${names[@]}"
	few one "${names[@]}"
	"$DIR/one" getuid getgid
	poll saved "$DIR/one" 3
	file=$(file_of "$DIR/one")
	for name in "${names[@]}"; do
		"$DIR/$name"
		poll saved "$DIR/$name" 1
		sleep 0.3
	done
	[ "$(events lost | jq -s 'map(select(.what | test("made room")).count) | add')" -ge 4 ]
	printf x | dd of="$file" bs=1 seek=100 conv=notrunc status=none
	"$DIR/one" getppid
	poll warned 'damaged: its checksum is wrong'
	poll saved "$DIR/one" 2
	[ -e "$file.damaged" ]
	watch_end
}

@test "more profiles than there is room for: said, and one that is left comes with its program" {
	names=(one a b c d e f g h i j k l)
	copy "${names[@]}"
	options=()
	for name in "${names[@]}"; do
		options+=(-e "$DIR/$name")
		echo "$DIR/$name getuid getgid" >>"$DIR/session"
	done
	watch "${options[@]}" -- sh "$DIR/session"
	few "${names[@]}"
	grep -Eq 'ebph: warning: [0-9]+ of 13 profiles find no room, and stay on disk' "$ERR"
	watch_end
	for name in "${names[@]}"; do
		watch --max-profiles 8 -e "$DIR/$name" -- "$DIR/$name" getuid getgid
		# it had made these calls before: no pair is new, but those before it was back
		profile show -j --pairs "$DIR/$name" | jq -e '.count >= 3 and .train_pairs == 3'
	done
}

@test "a profile that finds no room stays on disk as it is" {
	copy big
	watch -e "$DIR/big" -- "$DIR/big" 2x:sweep:250
	cp "$(file_of "$DIR/big")" "$DIR/old"
	watch --max-pairs-memory 64K -e "$DIR/big" -- "$DIR/big" 2x:sweep:250
	warned 'finds no room and waits on disk'
	cmp "$(file_of "$DIR/big")" "$DIR/old"
}

@test "a profile that waits on disk: admin can forget it, and nothing else" {
	copy big
	watch -e "$DIR/big" -- "$DIR/big" 2x:sweep:250
	FRESH=(--socket "$DIR/socket" --profile-dir "$PROFILES" --save-interval 50ms)
	watch_begin --max-pairs-memory 64K -e "$DIR/big"
	"$DIR/big" 2x:sweep:250 nap:$((600 * 1000)) 3>&- &
	big=$!
	STARTED+=("$big")
	poll warned 'finds no room and waits on disk'
	run -1 "$EBPH" admin --socket "$DIR/socket" normalize -e "$DIR/big"
	echo "$output"
	[[ $output == *"failed: its profile waits on disk for room"* ]]
	"$EBPH" admin --socket "$DIR/socket" reset -e "$DIR/big"
	run ! file_of "$DIR/big"
	kill "$big"
	"$DIR/big" getuid
	poll saved "$DIR/big" 2
	watch_end
}

# The calls that are in files, and those that are told as lost, are N.
all_told() {
	local lost saved
	lost=$(events lost | jq -s 'map(select(.what | test("made room") | not).count) | add // 0')
	saved=$(profile list -j | jq '[.profiles[].count] | add')
	echo "saved $saved, lost $lost"
	[ $((lost + saved)) -eq "$1" ]
}

all_told_now() {
	kill -USR1 "$(ebph_pid)" # some losses are told in a summary only
	sleep 0.1
	all_told "$1"
}

@test "profiles that come and go while it saves: each call is in a file, or told as lost" {
	names=(one a b c d e f g h i)
	copy "${names[@]}"
	few "${names[@]}"
	for name in "${names[@]}"; do
		"$DIR/$name" getuid getgid
		poll saved "$DIR/$name" 3
	done
	RANDOM=1
	for _ in {1..150}; do
		"$DIR/${names[RANDOM % 10]}" getuid getgid
	done
	poll all_told_now 480 # those that wait have come back
	watch_end
	all_told 480
	[ "$(events lost | jq -s 'map(select(.what | test("made room")).count) | add')" -ge 4 ]
	profile check
	none "$PROFILES/*.ebph.*"
	for name in "${names[@]}"; do
		profile show -j --pairs "$DIR/$name" |
			jq -e 'any(.pairs[]; .previous == "getuid" and .current == "getgid")'
	done
}

# An ebph that can be asked to save, and does so by itself only after an hour.
steered() { # OPTION...
	FRESH=(--socket "$DIR/socket" --profile-dir "$PROFILES" --save-interval 1h)
	watch_begin "$@"
}

save() {
	"$EBPH" admin --socket "$DIR/socket" save
}

# A process of `one`, two threads that made 1002 calls and now make none. Sets HOLDER.
hold_back() {
	mkfifo "$DIR/input"
	exec 7<>"$DIR/input"
	"$DIR/one" thread 1000x:getppid + @2 die end @1 read + join <"$DIR/input" 3>&- 7>&- &
	HOLDER=$!
	STARTED+=("$HOLDER")
	poll inside "$HOLDER" 0
}

@test "calls that threads hold back are saved at a tick, and none of them twice" {
	copy one
	watch_begin -e "$DIR/one"
	hold_back
	poll saved "$DIR/one" 1002
	for n in 1003 1004; do # a process more, while they are still held back
		"$DIR/one"
		poll saved "$DIR/one" "$n"
	done
	kill -KILL "$HOLDER" # what was held back comes to the profile
	wait "$HOLDER" || true
	"$DIR/one"
	poll saved "$DIR/one" 1005
	watch_end
	saved "$DIR/one" 1005
}

@test "calls that threads hold back are saved on request, and when ebph ends" {
	copy one
	steered -e "$DIR/one"
	hold_back
	save
	saved "$DIR/one" 1002
	"$DIR/one"
	watch_end
	saved "$DIR/one" 1003
	kill -0 "$HOLDER"
}

# Preloaded into ebph: each call of CALL waits until `pass` lets it go.
gate() { # CALL
	gcc -Wall -Wextra -Werror -shared -fPIC -I "$LIVE/../../src" -o "$DIR/gate.so" \
		"$LIVE/programs/gate.c" -ldl
	mkfifo "$DIR/gate"
	exec 8<>"$DIR/gate"
	export GATE_CALL=$1 GATE_PIPE=$DIR/gate
}

pass() { # N
	head -c "$1" /dev/zero >&8
}

files() {
	compgen -G "$PROFILES/*.ebph" | wc -l
}

@test "while it saves on request, it reads events between one profile and the next" {
	names=(one two three)
	copy "${names[@]}" late
	gate fsync
	LD_PRELOAD=$DIR/gate.so steered -e "$DIR/one" -e "$DIR/two" -e "$DIR/three" -e "$DIR/late"
	for name in "${names[@]}"; do
		"$DIR/$name" getuid
		poll named "$DIR/$name"
	done
	save 3>&- 8>&- &
	saver=$!
	STARTED+=("$saver")
	poll inside "$(ebph_pid)" 0 # it waits in the first fsync
	"$DIR/late" getuid
	pass 2 # the first file, and its name in the directory
	poll named "$DIR/late"
	same 1 "$(files)"
	kill -0 "$saver" # not answered
	pass 100
	wait "$saver"
	for name in "${names[@]}"; do
		saved "$DIR/$name" 2
	done
	watch_end
	saved "$DIR/late" 2
}

@test "a disk that is slower than the profiles change: each profile's turn comes" {
	copy one two
	gate fsync
	LD_PRELOAD=$DIR/gate.so watch_begin --save-interval 1ms -e "$DIR/one" -e "$DIR/two"
	"$DIR/one"
	poll inside "$(ebph_pid)" 0
	"$DIR/two"
	for _ in 1 2 3; do
		poll inside "$(ebph_pid)" 0
		"$DIR/one" # it is to be saved again
		sleep 0.1  # longer than a tick may last
		pass 2
	done
	poll eval '[ "$(files)" -eq 2 ]'
	pass 1000
	watch_end
	saved "$DIR/one" 4
	saved "$DIR/two" 1
}

@test "a profile that is used at the very moment when it is to make room stays" {
	names=(a b c d e f g)
	copy one "${names[@]}"
	gate retire
	LD_PRELOAD=$DIR/gate.so few one "${names[@]}"
	"$DIR/one" getuid
	poll saved "$DIR/one" 2
	for name in "${names[@]}"; do
		! inside "$(ebph_pid)" 0 || break
		"$DIR/$name" getppid
		poll eval 'saved "$DIR/$name" 2 || inside "$(ebph_pid)" 0'
	done
	poll inside "$(ebph_pid)" 0 # `one`, the least recently used, is to go
	"$DIR/one" getgid getegid
	pass 1000
	poll saved "$DIR/one" 5
	watch_end
	saved "$DIR/one" 5
	profile check
	profile show -j --pairs "$DIR/one" |
		jq -e 'any(.pairs[]; .previous == "getgid" and .current == "getegid")'
}

@test "while it makes room on a slow disk, it reads events between one profile and the next" {
	names=(a b c d e f g)
	copy "${names[@]}" late
	gate fsync
	LD_PRELOAD=$DIR/gate.so steered --max-profiles 8 -e "$DIR/a" -e "$DIR/b" -e "$DIR/c" \
		-e "$DIR/d" -e "$DIR/e" -e "$DIR/f" -e "$DIR/g" -e "$DIR/late"
	for name in "${names[@]}"; do
		"$DIR/$name" getuid
		poll eval 'named "$DIR/$name" || inside "$(ebph_pid)" 0'
	done
	poll inside "$(ebph_pid)" 0 # two are to go: it saves the first
	"$DIR/late" getuid
	sleep 0.1 # longer than making room may last
	pass 2
	poll named "$DIR/late"
	same 1 "$(files)"
	pass 1000
	watch_end
	for name in "${names[@]}" late; do
		saved "$DIR/$name" 2
	done
}
