#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The processes that compile the BPF source: how they fail, and that nothing of them stays.

load common

# spoil: build spoil.so; with it in LD_PRELOAD, what the variables name goes wrong in ebph.
spoil() {
	cat >"$DIR/spoil.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* FORK_LIMIT: that many forks, no more */
pid_t fork(void)
{
	static int forks;
	pid_t (*real)(void) = dlsym(RTLD_NEXT, "fork");
	const char *limit = getenv("FORK_LIMIT");

	if (!limit || forks++ < atoi(limit))
		return real();
	errno = EAGAIN;
	return -1;
}
/* NO_HEADERS: nothing to compile against; ONCE: a file that the first to come makes */
int setenv(const char *name, const char *value, int overwrite)
{
	int (*real)(const char *, const char *, int) = dlsym(RTLD_NEXT, "setenv");
	const char *folder = getenv("NO_HEADERS"), *once = getenv("ONCE");

	if (folder && !strcmp(name, "BCC_KERNEL_SOURCE") &&
	    (!once || open(once, O_CREAT | O_EXCL, 0600) >= 0))
		value = folder;
	return real(name, value, overwrite);
}
C
	gcc -Wall -Wextra -Werror -shared -fPIC -o "$DIR/spoil.so" "$DIR/spoil.c"
}

# compiling [OPTION...]: start ebph, in a process group of its own in which Ctrl-C works,
# and wait until both halves are being compiled. Sets EBPH_PID, HALVES and
# PRIVATE, the directory that they compile against.
compiling() {
	setsid env --default-signal=INT,QUIT "$EBPH" -q "${FRESH[@]}" "$@" >"$OUT" 2>"$ERR" 3>&- &
	EBPH_PID=$!
	STARTED+=("$EBPH_PID")
	poll has_halves
	mapfile -t HALVES < <(pgrep -P "$EBPH_PID")
	PRIVATE=$(find "/proc/$EBPH_PID/fd" -lname '*/ebph-private-*' -printf '%l')
}

has_halves() {
	[ "$(pgrep -c -P "$EBPH_PID")" -eq 2 ]
}

# Fails if the private directory is still there, or a half still runs.
nothing_stays() {
	[ -n "$PRIVATE" ]
	[ ! -e "$PRIVATE" ]
	! ps -o pid,stat,args -p "$(IFS=,; echo "${HALVES[*]}")"
}

# alone COMMAND...: with a /run of its own; status 99 if a private directory stays there
alone() {
	unshare -m bash -c 'mount -t tmpfs none /run || exit 98
		"$@"
		status=$?
		! compgen -G "/run/ebph-private-*" || exit 99
		exit $status' alone "$@"
}

two_processors() {
	[ "$(nproc)" -ge 2 ] || skip "needs two processors: with one, one process compiles all"
}

@test "a half that is killed is the one that is told of, whichever it is" {
	two_processors
	for half in 0 1; do
		for signal in KILL SEGV; do
			compiling
			kill -"$signal" "${HALVES[half]}"
			status=0
			wait "$EBPH_PID" || status=$?
			[ "$status" -eq 1 ]
			same 1 "$(wc -l <"$ERR")"
			grep "process that compiles the BPF source was killed by signal $(kill -l "$signal") " "$ERR"
			nothing_stays
		done
	done
}

@test "what fails in both halves is told once, and what fails in one is told" {
	spoil
	mkdir "$DIR/empty"
	spoilt=(env LD_PRELOAD="$DIR/spoil.so" NO_HEADERS="$DIR/empty")
	run --separate-stderr alone "${spoilt[@]}" "$EBPH" -d 1 "${FRESH[@]}"
	[ "$status" -eq 1 ]
	same 1 "$(grep -c 'fatal error:' <<<"$stderr")"
	same 1 "$(grep -c '^ebph: .*libbcc could not compile' <<<"$stderr")"
	[[ $output == "" && ${stderr_lines[-1]} == "ebph: libbcc could not compile"*"words are above)" ]]
	run --separate-stderr alone "${spoilt[@]}" ONCE="$DIR/once" "$EBPH" -d 1 "${FRESH[@]}"
	[ "$status" -eq 1 ]
	same 1 "$(grep -c 'fatal error:' <<<"$stderr")"
	[[ ${stderr_lines[-1]} == "ebph: libbcc could not compile"* ]]
}

