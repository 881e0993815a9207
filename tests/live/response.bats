#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Responses: delays, aborted execs, whom they spare, and that no one stays stopped.
#
# All of it is aimed at programs that these tests start: ebph gets a COMMAND, or -e with a
# program of the test's own.
# EBPH_CROWD: how many processes are delayed at once (200; 1000 takes two minutes more).

load common
load respond

CROWD=${EBPH_CROWD:-200}

# The times, in ns since 1970, and the syscall or length of what happened to EXE:
# `anomaly TIME LFC`, `delay TIME LFC MS`.
story() { # EXE
	jq -r --arg exe "$1" 'select(.exe == $exe and (.event | IN("anomaly", "delay")))
		| "\(.event) \(.time | .[:19] + "Z" | fromdateiso8601)\(.time[20:29]) \(.lfc) \(.milliseconds // 0)"' "$OUT"
}

# Fails unless each delay is as long as it says: the next call of the thread never comes
# before it ends, and LATE ms after it at most; twice, on a busy machine, 16 times as late.
# Prints a table.
measured() { # EXE UNIT LATE
	story "$1" | awk -v unit="$2" -v late="$3" '
	BEGIN { print "unit lfc formula_ms measured_ms error_ms" }
	$1 == "anomaly" && due {
		took = ($2 - due) / 1e6
		printf "%4d %3d %10d %11.2f %8.2f\n", unit, lfc, want, took, took - want
		if (took < want || took > want + 16 * late) bad++
		if (took > want + late) tardy++
		seen++
	}
	{ due = 0 }
	$1 == "delay" {
		due = $2; lfc = $3; want = unit * 2 ^ lfc
		if ($4 != want) { print "said", $4, "not", want; bad++ }
	}
	END { exit bad > 0 || tardy > 2 || seen < 7 }'
}

# Does a summary that is asked for now name no one?
none_delayed() {
	local before
	before=$(count summary)
	kill -USR1 "$(ebph_pid)"
	until [ "$(count summary)" -gt "$before" ]; do
		sleep 0.05
	done
	same 0 "$(row '' '.delayed | length')"
}

@test "delays are UNIT * 2^LFC, for LFC 1 to 8" {
	for unit in 1 5 10; do
		watch "${NORMAL[@]}" --delay "$unit" -- "$PLAY" 200x:getppid \
			4x:getuid,getppid getuid
		run -0 measured "$PLAY" "$unit" $((60 * PATIENCE))
		echo "$output" >&3
	done
}

@test "--delay-max bounds them" {
	watch "${NORMAL[@]}" --delay 10 --delay-max 50ms -- "$PLAY" 200x:getppid \
		3x:getuid,getppid
	same "20 40 50 50 50 50 50" "$(events delay "$PLAY" | jq -s -r 'map(.milliseconds) | join(" ")')"
}

@test "each call is held up while the LFC is not 0, and no other" {
	# The one anomaly leaves the frame 128 calls later.
	watch_die "${NORMAL[@]}" --delay 1 -- "$PLAY" 200x:getppid getuid,getppid 140x:getppid die
	same "getuid 1,getppid 2" "$(lfcs .)"
	# each of the two is in the frame for 128 calls
	same 129 "$(count delay "$PLAY")"
	same "1 1" "$(events delay "$PLAY" | jq -s -r '[.[0].lfc, .[-1].lfc] | join(" ")')"
}

@test "without --delay and --abort-exec nothing is held up" {
	watch "${NORMAL[@]}" -- "$PLAY" 200x:getppid 4x:getuid,getppid
	same 0 "$(count delay)"
	same null "$(row '' .delayed)"
}

@test "one that is continued too early is stopped again at its next call" {
	guard_program a --delay 60000
	"$DIR/a" 200x:getppid getuid 1000x:getuid &
	pid=$!
	STARTED+=("$pid")
	poll stopped "$pid"
	for _ in 1 2 3 4 5; do
		kill -CONT "$pid" # it is not stopped when this returns
		poll stopped "$pid"
	done
	same 1 "$(count delay "$DIR/a")" # its due moment has not moved
	kill -KILL "$pid"
	watch_end
}

