#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

load wait

# The real program on the kernel that runs here; what it watches it starts itself.

setup() {
	export EBPH_PROFILE_DIR=$BATS_TEST_TMPDIR/profiles
	export EBPH_SOCKET=$BATS_TEST_TMPDIR/socket
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	export EBPH_PROFILE_DIR=$DIR/profiles
	export EBPH_SOCKET=$DIR/socket
	cat >"$DIR/hello.c" <<'C'
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	(void)argv;
	syscall(SYS_write, 1, "hello\n", 6);
	if (argc > 1)
		syscall(SYS_write, 1, "more\n", 5);
	return 0;
}
C
	cat >"$DIR/count.c" <<'C'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>
/* No thread waits or ends by a call: how many futex() there were would be chance. */
static atomic_int started, done;
static void *loop(void *unused)
{
	atomic_fetch_add(&started, 1);
	while (started < 4)
		;
	for (int i = 0; i < 25000; i++)
		syscall(SYS_getppid);
	atomic_fetch_add(&done, 1);
	for (;;)
		;
	return unused;
}
int main(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, loop, NULL);
	while (done < 4)
		;
	for (int i = 0; i < 3; i++)
		syscall(SYS_getppid);
	_exit(0);
}
C
	gcc -o "$DIR/hello" "$DIR/hello.c"
	gcc -pthread -o "$DIR/count" "$DIR/count.c"
}

teardown() {
	rm -rf "$DIR"
}

@test "the command's exit status passes through" {
	run "$EBPH" -o "$DIR/out" -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	run "$EBPH" -o "$DIR/out" -- sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
	run -127 "$EBPH" -o "$DIR/out" -- "$DIR/nothing"
	[ "$status" -eq 127 ]
	run "$EBPH" -o "$DIR/out" -- "$DIR/hello.c"
	[ "$status" -eq 126 ]
}

@test "one line more than ever before is an anomaly that ends in write, write" {
	# Normal after 250 plain runs and a second; only then the run with an argument.
	cat >"$DIR/session" <<S
for i in \$(seq 250); do $DIR/hello; done >/dev/null
sleep 1.5
for i in \$(seq 10); do $DIR/hello; done >/dev/null
touch $DIR/normal
$DIR/hello x >/dev/null
S
	run "$EBPH" --normal-time 1s -j -o "$DIR/out" -- sh "$DIR/session"
	[ "$status" -eq 0 ]
	[ "$(jq -s --arg exe "$DIR/hello" '[.[] | select(.event=="normal" and .exe==$exe)] | length' "$DIR/out")" -eq 1 ]
	jq -s -e --arg exe "$DIR/hello" '[.[] | select(.event=="anomaly" and .exe==$exe)]
		| length >= 1 and .[0].sequence[-2:] == ["write","write"]
		  and .[0].missed[0] == {"prev":"write","distance":1}' "$DIR/out"
}

@test "the thesis's listing 3.5 on a terminal: a line more ends in write, write" {
	cat >"$DIR/lines.c" <<'C'
#include <stdio.h>
int main(int argc, char **argv)
{
	(void)argv;
	puts("hello");
	if (argc > 1)
		puts("more");
	return 0;
}
C
	gcc -o "$DIR/lines" "$DIR/lines.c"
	cat >"$DIR/session" <<S
on_terminal() { script -qec "$DIR/lines \$*" /dev/null >/dev/null; }
for i in \$(seq 40); do on_terminal; done
sleep 1.5
for i in \$(seq 10); do on_terminal; done
touch $DIR/plain
on_terminal x
S
	run "$EBPH" --normal-time 1s -j -o "$DIR/out" -- sh "$DIR/session"
	[ "$status" -eq 0 ]
	[ -e "$DIR/plain" ]
	jq -s -e --arg exe "$DIR/lines" '[.[] | select(.exe == $exe)]
		| (map(.event) | index("normal")) != null
		  and ([.[] | select(.event == "anomaly")][0].sequence[-2:] == ["write", "write"])
		  and ([.[] | select(.event == "anomaly") | .pid] | unique | length == 1)' "$DIR/out"
}

@test "100,003 calls of four threads are counted to the call" {
	"$EBPH" -j -o "$DIR/out" -- taskset -c 0 "$DIR/count"
	counted=$(jq -s --arg exe "$DIR/count" '.[-1].profiles[] | select(.exe==$exe) | .count' "$DIR/out")
	lost=$(jq -s '.[-1].lost' "$DIR/out")
	taskset -c 0 strace -f -c -o "$DIR/strace" "$DIR/count"
	expected=$(awk '$NF == "total" { print $4 }' "$DIR/strace")
	echo "counted $counted, strace $expected, lost $lost"
	grep -qE ' 100003 +getppid$' "$DIR/strace"
	[ "$lost" -eq 0 ]
	# strace has its execve, which was taskset's, but no exit_group: that does not return
	[ "$counted" -eq "$expected" ]
}

@test "--check tells of an anomaly by its exit status, and of none" {
	run "$EBPH" --check -o "$DIR/out" -- "$DIR/hello"
	[ "$status" -eq 0 ]
	cat >"$DIR/session" <<S
for i in \$(seq 250); do $DIR/hello; done >/dev/null
$DIR/hello x >/dev/null
S
	run "$EBPH" --normal-time 0 --check -q -o "$DIR/out" -- sh "$DIR/session"
	[ "$status" -eq 3 ]
}

