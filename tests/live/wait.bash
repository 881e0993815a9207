# SPDX-License-Identifier: GPL-2.0-only
# `load wait`, for tests that have a setup of their own and so do not load common.

# How many times slower than a usual machine this one may be: emulated ones are.
PATIENCE=${EBPH_PATIENCE:-1}

# Runs a command until it succeeds; fails after half a minute, or as much longer as
# PATIENCE says.
wait_for() { # COMMAND...
	local end=$((SECONDS + 30 * PATIENCE))
	while [ "$SECONDS" -lt "$end" ]; do
		"$@" && return 0
		sleep 0.05
	done
	echo "waited in vain: $*" >&2
	return 1
}
