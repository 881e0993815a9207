# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Profiles for tests, as the JSON that `ebph profile import` reads.

# profile_json INODE CALLS STEP STATE [JQ]: CALLS calls of x86-64 (numbers 0..), each
# paired with every STEPth other; JQ changes the result.
profile_json() {
	jq -n --argjson inode "$1" --argjson calls "$2" --argjson step "$3" \
		--arg state "$4" '
	def distances($x): [range(1; 9) | select(($x * . + .) % 5 < 2)] | .[0:1 + $x % 4];
	{
		format: "ebph-profile", version: 1, arch: "x86_64", window: 9,
		exe: "/usr/bin/prog\($inode)",
		identity: {device: 2049, inode: $inode, generation: 7, size: 4096,
			mtime: "2026-01-02T03:04:05.000000006Z"},
		state: $state, count: (1000 * $inode), train_count: 900,
		last_mod_count: (10 * $inode % 900), sequences: 50, anomalies: ($inode % 7),
		saved: "2026-11-20T00:00:00.000000000Z",
		calls: [range($calls) | {call: "c\(.)", abi: "x86_64", nr: ., rank: ([. + 1, 254] | min)}],
		pairs: [range($calls) as $i | range($i % $step; $calls; $step) as $k |
			{current: "c\($i)", previous: "c\($k)", train: distances($i + $k),
			test: (if $state == "normal" then distances($i + $k) else [] end)}]
	}
	| if $state == "frozen" then .normal_time = "2026-11-25T00:00:00.000000000Z" else . end
	| '"${5:-.}"
}
