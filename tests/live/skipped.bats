#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# While bpf(2), whoever's, copies what is in a map, a kernel skips the programs of classic
# tracepoints on its CPU. What is skipped is counted, and stays without consequences. Here
# an ebph that is built for it skips what a program's name asks for; a real kernel is
# brought to it at the end.

load common

setup_file() {
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
	variant skipping
	variant skipping_by_hash
}

# The ebph that skips.
skips() { # [KIND]
	EBPH=$(variant "${1:-skipping}")/build/ebph
	export EBPH_TRACEPOINTS=classic
}

@test "a program whose exec was skipped has its own profile, from its first new call on" {
	skips
	copy one skipexec
	watch -- "$DIR/one" getppid getuid exec:"$DIR/skipexec" getgid getegid end
	learned "$DIR/one" <<<"$(chain 9 getppid getuid execve)"
	learned "$DIR/skipexec" <<<"$(chain 9 getgid getegid exit_group)"
	same 3 "$(row "$DIR/one" .count)"
	same 3 "$(row "$DIR/skipexec" .count)"
	same 0 "$(row '' .threads)"
}

@test "... of a child; its siblings, and what they exec, stay what they are" {
	skips
	copy one two skipexec
	watch -- "$DIR/one" getppid fork exec:"$DIR/skipexec" getgid getegid end end wait \
		fork exec:"$DIR/two" getgid end end wait fork geteuid end wait
	learned "$DIR/skipexec" <<<"$(chain 9 getgid getegid exit_group)"
	learned "$DIR/two" <<<"$(chain 9 getgid exit_group)"
	learned "$DIR/one" <<<"$(
		chain 9 getppid fork execve
		chain 9 getppid fork wait4 fork execve
		chain 9 getppid fork wait4 fork wait4 fork geteuid exit_group
		chain 9 getppid fork wait4 fork wait4 fork wait4 exit_group
	)"
	same 0 "$(row '' .threads)"
}

@test "... of one that was not watched: -e" {
	skips
	copy one skipexec
	watch -e "$DIR/skipexec" -- "$DIR/one" getuid fork exec:"$DIR/skipexec" getgid getegid end end wait
	learned "$DIR/skipexec" <<<"$(chain 9 getgid getegid exit_group)"
	same 3 "$(row '' .system_calls)"
}

@test "... of COMMAND itself: it is watched all the same" {
	skips
	copy skipexec two
	watch -- "$DIR/skipexec" getppid getuid fork exec:"$DIR/two" getgid end end wait
	learned "$DIR/skipexec" <<<"$(
		chain 9 getppid getuid fork wait4 exit_group
		chain 9 getppid getuid fork execve
	)"
	learned "$DIR/two" <<<"$(chain 9 getgid exit_group)"
	same "$(printf '%s\n' "$DIR/skipexec" "$DIR/two")" "$(row '' '.profiles[].exe' | sort)"
	same 0 "$(row '' .threads)"
}

@test "a child whose fork was skipped is watched like another, but begins with an empty window" {
	skips
	copy skipfork
	watch -- "$DIR/skipfork" getppid fork getuid getgid end wait
	learned "$DIR/skipfork" <<<"$(
		chain 9 getppid fork wait4 exit_group
		chain 9 getuid getgid exit_group
	)"
	same 7 "$(row "$DIR/skipfork" .count)"
	same 0 "$(row '' .threads)"
}

threads_are() { # N
	kill -USR1 "$(ebph_pid)"
	same "$1" "$(row '' .threads)"
}

@test "threads whose end was skipped do not stay: their slots are given back" {
	skips
	copy skipexit
	watch_begin -e "$DIR/skipexit"
	for _ in 1 2 3; do
		"$DIR/skipexit" fork getuid end wait
	done
	poll threads_are 6
	poll threads_are 0
	same 15 "$(row "$DIR/skipexit" .count)"
	"$DIR/skipexit" getuid
	watch_end
	same 17 "$(row "$DIR/skipexit" .count)"
}

@test "... nor is it one of them who gets its place in memory: without task storage" {
	skips skipping_by_hash
	copy skipexit
	watch_begin -e "$DIR/skipexit"
	for _ in {1..150}; do
		"$DIR/skipexit" getppid fork getuid end wait
	done
	watch_end
	learned "$DIR/skipexit" <<<"$(
		chain 9 getppid fork getuid exit_group
		chain 9 getppid fork wait4 exit_group
	)"
	same 900 "$(row "$DIR/skipexit" .count)"
}

skipped() {
	lost 'calls and changes of threads'
}

# Skips until the kernel has; one that takes raw tracepoints never does.
@test "on this kernel: what it skips while others copy from maps leaves nothing behind" {
	local takes
	takes=$("$EBPH" --self-test | sed -n 's/^preemption .*: ebph takes \([a-z]*\) .*/\1/p')
	gcc -O1 -Wall -Wextra -Werror -o "$DIR/copies" "$LIVE/programs/copies.c"
	copy one two
	watch_begin -e "$DIR/one" -e "$DIR/two"
	taskset -c 0 "$DIR/copies" $((15 * PATIENCE)) 3>&- &
	STARTED+=("$!")
	for _ in {1..20}; do
		for _ in {1..20}; do
			taskset -c 0 "$DIR/one" getuid fork getuid exec:"$DIR/two" getgid end end wait
		done
		summaries=$(count summary)
		kill -USR1 "$(ebph_pid)"
		poll eval '[ "$(count summary)" -gt "$summaries" ]'
		[ "$(skipped)" -eq 0 ] || break
	done
	echo "takes $takes, skipped $(skipped)"
	[ "$takes" = raw ] || [ "$(skipped)" -gt 0 ]
	poll threads_are 0
	watch_end
	# of what it did see, nothing is in the wrong profile
	pairs "$DIR/one" >"$DIR/pairs.one"
	pairs "$DIR/two" >"$DIR/pairs.two"
	grep -q getuid "$DIR/pairs.one"
	grep -q getgid "$DIR/pairs.two"
	run ! grep getgid "$DIR/pairs.one"
	run ! grep getuid "$DIR/pairs.two"
}
