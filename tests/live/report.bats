#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

load wait

# What the real program prints of what happens on the kernel that runs here.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	# Every run learns from the beginning.
	printf '#!/bin/sh\nexec "%s" --no-load --no-save "$@"\n' "$EBPH" >"$BATS_TEST_TMPDIR/ebph"
	chmod +x "$BATS_TEST_TMPDIR/ebph"
	EBPH=$BATS_TEST_TMPDIR/ebph
	DIR=$BATS_TEST_TMPDIR
	export EBPH_PROFILE_DIR=$DIR/profiles
	export EBPH_SOCKET=$DIR/socket
	cat >"$DIR/session" <<'S'
for n in $(seq 250); do /usr/bin/true; done
/usr/bin/true --version >/dev/full 2>&1 || exit 0
S
}

# Runs ebph to its end, leaving no profiles; shows what it said if that fails.
ebph() {
	timeout -k 5 $((60 * PATIENCE)) "$EBPH" --no-save "$@" 2>"$DIR/err" || {
		local status=$?
		cat "$DIR/err"
		return $status
	}
}

@test "JSON begins with start, ends with summary, and each line is an object of its own" {
	ebph -j --normal-time 0 -o "$DIR/out" -- sh "$DIR/session"
	jq -e -s '.[0] | .event == "start" and .schema == 1 and .settings.normal_time == 0
		and (.settings.command | length) == 2' "$DIR/out"
	[ "$(jq -r -s '.[0].kernel' "$DIR/out")" = "$(uname -r)" ]
	jq -e -s '.[0].headers == "btf"' "$DIR/out"
	[ "$("$EBPH" --version)" = "ebph $(jq -r -s '.[0].version' "$DIR/out")" ]
	jq -e -s '.[-1].event == "summary" and .[-1].map_memory > 1000000' "$DIR/out"
	jq -e -s 'all(.time | test("^20[0-9-]{8}T[0-9:]{8}[.][0-9]{9}Z$"))' "$DIR/out"
	jq -e -s '[.[] | select(.event == "anomaly" and .exe == "/usr/bin/true")]
		| length >= 1 and all(.pid > 1 and .uid == 0 and .comm == "true"
		and (.key | test("^[0-9a-f]{16}$")) and (.cgroup | startswith("/"))
		and .lfc >= 1 and .anomalies >= 1 and .misses == (.missed | length)
		and .sequence[-1] == .syscall and (.nr | type) == "number"
	)' "$DIR/out"
	# the missed pairs are those of the sequence
	jq -e -s '[.[] | select(.event == "anomaly")] | all(
		. as $e | .missed | all(. as $m | $e.sequence[-1 - $m.distance] == $m.prev))' \
		"$DIR/out"
}

@test "each line is one write" {
	strace -f -P "$DIR/out" -e trace=write -s 100000 -o "$DIR/trace" \
		"$EBPH" -j --normal-time 0 -o "$DIR/out" -- sh "$DIR/session" 2>/dev/null
	[ "$(grep -c 'write(' "$DIR/trace")" -eq "$(wc -l <"$DIR/out")" ]
	run -1 grep -vE '\\n", [0-9]+(\) += [0-9]+| <unfinished ...>)$' <(grep 'write(' "$DIR/trace")
}

@test "a program's name forges no line and steers no terminal, and survives in JSON" {
	local name=$'a: read (new: read@1)\n9 9 \e[2J\xff\\x41' printed
	cp /usr/bin/true "$DIR/$name"
	ebph -o "$DIR/out" -- sh -c 'exec "$0"' "$DIR/$name"
	[ "$(grep -c . "$DIR/out")" -eq 7 ] # two headers, two programs twice, totals
	LC_ALL=C run -1 grep -P '[\x00-\x09\x0b-\x1f\x7f-\xff]' "$DIR/out"
	printed="$DIR"'/a:\x20read\x20(new:\x20read@1)\x0a9\x209\x20\x1b[2J\xff\x5cx41'
	grep -qF " $printed" "$DIR/out"
	ebph -j -o "$DIR/out" -- sh -c 'exec "$0"' "$DIR/$name"
	printed=$DIR/$'a: read (new: read@1)\n9 9 \e[2J\\xff\\x5cx41'
	jq -e -s --arg exe "$printed" '[.[-1].profiles[].exe] | index($exe) != null' "$DIR/out"
	# and UTF-8 stays as it is
	cp /usr/bin/true "$DIR/größe"
	ebph -o "$DIR/out" -- "$DIR/größe"
	grep -qF " $DIR/größe" "$DIR/out"
}

