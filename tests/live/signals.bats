#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS, "Signals": windows of handlers, nested, left with siglongjmp; restarted
# calls. programs/play's handlers return through rt_sigreturn.

load common

setup_file() {
	NR_READ=0 NR_NANOSLEEP=35 NR_READ32=3 NR_NANOSLEEP32=162
	export NR_READ NR_NANOSLEEP NR_READ32 NR_NANOSLEEP32
}

@test "a handler begins with an empty window, sigreturn is its last call" {
	watch -- "$PLAY" getpid on:10 getuid,getgid getppid kill:10 getegid geteuid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction getppid kill getegid geteuid exit_group
		chain 9 getuid getgid rt_sigreturn
	)"
	nothing_lost
}

@test "a handler that comes without a call" {
	watch -- "$PLAY" on:5 getuid,getgid getppid trap getegid trap geteuid
	learned "$PLAY" <<<"$(
		chain 9 rt_sigaction getppid getegid geteuid exit_group
		chain 9 getuid getgid rt_sigreturn
	)"
}

@test "handlers nest" {
	watch -- "$PLAY" getpid on:10 getuid,kill:12,getgid on:12 getegid,trap,geteuid \
		on:5 getppid getpgrp kill:10 getsid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction rt_sigaction rt_sigaction getpgrp kill getsid exit_group
		chain 9 getuid kill getgid rt_sigreturn
		chain 9 getegid geteuid rt_sigreturn
		chain 9 getppid rt_sigreturn
	)"
}

@test "handlers nest to the full depth of four" {
	watch -- "$PLAY" getpid on:10 getuid,kill:11 on:11 geteuid,kill:12 \
		on:12 getgid,kill:13 on:13 getegid getpgrp kill:10 getsid
	# The interrupted handlers' windows go on with rt_sigreturn.
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction rt_sigaction rt_sigaction rt_sigaction getpgrp kill getsid exit_group
		chain 9 getuid kill rt_sigreturn
		chain 9 geteuid kill rt_sigreturn
		chain 9 getgid kill rt_sigreturn
		chain 9 getegid rt_sigreturn
	)"
}

@test "past the full depth a window is emptied, and none is mixed with another" {
	# Handlers 4 and 5 are interrupted when there is no room for their windows.
	watch -- "$PLAY" getpid on:10 getuid,kill:11 on:11 geteuid,kill:12 \
		on:12 getgid,kill:13 on:13 getegid,kill:14,times on:14 getpgid,kill:15,alarm \
		on:15 sched_yield getpgrp kill:10 getsid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction{,,,,,} getpgrp kill getsid exit_group
		chain 9 getuid kill rt_sigreturn
		chain 9 geteuid kill rt_sigreturn
		chain 9 getgid kill rt_sigreturn
		chain 9 getegid kill
		chain 9 times rt_sigreturn
		chain 9 getpgid kill
		chain 9 alarm rt_sigreturn
		chain 9 sched_yield rt_sigreturn
	)"
}

@test "after siglongjmp the window is empty, and a later handler begins anew" {
	watch -- "$PLAY" getpid on:10 getuid,jump getppid kill:10 getegid geteuid \
		kill:10 getpgrp getsid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction getppid kill
		chain 9 getegid geteuid kill
		chain 9 getpgrp getsid exit_group
	)"
}

@test "what is called after siglongjmp is known in the handler: it is no part of it" {
	watch -- "$PLAY" getpid on:12 getuid,getgid on:10 getuid,jump getppid kill:12 \
		kill:10 getgid getegid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction rt_sigaction getppid kill kill
		chain 9 getuid getgid rt_sigreturn
		chain 9 getgid getegid exit_group
	)"
}

