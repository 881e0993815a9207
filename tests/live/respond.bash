# SPDX-License-Identifier: GPL-2.0-only
# What tests of responses share: `load respond` after `load common`.

TIMEOUT=240 # s; emulated machines are slow

# In windows of two calls each of `getuid,getppid` is an anomaly.
NORMAL=(--window 2 --normal-time 0 --tolerize-limit 128 --anomaly-limit 1000000)

# Sets STATE, a letter, to that of process $1. (No subshell: some machines are slow.)
look_at() {
	local line
	read -r line <"/proc/$1/stat"
	line=${line##*) }
	STATE=${line:0:1}
}

stopped() { # PID...
	local pid
	for pid; do
		look_at "$pid"
		[ "$STATE" = T ] || return 1
	done
}

running() { # PID...
	local pid
	for pid; do
		look_at "$pid"
		[[ $STATE != [Tt] ]] || return 1
	done
}

# N processes of $DIR/a that are stopped, and would read from a pipe. Sets PIDS.
crowd() { # N
	local i
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	PIDS=()
	for ((i = 0; i < $1; i++)); do
		"$DIR/a" 200x:getppid getuid read <"$DIR/pipe" 3>&- 7>&- &
		PIDS+=("$!")
	done
	STARTED+=("${PIDS[@]}")
	poll stopped "${PIDS[@]}"
}

# Have they all ended?
gone() { # PID...
	local pid
	for pid; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

guardian() { # PID of ebph
	pgrep -P "$1" -x ebph-guardian
}

# Starts ebph, which watches the program $DIR/NAME only, and makes that normal.
guard_program() { # NAME OPTION...
	local name=$1
	shift
	copy "$name"
	watch_begin "${NORMAL[@]}" -e "$DIR/$name" "$@"
	"$DIR/$name" 200x:getppid die || true # no exit_group, which would be new
	poll has_event normal "$DIR/$name"
}

has_event() { # EVENT EXE
	[ "$(count "$1" "$2")" -gt 0 ]
}

# The profile of $DIR/NAME, as the running ebph has it.
profile() { # NAME FILTER
	"$EBPH" ps --socket "$DIR/socket" -p -j | jq -r --arg exe "$DIR/$1" "select(.exe == \$exe) | $2"
}

admin() {
	"$EBPH" admin --socket "$DIR/socket" "$@"
}

# Name and tag, which is of the instructions, of the programs that process $1 holds.
programs_of() {
	local id
	for id in $(sed -n 's/^prog_id:\t//p' /proc/"$1"/fdinfo/* | sort -u); do
		bpftool prog show id "$id" -j | jq -r '"\(.name) \(.tag)"'
	done | sort
}

# Has $DIR/a execute a program after two anomalies while abort-exec is each of some numbers.
set_abort_exec() {
	tries 100 ran
	admin set abort-exec 2
	tries 2 aborted
	same 1 "$(count abort_exec "$DIR/a")"
	admin set abort-exec 0
	tries 0 ran
	admin set abort-exec 1
	tries 1 aborted
	same 2 "$(count abort_exec "$DIR/a")"
}

tries() { # ABORT-EXEC WHAT-COMES-OF-IT
	local came=aborted
	same "$1" "$(admin get abort-exec)"
	rm -f "$DIR/touched"
	"$DIR/a" 200x:getppid getuid getppid exec:/bin/touch "$DIR/touched" end || true
	[ ! -e "$DIR/touched" ] || came=ran
	same "$2" "$came"
}

# Is process $1's read told of?
read_by() {
	[ -n "$(events anomaly | jq "select(.syscall == \"read\" and .pid == $1)")" ]
}