@test "-v names the cgroup of what is learned, with and without CAP_DAC_READ_SEARCH" {
	local root group
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$root" ]
	group=/ebph-report-$$/inner
	mkdir -p "$root$group"
	for run in '' 'setpriv --bounding-set=-dac_read_search'; do
		$run "$EBPH" --no-save -v -j -o "$DIR/out" -- \
			sh -c 'echo $$ >"$0"/cgroup.procs && exec true' "$root$group" || break
		jq -r 'select(.event == "sequence" and .exe == "/usr/bin/true") | .cgroup' \
			"$DIR/out" | sort -u >>"$DIR/groups"
	done
	rmdir "$root$group" "$root${group%/*}"
	[ "$(cat "$DIR/groups")" = "$group"$'\n'"$group" ]
}

@test "color: on a terminal only, unless told; NO_COLOR and a dumb one are respected" {
	local command="$EBPH --no-save --normal-time 0 -- sh $DIR/session 2>/dev/null"
	on() { # ENVIRONMENT OPTION: on a terminal
		env -u NO_COLOR TERM=xterm $1 script -qec "${command/ --/ $2 --}" /dev/null
	}
	on '' '' | grep -q $'\e\[1;31manomaly\e\[0m'
	on NO_COLOR= '' | grep -q $'\e\[1;31m'
	on NO_COLOR=1 '' >"$DIR/out"
	grep -q ' anomaly ' "$DIR/out"
	run -1 grep -q $'\e' "$DIR/out"
	on TERM=dumb '' >"$DIR/out"
	grep -q ' anomaly ' "$DIR/out"
	run -1 grep -q $'\e' "$DIR/out"
	on '' --color=never >"$DIR/out"
	run -1 grep -q $'\e' "$DIR/out"
	on NO_COLOR=1 --color=always | grep -q $'\e\[1;31manomaly\e\[0m'
	ebph --normal-time 0 -- sh "$DIR/session" >"$DIR/out"
	grep -q ' anomaly ' "$DIR/out"
	run -1 grep -q $'\e' "$DIR/out"
	ebph --normal-time 0 --color always -- sh "$DIR/session" | grep -q $'\e\[1;31manomaly'
}

@test "-q prints anomalies only, in text and JSON" {
	ebph -q --normal-time 0 -o "$DIR/out" -- sh "$DIR/session"
	[ "$(grep -c ' anomaly ' "$DIR/out")" -ge 1 ]
	run -1 grep -vE ' anomaly |^PID ' "$DIR/out"
	ebph -q -j --normal-time 0 -o "$DIR/out" -- sh "$DIR/session"
	[ "$(jq -r .event "$DIR/out" | sort -u)" = anomaly ]
}

@test "-T puts the local time of day on each line" {
	TZ=UTC-5 ebph -T --normal-time 0 -o "$DIR/out" -- sh "$DIR/session"
	local hour
	hour=$(TZ=UTC-5 date +%H)
	sed '/^$/,$d' "$DIR/out" | sed 1d >"$DIR/events"
	[ -s "$DIR/events" ]
	run -1 grep -vE '^[0-2][0-9]:[0-5][0-9]:[0-5][0-9] [0-9]' "$DIR/events"
	grep -qE "^($hour|$(TZ=UTC-5 date -d '-1 min' +%H)):" "$DIR/events"
}

@test "-o: a file that cannot be written ends it at once, and failing leaves a file alone" {
	run -1 --separate-stderr "$EBPH" -o "$DIR/none/file" -- touch "$DIR/started"
	[[ $stderr == "ebph: cannot write $DIR/none/file: No such file or directory" ]]
	[ ! -e "$DIR/started" ]
	echo old >"$DIR/out"
	run -1 "$EBPH" -o "$DIR/out" -p 4194304
	[ "$(cat "$DIR/out")" = old ]
	ebph -o "$DIR/out" -- true
	run -1 grep -q old "$DIR/out"
}

@test "closed standard streams are no place for events" {
	run -1 --separate-stderr bash -c '"$0" -- touch "$1" >&-' "$EBPH" "$DIR/started"
	[[ $stderr == *"standard output is closed"* ]]
	[ ! -e "$DIR/started" ]
	bash -c '"$0" -o "$1" -- true <&- >&- 2>&-' "$EBPH" "$DIR/out"
	grep -qF 'system calls' "$DIR/out"
	run -1 grep -q 'ebph:' "$DIR/out"
}