@test "a dry run says what it would do, and does nothing" {
	watch "${NORMAL[@]}" --dry-run --delay 1000 --abort-exec 2 --abort-exec-by kill -- \
		"$PLAY" 200x:getppid getuid getppid exec:/bin/true end
	same "2000 true,4000 true,8000 true" "$(events delay "$PLAY" |
		jq -s -r 'map("\(.milliseconds) \(.dry_run)") | join(",")')"
	same true "$(events abort_exec "$PLAY" | jq .dry_run)"
	[ "$(count exec /usr/bin/true)" -gt 0 ] || [ "$(count profile /usr/bin/true)" -gt 0 ]
}

@test "a process that its user has stopped is not continued" {
	guard_program a --delay 2000
	"$DIR/a" 200x:getppid getuid spin &
	pid=$!
	STARTED+=("$pid")
	poll stopped "$pid"
	kill -STOP "$pid"
	poll none_delayed # its moment has come
	stopped "$pid"
	kill -CONT "$pid"
	poll running "$pid"
	kill -KILL "$pid"
	watch_end
}

@test "a user's stop holds also when it came after an early SIGCONT" {
	guard_program a --delay 2000
	"$DIR/a" 200x:getppid getuid spin &
	pid=$!
	STARTED+=("$pid")
	poll stopped "$pid"
	kill -CONT "$pid"
	poll running "$pid"
	kill -STOP "$pid"
	poll stopped "$pid"
	poll none_delayed # its moment has come
	stopped "$pid"
	kill -KILL "$pid"
	watch_end
}

@test "a traced process is left alone" {
	guard_program a --delay 1000
	# held up it would take a minute
	timeout $((20 * PATIENCE)) strace -o /dev/null "$DIR/a" 200x:getppid 3x:getuid,getppid
	same 0 "$(count delay "$DIR/a")"
	[ "$(count anomaly "$DIR/a")" -gt 0 ]
	watch_end
}

@test "the delays of a process's threads are not added up" {
	# Both are delayed by 5 s, the second as soon as the first is continued too early.
	copy a
	watch_begin "${NORMAL[@]}" -e "$DIR/a" --delay 2500
	"$DIR/a" thread spin end 200x:getppid die || true
	poll has_event normal "$DIR/a"
	"$DIR/a" thread @1 200x:getppid getuid die end 200x:getppid getuid + spin 3>&- &
	pid=$!
	STARTED+=("$pid")
	poll stopped "$pid"
	kill -CONT "$pid"
	poll gone "$pid"
	watch_end
	jq -s --argjson pid "$pid" 'def ms: (.[:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);
		map(select(.pid == $pid)) | map(select(.event == "delay").until | ms) as $due
		| [($due | length), (map(select(.event == "exit"))[0].time | ms) - $due[1]]' "$OUT" >"$DIR/late"
	cat "$DIR/late"
	# added up they would be 5 s longer, less the moment between the two
	jq -e '.[0] == 2 and .[1] >= 0 and .[1] < 4000' "$DIR/late"
}

@test "threads delayed at one instant: both are told, neither stop is taken for a user's" {
	# Each call is an anomaly, or its thread's LFC is not 0.
	local rounds=200 i calls=()
	for ((i = 2; i <= 2 * rounds; i += 4)); do
		# not the same call twice: it might count as one that is entered again
		calls+=(+ "@$i" getuid + "@$((i + 2))" getppid)
	done
	copy a
	watch_begin "${NORMAL[@]}" -e "$DIR/a" --delay 5 --delay-max 10ms
	"$DIR/a" thread spin end 200x:getppid die || true
	poll has_event normal "$DIR/a"
	"$DIR/a" thread 200x:getppid "${calls[@]}" + spin end \
		200x:getppid "${calls[@]}" "@$((2 * rounds + 1))" die 3>&- &
	pid=$!
	STARTED+=("$pid")
	poll gone "$pid" # or it stays stopped
	watch_end
	nothing_lost
	told=$(count delay "$DIR/a")
	echo "# $told delays of $((2 * rounds)) calls" >&3
	# fewer: a thread that comes too late to be stopped, on a busy machine
	[ "$told" -gt $((2 * rounds * 9 / 10)) ]
	[ "$told" -le $((2 * rounds)) ]
}