@test "siglongjmp out of nested handlers, and past the full depth" {
	watch -- "$PLAY" getpid on:10 getuid,kill:11 on:11 geteuid,kill:12 \
		on:12 getgid,jump getppid kill:10 getegid getpgrp
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction rt_sigaction rt_sigaction getppid kill
		chain 9 getuid kill
		chain 9 geteuid kill
		chain 9 getegid getpgrp exit_group
	)"
	watch -- "$PLAY" getpid on:10 getuid,kill:11 on:11 geteuid,kill:12 \
		on:12 getgid,kill:13 on:13 getegid,kill:14 on:14 getpgid,kill:15 \
		on:15 times,jump getppid kill:10 getpgrp getsid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction{,,,,,} getppid kill
		chain 9 getuid kill
		chain 9 geteuid kill
		chain 9 getgid kill
		chain 9 getegid kill
		chain 9 getpgid kill
		chain 9 getpgrp getsid exit_group
	)"
}

@test "siglongjmp out of a handler on an alternate stack, also of a nested one" {
	watch -- "$PLAY" getpid altstack on:10s getuid,jump getppid kill:10 getegid geteuid \
		kill:10 getpgrp getsid
	learned "$PLAY" <<<"$(
		chain 9 getpid sigaltstack rt_sigaction getppid kill
		chain 9 getegid geteuid kill
		chain 9 getpgrp getsid exit_group
	)"
	watch -- "$PLAY" getpid altstack on:10s getuid,kill:12 on:12s getgid,jump \
		getppid kill:10 getegid geteuid
	learned "$PLAY" <<<"$(
		chain 9 getpid sigaltstack rt_sigaction rt_sigaction getppid kill
		chain 9 getuid kill
		chain 9 getegid geteuid exit_group
	)"
}

@test "a handler on an alternate stack returns to its interrupted window" {
	watch -- "$PLAY" getpid altstack on:10s getuid,kill:12,geteuid on:12s getgid \
		getppid kill:10 getegid
	learned "$PLAY" <<<"$(
		chain 9 getpid sigaltstack rt_sigaction rt_sigaction getppid kill getegid exit_group
		chain 9 getuid kill geteuid rt_sigreturn
		chain 9 getgid rt_sigreturn
	)"
	# The main thread's stack lies above the alternate one, a thread's below it.
	watch -- "$PLAY" getpid on:10s getuid,geteuid thread altstack getppid \
		tgkill:0:10 getegid end join getgid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction clone getgid exit_group
		chain 9 getpid rt_sigaction clone sigaltstack getppid tgkill getegid exit
		chain 9 getuid geteuid rt_sigreturn
	)"
}

@test "a signal without a handler changes no window" {
	# 23, SIGURG: by default ignored, delivered all the same when it was blocked
	watch -- "$PLAY" getpid getuid block:23 kill:23 unblock:23 getgid ignore:10 kill:10 getegid
	learned "$PLAY" <<<"$(
		chain 9 getpid getuid rt_sigprocmask kill rt_sigprocmask getgid rt_sigaction kill getegid exit_group
	)"
}

@test "a signal to one thread changes that thread's window only" {
	watch -- "$PLAY" getpid on:10 geteuid,+ thread getuid + @2 getppid end \
		@1 getgid tgkill:0:10 join getegid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction clone getgid tgkill getegid exit_group
		chain 9 getpid rt_sigaction clone getuid getppid exit
		chain 9 geteuid rt_sigreturn
	)"
}

@test "a child forked in a handler returns to the window that its parent interrupted" {
	watch -- "$PLAY" getpid on:10 getuid,split,getgid getppid kill:10 getegid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction getppid kill getegid exit_group
		chain 9 getuid fork wait4 getgid rt_sigreturn
		chain 9 getuid fork getgid rt_sigreturn
	)"
	# The child runs first; what follows there is new in its interrupted window.
	parent=$(events profile | jq .pid)
	same "kill getppid rt_sigaction getpid" "$(events sequence | jq -r "select(.pid != $parent and
		.syscall == \"getegid\") | .missed | map(.prev) | join(\" \")")"
}

