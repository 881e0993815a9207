#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS: "calls on both sides of a gap never form a pair"; processes that already
# run; filters that a process enters and leaves.

load common

@test "a gap: the user is another for a while" {
	watch -u 0 -- "$PLAY" getppid ruid:65534 getuid ruid:0 getgid getegid
	learned "$PLAY" <<<"$(
		chain 9 getppid setresuid
		chain 9 getgid getegid exit_group
	)"
	same 5 "$(row "$PLAY" .count)"
}

@test "one gap after the other, with nothing new between them" {
	watch -u 0 -- "$PLAY" 4x:getgid,ruid:65534,getuid,ruid:0
	learned "$PLAY" <<<"$(chain 9 getgid setresuid)"
	same 9 "$(row "$PLAY" .count)"
}

@test "a gap of a child that has hardly begun" {
	watch -u 0 -- "$PLAY" fork getppid ruid:65534 getuid ruid:0 getgid getegid end wait
	learned "$PLAY" <<<"$(
		chain 9 fork wait4 exit_group
		chain 9 fork getppid setresuid
		chain 9 getgid getegid exit_group
	)"
	same 8 "$(row "$PLAY" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "a gap: the command name is another for a while" {
	watch -n play -- "$PLAY" getppid comm:other getuid comm:play getgid getegid
	learned "$PLAY" <<<"$(
		chain 9 getppid prctl
		chain 9 getgid getegid exit_group
	)"
}

# Plays ARGUMENTS in a cgroup of its own that ebph begins to watch at the first `read`.
begin_in_group() { # ARGUMENT...
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	group=$root/ebph-gap-$$
	mkdir "$group"
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	"$PLAY" "$@" <"$DIR/pipe" >"$DIR/said" 3>&- 7>&- &
	player=$!
	STARTED+=("$player")
	echo "$player" >"$group/cgroup.procs"
	poll inside "$player" 0
	watch_begin -c "$group"
	echo -n x >&7
}

# Once it has said SO MUCH and reads, moves it to GROUP and lets it go on.
move() { # SAID GROUP
	poll grep -qx "$1" "$DIR/said"
	poll inside "$player" 0
	echo "$player" >"$2/cgroup.procs"
	echo -n x >&7
}

end_in_group() {
	wait "$player"
	exec 7>&-
	watch_end
	rmdir "$group"
}

@test "a gap: in another cgroup for a while" {
	begin_in_group write:1 read getppid write:1 read getuid write:1 read getgid getegid
	move ++ "$root"
	move +++ "$group"
	end_in_group
	learned "$PLAY" <<<"$(
		chain 9 getppid write read
		chain 9 getgid getegid exit_group
	)"
}

@test "a gap that begins before a thread's first call" {
	begin_in_group read getppid thread @1 getuid + @3 getgid end \
		write:1 read + @2 write:1 read + join
	move + "$root"
	move ++ "$group"
	end_in_group
	learned "$PLAY" <<<"$(
		chain 9 getppid clone write read
		chain 9 getgid exit
	)"
}

@test "a gap in which a child that made no call yet runs another program" {
	copy next
	local id=$(free_id) hints=$(hints)
	# The first child keeps the second one from beginning with only a hint.
	begin_in_group read shared as:$id fork getuid + @3 end \
		as:$((id - hints)) fork @2 exec:"$DIR/next" write:1 read getpid end end \
		@1 write:1 read + wait + wait
	poll grep -qx + "$DIR/said"
	echo $((id - hints)) >"$root/cgroup.procs"
	echo -n x >&7
	poll grep -qx ++ "$DIR/said"
	poll inside $((id - hints)) 0
	echo $((id - hints)) >"$group/cgroup.procs"
	echo -n x >&7
	end_in_group
	learned "$DIR/next" <<<"$(chain 9 getpid exit_group)"
	same 2 "$(row "$DIR/next" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "-n follows a process from the exec that gives it the name" {
	copy named
	watch_begin -n named
	sh -c 'exec "$0" getpid getuid' "$DIR/named"
	watch_end
	same 1 "$(count exec "$DIR/named")"
	learned "$DIR/named" <<<"$(chain 9 getpid getuid exit_group)"
	same 1 "$(row '' '.profiles | length')"
}

@test "-c watches the cgroups below it too, not those above and beside" {
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	group=$root/ebph-test-$$
	mkdir -p "$group"/{in/deep,beside}
	copy below watched above beside
	watch_begin -c "$group/in"
	for i in 1 2; do # once more, when the answer is known
		for where in below:in/deep watched:in above: beside:beside; do
			sh -c 'echo $$ >"$1" && exec "$2" getpid' - "$group/${where#*:}/cgroup.procs" "$DIR/${where%:*}"
		done
	done
	watch_end
	rmdir "$group"/in/deep "$group"/{in,beside} "$group"
	same 2,2,0,0 "$(for name in below watched above beside; do count exec "$DIR/$name"; done | paste -sd,)"
}

@test "a gap in a handler: its window and the interrupted one end there" {
	watch -u 0 -- "$PLAY" getpid on:10 getuid,ruid:65534,getgid,ruid:0,getegid \
		getppid kill:10 geteuid getsid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction getppid kill
		chain 9 getuid setresuid
		chain 9 getegid rt_sigreturn
		chain 9 geteuid getsid exit_group
	)"
}

# A process of three threads, each inside a read, and what they do after it.
three_threads() {
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	"$PLAY" thread read getuid getgid end thread read getegid geteuid end \
		read getppid fork getpid end wait thread gettid end join \
		<"$DIR/pipe" 3>&- 7>&- &
	PLAYER=$!
	STARTED+=("$PLAYER")
	poll all_inside "$PLAYER" 3 0
}

all_inside() { # PID THREADS NR
	[ "$(cat "/proc/$1/task/"*/syscall | grep -c "^$3 ")" -eq "$2" ]
}

three_threads_learned() {
	learned "$PLAY" <<<"$(
		chain 9 getuid getgid exit
		chain 9 getegid geteuid exit
		chain 9 getppid fork wait4 clone exit_group
		chain 9 getppid fork getpid exit_group
		chain 9 getppid fork wait4 clone gettid exit
	)"
	# Each under its own id and that of its process
	same 5 "$(events sequence "$PLAY" | jq .tid | sort -u | wc -l)"
	same 2 "$(events sequence "$PLAY" | jq .pid | sort -u | wc -l)"
}

@test "-p takes on all threads of a running process, and what they start" {
	three_threads
	watch_begin -p "$PLAYER"
	echo -n xxx >&7
	wait "$PLAYER"
	watch_end
	three_threads_learned
	same 1 "$(row '' '.profiles | length')"
	nothing_lost
}

@test "the whole machine: running processes are taken on with all threads, not ebph" {
	three_threads
	watch_begin
	echo -n xxx >&7
	wait "$PLAYER"
	watch_end
	three_threads_learned
	same "" "$(row "$(realpath "$EBPH")" .)"
}