@test "--never-respond-to and --respond-to" {
	copy a b
	echo "$DIR/a 200x:getppid 2x:getuid,getppid; $DIR/b 200x:getppid 2x:getuid,getppid" >"$DIR/session"
	watch "${NORMAL[@]}" --delay 1 --never-respond-to "$DIR/a" -- sh "$DIR/session"
	same 0 "$(count delay "$DIR/a")"
	[ "$(count delay "$DIR/b")" -ge 4 ]
	watch "${NORMAL[@]}" --delay 1 --respond-to "$DIR/a" -- sh "$DIR/session"
	same 0 "$(count delay "$DIR/b")"
	[ "$(count delay "$DIR/a")" -ge 4 ]
	watch "${NORMAL[@]}" --delay 1 --respond-to "$DIR/a" --never-respond-to "$DIR/a" -- sh "$DIR/session"
	same 0 "$(count delay)"
	run ! "$EBPH" --delay 1 --never-respond-to "$DIR/none" -- true
	[[ $output == *"$DIR/none: No such file"* ]]
}

@test "--show-exceptions names each with its reason" {
	"$EBPH" --show-exceptions --never-respond-to "$DIR/a" >"$DIR/list"
	grep -Eq '^1 .*reaps' "$DIR/list"
	grep -q 'kernel threads' "$DIR/list"
	grep -q 'ebph itself' "$DIR/list"
	grep -Eq "^$$ |^$BASHPID .*ancestor" "$DIR/list" || grep -q 'ancestor' "$DIR/list"
	grep -q "$DIR/a .*--never-respond-to" "$DIR/list"
}

@test "sshd's listener is spared, but no session, whatever that calls itself" {
	# Shells by the name of sshd, where only they see it, as in a container.
	cat >"$DIR/session" <<-'S'
		mount -t tmpfs none /usr/sbin && cp /bin/bash /usr/sbin/sshd
		exec 5<&0
		sshd() {
			exec -a 'sshd: [listener]' /usr/sbin/sshd -c "$@"
		}
		export -f sshd
		sshd 'echo $$ >"$0/listener"; (echo "$BASHPID" >"$0/session"; read -r <&5); :' "$1" &
		/usr/sbin/sshd -c 'echo $$ >"$0/orphan"; read -r <&5' "$1" &
		setpriv --reuid 65534 bash -c 'sshd "$0"' 'echo $$ >&6; read -r <&5' 6>"$1/user" &
		wait
	S
	mkfifo "$DIR/pipe"
	PATH=/bin:/usr/bin unshare -m bash "$DIR/session" "$DIR" <>"$DIR/pipe" 3>&- &
	STARTED+=("$!")
	for who in listener session orphan user; do
		poll test -s "$DIR/$who"
		STARTED+=("$(cat "$DIR/$who")")
		same sshd "$(cat "/proc/$(cat "$DIR/$who")/comm")"
		same /usr/sbin/sshd "$(readlink "/proc/$(cat "$DIR/$who")/exe")"
		[ "$who" = orphan ] || grep -q '\[listener\]' "/proc/$(cat "$DIR/$who")/cmdline"
	done
	"$EBPH" --show-exceptions >"$DIR/list"
	cat "$DIR/list"
	grep -q "^$(cat "$DIR/listener") .*sshd's listener" "$DIR/list"
	for who in session orphan user; do
		run ! grep -q "^$(cat "$DIR/$who") " "$DIR/list"
	done
}