@test "no process to compile in: which limit to raise" {
	two_processors
	spoil
	for limit in 0 1; do
		run alone env FORK_LIMIT=$limit LD_PRELOAD="$DIR/spoil.so" "$EBPH" -d 1 "${FRESH[@]}"
		[ "$status" -eq 1 ]
		same "ebph: cannot start a process to compile in: Resource temporarily unavailable; allow more processes (ulimit -u, or the cgroup's pids.max)" "$output"
	done
}

@test "short of memory, or of open files: that is what is told" {
	run alone prlimit --as=$((60 << 20)) "$EBPH" -d 1 "${FRESH[@]}"
	[ "$status" -eq 1 ]
	[[ ${lines[-1]} == *"cannot open libbcc: "*"free memory, or raise the limit (ulimit -v)" ]]
	run alone prlimit --nofile=20 "$EBPH" -d 1 "${FRESH[@]}"
	[ "$status" -eq 1 ]
	same 1 "$(grep -c 'could not open bpf map' <<<"$output")"
	same "ebph: too many open files: no more than 20 are allowed; raise the limit (ulimit -n)" "${lines[-1]}"
}

@test "wherever open files become short, it is said" {
	local kinds=(raw classic) step=1 kind limit
	[ "$PATIENCE" -eq 1 ] || kinds=(classic) step=2 # a start takes long there
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
	for kind in "${kinds[@]}"; do
		for limit in $(seq 22 $step 60); do
			run alone env EBPH_TRACEPOINTS="$kind" prlimit --nofile="$limit" "$EBPH" -q -d 0.01 "${FRESH[@]}"
			[ "$status" -ne 0 ] || break
			echo "$kind, $limit: ${lines[-1]}"
			[[ ${lines[-1]} == "ebph: "*[Tt]"oo many open files"* ]]
			[[ ${lines[-1]} != *"attach to"* || ${lines[-1]} == *"(ulimit -n)" ]]
		done
		[ "$status" -eq 0 ]
	done
}

# tags OPTION...: name and tag (a hash of the instructions) of each program that a run loads
tags() { # attach and on_exec have the process id of ebph in them
	rm -f "$ERR"
	"$@" "$EBPH" -q "${FRESH[@]}" -o /dev/null 2>"$ERR" 3>&- &
	EBPH_PID=$!
	STARTED+=("$EBPH_PID")
	poll grep -q '^ebph: watching' "$ERR"
	awk '/^prog_id:/ { print $2 }' "/proc/$EBPH_PID"/fdinfo/* | sort -un | while read -r id; do
		bpftool -j prog show id "$id" | jq -r 'select(.name | IN("attach", "on_exec") | not) | "\(.name) \(.tag)"'
	done | sort -u
	kill -INT "$EBPH_PID"
	wait "$EBPH_PID"
}

@test "two halves are the same programs as the whole" {
	two_processors
	tags >"$DIR/halves"
	tags taskset -c "$(taskset -cp $$ | grep -o '[0-9]*$')" >"$DIR/whole"
	[ "$(wc -l <"$DIR/whole")" -ge 8 ]
	diff "$DIR/halves" "$DIR/whole"
}

@test "Ctrl-C, SIGTERM and Ctrl-\ while it compiles" {
	two_processors
	for signal in INT TERM; do
		compiling
		kill -"$signal" -- -"$EBPH_PID"
		wait "$EBPH_PID"
		nothing_stays
	done
	# Ctrl-\ ends all at once: the next start clears up
	compiling
	kill -QUIT -- -"$EBPH_PID"
	wait "$EBPH_PID" || true
	poll eval '! ps -p "$(IFS=,; echo "${HALVES[*]}")"'
	"$EBPH" -q -d 0.1 "${FRESH[@]}" 2>"$ERR"
	nothing_stays
}
