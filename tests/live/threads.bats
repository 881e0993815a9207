#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS, "Threads and processes": windows of threads and children, exec, exit.

load common

@test "each thread has a window of its own" {
	# The threads take turns; were the window shared, getuid and getgid would meet.
	watch --window 3 -- "$PLAY" getpid \
		thread @1 getuid + @3 getuid + @5 getuid + end \
		thread + @2 getgid + @4 getgid + @6 getgid end join getsid
	learned "$PLAY" <<<"$(
		chain 3 getpid clone clone getsid exit_group
		chain 3 getpid clone getuid getuid getuid exit
		chain 3 clone clone getgid getgid getgid exit
	)"
	nothing_lost
}

@test "fork: the child starts with its parent's window, and shares its profile" {
	watch -- "$PLAY" getppid getuid fork getgid getegid end wait geteuid
	learned "$PLAY" <<<"$(
		chain 9 getppid getuid fork wait4 geteuid exit_group
		chain 9 getppid getuid fork getgid getegid exit_group
	)"
	same 9 "$(row "$PLAY" .count)"
	same 1 "$(count profile)"
	nothing_lost
}

@test "vfork: the same" {
	watch -- "$PLAY" getppid getuid vfork getgid getegid end wait geteuid
	learned "$PLAY" <<<"$(
		chain 9 getppid getuid vfork wait4 geteuid exit_group
		chain 9 getppid getuid vfork getgid getegid exit_group
	)"
	same 9 "$(row "$PLAY" .count)"
}

@test "clone: a thread the same, also of a thread" {
	watch -- "$PLAY" getppid thread getuid thread getgid + end end join @1 join geteuid
	learned "$PLAY" <<<"$(
		chain 9 getppid clone geteuid exit_group
		chain 9 getppid clone getuid clone exit
		chain 9 getppid clone getuid clone getgid exit
	)"
	same 9 "$(row "$PLAY" .count)"
}

@test "a child starts with its parent's locality frame, an exec with an empty one" {
	# Only getppid after getppid is normal, and all other pairs of calls are anomalies.
	options=(--window 2 --normal-factor 1 --normal-time 0 --tolerize-limit 128)
	watch "${options[@]}" -- "$PLAY" 200x:getppid getuid getppid getgid \
		fork getegid exec:"$PLAY" getpid gettid end end wait
	parent=$(events anomaly | jq -s '.[0].pid')
	same "getuid 1,getppid 2,getgid 3,fork 4,wait4 5,exit_group 6" \
		"$(lfcs "select(.pid == $parent)")"
	same "getegid 5,execve 6,gettid 1,exit_group 2" "$(lfcs "select(.pid != $parent)")"
	watch "${options[@]}" -- "$PLAY" 200x:getppid getuid getppid thread getgid end join
	same "getuid 1,getppid 2,clone 3,exit_group 4" "$(lfcs 'select(.pid == .tid)')"
	same "getgid 4,exit 5" "$(lfcs 'select(.pid != .tid)')"
}

@test "exec: the new program's profile, with an empty window" {
	copy one two
	watch -- "$DIR/one" getppid getuid exec:"$DIR/two" getgid getegid end
	learned "$DIR/one" <<<"$(chain 9 getppid getuid execve)"
	learned "$DIR/two" <<<"$(chain 9 getgid getegid exit_group)"
	same 3 "$(row "$DIR/one" .count)"
	same 3 "$(row "$DIR/two" .count)"
}

@test "exec by a vforked child" {
	copy one two
	watch -- "$DIR/one" getppid vfork exec:"$DIR/two" getgid getegid end end wait getuid
	learned "$DIR/one" <<<"$(
		chain 9 getppid vfork execve
		chain 9 getppid vfork wait4 getuid exit_group
	)"
	learned "$DIR/two" <<<"$(chain 9 getgid getegid exit_group)"
	same 0 "$(row '' .threads)"
}

@test "an exec that fails changes nothing" {
	echo "no program" >"$DIR/text"
	cp "$DIR/text" "$DIR/bad"
	chmod +x "$DIR/bad" # ENOEXEC, after the file was opened; the other: EACCES
	watch -- "$PLAY" getppid exec:"$DIR/none" end exec:"$DIR/text" end \
		exec:"$DIR/bad" end exec:"$DIR" end getuid getgid
	learned "$PLAY" <<<"$(
		chain 9 getppid execve execve execve execve getuid getgid exit_group
	)"
	same 1 "$(row '' '.profiles | length')"
	same 8 "$(row "$PLAY" .count)"
}

@test "exec by a thread that is not the leader" {
	copy one two
	watch -- "$DIR/one" getpid thread 40x:getgid + spin end \
		thread @1 getppid exec:"$DIR/two" getuid getegid fork getpid end wait end end \
		spin
	same "$(chain 9 getpid clone clone getppid execve | sort -u)" \
		"$(pairs "$DIR/one" | grep -v getgid)"
	learned "$DIR/two" <<<"$(
		chain 9 getuid getegid fork wait4 exit_group
		chain 9 getuid getegid fork getpid exit_group
	)"
	# Nothing that the killed threads held back is gone, and they are.
	same 45 "$(row "$DIR/one" .count)"
	same 7 "$(row "$DIR/two" .count)"
	same 0 "$(row '' .threads)"
	events sequence "$DIR/two" | jq -s -e 'map(.pid == .tid) | all'
}

