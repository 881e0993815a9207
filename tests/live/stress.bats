#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

# More threads than CPUs, and every call of them counted: what preemption, a full table or
# a race loses shows here. EBPH_STRESS is the size in percent: emulated machines want less.
#
# A program's own start makes calls too. So each program runs as two files, which are two
# profiles, a short and a long run: what the long one counted more is known to the call.

LANES=4

setup_file() {
	export DIR
	DIR=$(mktemp -d)
	gcc -O1 -pthread -o "$DIR/short" "$BATS_TEST_DIRNAME/stress/stress.c" || return 1
	gcc -O1 -nostdlib -static -o "$DIR/tiny" "$BATS_TEST_DIRNAME/stress/tiny.c" || return 1
	cp "$DIR/short" "$DIR/long"
	cp "$DIR/tiny" "$DIR/tiny-long"
}

teardown_file() {
	rm -rf "$DIR"
}

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	ALL=$(taskset -cp $$ | sed 's/.*: //')
	ONE=${ALL%%[,-]*}
}

# size N: N at 100 percent
size() {
	echo $(($1 * ${EBPH_STRESS:-100} / 100))
}

# stress CPUS WHAT N: short (10 times) and long (10 + N times), watched
stress() {
	local tiny=() tiny_long=()
	if [ "$2" = execs ]; then
		tiny=("$DIR/tiny") tiny_long=("$DIR/tiny-long")
	fi
	cat >"$DIR/session" <<S
set -e
taskset -c $1 $DIR/short $2 $LANES 10 ${tiny[*]}
taskset -c $1 $DIR/long $2 $LANES $((10 + $3)) ${tiny_long[*]}
S
	"$EBPH" -j -o "$DIR/out" -- sh "$DIR/session"
}

count() {
	jq -s --arg exe "$DIR/$1" '.[-1].profiles[] | select(.exe == $exe) | .count' "$DIR/out"
}

# expect WHAT MADE: WHAT was done MADE times more by long than by short; nothing is left over
expect() {
	local more=$(($(count long) - $(count short)))
	local lost threads
	lost=$(jq -s '.[-1].lost' "$DIR/out")
	threads=$(jq -s '.[-1].threads' "$DIR/out")
	echo "$1: made $2, counted $more, lost $lost, threads left $threads"
	[ "$more" -eq "$2" ] && [ "$lost" -eq 0 ] && [ "$threads" -eq 0 ]
}

@test "calls of 4 threads on one CPU are counted to the call" {
	n=$(size 500000)
	stress "$ONE" calls "$n"
	expect calls $((LANES * n))
}

@test "calls of 4 threads on all CPUs are counted to the call" {
	n=$(size 500000)
	stress "$ALL" calls "$n"
	expect calls $((LANES * n))
}

@test "handled signals of 4 threads on one CPU are counted to the call" {
	n=$(size 50000)
	stress "$ONE" signals "$n"
	expect signals $((LANES * n * 3)) # tgkill, getppid, rt_sigreturn
}

@test "handled signals of 4 threads on all CPUs are counted to the call" {
	n=$(size 50000)
	stress "$ALL" signals "$n"
	expect signals $((LANES * n * 3))
}

@test "threads that 4 threads start are counted to the call, and leave no trace" {
	n=$(size 100)
	stress "$ALL" threads "$n"
	expect threads $((LANES * n * 3)) # clone, getppid, exit
}

@test "children of 4 processes on one CPU are counted to the call, and leave no trace" {
	n=$(size 500)
	stress "$ONE" forks "$n"
	expect forks $((LANES * n * 4)) # clone, getppid, exit_group, wait4
}

@test "children of 4 processes on all CPUs are counted to the call, and leave no trace" {
	n=$(size 500)
	stress "$ALL" forks "$n"
	expect forks $((LANES * n * 4))
}

@test "programs that 4 processes execute are counted to the call, on both sides of exec" {
	n=$(size 500)
	stress "$ALL" execs "$n"
	expect execs $((LANES * n * 3)) # clone, execve, wait4
	[ "$(count tiny)" -eq $((LANES * 10 * 2)) ]
	[ "$(count tiny-long)" -eq $((LANES * (10 + n) * 2)) ]
}
