#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

load wait

# The unit, with all that it forbids itself, run by a systemd of the test's own: a manager
# as for users, but root's, which can do what the machine's would. It has a mount
# namespace, a /run and a cgroup to itself; no journal.

setup_file() {
	command -v /lib/systemd/systemd >/dev/null || skip 'systemd is not installed'
	[ "$(id -u)" = 0 ] || skip 'root is needed to run a systemd'
	ROOT=$(mktemp -d /opt/ebph-test-XXXXXX) # the unit has a /tmp of its own
	export ROOT
	cp "${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}" "$ROOT/ebph"
	gcc -O1 -Wall -pthread -o "$ROOT/obey" "$BATS_TEST_DIRNAME/programs/obey.c"
	mkdir -p "$ROOT/config/systemd/user/ebph.service.d" "$ROOT/run"
	chmod 700 "$ROOT/run"
	# where a manager for users has what is /var/lib for the machine's
	printf '%s\n' "exe = $ROOT/obey" 'anomaly-limit = 1000' 'delay = 1000' \
		'abort-exec-by = kill' "profile-dir = $ROOT/config/ebph" >"$ROOT/ebph.conf"
	sed "s,@CMAKE_INSTALL_FULL_SBINDIR@,$ROOT,; s,@EBPH_CONF_DIR@,$ROOT," \
		"$BATS_TEST_DIRNAME/../../etc/ebph.service.in" \
		>"$ROOT/config/systemd/user/ebph.service"
	printf '[Service]\nWatchdogSec=4\nRestartSec=100ms\n' \
		>"$ROOT/config/systemd/user/ebph.service.d/quick.conf"
	start_systemd
}

# In cgroups of its own: a manager takes all processes beside it along.
start_systemd() {
	local mount
	CGROUPS=()
	while read -r mount; do
		mkdir "$mount/${ROOT##*/}"
		CGROUPS+=("$mount/${ROOT##*/}")
	done < <(findmnt -rn -o TARGET -t cgroup2 && findmnt -rn -o TARGET -O name=systemd)
	printf '%s\n' "${CGROUPS[@]}" >"$ROOT/cgroups"
	unshare -m bash -s >"$ROOT/log" 2>&1 3>&- <<-S &
		set -e
		while read -r cgroup; do echo \$\$ >"\$cgroup/cgroup.procs"; done <"$ROOT/cgroups"
		mount -t tmpfs none /run
		# what the first process makes: that it is systemd, and what hides files
		mkdir -p /run/systemd/system /run/systemd/inaccessible
		cd /run/systemd/inaccessible
		mkdir dir; touch reg; mkfifo fifo; mknod chr c 0 0; mknod blk b 0 0; chmod 0 *
		cd /
		export XDG_RUNTIME_DIR=$ROOT/run XDG_CONFIG_HOME=$ROOT/config HOME=$ROOT
		exec /lib/systemd/systemd --user --unit=ebph.service
	S
	echo $! >"$ROOT/systemd"
}

teardown_file() {
	[ -e "$ROOT/systemd" ] || return 0
	inside systemctl --user stop ebph || true
	kill "$(cat "$ROOT/systemd")"
	wait_for end_of_systemd || kill -9 "$(cat "$ROOT/systemd")"
	while read -r cgroup; do
		find "$cgroup" -depth -type d -exec rmdir {} +
	done <"$ROOT/cgroups"
	rm -rf "$ROOT"
}

teardown() {
	[ "$BATS_TEST_COMPLETED" ] || cat "$ROOT/log"
}

end_of_systemd() {
	! kill -0 "$(cat "$ROOT/systemd")" 2>/dev/null
}

# inside COMMAND...: where the service's /run is
inside() {
	XDG_RUNTIME_DIR=$ROOT/run nsenter -m -t "$(cat "$ROOT/systemd")" -- "$@"
}

admin() {
	inside "$ROOT/ebph" admin "$@"
}

property() {
	inside systemctl --user show ebph -p "$1" --value
}

is_active() {
	[ "$(property ActiveState)" = active ]
}

get() { # MEMBER: of obey's profile
	inside "$ROOT/ebph" ps -p -j | jq -r --arg exe "$ROOT/obey" "select(.exe == \$exe) | .$1"
}

has_restarted() { # FROM-PID
	local pid
	pid=$(property MainPID)
	# in this order: what is active then is the next one
	[ "${pid:-0}" != 0 ] && [ "$pid" != "$1" ] && is_active
}

is_kept() {
	[ "$(kept)" -eq 1 ]
}

kept() {
	find "$ROOT/config/ebph" -name '*.ebph' | wc -l
}

@test "the unit: it starts, watches, saves on reload, and comes back with its profiles" {
	wait_for is_active
	printf ggguug | "$ROOT/obey"
	sequences=$(get sequences)
	[ "$sequences" -gt 5 ]
	[ "$(kept)" -eq 0 ]
	inside systemctl --user reload ebph
	wait_for is_kept
	main=$(property MainPID)
	kill -KILL "$main"
	wait_for has_restarted "$main"
	[ "$(get sequences)" = "$sequences" ]
	inside systemctl --user stop ebph
	[ "$(property ExecMainStatus)" = 0 ]
	inside systemctl --user start ebph
	[ "$(get sequences)" = "$sequences" ]
	[ "$(get state)" = training ]
}

@test "the unit: one that hangs is started anew" {
	wait_for is_active
	main=$(property MainPID)
	kill -STOP "$main"
	wait_for has_restarted "$main"
	[ "$(admin -j status | jq -r .state)" = watching ]
}

@test "the unit: delays work within what it forbids itself, and end with it" {
	wait_for is_active
	printf gggg | "$ROOT/obey"
	admin normalize -e "$ROOT/obey"
	mkfifo "$ROOT/orders"
	"$ROOT/obey" <"$ROOT/orders" 3>&- &
	pid=$!
	exec 7>"$ROOT/orders"
	printf uggg >&7
	wait_for is_stopped "$pid"
	main=$(property MainPID)
	kill -KILL "$main" # and not the guardian
	wait_for eval "! is_stopped $pid"
	kill "$pid"
	wait_for has_restarted "$main"
}

is_stopped() {
	grep -q '^State:.T' "/proc/$1/status"
}

@test "the unit: ebph has no more than it needs, and can switch responses on" {
	wait_for is_active
	status=/proc/$(property MainPID)/status
	grep -q '^Seccomp:.2' "$status"
	grep -q '^NoNewPrivs:.1' "$status"
	local kept='CAP_DAC_READ_SEARCH CAP_KILL CAP_SYS_PTRACE'
	if "$ROOT/ebph" --ebpf | grep -q 'RAW_TRACEPOINTS 0' && ! opens_events; then
		kept+=' CAP_SYS_ADMIN' # to attach again
	fi
	# PERFMON to switch on what is not on yet
	[ "$(held)" = "$kept CAP_PERFMON CAP_BPF" ]
	admin set abort-exec 1
	[ "$(admin get abort-exec)" = 1 ]
	held
	# and from now on where resuming takes it, see src/privilege.c
	left=$(held)
	[ "${left/CAP_PERFMON /}" = "$kept CAP_BPF" ]
}

# Is CAP_PERFMON enough for perf events? Debian's kernels may want CAP_SYS_ADMIN.
opens_events() {
	gcc -Wall -Wextra -Werror -o "$ROOT/events" "$BATS_TEST_DIRNAME/programs/events.c"
	setpriv --bounding-set=-all,+perfmon "$ROOT/events"
}

held() {
	admin status | sed -n 's/.*capabilities: //p'
}