@test "exit_group while other threads run: their calls are counted, the threads gone" {
	watch -- "$PLAY" thread 30x:getuid + spin end thread 40x:getgid + spin end \
		thread 50x:getegid + spin end @3
	same 124 "$(row "$PLAY" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "20,000 threads, more than there is room for at once, leave nothing behind" {
	steps=()
	for _ in $(seq 50); do steps+=(thread getuid end); done
	copies=()
	for _ in $(seq 40); do copies+=(fork "${steps[@]}" join end wait); done
	for i in $(seq 10); do echo "$PLAY ${copies[*]}"; done >"$DIR/session"
	watch -- sh "$DIR/session"
	nothing_lost
	# per round: 40 children with fork, wait4, exit_group, 50 clone, 50 getuid, 50 exit
	same $((10 * (40 * (3 + 3 * 50) + 1))) "$(row "$PLAY" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "children that die before their first call leave nothing behind" {
	steps=()
	for _ in $(seq 40); do steps+=(fork die end wait); done
	watch -- "$PLAY" "${steps[@]}"
	same 81 "$(row "$PLAY" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "a thread id that is used again starts fresh" {
	id=$(free_id)
	watch -- "$PLAY" as:$id fork getuid end wait as:$id fork getgid end wait \
		as:$id fork die end wait as:$id fork exec:"$PLAY" getegid end end wait
	same "$id" "$(events sequence "$PLAY" | jq .pid | sort | uniq -c | sort -n | awk '{ print $2 }' | grep -x "$id")"
	learned "$PLAY" <<<"$(
		chain 9 clone3 wait4 clone3 wait4 clone3 wait4 clone3 wait4 exit_group
		chain 9 clone3 getuid exit_group
		chain 9 clone3 wait4 clone3 getgid exit_group
		chain 9 clone3 wait4 clone3 wait4 clone3 wait4 clone3 execve
		chain 9 getegid exit_group
	)"
	same 0 "$(row '' .threads)"
}

@test "children whose ids share a place in the kernel's hints keep each to its own" {
	local hints=$(hints)
	id=$(free_id)
	watch -- "$PLAY" shared as:$id fork getuid + @2 getgid + end \
		as:$((id - hints)) fork @1 getegid + @3 geteuid fork getppid end wait end \
		@3 wait wait as:$id fork getpgrp end wait
	learned "$PLAY" <<<"$(
		chain 9 mmap clone3 clone3 wait4 wait4 clone3 wait4 exit_group
		chain 9 mmap clone3 getuid getgid exit_group
		chain 9 mmap clone3 clone3 getegid geteuid fork wait4 exit_group
		chain 9 mmap clone3 clone3 getegid geteuid fork getppid exit_group
		chain 9 mmap clone3 clone3 wait4 wait4 clone3 getpgrp exit_group
	)"
	same 20 "$(row "$PLAY" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "a place in the kernel's hints that two threads want at one instant" {
	# One judges without end, and so wants its place at each call; the other begins there.
	cat >"$DIR/session" <<-S
		id=\$((\$\$ > $(hints) ? \$\$ - $(hints) : \$\$ + $(hints)))
		set --
		for _ in \$(seq 2000); do set -- "\$@" as:\$id fork getuid end wait; done
		exec "$PLAY" shared fork @1 "\$@" end + 3000000x:#219 wait
	S
	watch -- sh "$DIR/session"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "an exec that fails too late, of a thread that is not the leader" {
	copy bad
	# Its first segment is to be where only the kernel may be.
	printf '\0\0\0\0\0\x80\xff\xff' |
		dd of="$DIR/bad" bs=1 seek=$((64 + 16)) conv=notrunc status=none
	watch -- "$PLAY" fork thread getuid exec:"$DIR/bad" end end nap:60000 end wait getgid
	events sequence "$PLAY" | jq -s -e 'any(.syscall == "execve" and .tid != .pid)'
	same 0 "$(row '' .threads)"
	nothing_lost
}

make_segments() { # COUNT
	gcc -nostdlib -static -DCOUNT="$1" -o "$DIR/segments" "$LIVE/programs/segments.S" \
		-Wl,--oformat,binary,--build-id=none,-Ttext=0,-e,file
	chmod +x "$DIR/segments"
}

# A program that takes long to execute, and an id that is free.
segments() {
	make_segments 1100
	# older kernels want all their headers in one page
	"$DIR/segments" || make_segments 73
	"$DIR/segments"
	id=$(free_id)
}

@test "the id of a thread in the middle of an exec is a new child's" {
	segments
	local steps=()
	for i in $(seq 20); do
		steps+=(fork as:$id thread + nap:20 exec:"$DIR/segments" end end nap:60000 end
			"@$i" as:$id fork getgid end wait wait)
	done
	watch -- "$PLAY" shared "${steps[@]}"
	same 40 "$(row "$DIR/segments" .count)"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "... and of a process that nobody watches" {
	segments
	local steps=()
	for _ in $(seq 20); do steps+=(as:$id fork getgid getegid getpgrp end wait); done
	mkfifo "$DIR/begin" "$DIR/end"
	(
		read -r -n 1 <"$DIR/begin"
		"$PLAY" "${steps[@]}"
		echo >"$DIR/end"
	) 3>&- &
	STARTED+=("$!")
	cat >"$DIR/session" <<-S
		"$PLAY" as:$id thread write:7 nap:200 exec:"$DIR/segments" end end nap:60000 7>$DIR/begin
		read -r _ <$DIR/end
	S
	watch -- sh "$DIR/session"
	same 2 "$(row "$DIR/segments" .count)"
	same '' "$(events sequence | jq -c "select(.pid == $id)")"
	same 0 "$(row '' .threads)"
	nothing_lost
}

@test "8,192 execs by threads leave no ids behind that take the room of others" {
	# As many ids given up as there is room for those that are watched.
	local steps=()
	for _ in $(seq 8192); do
		steps+=(fork thread exec:"$PLAY" end end nap:60000 end wait)
	done
	watch -- "$PLAY" "${steps[@]}"
	same 0 "$(row '' .threads)"
	nothing_lost
}