@test "abort-exec-by kill: the new program runs no instruction" {
	cat >"$DIR/session" <<-S
		$PLAY 200x:getppid getuid getppid exec:/bin/touch $DIR/touched end
		echo status \$? >$DIR/status
	S
	watch "${NORMAL[@]}" --abort-exec 2 --abort-exec-by kill -- sh "$DIR/session"
	[ ! -e "$DIR/touched" ]
	same 'status 137' "$(cat "$DIR/status")"
	same 3 "$(events abort_exec "$PLAY" | jq .lfc)"
	# below the threshold, an exec is an exec
	sed -i 's/getuid getppid exec/exec/' "$DIR/session"
	watch "${NORMAL[@]}" --abort-exec 2 --abort-exec-by kill -- sh "$DIR/session"
	[ -e "$DIR/touched" ]
}

@test "--abort-exec is refused where BPF LSM is not active, with advice" {
	if grep -qw bpf /sys/kernel/security/lsm 2>/dev/null; then
		skip "BPF LSM is active here"
	fi
	run ! "$EBPH" --abort-exec 2 -- true
	[[ $output == *"--abort-exec needs BPF LSM"*"--abort-exec-by kill"* ]]
}

@test "kill -9 of ebph with 100 processes stopped: all run within a second" {
	guard_program a --delay 60000
	crowd 100
	ebph=$(ebph_pid)
	guardian=$(guardian "$ebph")
	kill -KILL "$ebph"
	start=$(date +%s%N)
	until running "${PIDS[@]}"; do
		:
	done
	ms=$((($(date +%s%N) - start) / 1000000))
	echo "# all ran after $ms ms" >&3
	[ "$ms" -lt $((1000 * PATIENCE)) ]
	poll gone "$guardian"
}

@test "kill -9 of the guardian: all run, and ebph fails" {
	guard_program a --delay 60000
	crowd 20
	kill -KILL "$(guardian "$(ebph_pid)")"
	status=0
	wait "$WATCHER" || status=$?
	same 1 "$status"
	running "${PIDS[@]}"
	grep -q 'the guardian' "$ERR"
	same 1 "$(count error)"
}

@test "SIGTERM of ebph: all run when it has ended" {
	guard_program a --delay 60000
	crowd 1
	watch_end
	running "${PIDS[@]}"
	same 0 "$(row '' '.delayed | length')"
}

@test "a summary says who is delayed, and until when" {
	guard_program a --delay 60000
	crowd 1
	kill -USR1 "$(ebph_pid)"
	poll has_event summary ''
	same "${PIDS[0]} $DIR/a 1 $(events delay | jq -r .until)" \
		"$(row '' '.delayed[] | "\(.pid) \(.exe) \(.lfc) \(.until)"')"
	watch_end
}

