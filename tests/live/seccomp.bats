#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What ebph saw a program do is all that it may do, and enough for it. What the export
# looks like: tests/cli/seccomp.bats.

# shellcheck disable=SC2034 # common uses FRESH, OUT, ERR, STARTED

load common

setup() {
	DIR=$BATS_TEST_TMPDIR
	OUT=$DIR/out.jsonl ERR=$DIR/err
	STARTED=()
	FRESH=(--no-socket --profile-dir "$DIR/p")
	gcc -Wall -o "$DIR/run" "$BATS_TEST_DIRNAME/../cli/seccomp_run.c" -ljansson -lseccomp
}

export_of() { # EXE
	"$EBPH" profile export --seccomp --profile-dir "$DIR/p" -o "$DIR/seccomp.json" "$1"
}

@test "a program that was watched runs under its export, and a call outside it fails" {
	touch "$DIR/file"
	watch -e /usr/bin/cp -- cp "$DIR/file" "$DIR/copy"
	export_of /usr/bin/cp
	run -0 "$DIR/run" "$DIR/seccomp.json" /usr/bin/cp "$DIR/file" "$DIR/again"
	[ -e "$DIR/again" ]
	run -1 "$DIR/run" "$DIR/seccomp.json" /usr/bin/cp -s "$DIR/file" "$DIR/link"
	[ ! -L "$DIR/link" ] # it cannot even say so: its error messages take other calls
	/usr/bin/cp -s "$DIR/file" "$DIR/link"
}

@test "so does one with threads and children" {
	family=$DIR/family
	gcc -Wall -Wextra -Werror -pthread -o "$family" "$LIVE/programs/family.c"
	watch -e "$family" -e /usr/bin/true -- "$family"
	# its children have the filter too: what they do is allowed with it
	"$EBPH" profile merge -o "$DIR/both" "$(file_of "$family")" "$(file_of /usr/bin/true)"
	export_of "$DIR/both"
	run -0 "$DIR/run" "$DIR/seccomp.json" "$family"
	[ "$output" = "done" ]
	run -1 "$DIR/run" "$DIR/seccomp.json" "$family" "$DIR/new"
	[ "$output" = "cannot make $DIR/new: Operation not permitted" ]
	[ ! -e "$DIR/new" ]
}

file_of() { # EXE
	"$EBPH" profile show --profile-dir "$DIR/p" "$1" | awk '$1 == "file" { print $2 }'
}
