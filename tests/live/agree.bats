#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

# The detector compiled as BPF, on calls that happen, against replay of an strace log of
# the same program: what each learned, pair by pair.

load common # programs and where they are

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
}

teardown() {
	rm -rf "$DIR"
}

# Random calls of many kinds that do nothing, the same for the same seed. Among them,
# unless told otherwise by a second argument, forks and handled signals.
random_program() {
	cat >"$DIR/random.c" <<'C'
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void handler(int signal)
{
	(void)signal;
	syscall(SYS_getegid);
	syscall(SYS_getgid);
}
int main(int argc, char **argv)
{
	static const int calls[] = {SYS_getppid, SYS_getuid, SYS_getgid, SYS_gettid,
		SYS_geteuid, SYS_getegid, SYS_getpid, SYS_sched_yield, SYS_umask};
	unsigned long long x = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	signal(SIGUSR1, handler);
	for (int i = 0; i < CALLS; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		unsigned int what = (x >> 33) % 200, rare = (x >> 50) % 4;
		if (what < 90)
			syscall(calls[what % 9], 022);
		else if (what < 198 || argc > 2)
			syscall(calls[what % 3]);
		else if (what == 198 && !rare) {
			if (!fork()) {
				syscall(SYS_getuid);
				_exit(0);
			}
			while (wait(NULL) > 0)
				;
		} else if (what == 199)
			syscall(SYS_kill, getpid(), SIGUSR1);
	}
	return 0;
}
C
	# strace takes 10 ms a call in an emulated machine
	gcc -O1 -DCALLS=$((${EBPH_PATIENCE:-1} > 1 ? 2000 : 6000)) "$@" -o "$DIR/random" "$DIR/random.c"
}

# Run a program live and under strace, replay the log, and compare what was learned of
# the program $1: counters of its profile, and each call that taught it something.
agree() {
	local exe=$1 side
	"$EBPH" --no-load --no-save -v -j -o "$DIR/live" -- "$@"
	strace -f -ttt -o "$DIR/log" "$@"
	"$EBPH" replay --live -v -j "$DIR/log" >"$DIR/replay"
	for side in live replay; do
		jq -c --arg exe "$exe" 'select(.event == "summary") | .profiles[] |
			select(.exe == $exe) |
			[.state, .count, .train_count, .last_mod_count, .sequences]' \
			"$DIR/$side" >"$DIR/$side.counts"
		jq -c --arg exe "$exe" 'select(.event == "sequence" and .exe == $exe) |
			[.sequence, .missed]' "$DIR/$side" | sort >"$DIR/$side.sequences"
	done
	[ "$(jq -s '.[-1].lost' "$DIR/live")" -eq 0 ]
	cat "$DIR/live.counts" "$DIR/replay.counts"
	[ -s "$DIR/live.counts" ]
	diff "$DIR/live.counts" "$DIR/replay.counts"
	diff "$DIR/live.sequences" "$DIR/replay.sequences"
}

@test "random calls, forks and signals: live and replay learn the same pairs" {
	random_program
	for seed in 1 2 3 4 5; do
		agree "$DIR/random" "$seed"
		[ "$(wc -l <"$DIR/live.sequences")" -gt 300 ]
	done
}

@test "a 32-bit program: live and replay learn the same pairs, of its own ABI" {
	[ "$(uname -m)" = x86_64 ] || skip 'needs x86-64'
	random_program -m32
	agree "$DIR/random" 6
	jq -s -e '[.[] | select(.event == "sequence" and .syscall == "getppid") | .nr] |
		unique == [64]' "$DIR/replay"
}

@test "a 32-bit program: replay names its calls as live does, also those that x86-64 has not" {
	[ "$(uname -m)" = x86_64 ] || skip 'needs x86-64'
	programs
	# i386: 20 getpid, 24 getuid (of 16 bits), 90 mmap (of one argument), 192 mmap2, 199 getuid32
	agree "$PLAY32" getppid '#20' '#24' '#199' '#90' '#192' getppid
	jq -r --arg exe "$PLAY32" 'select(.event == "sequence" and .exe == $exe) |
		"\(.nr) \(.syscall)"' "$DIR/replay" >"$DIR/calls"
	diff "$DIR/calls" - <<-C
		20 getpid
		24 getuid
		199 getuid32
		90 mmap
		192 mmap2
		64 getppid
		252 exit_group
	C
}

