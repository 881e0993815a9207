#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

load wait

# ebph bench on the kernel that runs here: it must count what a program did, exactly.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	cat >"$DIR/calls.c" <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int pipes[2];
static sigjmp_buf out;

static void on_alarm(int n)
{
	(void)n;
	syscall(SYS_getpgid, 0);
	if (pipes[1])
		syscall(SYS_write, pipes[1], "x", 1);
}

static void on_jump(int n)
{
	(void)n;
	siglongjmp(out, 1);
}

static void arm(void (*handler)(int), int flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval soon = {.it_value = {0, 100000}};

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* Ends when the handler has written. */
static void read_byte(void)
{
	char byte;

	syscall(SYS_read, pipes[0], &byte, 1);
}

static void *spin(void *unused)
{
	for (int i = 0; i < 20000; i++)
		syscall(SYS_getppid);
	return unused;
}

/* The threads change CPUs all the time. */
static void migrate(void)
{
	pthread_t t[4];
	cpu_set_t set;

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, spin, NULL);
	for (int k = 0; k < 400; k++)
		for (int i = 0; i < 4; i++) {
			CPU_ZERO(&set);
			CPU_SET((k + i) % 2, &set);
			pthread_setaffinity_np(t[i], sizeof(set), &set);
		}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
	struct timespec half = {0, 500000000};
	char line[8];

	(void)argc;
	if (!strcmp(argv[1], "done"))
		syscall(SYS_exit_group, 0);
	if (read(0, line, sizeof(line)) <= 0)
		return 1;
	if (!strcmp(argv[1], "migrate"))
		migrate();
	if (!strcmp(argv[1], "restart")) {
		if (pipe(pipes))
			return 1;
		arm(on_alarm, SA_RESTART);
		read_byte();
	}
	if (!strcmp(argv[1], "eintr")) {
		arm(on_alarm, 0);
		syscall(SYS_nanosleep, &half, NULL);
		arm(on_alarm, SA_RESTART); /* nanosleep ends with EINTR even so */
		syscall(SYS_nanosleep, &half, NULL);
	}
	if (!strcmp(argv[1], "jump")) {
		if (pipe(pipes))
			return 1;
		for (volatile int i = 0; i < 9; i++) {
			arm(on_jump, SA_RESTART | SA_NODEFER);
			if (!sigsetjmp(out, 1))
				read_byte();
		}
		arm(on_alarm, SA_RESTART);
		read_byte();
	}
	if (!strcmp(argv[1], "stop"))
		syscall(SYS_nanosleep, &half, NULL);
	if (!strcmp(argv[1], "exec"))
		execl(argv[0], argv[0], "done", NULL);
	syscall(SYS_exit_group, 0);
}
C
	gcc -O1 -pthread -o "$DIR/calls" "$DIR/calls.c"
}

teardown() {
	# Only what this test started.
	[ -z "$PID" ] || kill "$PID" 2>/dev/null || true
	[ -z "$BENCH" ] || kill "$BENCH" 2>/dev/null || true
	rm -rf "$DIR"
}

# start NAME: the program waits until it is recorded; the record goes to $DIR/json
start() {
	mkfifo "$DIR/go"
	"$DIR/calls" "$1" <"$DIR/go" 3>&- &
	PID=$!
	exec 4>"$DIR/go"
	"$EBPH" bench -p "$PID" -j >"$DIR/json" 2>"$DIR/errors" 3>&- 4>&- &
	BENCH=$!
	wait_for grep -qs recording "$DIR/errors" || {
		cat "$DIR/errors"
		return 1
	}
	echo go >&4
	exec 4>&-
}

finish() {
	wait "$PID"
	wait "$BENCH"
	PID= BENCH=
}

# field SYSCALL FIELD
field() {
	jq -r --arg name "$1" --arg field "$2" \
		'[.calls[] | select(.syscall == $name)][0][$field] // 0' "$DIR/json"
}

@test "threads that change CPUs within a call lose no call and no time" {
	start migrate
	finish
	[ "$(field getppid entered)" -eq 80000 ]
	[ "$(field getppid count)" -eq 80000 ]
	# Below a millisecond each: no time is measured between two CPUs' records.
	[ "$(field getppid mean_ns | cut -d. -f1)" -lt 1000000 ]
	[ "$(field sched_setaffinity count)" -eq 1600 ]
	[ "$(jq .lost "$DIR/json")" -eq 0 ]
}

@test "a call that goes on after a signal handler is one call, with the time of its parts" {
	start restart
	finish
	[ "$(field read entered)" -eq 1 ]
	[ "$(field read count)" -eq 1 ]
	[ "$(field read total_ns)" -gt 80000000 ]
	[ "$(field getpgid count)" -eq 1 ]
	[ "$(field write count)" -eq 1 ]
	[ "$(field rt_sigreturn count)" -eq 1 ]
}

@test "a call that a signal ended has returned" {
	start eintr
	finish
	[ "$(field nanosleep entered)" -eq 2 ]
	[ "$(field nanosleep count)" -eq 2 ]
	# Not ended, they would be a second.
	[ "$(field nanosleep total_ns)" -lt 900000000 ]
	[ "$(field restart_syscall entered)" -eq 0 ]
}

@test "a handler that never returns leaves the counts right" {
	start jump
	finish
	[ "$(field read entered)" -eq 10 ]
	# Nine were left for good.
	[ "$(field read count)" -ge 1 ]
	[ "$(field read count)" -le 10 ]
	[ "$(field rt_sigreturn count)" -eq 1 ]
}

@test "a call that is entered again after a stop is one call" {
	start stop
	sleep 0.2
	stopped=$(date +%s%N)
	kill -STOP "$PID"
	sleep 0.1
	kill -CONT "$PID"
	stopped=$(($(date +%s%N) - stopped))
	finish
	[ "$(field nanosleep entered)" -eq 1 ]
	[ "$(field nanosleep count)" -eq 1 ]
	# Half a second, less what it was stopped for.
	[ "$(field nanosleep total_ns)" -gt $((450000000 - stopped)) ]
	[ "$(field restart_syscall entered)" -eq 0 ]
}

@test "execve returns when it succeeded, exit_group never does" {
	start exec
	finish
	[ "$(field execve entered)" -eq 1 ]
	[ "$(field execve count)" -eq 1 ]
	[ "$(field exit_group entered)" -eq 1 ]
	[ "$(field exit_group count)" -eq 0 ]
}

@test "two recordings side by side" {
	start migrate
	finish
	run -0 --separate-stderr "$EBPH" bench --compare "$DIR/json" "$DIR/json"
	[[ $output == *"0.0          getppid"* ]]
	run -0 --separate-stderr "$EBPH" bench -j --compare "$DIR/json" "$DIR/json"
	[ "$(jq '[.calls[] | select(.overhead_percent == 0)] | length' <<<"$output")" -ge 2 ]
}

@test "what cannot be is said" {
	run -2 "$EBPH" bench -p 0
	run -2 "$EBPH" bench -d nothing
	run -2 "$EBPH" bench extra
	run -2 "$EBPH" bench --unheard-of
	run -1 "$EBPH" bench --compare "$DIR/nothing"
	[[ $output == *"$DIR/nothing"* ]]
	run -1 "$EBPH" bench --compare "$DIR/calls.c" "$DIR/calls.c"
	[[ $output == *"no recording"* ]]
	run -1 "$EBPH" bench -p 4194304
	[[ $output == *"no process"* ]]
}
