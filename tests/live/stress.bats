#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

# More threads than CPUs, and every call of them counted: what preemption, a full table or
# a race loses shows here. EBPH_STRESS is the size in percent: emulated machines want less.
#
# A program's own start makes calls too. So each program runs as two files, which are two
# profiles, a short and a long run: what the long one counted more is known to the call.
# One ebph watches all of them, one after another: compiling is what costs an emulated
# machine time.

LANES=4

# size N: N at 100 percent
size() {
	echo $(($1 * ${EBPH_STRESS:-100} / 100))
}

setup_file() {
	export DIR CALLS SIGNALS THREADS FORKS
	local ebph=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph} all one
	CALLS=$(size 500000)
	SIGNALS=$(size 50000)
	THREADS=$(size 100)
	FORKS=$(size 500)
	DIR=$(mktemp -d)
	gcc -O1 -pthread -o "$DIR/stress" "$BATS_TEST_DIRNAME/stress/stress.c" || return 1
	gcc -O1 -nostdlib -static -o "$DIR/tiny-short" "$BATS_TEST_DIRNAME/stress/tiny.c" || return 1
	cp "$DIR/tiny-short" "$DIR/tiny-long"
	all=$(taskset -cp $$ | sed 's/.*: //')
	one=${all%%[,-]*}
	work calls-one "$one" calls "$CALLS"
	work calls-all "$all" calls "$CALLS"
	work signals-one "$one" signals "$SIGNALS"
	work signals-all "$all" signals "$SIGNALS"
	work threads "$all" threads "$THREADS"
	work forks-one "$one" forks "$FORKS"
	work forks-all "$all" forks "$FORKS"
	work execs "$all" execs "$FORKS" "$DIR/tiny"
	"$ebph" --no-load --no-save -j -o "$DIR/out" -- sh -e "$DIR/session"
}

# work NAME CPUS WHAT N [PROGRAM]: NAME-short does WHAT 10 times, NAME-long N times more
work() {
	local run
	for run in short long; do
		cp "$DIR/stress" "$DIR/$1-$run"
	done
	echo "taskset -c $2 $DIR/$1-short $3 $LANES 10 ${5:+$5-short}" >>"$DIR/session"
	echo "taskset -c $2 $DIR/$1-long $3 $LANES $((10 + $4)) ${5:+$5-long}" >>"$DIR/session"
}

teardown_file() {
	rm -rf "$DIR"
}

count() {
	jq -s --arg exe "$DIR/$1" '.[-1].profiles[] | select(.exe == $exe) | .count' "$DIR/out"
}

# expect NAME MADE: NAME-long made MADE calls more than NAME-short
expect() {
	local more=$(($(count "$1-long") - $(count "$1-short")))
	echo "$1: made $2, counted $more, lost in all $(jq -s '.[-1].lost' "$DIR/out")"
	[ "$more" -eq "$2" ]
}

@test "calls of 4 threads on one CPU are counted to the call" {
	expect calls-one $((LANES * CALLS))
}

@test "calls of 4 threads on all CPUs are counted to the call" {
	expect calls-all $((LANES * CALLS))
}

@test "handled signals of 4 threads on one CPU are counted to the call" {
	expect signals-one $((LANES * SIGNALS * 3)) # tgkill, getppid, rt_sigreturn
}

@test "handled signals of 4 threads on all CPUs are counted to the call" {
	expect signals-all $((LANES * SIGNALS * 3))
}

@test "threads that 4 threads start are counted to the call" {
	expect threads $((LANES * THREADS * 3)) # clone, getppid, exit
}

@test "children of 4 processes on one CPU are counted to the call" {
	expect forks-one $((LANES * FORKS * 4)) # clone, getppid, exit_group, wait4
}

@test "children of 4 processes on all CPUs are counted to the call" {
	expect forks-all $((LANES * FORKS * 4))
}

@test "programs that 4 processes execute are counted to the call, on both sides of exec" {
	expect execs $((LANES * FORKS * 3)) # clone, execve, wait4
	[ "$(count tiny-short)" -eq $((LANES * 10 * 2)) ]
	[ "$(count tiny-long)" -eq $((LANES * (10 + FORKS) * 2)) ]
}

@test "after the stress nothing is lost, and no thread is left behind" {
	jq -c 'select(.event == "lost")' "$DIR/out"
	jq -s '.[-1] | del(.profiles)' "$DIR/out"
	jq -s -e '.[-1] | .lost == 0 and .threads == 0' "$DIR/out"
}
