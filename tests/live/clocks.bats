#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A clock that jumps, in the eyes of ebph alone: the wait to become normal goes on. What
# is left after each jump to the nanosecond: unit, waits_survive_clocks.

# shellcheck disable=SC2034 # common uses FRESH, OUT, ERR, STARTED

load common

YEAR=31557600
WAIT=$((2 + 2 * PATIENCE)) # s

setup() {
	programs
	DIR=$BATS_TEST_TMPDIR
	OUT=$DIR/out.jsonl ERR=$DIR/err
	STARTED=()
	ulimit -c 0
	FRESH=(--no-socket --profile-dir "$DIR/p" --save-interval 50ms
		--normal-time "$WAIT" -e "$DIR/one")
	copy one
	gcc -shared -fPIC -o "$DIR/clock.so" "$BATS_TEST_DIRNAME/programs/clock.c" -ldl
	export CLOCK_FILE=$DIR/clock
	watch_die -- "$DIR/one" 200x:getppid die
	same frozen "$(row "$DIR/one" .state)"
}

# Starts an ebph whose clock is wrong; what it watches has the right one.
watch_wrong() { # SECONDS
	set_clock "$1"
	LD_PRELOAD=$DIR/clock.so watch_begin
}

set_clock() { # SECONDS
	echo "$1" >"$DIR/now"
	mv "$DIR/now" "$CLOCK_FILE"
}

# Calls on until it is normal: the events do not say so before, and the wait is no longer
# than it was. It brings no new pair.
becomes_normal() {
	local start=$SECONDS
	poll called_as_normal
	echo "normal after $((SECONDS - start)) s"
	[ $((SECONDS - start)) -le $((WAIT + 3 * PATIENCE)) ]
}

called_as_normal() {
	"$DIR/one" getppid die || true
	[ "$(count normal)" -eq 1 ]
}

# It is still frozen after the jump.
waits_on() {
	"$DIR/one" getppid die || true
	poll eval '[ "$(count exit)" -ge 1 ]'
	same 0 "$(count normal)"
}

@test "a century forward while it did not run: said, and not normal at once" {
	watch_wrong $((100 * YEAR))
	grep -q "$DIR/one: the clock is more than a year past the time" "$ERR"
	waits_on
	becomes_normal
	watch_end
}

@test "backwards while it did not run: said, and no longer than the wait" {
	watch_wrong $((-30 * YEAR))
	grep -q "$DIR/one: the clock is behind the time at which" "$ERR"
	waits_on
	becomes_normal
	watch_end
}

@test "a jump while it watches does not touch the wait, nor does the jump back while it is off" {
	watch_wrong 0
	set_clock $((100 * YEAR))
	waits_on
	watch_end # the file says that it was saved in a century
	same frozen "$("$EBPH" profile show -j --profile-dir "$DIR/p" "$DIR/one" | jq -r .state)"
	watch_wrong 0
	grep -q "$DIR/one: the clock is behind the time at which" "$ERR"
	becomes_normal
	watch_end
}
