#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# An ebph that watches and saves is killed at random instants: whatever it was doing, each
# file is the old one or the new one, and the next ebph goes on from there.
# EBPH_KILL_ROUNDS: how often (default 200). As many at a time as there are CPUs.

bats_require_minimum_version 1.5.0

load wait

EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
ROUNDS=${EBPH_KILL_ROUNDS:-200}

setup() {
	DIR=$BATS_TEST_TMPDIR
	STARTED=()
	gcc -O1 -Wall -Wextra -Werror -static -o "$DIR/restless" \
		"$BATS_TEST_DIRNAME/programs/restless.c"
	for n in {1..12}; do
		cp "$DIR/restless" "$DIR/restless$n"
		"$DIR/restless$n" "$n" 3>&- &
		STARTED+=($!)
	done
	PIDS=$(IFS=, && echo "${STARTED[*]}")
}

teardown() {
	# shellcheck disable=SC2046 # words
	kill "${STARTED[@]}" $(cat "$DIR"/*/watcher 2>/dev/null) 2>/dev/null || true
	wait "${STARTED[@]}" 2>/dev/null || true
}

fail() {
	echo "round $round: $*"
	return 1
}

# Starts an ebph that saves as often as it can, into $dir/p. Sets watcher.
begin() {
	rm -f "$dir/err" # the last one's words are not this one's
	"$EBPH" --profile-dir "$dir/p" --socket "$dir/socket" --save-interval 1ms -q \
		-o /dev/null -p "$PIDS" 2>"$dir/err" &
	watcher=$!
	echo "$watcher" >"$dir/watcher"
	wait_for grep -qs '^ebph: watching' "$dir/err" || fail "it does not start: $(cat "$dir/err")"
}

# Waits for MS, as much longer as PATIENCE says.
nap() { # MS
	local ms=$(($1 * PATIENCE))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# Kills it while it saves; one time in four, while it ends and saves for the last time.
end() {
	local saver
	while "$EBPH" admin --socket "$dir/socket" save; do :; done >/dev/null 2>&1 &
	saver=$!
	nap $((RANDOM % 300))
	if ((RANDOM % 4 == 0)); then
		kill -INT "$watcher"
		nap $((RANDOM % 100))
	fi
	kill -KILL "$watcher" && killed=$((killed + 1))
	wait "$watcher" 2>/dev/null || true
	wait "$saver" || true
}

# No profile is damaged, missing, or older than it was.
is_whole() {
	"$EBPH" profile check --profile-dir "$dir/p" >"$dir/check" ||
		fail "$(cat "$dir/check")"
	# another one's start is bpf(2), for which a kernel may skip calls: see skipped.bats
	! grep -Ev '^ebph: (watching|lost: [0-9]+ calls and changes of threads that the kernel skipped$)' \
		"$dir/err" || fail 'it complained at the start'
	! compgen -G "$dir/p/*.ebph.*" || fail 'a file was set aside'
	"$EBPH" profile list --profile-dir "$dir/p" -j |
		jq '[.profiles[] | {(.exe): .count}] | add // {}' >"$dir/now"
	jq -e -s '.[1] as $now | .[0] | all(to_entries[]; $now[.key] >= .value)' \
		"$dir/before" "$dir/now" >/dev/null || fail "a profile is older than it was"
	mv "$dir/now" "$dir/before"
}

# Rounds in a directory of their own; prints how often it was killed, and in how many
# rounds it left a half-written new file beside. Those, and a copy of one under a name
# that nobody writes to again, are gone once the next one runs.
rounds() { # HOW_MANY DIR
	local round half=0 killed=0 dir=$2 watcher left
	mkdir "$dir"
	echo '{}' >"$dir/before"
	for ((round = 1; round <= $1; round++)); do
		begin
		[ ! -e "$dir/p/.new-left" ] || fail 'the next one does not clear up'
		end
		is_whole
		left=$(compgen -G "$dir/p/.new-*") || continue
		half=$((half + 1))
		mv "${left%%$'\n'*}" "$dir/p/.new-left"
	done
	begin
	kill -INT "$watcher"
	wait "$watcher" || fail 'it did not end well'
	is_whole
	! compgen -G "$dir/p/.new-*" || fail 'a new file was left beside'
	echo "$killed $half $(jq length "$dir/before")" >"$dir/result"
}

@test "killed at $ROUNDS random instants while it saves, every file is whole" {
	local workers=() n count
	count=$(nproc)
	for ((n = 0; n < count; n++)); do
		(
			set -e
			RANDOM=$n
			rounds $(((ROUNDS + count - 1) / count)) "$DIR/$n"
		) 3>&- &
		workers+=($!)
	done
	for n in "${workers[@]}"; do
		wait "$n"
	done
	cat "$DIR"/*/result | awk '{ k += $1; h += $2; if ($3 != 12) bad = 1 }
		END { print k, h, bad + 0 }' >"$DIR/sum"
	read -r killed half bad <"$DIR/sum"
	echo "# killed $killed times, $half times with a half-written new file beside" >&3
	# of those that were ending, some had ended
	[ "$killed" -ge "$((ROUNDS * 3 / 4))" ]
	# in memory a file is whole at once
	[ "$(stat -f -c %T "$DIR")" = tmpfs ] || [ "$half" -ge "$((ROUNDS / 20))" ]
	[ "$bad" -eq 0 ]
}