@test "$CROWD processes delayed at once are all continued on time" {
	# 200 of a program, of which no more than 1,000 anomalies are told
	for ((n = 0; n < CROWD; n += 200)); do
		copy "a$n"
		exes+=(-e "$DIR/a$n")
	done
	watch_begin "${NORMAL[@]}" "${exes[@]}" --delay 2000
	for ((n = 0; n < CROWD; n += 200)); do
		"$DIR/a$n" 200x:getppid die || true # no exit_group, which would be new
		poll has_event normal "$DIR/a$n"
	done
	for ((n = 0; n < CROWD; n++)); do
		"$DIR/a$((n / 200 * 200))" 200x:getppid getuid,getuid 3>&- &
	done
	# each ends by itself: getuid 4 s, getuid again 8 s, exit_group 16 s
	wait $(jobs -p | grep -vx "$WATCHER")
	watch_end
	nothing_lost
	same "$((3 * CROWD))" "$(count delay)"
	# the second anomaly of each process, less the moment that was due
	jq -s -r 'map(select(.event | IN("delay", "anomaly"))) | group_by(.pid)[]
		| [.[] | select(.event == "anomaly" or .event == "delay")]
		| [range(1; length)] as $i | . as $e | $i[]
		| select($e[.].event == "anomaly" and $e[. - 1].event == "delay")
		| "\($e[.].time) \($e[. - 1].until)"' "$OUT" >"$DIR/times"
	awk 'function ms(time, at) {
			split(substr(time, 12, 18), at, ":")
			return ((at[1] * 60 + at[2]) * 60 + at[3]) * 1000
		}
		{ printf "%.6f\n", ms($1) - ms($2) }' "$DIR/times" | sort -n >"$DIR/late"
	awk -v most=$((1000 * PATIENCE)) '{ late[NR] = $1 }
		END {
			printf "# %d waits; late by ms: least %.2f median %.2f most %.2f\n",
				NR, late[1], late[int(NR / 2) + 1], late[NR]
			exit !(NR && late[1] >= 0 && late[NR] < most)
		}' "$DIR/late" >&3
}

# A program that becomes a shell when told so. Learned is what it does otherwise.
backdoor() {
	gcc -O1 -Wall -Wextra -Werror -o "$DIR/backdoor" "$BATS_TEST_DIRNAME/programs/backdoor.c"
	cat >"$DIR/session" <<-S
		seq 500 | $DIR/backdoor >/dev/null
		for n in 1 2 3; do seq 500 | $DIR/backdoor >/dev/null; done
		{ seq 5; echo open sesame; echo and on; } | $DIR/backdoor >$DIR/said
		ls / >/dev/null && echo fine >$DIR/others
	S
}

@test "a backdoored program gets no shell: EPERM, through BPF LSM" {
	grep -qw bpf /sys/kernel/security/lsm 2>/dev/null || skip "BPF LSM is not active here"
	backdoor
	watch --normal-time 0 --abort-exec 1 -- sh "$DIR/session"
	same "no shell: Operation not permitted" "$(sed -n 6p "$DIR/said")"
	same "you said: and on" "$(tail -n 1 "$DIR/said")"
	same fine "$(cat "$DIR/others")" # who has no LFC execs as ever
	same 1 "$(count abort_exec)"
	same 1 "$(count abort_exec "$DIR/backdoor")"
	# without the option, or below the threshold, it gets one
	watch --normal-time 0 -- sh "$DIR/session"
	same "a shell" "$(tail -n 1 "$DIR/said")"
	watch --normal-time 0 --abort-exec 100 -- sh "$DIR/session"
	same "a shell" "$(tail -n 1 "$DIR/said")"
	# a dry run tells
	watch --normal-time 0 --abort-exec 1 --dry-run -- sh "$DIR/session"
	same "a shell" "$(tail -n 1 "$DIR/said")"
	same true "$(events abort_exec "$DIR/backdoor" | jq .dry_run)"
}

@test "a backdoored program gets no shell: killed" {
	backdoor
	watch --normal-time 0 --abort-exec 1 --abort-exec-by kill -- sh "$DIR/session"
	[ "$(wc -l <"$DIR/said")" -le 5 ]
	run ! grep -q shell "$DIR/said"
	same fine "$(cat "$DIR/others")"
	same 1 "$(count abort_exec "$DIR/backdoor")"
}

