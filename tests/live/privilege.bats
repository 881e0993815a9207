#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# With which capabilities ebph starts, and which it keeps. Signals and delays are aimed at
# programs that these tests start.

load common

TIMEOUT=240 # s; emulated machines are slow
NOBODY=65534

declare -gA BIT=([dac_override]=1 [dac_read_search]=2 [kill]=5 [sys_ptrace]=19 [sys_admin]=21 [perfmon]=38 [bpf]=39)

# What switching responses on takes besides, with a socket to ask for that.
SWITCH=(perfmon kill sys_ptrace)

# Is CAP_PERFMON enough for perf events? Debian's kernels may want CAP_SYS_ADMIN.
opens_events() {
	open_way
	gcc -Wall -Wextra -Werror -o "$DIR/events" "$LIVE/programs/events.c"
	with_only perfmon -- "$DIR/events"
}

# What it takes to attach to calls, anew, on this kernel: in START, and in AGAIN.
tracepoints() {
	START=(bpf perfmon) AGAIN=(bpf)
	if "$EBPH" --ebpf | grep -q 'RAW_TRACEPOINTS 0'; then
		START+=(dac_read_search) AGAIN+=(perfmon)
		if ! opens_events; then
			START=(sys_admin dac_read_search) AGAIN+=(sys_admin)
		fi
	fi
	# Before Linux 5.11 maps count as locked memory; raising that limit is another matter.
	ulimit -l unlimited 2>/dev/null || true
}

# mask NAME...: as /proc/PID/status has it
mask() {
	local name sum=0
	for name; do
		sum=$((sum | 1 << BIT[$name]))
	done
	printf '%016x' "$sum"
}

