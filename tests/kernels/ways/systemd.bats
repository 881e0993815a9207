#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# In a guest whose first process is systemd: the service, installed and started as README
# says, with nothing in the unit changed. The tests follow each other: what one learned,
# the next finds kept.

load ../../live/common

CONF=/etc/ebph.conf
LOG=/var/log/ebph/events

programs() {
	PLAY=/opt/programs/play # not in /tmp: the unit has one of its own
}

setup_file() {
	mkdir /opt/programs
	compile 64 /opt/programs/play "$LIVE/programs/play.c"
	rm -rf /var/lib/ebph # this machine's, where ebph has run on it
	cmake --install "$(dirname "$EBPH")" >&2
	systemctl daemon-reload
	systemctl enable --now ebph
}

teardown_file() { # for --logs
	journalctl -q -u ebph -o json >"$VMRUN_OUT/journal.json"
}

teardown() {
	[ "$BATS_TEST_COMPLETED" ] || journalctl -u ebph -n 30 --no-pager
}

property() {
	systemctl show ebph -p "$1" --value
}

manifest() { # NAME: where it was installed
	grep "/$1\$" "$(dirname "$EBPH")/install_manifest.txt"
}

entries() { # MATCH...: the journal's, as JSON
	journalctl -q -t ebph -o json "$@"
}

get() { # MEMBER EXE: of a profile
	ebph ps -p -j | jq -r --arg exe "$2" "select(.exe == \$exe) | .$1"
}

has_restarted() { # FROM-PID
	local pid
	pid=$(property MainPID)
	# in this order: what is active then is the next one
	[ "${pid:-0}" != 0 ] && [ "$pid" != "$1" ] && [ "$(property ActiveState)" = active ]
}

@test "the unit: it is as installed, and ready when systemctl has started it" {
	same systemd "$(cat /proc/1/comm)"
	same enabled "$(systemctl is-enabled ebph)"
	same '' "$(property DropInPaths)"
	same active "$(property ActiveState)"
	same watching "$(ebph admin -j status | jq -r .state)"
	watching=$(entries | jq -r 'select(.MESSAGE == "ebph: watching") | .__MONOTONIC_TIMESTAMP')
	[ "$watching" -le "$(property ActiveEnterTimestampMonotonic)" ]
}

@test "the unit: what it forbids itself is forbidden" {
	main=$(property MainPID)
	grep '^Seccomp:.2' "/proc/$main/status"
	grep '^NoNewPrivs:.1' "/proc/$main/status"
	run ! nsenter -m -t "$main" touch /etc/touched /usr/touched /root/touched
	same 3 "$(grep -c 'Read-only file system' <<<"$output")"
	run ! nsenter -m -t "$main" ls /dev/mem /dev/kmsg
	same lo "$(nsenter -n -t "$main" sed -n 's/ *\(.*\):.*/\1/p' /proc/net/dev)"
	systemd-analyze security ebph.service --no-pager | tee "$DIR/security"
	level=$(sed -nE 's/.* Overall exposure level for ebph.service: ([0-9.]+ [A-Z]+).*/\1/p' "$DIR/security")
	grep -F "\"$level\"" "$BATS_TEST_DIRNAME/../../../README.md"
}

# The members of an event as fields of the journal.
fields() {
	jq -r 'to_entries[] | select(.value | type == "string" or type == "number")
		| "\(.key | ascii_upcase)=\(.value)"' "$@"
}

@test "the journal: an anomaly is a warning, and its members are fields" {
	"$PLAY" 20x:getppid
	ebph admin normalize -e "$PLAY"
	ebph admin -j follow >"$DIR/followed" 3>&- &
	STARTED+=($!)
	"$(manifest watch-anomalies)" logger -t told -p auth.notice 3>&- &
	STARTED+=($!)
	poll eval '[ "$(ebph admin -j status | jq .clients)" = 3 ]'
	"$PLAY" 2x:getppid getuid
	poll grep -q getuid "$DIR/followed"
	grep -m 1 '"anomaly"' "$DIR/followed" | tee "$DIR/event"
	poll eval '[ -n "$(entries EVENT=anomaly)" ]'
	entries EVENT=anomaly "TIME=$(jq -r .time "$DIR/event")" | tee "$DIR/entry"
	same 1 "$(wc -l <"$DIR/entry")"
	for line in PRIORITY=4 SYSLOG_IDENTIFIER=ebph _SYSTEMD_UNIT=ebph.service "EXE=$PLAY" \
		SYSCALL=getuid 'SEQUENCE=getppid getppid getuid' LFC=1; do
		fields "$DIR/entry" | grep -Fx -- "$line"
	done
	same '' "$(comm -23 <(fields "$DIR/event" | sort) <(fields "$DIR/entry" | sort))"
	poll eval 'journalctl -q -t told -p notice -o cat | grep "process [0-9]* (play, $PLAY): getuid after getppid getppid"'
	journalctl -q -t ebph "EXE=$PLAY" EVENT=anomaly -o cat | grep -E '^[0-9]+ .* anomaly +1 .*getppid, getppid, getuid'
}

