# SPDX-License-Identifier: GPL-2.0-only
# What the live tests share: `load common` in a .bats file.
#
# programs/play makes exactly the system calls that its arguments name; ebph's events
# tell which pairs it learned from them. A test writes down the calls that follow each
# other in one window (chain), and the two sets must be equal.

bats_require_minimum_version 1.5.0

# No profiles of earlier runs, and none left behind.
FRESH=(--no-load --no-save --no-socket)
LIVE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
EBPH=${EBPH:-$LIVE/../../build/ebph}
# How many times slower than a usual machine this one may be: emulated ones are.
PATIENCE=${EBPH_PATIENCE:-1}

# Compiles programs/play once for all files of a run, or of several with EBPH_PROGRAMS; 64
# and 32 bits. Sets PLAY and PLAY32.
programs() {
	local bin=${EBPH_PROGRAMS:-$BATS_RUN_TMPDIR}/programs source=$LIVE/programs
	PLAY=$bin/play PLAY32=$bin/play32
	[ ! -x "$PLAY32" ] || return 0
	mkdir -p "$bin"
	compile 64 "$PLAY" "$source/play.c"
	compile 32 "$PLAY32" "$source/play.c"
}

# An ebph of changed sources, built once for a file of tests. Prints the directory that has it
# as build/ebph, and its sources in top.
variant() { # KIND
	local dir=$BATS_FILE_TMPDIR/$1
	[ -x "$dir/build/ebph" ] || "$LIVE/variant" "$1" "$dir"
	echo "$dir"
}

compile() { # BITS OUT SOURCE
	# asm/ lies outside gcc's own path for -m32 unless gcc-multilib is there
	gcc "-m$1" -idirafter "/usr/include/$(gcc -print-multiarch)" -O1 -Wall -Wextra -Werror -static -nostdlib -ffreestanding \
		-fno-stack-protector -fno-pie -no-pie -fno-asynchronous-unwind-tables \
		-s -Wl,--build-id=none -Wl,-z,noseparate-code -o "$2" "$3"
}

setup() {
	programs
	DIR=$BATS_TEST_TMPDIR
	OUT=$DIR/out.jsonl
	ERR=$DIR/err
	STARTED=()
	ulimit -c 0 # `die` is no reason to leave a core file
}

teardown() {
	local pid
	for pid in "${STARTED[@]}"; do
		kill "$pid" 2>/dev/null || true
		kill -CONT "$pid" 2>/dev/null || true # it may be stopped
		wait "$pid" 2>/dev/null || true
	done
	! mountpoint -q "$DIR/small" || umount "$DIR/small"
}

# Runs ebph to its end; shows what it said, and fails, unless its status is $EXPECT (0).
watch() { # OPTION... [-- COMMAND...]
	local status=0 expect=${EXPECT-0}
	timeout -k 5 "${TIMEOUT-$((60 * PATIENCE))}" "$EBPH" -v "${FRESH[@]}" -j -o "$OUT" "$@" 2>"$ERR" || status=$?
	[ "$status" -eq "$expect" ] || {
		echo "status $status, not $expect"
		cat "$ERR"
		return 1
	}
}

# The same, of a command that ends with `die`.
watch_die() {
	EXPECT=132 watch "$@"
}

# Starts ebph and waits until it watches. Sets WATCHER; end it with watch_end.
watch_begin() { # OPTION...
	rm -f "$ERR" # the last one's words are not this one's
	timeout -k 5 "${TIMEOUT-$((60 * PATIENCE))}" "$EBPH" -v "${FRESH[@]}" -j -o "$OUT" "$@" 2>"$ERR" 3>&- &
	WATCHER=$!
	STARTED+=("$WATCHER")
	poll grep -q '^ebph: watching' "$ERR"
}

watch_end() {
	kill -INT "$(ebph_pid)"
	wait "$WATCHER"
}

