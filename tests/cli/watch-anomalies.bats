#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

load ../live/wait

# scripts/watch-anomalies with events from a file. tests/live/control.bats has it ask a
# running ebph.

setup() {
	WATCH=$BATS_TEST_DIRNAME/../../scripts/watch-anomalies
	DIR=$BATS_TEST_TMPDIR
	STARTED=()
}

teardown() {
	[ "${#STARTED[@]}" -eq 0 ] || kill "${STARTED[@]}" 2>/dev/null || true
	wait
}

anomaly() { # PID COMM KEY
	jq -nc --arg comm "$2" --arg key "${3:-a}" "{event: \"anomaly\", pid: $1, comm: \$comm,
		exe: \"/bin/x y\", key: \$key, syscall: \"read\", lfc: 3, anomalies: 4,
		sequence: [\"open\", \"stat\", \"read\"]}"
}

@test "a notification arrives on the desktop" {
	local flags
	read -ra flags < <(pkg-config --cflags --libs libsystemd)
	gcc -Wall -Wextra -Werror -o "$DIR/notified" "$BATS_TEST_DIRNAME/notified.c" "${flags[@]}"
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$DIR/bus
	dbus-daemon --session --nofork --address="$DBUS_SESSION_BUS_ADDRESS" 3>&- &
	STARTED+=($!)
	wait_for test -S "$DIR/bus"
	"$DIR/notified" >"$DIR/told" 3>&- &
	STARTED+=($!)
	wait_for grep -q ready "$DIR/told"
	anomaly 7 mysqld | "$WATCH" -
	[ "$(sed 1d "$DIR/told")" = \
		'2 ebph: process 7 (mysqld, /bin/x y): read after open stat' ]
}

@test "what a process calls itself is no option, and moves nothing" {
	{ anomaly 7 -h; anomaly 8 ''; anomaly 9 $'a\tb\\\nc'; } >"$DIR/events"
	run --separate-stderr "$WATCH" - bash -c \
		'printf "%q " "$1" "$EBPH_PID" "$EBPH_COMM" "$EBPH_EXE" "$EBPH_SEQUENCE"; echo' sh \
		<"$DIR/events"
	same() { # LINE MESSAGE PID COMM
		[ "${lines[$1]}" = "$(printf '%q ' "${@:2}" '/bin/x y' 'open stat')" ]
	}
	same 0 'process 7 (-h, /bin/x y): read after open stat' 7 -h
	same 1 'process 8 (, /bin/x y): read after open stat' 8 ''
	same 2 'process 9 (a\tb\\\nc, /bin/x y): read after open stat' 9 'a\tb\\\nc'
	# the event as it was, whatever is in it
	"$WATCH" - bash -c 'printf "%s\n" "$EBPH_EVENT"' <"$DIR/events" >"$DIR/again"
	diff "$DIR/events" "$DIR/again"
}

@test "-i: on standard input; -s: one in so many seconds per executable" {
	{ anomaly 1 x k; anomaly 2 x k; anomaly 3 y l; } >"$DIR/events"
	"$WATCH" -i -s 08 - tee -a "$DIR/told" <"$DIR/events"
	[ "$(cut -d ' ' -f 2 "$DIR/told" | xargs)" = '1 3' ]
}

@test "neither a command that fails nor a torn line keeps the next anomaly" {
	{ anomaly 1 x; anomaly 2 x | head -c 60; echo; echo '"a"'; anomaly 3 x; } >"$DIR/events"
	run --separate-stderr "$WATCH" - sh -c 'echo "$EBPH_PID"; exit 3' <"$DIR/events"
	[ "$status" -eq 0 ]
	[ "$output" = $'1\n3' ]
	[ "$(grep -c 'sh failed (3)' <<<"$stderr")" -eq 2 ]
	[ "$(grep -c 'not JSON, left out: .*mm' <<<"$stderr")" -eq 1 ]
}
