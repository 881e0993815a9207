#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

# scripts/bench's program measures the real ebph; how fast that is, is not tested here.

setup() {
	BENCH=$BATS_TEST_DIRNAME/../../build/tests/bench/ebph-bench
	export EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
}

teardown() {
	rm -rf "$DIR"
}

@test "one round tells what an empty program and ebph add, and gives no verdict yet" {
	run --separate-stderr "$BENCH" --quick --rounds 1 --only normal --only other-uid \
		--json --plot "$DIR/plot.svg"
	[ "$status" -eq 0 ]
	[ "$(jq '[.work[] | .watched] | sort | join(" ")' <<<"$output")" = '"normal other-uid"' ]
	[ "$(jq '.work[0] | .alone_ns.median > 10 and .ebph_added_ns.median > 0' <<<"$output")" = true ]
	[ "$(jq -r '.figures[] | select(.name == "getppid-normal").verdict' <<<"$output")" = unclear ]
	[ "$(jq -r '.figures[] | select(.name == "build").verdict' <<<"$output")" = none ]
	[ "$(jq .readings_refused <<<"$output")" -eq 0 ]
	grep -q '</svg>' "$DIR/plot.svg"
	# Nothing is left behind.
	[ -z "$(find /tmp -maxdepth 1 -name 'ebph-bench-*' -newer "$DIR")" ]
}

@test "each kind of work can be done, in the state that is measured" {
	# what it says of a reading that is refused is shown if this fails
	BENCH_DEBUG=1 run --separate-stderr "$BENCH" --rounds 1 --json --only write --only read \
		--only fstat --only stat --only open-close --only select-file-10 \
		--only select-tcp-500 --only signal-install --only signal-handle --only pipe \
		--only unix --only fork-exit --only fork-exec --only fork-sh --only threads-1
	echo "$stderr"
	[ "$status" -eq 0 ]
	[ "$(jq '.work | length' <<<"$output")" -eq 15 ]
	[ "$(jq .readings_refused <<<"$output")" -eq 0 ]
}

@test "what cannot be measured is refused" {
	run -2 "$BENCH" --only nothing-such
	run -2 "$BENCH" --rounds 0
	run -2 "$BENCH" extra
	run -1 "$BENCH" --ebph /nonexistent --only normal --rounds 1
	[[ $output == */nonexistent* ]]
	run -1 "$BENCH" --ebph /bin/true --only normal --rounds 1
	[[ $output == *"did not start"* ]]
}