@test "-p watches a running process and what it starts, nothing else" {
	sh -c 'while :; do ls / >/dev/null; sleep 0.05; done' &
	pid=$!
	run "$EBPH" -p "$pid" -d $((1 + PATIENCE)) -j -o "$DIR/out"
	kill "$pid"
	[ "$status" -eq 0 ]
	names=$(jq -s -r '.[-1].profiles[].exe' "$DIR/out" | sort | tr '\n' ' ')
	echo "$names"
	[ "$names" = "/usr/bin/dash /usr/bin/ls /usr/bin/sleep " ]
}

@test "-p: no process, a kernel thread, and one that ends before it is attached to" {
	sleep 0 &
	gone=$!
	wait "$gone"
	run "$EBPH" -d 0.1 -p "$gone"
	[ "$status" -eq 1 ]
	[ "$output" = "ebph: no process has the id $gone" ]
	run "$EBPH" -d 0.1 -p "$(pgrep -x kthreadd)"
	[ "$status" -eq 1 ]
	[[ $output == *"is a kernel thread: it makes no system calls to watch" ]]
	sleep 60 &
	target=$!
	"$EBPH" -d 20 -p "$target" -o "$DIR/out" 2>"$DIR/err" &
	pid=$!
	wait_for pgrep -P "$pid" # until it compiles
	kill -9 "$target"
	wait "$target" || true
	status=0
	wait "$pid" || status=$?
	cat "$DIR/err"
	[ "$status" -eq 1 ]
	# seen before it is attached to, or after
	grep -Eqx "ebph: (no process has the id $target|process $target ended while it was being attached to)" "$DIR/err"
}

@test "SIGUSR1 prints a summary now, and a last one follows" {
	summaries() { grep -c 'system calls\?, ' "$DIR/out"; }
	"$EBPH" -d 60 -e "$DIR/hello" -o "$DIR/out" 2>"$DIR/err" &
	pid=$!
	wait_for grep -q watching "$DIR/err"
	[ ! -s "$DIR/out" ] || [ "$(summaries)" -eq 0 ]
	kill -USR1 "$pid"
	wait_for summaries
	[ "$(summaries)" -eq 1 ]
	kill -INT "$pid"
	wait "$pid"
	[ "$(summaries)" -eq 2 ]
}

@test "-e watches one program only, --not-exe all but one" {
	cat >"$DIR/session" <<S
ls / >/dev/null
$DIR/hello >/dev/null
S
	"$EBPH" -j -e "$DIR/hello" -o "$DIR/out" -- sh "$DIR/session"
	[ "$(jq -s -r '.[-1].profiles[].exe' "$DIR/out")" = "$DIR/hello" ]
	"$EBPH" -j --not-exe "$DIR/hello" -o "$DIR/out" -- sh "$DIR/session"
	jq -s -e --arg exe "$DIR/hello" '[.[-1].profiles[].exe] | length == 2 and index($exe) == null' "$DIR/out"
	run "$EBPH" -e "$DIR" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"$DIR: it is no regular file"* ]]
	run "$EBPH" -e "$DIR/none" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"$DIR/none: No such file"* ]]
}

@test "-c watches one cgroup only" {
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$root" ]
	group=$root/ebph-test-$$
	mkdir "$group"
	sh -c "echo \$\$ >$group/cgroup.procs; while :; do ls / >/dev/null; sleep 0.05; done" &
	pid=$!
	run "$EBPH" -c "$group" -d $((1 + PATIENCE)) -j -o "$DIR/out"
	kill "$pid"
	wait "$pid" || true
	wait_for rmdir "$group"
	[ "$status" -eq 0 ]
	[ "$(jq -s -r '.[-1].profiles[].exe' "$DIR/out" | sort | tr '\n' ' ')" = "/usr/bin/dash /usr/bin/ls /usr/bin/sleep " ]
	run "$EBPH" -c "$DIR" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"cannot watch the cgroup $DIR: it is none;"*"below /sys/fs/cgroup"* ]]
	run "$EBPH" -c "$DIR/none" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"cannot watch the cgroup $DIR/none: No such file"* ]]
}

@test "an ordinary user is told which capabilities are missing" {
	chmod 755 "$DIR"
	cp "$EBPH" "$DIR/ebph"
	run setpriv --reuid 65534 --clear-groups --inh-caps=-all "$DIR/ebph" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"CAP_BPF and CAP_PERFMON"* ]]
}

@test "a closed pipe ends ebph quietly, a full output with an error" {
	"$EBPH" -i 0.2 2>"$DIR/err" | head -n 1 >/dev/null
	[ "${PIPESTATUS[0]}" -eq 0 ]
	[ "$(cat "$DIR/err")" = "ebph: watching" ]
	run "$EBPH" -d 1 -o /dev/full
	[ "$status" -eq 1 ]
	[[ $output == *"cannot write /dev/full: No space left on device"* ]]
}

@test "after -d the command still runs to its end, and its status is passed on" {
	run "$EBPH" -q -d 0.3 -o "$DIR/out" -- sh -c 'sleep 1; touch "$0"; exit 5' "$DIR/done"
	[ "$status" -eq 5 ]
	[ -e "$DIR/done" ]
	[ ! -s "$DIR/out" ]
}

@test "a signal to an ebph that is done and waits for its COMMAND ends that, with its status" {
	"$EBPH" -q -d 0.1 -- sh -c 'trap "exit 7" TERM; echo >'"$DIR/began"'; while :; do sleep 0.05; done' \
		>"$DIR/out" 2>"$DIR/err" 3>&- &
	pid=$!
	wait_for test -e "$DIR/began"
	# it has detached: nothing of it is in the kernel's list of its links
	wait_for eval '! grep -qs "^link_type" /proc/'"$pid"'/fdinfo/*'
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 7 ]
}