@test "the unit: reload saves, SIGKILL is followed by a new start with what was saved" {
	copy play # in /tmp, which the unit does not see
	"$DIR/play" 20x:getppid getuid
	learned() { echo "$(get sequences "$PLAY") $(get state "$PLAY") $(get sequences "$DIR/play")"; }
	before=$(learned)
	[[ $before =~ ^[1-9][0-9]*\ normal\ [1-9][0-9]*$ ]]
	rm -f /var/lib/ebph/*
	systemctl reload ebph
	poll eval '[ "$(ebph profile list | grep -c /play\$)" = 2 ]'
	printf '%s\n' 'verbose = yes' "exe = $PLAY" >>$CONF # for the next start
	main=$(property MainPID)
	kill -KILL "$main"
	poll has_restarted "$main"
	same 1 "$(property NRestarts)"
	same "$before" "$(learned)"
}

@test "the journal: each kind of event has its priority" {
	ebph admin reset -e "$PLAY"
	"$PLAY" 300x:getppid        # freezes
	"$PLAY" 2x:getppid getuid   # thaws
	ebph admin set normal-time 0
	"$PLAY" 3000x:getppid
	same normal "$(get state "$PLAY")"
	ebph admin set tolerize-limit 0
	"$PLAY" 2x:getppid getgid
	ebph admin set anomaly-limit 0
	"$PLAY" 2x:getppid getgid
	echo >>"$PLAY"
	"$PLAY" getppid             # was replaced
	# until what came last is there
	poll eval '[ -n "$(entries EVENT=warning)" ]'
	entries | jq -r 'select(.EVENT) | "\(.EVENT) \(.PRIORITY)"' | sort -u | tee "$DIR/priorities"
	same "$(printf '%s\n' 'anomaly 4' 'anomaly_limit 3' 'exec 7' 'exit 7' 'freeze 6' 'normal 6' \
		'profile 6' 'sequence 7' 'thaw 6' 'tolerize_limit 3' 'warning 4')" "$(cat "$DIR/priorities")"
	run ! eval 'journalctl -q -t ebph -p warning -o json | jq -r .EVENT | grep -E "sequence|exec|profile"'
}

@test "the unit: while it goes on it says so, and when it hangs it is started anew" {
	told=$(property WatchdogTimestampMonotonic)
	poll eval '[ "$(property WatchdogTimestampMonotonic)" != '"$told ]"
	echo "output = $LOG" >$CONF # for the next start
	ebph admin save
	learned="$(get sequences "$PLAY") $(get state "$PLAY")"
	main=$(property MainPID)
	kill -STOP "$main"
	poll has_restarted "$main"
	same 2 "$(property NRestarts)"
	journalctl -q -u ebph -o cat | grep 'Watchdog timeout'
	same "$learned" "$(get sequences "$PLAY") $(get state "$PLAY")"
}

@test "the unit: reload opens the file of events anew" {
	copy first second
	"$DIR/first" getppid
	poll grep -F "$DIR/first" $LOG
	mv $LOG $LOG.1
	systemctl reload ebph
	poll test -e $LOG
	"$DIR/second" getppid
	poll grep -F "$DIR/second" $LOG
	run ! grep -F "$DIR/second" $LOG.1
}

@test "the unit: it stops with all saved and nothing left behind" {
	copy last
	"$DIR/last" getppid
	poll eval '[ -n "$(get state "$DIR/last")" ]'
	systemctl stop ebph
	same 'inactive success 0' "$(property ActiveState) $(property Result) $(property ExecMainStatus)"
	ebph profile list | grep -F "$DIR/last"
	[ ! -e /run/ebph.sock ]
	run ! pgrep -x ebph
	run -1 ebph admin status
}