@test "threads, vfork and exec: live and replay learn the same pairs" {
	# Threads by clone(), awaited without a call: how often pthread_join() calls futex
	# varies from run to run.
	cat >"$DIR/threads.c" <<'C'
#define _GNU_SOURCE
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static char stacks[3][65536] __attribute__((aligned(16)));
static volatile int running;
static int thread(void *number)
{
	for (long i = 0; i < 20 + (long)number; i++)
		syscall(i % 3 ? SYS_getppid : SYS_getuid);
	return 0;
}
int main(int argc, char **argv)
{
	char *again[] = {argv[0], "again", NULL}, *none[] = {"none", NULL};
	pid_t pid;
	for (long i = 0; i < 3; i++) {
		running = 1;
		clone(thread, stacks[i] + sizeof(stacks[i]), CLONE_VM | CLONE_FS |
			CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			CLONE_CHILD_CLEARTID, (void *)i, NULL, NULL, &running);
		while (running)
			;
	}
	execve("/does/not/exist", none, environ);
	if (argc > 1)
		return 0;
	posix_spawn(&pid, argv[0], NULL, NULL, again, environ);
	waitpid(pid, NULL, 0);
	if (!vfork())
		execve(argv[0], again, environ);
	wait(NULL);
	return 0;
}
C
	gcc -O1 -o "$DIR/threads" "$DIR/threads.c"
	agree "$DIR/threads"
	grep -q '"vfork","execve"\]' "$DIR/replay.sequences"
	grep -q '"clone","wait4"\]\|"clone3",.*"wait4"\]' "$DIR/replay.sequences"
	# the leader and its three threads are one process, and three of it ran
	jq -s -e '[.[] | select(.event == "trace")] | length == 3' "$DIR/replay"
}

@test "anomalies: BPF and replay miss the same pairs" {
	random_program
	# 8 plain runs make it normal; then forks and signals, which it never made.
	cat >"$DIR/session" <<S
for i in \$(seq 8); do $DIR/random 1 plain; done
$DIR/random 2 plain
$DIR/random 1
S
	"$EBPH" --no-load --no-save --normal-time 0 --anomaly-limit 1000000 --tolerize-limit 128 -j -o "$DIR/live" -- sh "$DIR/session"
	strace -f -ttt -o "$DIR/log" sh "$DIR/session"
	"$EBPH" replay --live --normal-time 0 --anomaly-limit 1000000 --tolerize-limit 128 -j "$DIR/log" >"$DIR/replay"
	for side in live replay; do
		jq -c --arg exe "$DIR/random" 'select(.event == "anomaly" and .exe == $exe) |
			[.sequence, .missed, .misses, .lfc]' "$DIR/$side" |
			sort >"$DIR/$side.anomalies" # a child and its parent run at once
	done
	wc -l "$DIR/live.anomalies"
	[ "$(wc -l <"$DIR/live.anomalies")" -gt 20 ]
	diff "$DIR/live.anomalies" "$DIR/replay.anomalies"
}

@test "a profile saved live finds a log of the same program normal, of another not" {
	random_program
	"$EBPH" --no-load --profile-dir "$DIR/profiles" -o "$DIR/live" -- "$DIR/random" 1
	saved=("$DIR"/profiles/*)
	[ "${#saved[@]}" -eq 1 ]
	strace -f -o "$DIR/log" "$DIR/random" 1
	strace -f -o "$DIR/other" "$DIR/random" 2
	"$EBPH" replay -j --profile "${saved[0]}" "$DIR/log" "$DIR/other" >"$DIR/rows"
	cat "$DIR/rows"
	jq -s -e --arg file "$DIR/log" '[.[] | select(.file == $file)] |
		length > 3 and (map(.calls) | add) > 500 and all(.anomalies == 0)' "$DIR/rows"
	jq -s -e --arg file "$DIR/other" '[.[] | select(.file == $file) | .anomalies] |
		add > 20' "$DIR/rows"
}