@test "an exec in a handler empties all windows" {
	copy other
	watch -- "$PLAY" getpid on:10 getuid,run:"$DIR/other" getppid kill:10
	learned "$DIR/other" <<<"$(chain 9 getpid exit_group)"
}

@test "a child whose first call is made by a handler" {
	# The child waits without a call until the handler has run.
	watch -- "$PLAY" getpid on:10 getuid,getgid,+ shared getppid fork @1 getegid end \
		send:10 wait geteuid
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction mmap getppid fork kill wait4 geteuid exit_group
		chain 9 getpid rt_sigaction mmap getppid fork getegid exit_group
		chain 9 getuid getgid rt_sigreturn
	)"
}

# A stop and its end, both seen to be over.
stop_and_continue() { # PID NR
	kill -STOP "$1"
	poll grep -q '^State:.T' "/proc/$1/status"
	kill -CONT "$1"
	poll inside "$1" "$2"
}

@test "a call that is entered again after a handler makes no new pair" {
	blocked $NR_READ -- "$PLAY" getpid on:10r getuid,write:2 getppid read getgid
	kill -USR1 "$PLAYER"
	poll grep -q + "$ERR"
	poll inside "$PLAYER" $NR_READ
	kill -USR1 "$PLAYER"
	poll grep -q ++ "$ERR"
	let_go
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction getppid read getgid exit_group
		chain 9 getuid write rt_sigreturn
	)"
}

@test "without SA_RESTART a program's own second try is a call" {
	blocked $NR_READ -- "$PLAY" getpid on:10 getuid,write:2 getppid read read getgid
	kill -USR1 "$PLAYER"
	poll grep -q + "$ERR"
	let_go
	learned "$PLAY" <<<"$(
		chain 9 getpid rt_sigaction getppid read read getgid exit_group
		chain 9 getuid write rt_sigreturn
	)"
}

@test "a call that is entered again after a stop makes no new pair" {
	blocked $NR_READ -- "$PLAY" getppid read getgid
	stop_and_continue "$PLAYER" $NR_READ
	stop_and_continue "$PLAYER" $NR_READ
	let_go
	learned "$PLAY" <<<"$(chain 9 getppid read getgid exit_group)"
}

@test "restart_syscall makes no new pair, of 64 and of 32 bits" {
	blocked $NR_NANOSLEEP -- "$PLAY" getppid nap:1500 getgid
	stop_and_continue "$PLAYER" 219
	stop_and_continue "$PLAYER" 219
	let_go
	learned "$PLAY" <<<"$(chain 9 getppid nanosleep getgid exit_group)"
	blocked $NR_NANOSLEEP32 -- "$PLAY32" getppid nap:1500 getgid
	stop_and_continue "$PLAYER" 0
	let_go
	learned "$PLAY32" <<<"$(chain 9 getppid nanosleep getgid exit_group)"
}

@test "32-bit programs: handlers return through either sigreturn, and calls restart" {
	blocked $NR_READ32 -- "$PLAY32" getpid on:10r getuid,write:2 on:12o geteuid,kill:5,getegid \
		on:5 getsid getppid kill:12 read getgid
	kill -USR1 "$PLAYER"
	poll grep -q + "$ERR"
	let_go
	learned "$PLAY32" <<<"$(
		chain 9 getpid rt_sigaction rt_sigaction rt_sigaction getppid kill read getgid exit_group
		chain 9 getuid write rt_sigreturn
		chain 9 geteuid kill getegid sigreturn
		chain 9 getsid rt_sigreturn
	)"
}

@test "ebph that begins while a handler runs does not mix its window with the rest" {
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	"$PLAY" getpid on:10 read,getuid kill:10 getgid <"$DIR/pipe" 3>&- 7>&- &
	player=$!
	STARTED+=("$player")
	poll inside "$player" $NR_READ
	watch_begin -p "$player"
	echo >&7
	wait "$player"
	exec 7>&-
	watch_end
	learned "$PLAY" <<<"$(
		chain 9 getuid rt_sigreturn
		chain 9 getgid exit_group
	)"
}