field() { # PID NAME
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

# Fails unless process PID has these capabilities and no others, nor a way to get any.
has_only() { # PID NAME...
	local pid=$1 set
	shift
	cat "/proc/$pid/status" | grep -E '^(Name|Cap|NoNewPrivs)'
	for set in CapPrm CapEff; do
		same "$(mask "$@")" "$(field "$pid" "$set")"
	done
	for set in CapInh CapBnd CapAmb; do
		same "$(mask)" "$(field "$pid" "$set")"
	done
	same 1 "$(field "$pid" NoNewPrivs)"
}

# A run with these OPTIONs keeps the capabilities NAME...
keeps() { # NAME... -- OPTION...
	local names=()
	while [ "$1" != -- ]; do
		names+=("$1")
		shift
	done
	shift
	watch_begin "$@"
	has_only "$(ebph_pid)" "${AGAIN[@]}" "${names[@]}"
	watch_end
}

# Runs a command as nobody with the capabilities NAME... only.
with_only() { # NAME... -- COMMAND...
	local list=-all
	while [ "$1" != -- ]; do
		list+=,+$1
		shift
	done
	shift
	timeout -k 5 "$TIMEOUT" setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --bounding-set="$list" \
		--inh-caps="$list" --ambient-caps="$list" "$@"
}

# The way to $DIR is for root only, but for this.
open_way() {
	chmod a+x "$BATS_RUN_TMPDIR" "${DIR%/*}" "$DIR"
}

# A place that nobody owns, with an ebph that nobody may run. Sets THEIRS.
nobodys() {
	open_way
	THEIRS=$DIR/theirs
	mkdir "$THEIRS"
	cp "$EBPH" "$THEIRS/ebph"
	chown $NOBODY:$NOBODY "$THEIRS"
}

@test "once it watches, ebph has the capabilities that its options need, and no others" {
	tracepoints
	copy target
	keeps --
	keeps dac_read_search -- -e "$DIR/target"
	keeps dac_read_search sys_ptrace -- -e "$DIR/target" --abort-exec 1 --abort-exec-by kill
	keeps dac_read_search sys_ptrace -- -e "$DIR/target" --delay 1 --dry-run
}

@test "with delays it and its guardian may send signals" {
	tracepoints
	copy target
	watch_begin -e "$DIR/target" --delay 1
	has_only "$(ebph_pid)" "${AGAIN[@]}" dac_read_search sys_ptrace kill
	guardian=$(pgrep -P "$(ebph_pid)" -x ebph-guardian)
	has_only "$guardian" bpf kill
	watch_end
}

@test "with a socket it has what switching responses on takes, until they are" {
	tracepoints
	copy target
	FRESH=(--no-load --no-save --socket "$DIR/socket")
	keeps "${SWITCH[@]}" --
	keeps "${SWITCH[@]}" dac_read_search -- -e "$DIR/target" --abort-exec 1 --abort-exec-by kill
	keeps perfmon sys_ptrace dac_read_search -- -e "$DIR/target" --dry-run
	keeps kill sys_ptrace dac_read_search -- -e "$DIR/target" --delay 1 --abort-exec 1 --abort-exec-by kill
	watch_begin -e "$DIR/target" --abort-exec-by kill
	"$EBPH" admin --socket "$DIR/socket" set abort-exec 1
	has_only "$(ebph_pid)" "${AGAIN[@]}" "${SWITCH[@]}" dac_read_search
	"$EBPH" admin --socket "$DIR/socket" set delay 1
	has_only "$(ebph_pid)" "${AGAIN[@]}" kill sys_ptrace dac_read_search
	has_only "$(pgrep -P "$(ebph_pid)" -x ebph-guardian)" bpf kill
	watch_end
}

@test "as nobody, with the fewest capabilities, responses can be switched on" {
	tracepoints
	nobodys
	for names in "${START[*]} kill sys_ptrace" "sys_admin dac_read_search kill sys_ptrace"; do
		rm -f "$ERR" # the last one's words are not this one's
		# shellcheck disable=SC2086 # several
		with_only $names -- "$THEIRS/ebph" --no-load --no-save --socket "$THEIRS/socket" -p $$ \
			--abort-exec-by kill 2>"$ERR" >"$OUT" 3>&- &
		WATCHER=$!
		STARTED+=("$WATCHER")
		poll grep -q '^ebph: watching' "$ERR"
		"$EBPH" admin --socket "$THEIRS/socket" set delay 1
		"$EBPH" admin --socket "$THEIRS/socket" set abort-exec 100
		kill -INT "$("$EBPH" admin --socket "$THEIRS/socket" -j status | jq .pid)"
		wait "$WATCHER"
	done
}

@test "COMMAND has what it would have without ebph, and may gain more by a setuid program" {
	tracepoints
	grep -E '^(Cap|NoNewPrivs)' /proc/self/status >"$DIR/without"
	watch -- grep -E '^(Cap|NoNewPrivs)' /proc/self/status >"$DIR/with"
	cat "$DIR/with"
	diff "$DIR/without" "$DIR/with"
	cp /usr/bin/id "$DIR/id"
	chmod 4755 "$DIR/id"
	open_way
	watch -- setpriv --reuid $NOBODY --clear-groups "$DIR/id" -u >"$DIR/with"
	same 0 "$(cat "$DIR/with")"
}

@test "a signal is passed on to a COMMAND that runs as someone else" {
	tracepoints
	timeout -k 5 "$TIMEOUT" "$EBPH" "${FRESH[@]}" -j -o "$OUT" -- setpriv --reuid $NOBODY --clear-groups sleep 300 \
		2>"$ERR" 3>&- &
	WATCHER=$!
	STARTED+=("$WATCHER")
	poll pgrep -P "$(poll ebph_pid && ebph_pid)" -u $NOBODY -x sleep
	has_only "$(ebph_pid)" "${AGAIN[@]}" kill
	kill -TERM "$(ebph_pid)"
	status=0
	wait "$WATCHER" || status=$?
	same 143 "$status"
}

@test "paused and resumed, it sees calls again, through either kind of tracepoints" {
	socket=$DIR/socket kinds=(raw)
	if [ -e /sys/kernel/tracing/events ]; then
		kinds+=(classic)
	else
		echo "# no tracefs here: raw tracepoints only" >&3
	fi
	for kind in "${kinds[@]}"; do
		export EBPH_TRACEPOINTS=$kind
		rm -f "$ERR"
		timeout -k 5 "$TIMEOUT" "$EBPH" -v --no-load --no-save --socket "$socket" -j -o "$OUT" -e "$PLAY" \
			2>"$ERR" 3>&- &
		WATCHER=$!
		STARTED+=("$WATCHER")
		poll grep -q '^ebph: watching' "$ERR"
		"$EBPH" admin --socket "$socket" status | grep -F "capabilities: CAP_DAC_READ_SEARCH"
		"$EBPH" admin --socket "$socket" pause
		"$PLAY" getppid
		"$EBPH" admin --socket "$socket" resume
		"$PLAY" getuid getuid
		watch_end
		same 3 "$(row "$PLAY" .count)" # with exit_group, and without the run before
	done
}

@test "files of others stay in reach: -o anew, a socket removed, a program replaced" {
	tracepoints
	nobodys
	cp "$PLAY" "$THEIRS/play"
	OUT=$THEIRS/out.jsonl
	setsid timeout -k 5 "$TIMEOUT" "$EBPH" -v --no-load --no-save --socket "$THEIRS/socket" -j -o "$OUT" \
		-e "$THEIRS/play" 2>"$ERR" 3>&- </dev/null &
	WATCHER=$!
	STARTED+=("$WATCHER")
	poll grep -q '^ebph: watching' "$ERR"
	ebph=$(pgrep -f -x "$EBPH -v --no-load --no-save --socket $THEIRS/socket -j -o $OUT -e $THEIRS/play")
	has_only "$ebph" "${AGAIN[@]}" dac_read_search dac_override "${SWITCH[@]}"
	mv "$OUT" "$OUT.1"
	kill -HUP "$ebph"
	poll test -e "$OUT"
	# one that only nobody may read takes its place
	cp "$PLAY" "$THEIRS/new"
	chown $NOBODY "$THEIRS/new"
	chmod 700 "$THEIRS/new"
	mv "$THEIRS/new" "$THEIRS/play"
	seen() {
		setpriv --reuid $NOBODY --clear-groups "$THEIRS/play" getppid
		grep -q '"event": *"profile"' "$OUT"
	}
	poll seen
	kill -INT "$ebph"
	wait "$WATCHER"
	[ ! -e "$THEIRS/socket" ]
}

@test "who cannot empty the bounding set ends with no more than it began with" {
	tracepoints
	setpriv --bounding-set=-setpcap --inh-caps=-setpcap "$EBPH" -q "${FRESH[@]}" -o "$OUT" 2>"$ERR" 3>&- &
	pid=$!
	STARTED+=("$pid")
	poll grep -q '^ebph: watching' "$ERR"
	same "$(mask "${AGAIN[@]}")" "$(field "$pid" CapEff)"
	same "$(mask "${AGAIN[@]}")" "$(field "$pid" CapPrm)"
	same 1 "$(field "$pid" NoNewPrivs)"
	kill -INT "$pid"
	wait "$pid"
}

# works NAME... -- OPTION...: nobody's ebph watches with just these; without any one of
# them it says which. What CAP_SYS_ADMIN includes is named together with it.
works() {
	local names=() name rest other
	while [ "$1" != -- ]; do
		names+=("$1")
		shift
	done
	shift
	run with_only "${names[@]}" -- "$THEIRS/ebph" -q "${FRESH[@]}" -d 0.2 "$@"
	echo "${names[*]}: $status: $output"
	[ "$status" -eq 0 ]
	[[ $output == *"ebph: watching"* ]]
	for name in "${names[@]}"; do
		rest=()
		for other in "${names[@]}"; do
			[ "$other" = "$name" ] || rest+=("$other")
		done
		run with_only "${rest[@]}" -- "$THEIRS/ebph" -q "${FRESH[@]}" -d 0.2 "$@"
		echo "without $name: $status: $output"
		[ "$status" -eq 1 ]
		[[ $output == *"CAP_${name^^}"* ]]
	done
}

@test "as nobody: the fewest capabilities are enough, and each that is missing is named" {
	tracepoints
	nobodys
	works "${START[@]}" --
	works "${START[@]}" kill sys_ptrace -- --delay 1 -p $$
	works "${START[@]}" sys_ptrace -- --abort-exec 1 --abort-exec-by kill -p $$
	cp "$PLAY" "$DIR/play"
	chmod 700 "$DIR/play"
	[[ " ${START[*]} " == *" dac_read_search "* ]] || START+=(dac_read_search)
	works "${START[@]}" -- -e "$DIR/play"
	if [[ " ${START[*]} " == *" sys_admin "* ]]; then
		run with_only bpf perfmon dac_read_search -- "$THEIRS/ebph" -q "${FRESH[@]}" -d 0.2
		[ "$status" -eq 1 ]
		[[ $output == *"perf_event_paranoid"*"CAP_SYS_ADMIN"* ]]
	fi
	run with_only sys_admin dac_read_search -- "$THEIRS/ebph" -q "${FRESH[@]}" -d 0.2
	[ "$status" -eq 0 ]
}