# Runs a command under ebph with its standard input from a pipe that nothing comes out
# of until let_go. Sets PLAYER when it is inside the system call of number NR.
blocked() { # NR [OPTION...] -- COMMAND...
	local nr=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -f "$DIR/pipe" "$DIR/pid"
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	cat >"$DIR/session" <<-S
		echo \$\$ >$DIR/pid
		exec $* <$DIR/pipe
	S
	# shellcheck disable=SC2086 # -v or nothing
	timeout -k 5 "${TIMEOUT-$((60 * PATIENCE))}" "$EBPH" ${VERBOSE--v} "${FRESH[@]}" -j -o "$OUT" "${options[@]}" -- sh "$DIR/session" \
		2>"$ERR" 3>&- 7>&- &
	WATCHER=$!
	STARTED+=("$WATCHER")
	poll test -s "$DIR/pid"
	PLAYER=$(cat "$DIR/pid")
	poll inside "$PLAYER" "$nr"
}

let_go() {
	echo >&7
	exec 7>&-
	wait "$WATCHER"
}

# The ebph that watch_begin or blocked started.
ebph_pid() {
	pgrep -P "$WATCHER" -x ebph
}

# Runs a command until it succeeds; fails after 20 s, or as much longer as PATIENCE says.
poll() {
	local end=$((SECONDS + 20 * PATIENCE))
	while [ "$SECONDS" -lt "$end" ]; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "never: $*"
	cat "$ERR" 2>/dev/null
	return 1
}

# Is process or thread $1 inside the system call of number $2?
inside() {
	[[ $(cat "/proc/$1/syscall") == "$2 "* ]]
}

# A program of its own, with its own profile, that does what PLAY does. Sets nothing;
# its path is $DIR/NAME.
copy() { # NAME...
	local name
	for name; do
		cp "$PLAY" "$DIR/$name"
	done
}

# How many places there are for hints: ids that differ by as many share one.
hints() {
	"$EBPH" --ebpf | sed -n 's/.*HINTS = \([0-9]*\),.*/\1/p'
}

# An id, near the highest, that no thread has, nor the one that shares its place among the hints.
free_id() {
	local id=$(($(cat /proc/sys/kernel/pid_max) - 7)) hints
	hints=$(hints)
	while [ -e "/proc/$id" ] || [ -e "/proc/$((id - hints))" ]; do
		id=$((id - 1))
	done
	echo "$id"
}

# The events of one kind, of one program if EXE is given.
events() { # EVENT [EXE]
	jq -c --arg event "$1" --arg exe "${2-}" \
		'select(.event == $event and ($exe == "" or .exe == $exe))' "$OUT"
}

count() { # EVENT [EXE]
	events "$@" | wc -l
}

# A jq filter over the last summary's row of a program; over the summary itself
# without EXE.
row() { # EXE FILTER
	jq -s -r --arg exe "$1" '[.[] | select(.event == "summary")] | last
		| if $exe == "" then . else (.profiles[] | select(.exe == $exe)) end | '"$2" "$OUT"
}

# The calls of PLAY's anomalies that pass a jq FILTER, and the locality frame counts
# after them.
lfcs() { # FILTER
	events anomaly | jq -s -r "[.[] | $1 | \"\\(.syscall) \\(.lfc)\"] | join(\",\")"
}

# All pairs that a program's profile learned: `earlier > current @distance`.
pairs() { # EXE
	events sequence "$1" | jq -r '.syscall as $now | .missed[]
		| "\(.prev) > \($now) @\(.distance)"' | sort -u
}

# The pairs of calls that follow each other in one window of N.
chain() { # N CALL...
	local n=$1 i d
	shift
	for ((i = 1; i <= $#; i++)); do
		for ((d = 1; d < n && d < i; d++)); do
			echo "${*:i-d:1} > ${*:i:1} @$d"
		done
	done
}

# Fails unless the pairs that EXE learned are the lines of standard input.
learned() { # EXE
	same "$(sort -u)" "$(pairs "$1")"
}

same() { # EXPECTED ACTUAL
	[ "$1" = "$2" ] || {
		diff -u --label expected <(echo "$1") --label actual <(echo "$2")
		return 1
	}
}

# How many of what REGEX names were lost.
lost() { # REGEX
	events lost | jq -s --arg what "$1" 'map(select(.what | test($what)).count) | add // 0'
}

nothing_lost() {
	same '' "$(events lost)"
	same 0 "$(row '' .lost)"
}
