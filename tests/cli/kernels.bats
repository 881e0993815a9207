#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What tests/kernels/run and check make of what happens in guests: a vmrun in place of the
# real one lets a guest end as GUEST says.

bats_require_minimum_version 1.5.0

setup() {
	KERNELS=$BATS_TEST_DIRNAME/../kernels
	export VMRUN_CACHE=$BATS_TEST_TMPDIR/cache VMRUN=$BATS_TEST_TMPDIR/vmrun EBPH=/bin/true
	cat >"$VMRUN" <<-'S'
		#!/bin/bash
		if [[ $1 = --fetch || $2 = --fetch ]]; then
			[ "$GUEST" != none ] && [ "$1 $GUEST" != "--fetch headless" ] && echo "1.2.3-${*: -1}" && exit
			echo 'vmrun: cannot be fetched' >&2
			exit 125
		fi
		while [ "$1" != -- ]; do
			[ "$1" != --out ] || out=$2
			shift
		done
		mkdir -p "$out"
		uname -r >"$out/kernel"
		echo 'headers used  btf' >"$out/selftest"
		[ "$GUEST" = sick ]
		echo $((1 - $?)) >"$out/selftest.status"
		[ "$GUEST" != dead ] || exit 125
		if [ "$GUEST" = tripping ] && [[ $VMRUN_ACCEL != *thread=single* ]]; then
			echo 'Oops: int3: 0000 [#1] SMP' >"$out/console.log"
			exit 125
		fi
		rm -f "$out/console.log"
		mkdir "$out/live"
		for test in "${@:3}"; do
			name=$out/live/$(basename "$test" .bats) status=0
			case $GUEST in
			dying) printf '1..3\nok 1 a\n' ;;
			planless) ;;
			failing) printf '1..2\nok 1 a\nnot ok 2 b\n' && status=1 ;;
			teardown) printf '1..1\nok 1 a\n' && status=1 ;;
			*) printf '1..2\nok 1 a\nok 2 b # skip c\n' ;;
			esac >"$name.tap"
			[[ $GUEST != dying && $GUEST != planless ]] || exit 125
			echo $status >"$name.status"
		done
		[ "$GUEST" != late ] || exit 124
	S
	chmod +x "$VMRUN"
}

# guest HOW STATUS ROW LAST: run ends with STATUS and prints ROW; check's last line is LAST
guest() {
	export GUEST=$1
	run "$KERNELS/run" --quick old
	echo "$output"
	[ "$status" -eq "$2" ]
	grep -qE "^1\.2\.3-old  *$3" <<<"$output"
	run "$KERNELS/check" old
	echo "$output"
	[ "${lines[-1]}" = "$4" ]
	[ "$status" -eq $(($2 != 0)) ]
}

@test "a guest whose tests all passed has passed" {
	guest fine 0 'yes +passed +1 +0 +1 +btf' '3 passed, 0 failed, 1 skipped'
	# also where only its headers cannot be had
	guest headless 0 'yes +passed +1 +0 +1 +btf' '3 passed, 0 failed, 1 skipped'
}

@test "a guest that dies before, in, or after its tests has failed" {
	guest dead 1 'yes +passed +0 +1 +0 .*vmrun 125, 1 files not run' '2 passed, 1 failed, 0 skipped'
	guest planless 1 'yes +passed +0 +1 +0 .*vmrun 125, 1 files not run' '2 passed, 1 failed, 0 skipped'
	guest dying 1 'yes +passed +1 +2 +0 .*vmrun 125, 1 files not run' '3 passed, 2 failed, 0 skipped'
	guest late 1 'yes +passed +1 +0 +1 .*vmrun 124' '3 passed, 1 failed, 1 skipped'
}

@test "where a kernel trips over the emulator twice, the third guest's processors take turns" {
	guest tripping 0 'yes +passed +1 +0 +1 .*died of the emulator: 2$' '3 passed, 0 failed, 1 skipped'
}

@test "a file of tests that ends badly though each test passed has failed" {
	guest teardown 1 'yes +passed +1 +1 +0 ' '3 passed, 1 failed, 0 skipped'
}

@test "a test or a self-test that fails in a guest has failed" {
	guest failing 1 'yes +passed +1 +1 +0 ' '3 passed, 1 failed, 0 skipped'
	guest sick 1 'yes +failed +1 +0 +1 ' '2 passed, 1 failed, 1 skipped'
}

@test "kernels of which none can be had are skipped, and that is a failure unless it is allowed" {
	export GUEST=none
	run -77 "$KERNELS/run" --quick old new
	[[ $output == *"old  "*"not run"*"cannot be fetched"* ]]
	run -1 "$KERNELS/check" old new
	[ "${lines[-1]}" = '0 passed, 1 failed, 2 skipped' ]
	EBPH_KERNELS_OPTIONAL=1 run -0 "$KERNELS/check" old new
	[ "${lines[-1]}" = '0 passed, 0 failed, 2 skipped' ]
	[[ $output == *"not run"* ]]
}

@test "a run that prints no table has failed" {
	EBPH=/nonexistent run -1 "$KERNELS/check" old
	[ "${lines[-1]}" = '0 passed, 1 failed, 0 skipped' ]
	[[ $output == *"tests/kernels/run ended with status 2"*"build it first"* ]]
}

@test "--all is every kernel, and every way with its own tests alone" {
	export GUEST=fine
	run "$KERNELS/run" --all --live 'stress signals'
	echo "$output"
	[ "$status" -eq 0 ]
	local row
	for row in bullseye bookworm trixie 6.18 newest; do
		grep -qE "^1\.2\.3-$row +yes +passed +2 " <<<"$output"
	done
	for row in bookworm:headers bookworm:no-lsm trixie:lockdown newest:systemd; do
		grep -qE "^1\.2\.3-$row +yes +passed +1 " <<<"$output"
	done
	# none is left out
	[ "$(grep -c '^1\.2\.3-.*:' <<<"$output")" -eq "$(ls "$KERNELS/ways" | wc -l)" ]
}

@test "a run waits for another one to end" {
	export GUEST=fine
	mkdir "$VMRUN_CACHE"
	exec 7>"$VMRUN_CACHE/run.lock"
	flock 7
	"$KERNELS/run" --quick old >"$BATS_TEST_TMPDIR/table" 2>"$BATS_TEST_TMPDIR/said" 7>&- 3>&- &
	run timeout 20 sh -c 'until grep -q "another run is at work" "$1"; do sleep 0.1; done' - "$BATS_TEST_TMPDIR/said"
	[ "$status" -eq 0 ]
	[ ! -s "$BATS_TEST_TMPDIR/table" ]
	exec 7>&-
	wait $!
	grep -q '^1.2.3-old  *yes' "$BATS_TEST_TMPDIR/table"
}
