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

# size N: what each lane does, where four do N each at 100 percent
size() {
	local each=$(($1 * 4 * ${EBPH_STRESS:-100} / 100 / LANES))
	echo $((each > 0 ? each : 1))
}

setup_file() {
	export DIR CALLS SIGNALS THREADS FORKS
	local ebph=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph} all one tiny
	CALLS=$(size 500000)
	SIGNALS=$(size 50000)
	THREADS=$(size 100)
	FORKS=$(size 500)
	DIR=$(mktemp -d)
	gcc -O1 -pthread -o "$DIR/stress" "$BATS_TEST_DIRNAME/stress/stress.c" || return 1
	gcc -O1 -nostdlib -static -o "$DIR/tiny" "$BATS_TEST_DIRNAME/stress/tiny.c" || return 1
	for tiny in tiny-{one,all}-{short,long}; do
		cp "$DIR/tiny" "$DIR/$tiny"
	done
	all=$(taskset -cp $$ | sed 's/.*: //')
	one=${all%%[,-]*}
	work calls-one "$one" calls "$CALLS"
	work calls-all "$all" calls "$CALLS"
	work signals-one "$one" signals "$SIGNALS"
	work signals-all "$all" signals "$SIGNALS"
	work threads-one "$one" threads "$THREADS"
	work threads-all "$all" threads "$THREADS"
	work forks-one "$one" forks "$FORKS"
	work forks-all "$all" forks "$FORKS"
	work execs-one "$one" execs "$FORKS" "$DIR/tiny-one"
	work execs-all "$all" execs "$FORKS" "$DIR/tiny-all"
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

@test "calls of more threads than CPUs on one CPU are counted to the call" {
	expect calls-one $((LANES * CALLS))
}

@test "calls of more threads than CPUs on all CPUs are counted to the call" {
	expect calls-all $((LANES * CALLS))
}

@test "handled signals of more threads than CPUs on one CPU are counted to the call" {
	expect signals-one $((LANES * SIGNALS * 3)) # tgkill, getppid, rt_sigreturn
}

@test "handled signals of more threads than CPUs on all CPUs are counted to the call" {
	expect signals-all $((LANES * SIGNALS * 3))
}

@test "threads that more threads than CPUs start on one CPU are counted to the call" {
	expect threads-one $((LANES * THREADS * 3)) # clone, getppid, exit
}

@test "threads that more threads than CPUs start on all CPUs are counted to the call" {
	expect threads-all $((LANES * THREADS * 3))
}

@test "children of more processes than CPUs on one CPU are counted to the call" {
	expect forks-one $((LANES * FORKS * 4)) # clone, getppid, exit_group, wait4
}

@test "children of more processes than CPUs on all CPUs are counted to the call" {
	expect forks-all $((LANES * FORKS * 4))
}

# of execs-WHERE, on both sides of exec
expect_execs() { # WHERE
	expect "execs-$1" $((LANES * FORKS * 3)) # clone, execve, wait4
	[ "$(count "tiny-$1-short")" -eq $((LANES * 10 * 2)) ]
	[ "$(count "tiny-$1-long")" -eq $((LANES * (10 + FORKS) * 2)) ]
}

@test "programs that more processes than CPUs execute on one CPU are counted to the call" {
	expect_execs one
}

@test "programs that more processes than CPUs execute on all CPUs are counted to the call" {
	expect_execs all
}

@test "after the stress nothing is lost, and no thread is left behind" {
	jq -c 'select(.event == "lost")' "$DIR/out"
	jq -s '.[-1] | del(.profiles)' "$DIR/out"
	jq -s -e '.[-1] | .lost == 0 and .threads == 0' "$DIR/out"
}