# Not on a machine that anybody needs: tests/kernels/run sets EBPH_WHOLE_MACHINE in its
# guests.
@test "a minute of ordinary work with the whole machine under delays" {
	[ "${EBPH_WHOLE_MACHINE-}" = 1 ] || skip "EBPH_WHOLE_MACHINE is not 1"
	watch_begin --normal-time 0 --delay 1 --delay-max 200ms --interval 10s
	end=$((SECONDS + 60)) rounds=0
	while [ "$SECONDS" -lt "$end" ]; do
		ls -lR /etc >"$DIR/list"
		sort -r "$DIR/list" | gzip | gunzip | md5sum >"$DIR/sum"
		find /usr/bin -name 'a*' | xargs -n 50 cksum >"$DIR/sums"
		sh -c 'for n in $(seq 50); do echo $n; done' | tail -n 1 >"$DIR/n"
		same 50 "$(cat "$DIR/n")"
		rounds=$((rounds + 1))
	done
	watch_end
	echo "# $rounds rounds, $(count anomaly) anomalies, $(count delay) delays, longest $(events delay |
		jq -s 'map(.milliseconds) | max')" "ms" >&3
	[ "$rounds" -ge 3 ]
	[ "$(count delay)" -ge 1 ] # or all of this says nothing
	same 0 "$(row '' '.delayed | length')"
	! grep -l '^State:.T' /proc/[0-9]*/status
}

@test "admin release lets go at once and forgets the anomalies" {
	FRESH=(--no-load --no-save)
	guard_program a --delay 60000 --socket "$DIR/socket"
	crowd 3
	run -0 "$EBPH" admin --socket "$DIR/socket" release -p "${PIDS[0]}"
	same "released 1" "$output"
	# its read is an anomaly, the first of a frame that was emptied
	poll read_by "${PIDS[0]}"
	stopped "${PIDS[@]:1}"
	same "$(events delay "$DIR/a" | jq -r "select(.pid == ${PIDS[1]}).until[:19]")" \
		"$("$EBPH" ps --socket "$DIR/socket" -j | jq -r "select(.pid == ${PIDS[1]}).delayed_until[:19]")"
	"$EBPH" ps --socket "$DIR/socket" | grep -Eq 'DELAYED UNTIL$'
	same 4 "$(count delay "$DIR/a")"
	run -0 "$EBPH" admin --socket "$DIR/socket" release --all --yes
	same "released 3" "$output"
	poll read_by "${PIDS[2]}"
	run -2 "$EBPH" admin --socket "$DIR/socket" release -e "$DIR/a"
	run -2 "$EBPH" admin --socket "$DIR/socket" release
	watch_end
	same "1" "$(events anomaly "$DIR/a" | jq -s -r '[.[] | select(.syscall == "read") | .lfc] | unique | join(" ")')"
}

@test "a thread whose call is interrupted by another's delay does nothing new by that" {
	# Learned: the thread reads once. It is in there when the main thread is delayed.
	copy a
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	watch_begin "${NORMAL[@]}" -e "$DIR/a" --delay 50
	"$DIR/a" thread read die end nap:300 200x:getppid spin <"$DIR/pipe" 3>&- 7>&- &
	STARTED+=("$!")
	poll has_event normal "$DIR/a"
	echo >&7
	wait "$!" || true
	"$DIR/a" thread read die end nap:300 200x:getppid getuid,getppid,getuid spin <"$DIR/pipe" 3>&- 7>&- &
	pid=$!
	STARTED+=("$pid")
	poll delayed_times 3
	poll running "$pid"
	echo >&7
	poll gone "$pid"
	watch_end
	same '' "$(events anomaly "$DIR/a" | jq -c 'select(.syscall == "read")')"
}

delayed_times() { # N
	[ "$(count delay "$DIR/a")" -ge "$1" ]
}

@test "those killed while delayed leave no delay to whoever is next" {
	guard_program a --delay 60000
	crowd 8
	kill -KILL "${PIDS[@]}"
	wait "${PIDS[@]}" || true
	PIDS=()
	for _ in $(seq 8); do # in the slots that are free again; known calls only
		"$DIR/a" 300x:getppid die 3>&- &
		PIDS+=("$!")
	done
	STARTED+=("${PIDS[@]}")
	poll gone "${PIDS[@]}"
	watch_end
	same 8 "$(count delay "$DIR/a")"
}

