#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

# Whatever happens while profiles are saved, each file is the old one or the new one.
# `ebph profile import --replace` saves with the code that `ebph` itself saves with.

load profiles

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	STORE=$DIR/store
	profile_json 1 90 5 normal >"$DIR/old.json"
	profile_json 1 80 3 training >"$DIR/new.json"
	"$EBPH" profile import -o "$DIR/old.ebph" "$DIR/old.json"
	"$EBPH" profile import -o "$DIR/new.ebph" "$DIR/new.json"
	"$EBPH" profile import --profile-dir "$STORE" "$DIR/old.ebph"
	FILE=$(echo "$STORE"/*.ebph)
}

teardown() {
	rm -rf "$DIR"
}

replace() {
	"$EBPH" profile import --replace --profile-dir "$STORE" "$@"
}

# The file is one of the two, and nothing else is in the directory but leftovers.
is_whole() {
	cmp -s "$FILE" "$DIR/old.ebph" || cmp -s "$FILE" "$DIR/new.ebph"
}

@test "SIGKILL at 250 random instants while it saves leaves every file whole" {
	local many=() killed=0 half=0 pid
	for _ in {1..2000}; do
		many+=("$DIR/new.ebph" "$DIR/old.ebph")
	done
	RANDOM=1
	for _ in {1..250}; do
		# the program itself, not a shell around it
		"$EBPH" profile import --replace --profile-dir "$STORE" "${many[@]}" 3>&- &
		pid=$!
		sleep "0.0$((RANDOM % 30 + 10))"
		kill -KILL "$pid" && killed=$((killed + 1))
		wait "$pid" 2>/dev/null || true
		compgen -G "$STORE/.new-*" >/dev/null && half=$((half + 1))
		is_whole
	done
	echo "# killed $killed times, $half times with a half-written new file beside" >&3
	[ "$killed" -ge 200 ]
	[ "$half" -ge 10 ]
	"$EBPH" profile check --profile-dir "$STORE"
	# the next one clears up
	replace "$DIR/old.ebph"
	! compgen -G "$STORE/.new-*"
}

@test "a call that fails is said, and the old file stays or the new one is whole" {
	gcc -shared -fPIC -o "$DIR/fail.so" "$BATS_TEST_DIRNAME/fail_write.c" -ldl
	for call in openat write fsync close renameat; do
		for error in 5 28 30 122; do # EIO, ENOSPC, EROFS, EDQUOT
			run -1 env LD_PRELOAD="$DIR/fail.so" FAIL_CALL=$call FAIL_ERRNO=$error \
				"$EBPH" profile import --replace --profile-dir "$STORE" "$DIR/new.ebph"
			[[ $output == *"cannot save $FILE: cannot "* ]]
			cmp "$FILE" "$DIR/old.ebph"
			[ "$(ls -A "$STORE" | grep -c new-)" -eq 0 ]
		done
	done
	# the directory's own fsync: the new file is there, and still it is said
	run -1 env LD_PRELOAD="$DIR/fail.so" FAIL_CALL=fsync FAIL_AT=2 \
		"$EBPH" profile import --replace --profile-dir "$STORE" "$DIR/new.ebph"
	[[ $output == *"cannot save $FILE: cannot bring its new name to the disk"* ]]
	cmp "$FILE" "$DIR/new.ebph"
	# EINTR and a short write are no failures
	env LD_PRELOAD="$DIR/fail.so" FAIL_CALL=write FAIL_ERRNO=4 \
		"$EBPH" profile import --replace --profile-dir "$STORE" "$DIR/old.ebph"
	cmp "$FILE" "$DIR/old.ebph"
	env LD_PRELOAD="$DIR/fail.so" FAIL_CALL=short \
		"$EBPH" profile import --replace --profile-dir "$STORE" "$DIR/new.ebph"
	cmp "$FILE" "$DIR/new.ebph"
}

@test "a disk that runs full: what does not fit is said, the old file stays" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	for i in {1..40}; do
		profile_json "$((100 + i))" 90 5 normal >"$DIR/full$i.json"
	done
	# shellcheck disable=SC2016 # expanded inside
	run -0 unshare -m --propagation private bash -c '
		set -u
		mount -t tmpfs -o size=64k none "$1" || exit 9
		"$0" profile import --profile-dir "$1/s" "$2/old.ebph" || exit 8
		failed=0
		for i in {1..40}; do
			"$0" profile import --profile-dir "$1/s" "$2/full$i.json" 2>"$2/error" ||
				{ failed=$((failed + 1)); grep "No space left" "$2/error" >&2 || exit 7; }
			"$0" profile import --replace --profile-dir "$1/s" "$2/new.ebph" 2>"$2/error" ||
				grep -q "No space left" "$2/error" || exit 7
			"$0" profile check --profile-dir "$1/s" >"$2/check" || exit 6
		done
		[ "$failed" -gt 0 ] || exit 5
		echo "$failed of 40 did not fit; $(cat "$2/check")"
		cmp -s "$1"/s/0000080100000001-*.ebph "$2/old.ebph" ||
			cmp -s "$1"/s/0000080100000001-*.ebph "$2/new.ebph" || exit 4
		# room again: the same now works
		rm "$1"/s/00000801000000[67]*
		"$0" profile import --replace --profile-dir "$1/s" "$2/old.ebph" || exit 3
		cmp "$1"/s/0000080100000001-*.ebph "$2/old.ebph" || exit 2
		[ "$(ls -A "$1/s" | grep -c new-)" -eq 0 ] || exit 10
	' "$(realpath "$EBPH")" "$STORE" "$DIR"
	echo "# $(grep 'did not fit' <<<"$output")" >&3
	[[ $output == *"No space left"* ]]
}

@test "a disk that cannot be written is said" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	# shellcheck disable=SC2016 # expanded inside
	run -0 unshare -m --propagation private bash -c '
		mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 9
		"$0" profile import --replace --profile-dir "$1" "$2/new.ebph" && exit 8
		"$0" profile list --profile-dir "$1"
	' "$(realpath "$EBPH")" "$STORE" "$DIR"
	[[ $output == *"Read-only file system"*"/usr/bin/prog1"* ]]
	is_whole
}
