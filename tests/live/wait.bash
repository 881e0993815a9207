# SPDX-License-Identifier: GPL-2.0-only
# `load wait`, for tests that have a setup of their own and so do not load common.

# Runs a command until it succeeds; fails after half a minute.
wait_for() { # COMMAND...
	for _ in $(seq 600); do
		"$@" && return 0
		sleep 0.05
	done
	echo "waited in vain: $*" >&2
	return 1
}