@test "admin set delay: to off, on, another, and how long at most" {
	FRESH=(--no-load --no-save)
	guard_program a --socket "$DIR/socket" --delay 60000
	same 60000 "$(admin get delay)"
	admin set delay 0
	same 0 "$(admin get delay)"
	"$DIR/a" 200x:getppid getuid getppid die || true # is not held up
	same 0 "$(count delay "$DIR/a")"
	[ "$(count anomaly "$DIR/a")" -gt 0 ]
	sequences=$(profile a .sequences)
	admin set delay 50000
	same "normal $sequences" "$(profile a '"\(.state) \(.sequences)"')"
	crowd 3
	same "100000 100000 100000" "$(events delay "$DIR/a" | jq -s -r 'map(.milliseconds) | join(" ")')"
	# off: who is stopped runs, and is not stopped again by its next anomaly, the read
	admin set delay 0
	poll running "${PIDS[@]}"
	poll read_by "${PIDS[0]}"
	running "${PIDS[@]}"
	same 3 "$(count delay "$DIR/a")"
	# and on again, as long as is said now
	admin set delay 20
	admin set delay-max 50ms
	same 50ms "$(admin get delay-max)"
	"$DIR/a" 200x:getppid getuid getppid die || true
	same "40 50" "$(events delay "$DIR/a" | jq -s -r 'map(.milliseconds) | .[3:5] | join(" ")')"
	run -1 admin set delay 60001
	run -1 admin set delay-max 0
	watch_end
	nothing_lost
}

@test "admin set abort-exec: by killing" {
	FRESH=(--no-load --no-save)
	guard_program a --abort-exec 100 --abort-exec-by kill --socket "$DIR/socket"
	set_abort_exec
	watch_end
}

@test "admin set abort-exec: through BPF LSM" {
	grep -qw bpf /sys/kernel/security/lsm 2>/dev/null || skip "BPF LSM is not active here"
	FRESH=(--no-load --no-save)
	guard_program a --abort-exec 100 --socket "$DIR/socket"
	set_abort_exec
	watch_end
}

@test "a call costs no instruction more while nothing is wrong" {
	# enter(), which sees every call, is the same program with and without responses.
	local tags=()
	for options in '' '--delay 10 --abort-exec 3 --abort-exec-by kill'; do
		# shellcheck disable=SC2086 # none or several
		watch_begin -e "$PLAY" $options
		tags+=("$(programs_of "$(ebph_pid)" | grep '^enter ')")
		programs_of "$(ebph_pid)" >"$DIR/programs.${#tags[@]}"
		watch_end
	done
	[ -n "${tags[0]}" ]
	same "${tags[0]}" "${tags[1]}"
	run ! grep -Eq '^(respond|on_generate|release) ' "$DIR/programs.1"
	grep -q '^respond ' "$DIR/programs.2"
}

@test "with all responses off no program has an instruction that a source without them has not" {
	local of without
	without=$(variant without_responses)
	run ! grep -qE 'hold\(|stops|halts|exempt|respond_to|bpf_send_signal' "$without"/top/{ebph_bpf.c.in,src/bpf/*}
	for of in "$without/build/ebph" "$EBPH"; do
		EBPH=$of watch_begin -e "$PLAY"
		lengths_of "$(ebph_pid)" >>"$DIR/lengths"
		watch_end
	done
	# name, length without responses in the source, length as it is
	sort -s -k 1,1 "$DIR/lengths" | awk '{ n[$1]++ ? bad += $2 > was : was = $2; print }
		END { for (name in n) { of++; bad += n[name] != 2 } exit bad > 0 || of < 10 }'
}

# Name and number of instructions of the programs that process $1 holds.
lengths_of() {
	local id
	for id in $(sed -n 's/^prog_id:\t//p' /proc/"$1"/fdinfo/* | sort -u); do
		bpftool prog show id "$id" -j | jq -r '"\(.name) \(.bytes_xlated / 8)"'
	done
}

