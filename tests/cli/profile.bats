#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

# `ebph profile` on profiles that were made here: no kernel, no root.

load profiles

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	STORE=$DIR/store
	profile_json 1 20 3 training >"$DIR/1.json"
	profile_json 2 30 4 frozen >"$DIR/2.json"
	profile_json 3 12 2 normal >"$DIR/3.json"
}

teardown() {
	rm -rf "$DIR"
}

# The subcommand of the name $1 on the test's directory.
profile() {
	"$EBPH" profile "$1" --profile-dir "$STORE" "${@:2}"
}

import_all() {
	profile import "$DIR"/[123].json
}

@test "help and bad usage" {
	run -0 "$EBPH" profile --help
	[[ $output == *"Usage: ebph profile COMMAND"* ]]
	for line in '' 'what' 'list --top 3' 'show' 'diff a' 'list --sort size' \
		'show --top x a' 'show --top' 'merge a b' 'plot a' 'export a' \
		'export --csv --json a' 'list --profile-dir='; do
		# shellcheck disable=SC2086 # words
		run -2 "$EBPH" profile $line
		[[ $output == *"ebph profile: "* ]]
	done
}

@test "a directory that is not there is an error that names it" {
	run -1 profile list
	[[ $output == *"$STORE: No such file or directory"* ]]
	[ ! -e "$STORE" ]
}

@test "the directory is that of the environment, as for a running ebph, unless one is given" {
	import_all
	same="$(profile list)"
	[ "$(EBPH_PROFILE_DIR=$STORE "$EBPH" profile list)" = "$same" ]
	[ "$(EBPH_PROFILE_DIR=$DIR/none profile list)" = "$same" ]
	run -1 env EBPH_PROFILE_DIR="$DIR/none" "$EBPH" profile list
	[[ $output == *"$DIR/none: No such file or directory"* ]]
}

@test "import and export --json give back what was put in" {
	import_all
	[ "$(stat -c %a "$STORE")" = 700 ]
	[ "$(stat -c %a "$STORE"/*.ebph | sort -u)" = 600 ]
	profile export --json /usr/bin/prog2 >"$DIR/out.json"
	profile import --replace "$DIR/out.json"
	profile export --json /usr/bin/prog2 >"$DIR/again.json"
	cmp "$DIR/out.json" "$DIR/again.json"
	# the names are libseccomp's now, the rest is what was imported
	[ "$(jq -r '.calls[1].call' "$DIR/out.json")" = write ]
	for what in .identity .state .count .train_count .last_mod_count .normal_time \
		.saved .exe '[.calls[] | [.abi, .nr, .rank]]' '[.pairs[] | [.train, .test]]'; do
		[ "$(jq -c "$what" "$DIR/2.json")" = "$(jq -c "$what" "$DIR/out.json")" ]
	done
}

@test "import does not write over a profile unless told to" {
	import_all
	run -1 profile import "$DIR/1.json"
	[[ $output == *"is there already"* ]]
	profile import --replace "$DIR/1.json"
	profile export --json "$(basename "$STORE"/0000080100000001-*.ebph)" |
		profile import --replace -
	run -2 profile import -o "$DIR/x" "$DIR/1.json" "$DIR/2.json"
	profile import -o "$DIR/x.ebph" "$DIR/1.json"
	cmp "$DIR/x.ebph" "$STORE"/0000080100000001-*.ebph
}

@test "import refuses what is no profile and says why" {
	for spoil in '.window = 1' '.window = 10' 'del(.identity)' '.arch = "vax"' \
		'.state = "asleep"' '.normal_time = 3 | .state = "frozen"' '.version = 2' \
		'.calls[3].nr = 600' '.calls[3].abi = "arm"' '.calls[4].call = "c3"' \
		'.calls[4].nr = 3' '.pairs[0].current = "zzz"' '.pairs[0].train = [9]' \
		'.pairs[1] = .pairs[0]' '.last_mod_count = 901' '.count = -1' \
		'.window = 3' '.exe = 3' '.exe_hex = "2f6"' '.calls[3].rank = 300' \
		'.calls[3].rank = 0'; do
		jq "$spoil" "$DIR/1.json" >"$DIR/spoilt.json"
		run -1 profile import "$DIR/spoilt.json"
		[[ $output == *"cannot import $DIR/spoilt.json: "* ]]
	done
	echo rubbish >"$DIR/rubbish"
	run -1 profile import "$DIR/rubbish"
	[[ $output == *"neither a profile nor JSON"* ]]
	run -1 profile import "$DIR/none"
	[ -z "$(ls "$STORE")" ]
}

@test "import finds a call by its name alone" {
	jq 'del(.calls[].nr, .calls[].abi, .calls[].rank) |
		.calls = [{call: "write"}, {call: "i386:socketcall"}, {call: "read"}] |
		.pairs = [{current: "read", previous: "i386:socketcall", train: [2], test: []}]' \
		"$DIR/1.json" >"$DIR/names.json"
	profile import "$DIR/names.json"
	profile export --json /usr/bin/prog1 >"$DIR/out.json"
	[ "$(jq -c '[.calls[] | [.call, .abi, .nr, .rank]]' "$DIR/out.json")" = \
		'[["read","x86_64",0,3],["write","x86_64",1,1],["i386:socketcall","i386",102,2]]' ]
	jq '.calls[0].call = "wirte"' "$DIR/names.json" >"$DIR/typo.json"
	run -1 profile import --replace "$DIR/typo.json"
	[[ $output == *'"wirte"'* ]]
}

@test "list: columns, sorting, patterns, JSON" {
	import_all
	run -0 profile list
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[0]} == "KEY "*" STATE "*" EXE" ]]
	[[ ${lines[1]} == "0000080100000001 training "*"/usr/bin/prog1" ]]
	[[ ${lines[2]} == *" 2026-11-25T00:00:00 "* ]]
	run -0 profile list --sort last_mod -r
	[[ ${lines[1]} == *prog3 && ${lines[3]} == *prog1 ]]
	for column in key state count train last_mod sequences anomalies normal_time exe; do
		run -0 profile list --sort $column
		[ "${#lines[@]}" -eq 4 ]
	done
	run -0 profile list --sort state
	[[ ${lines[1]} == *training* && ${lines[2]} == *frozen* && ${lines[3]} == *normal* ]]
	run -0 profile list '*g2' '*none'
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *prog2 ]]
	profile list -j >"$DIR/list.json"
	jq -e '.profiles | length == 3 and .[2].state == "normal" and
		.[1].normal_time == "2026-11-25T00:00:00.000000000Z" and
		.[0].key == "0000080100000001" and .[0].last_mod_count == 10' "$DIR/list.json"
}

@test "a profile is named by path, key, file name or file" {
	import_all
	file=$(echo "$STORE"/0000080100000003-*.ebph)
	for name in /usr/bin/prog3 0000080100000003 "$file" "$(basename "$file")"; do
		run -0 profile show "$name"
		[[ ${lines[0]} == *"/usr/bin/prog3" ]]
	done
	# a copy, without a directory
	cp "$file" "$DIR/copy"
	run -0 "$EBPH" profile show --profile-dir /nowhere "$DIR/copy"
	run -1 profile show /usr/bin/prog9
	[[ $output == *"there is no profile /usr/bin/prog9 in $STORE"* ]]
	run -1 profile show "$DIR/1.json"
	[[ $output == *"the file of that name is no profile"* ]]
	jq '.identity.generation = 8' "$DIR/3.json" | profile import -
	run -1 profile show /usr/bin/prog3
	[[ $output == *"several profiles"*"$file"* ]]
}

@test "a profile is named by a link to its program, and by a relative path" {
	mkdir "$DIR/bin"
	ln -s bin "$DIR/link"
	touch "$DIR/bin/prog"
	jq --arg exe "$DIR/bin/prog" '.exe = $exe' "$DIR/3.json" | profile import -
	for name in "$DIR/link/prog" ./prog ../link/prog; do
		cd "$DIR/bin"
		run -0 profile show "$name"
		[[ ${lines[0]} == *"$DIR/bin/prog" ]]
	done
	run -1 profile show prog
	# what is called so goes before what it leads to
	jq --arg exe "$DIR/link/prog" '.exe = $exe' "$DIR/2.json" | profile import -
	run -0 profile show "$DIR/link/prog"
	[[ ${lines[0]} == *"$DIR/link/prog" ]]
}

@test "show: counters, calls, pairs" {
	import_all
	run -0 profile show /usr/bin/prog3
	[[ $output == *"state           normal"* ]]
	[[ $output == *"12 system calls"*"read, write, open"* ]]
	[ "$(grep -c ',' <<<"${output#*CURRENT, PREVIOUS}")" -eq 10 ]
	run -0 profile show --top 3 /usr/bin/prog3
	[ "$(grep -c ',' <<<"${output#*CURRENT, PREVIOUS}")" -eq 3 ]
	run -0 profile show --pairs /usr/bin/prog3
	[ "$(grep -c ',' <<<"${output#*CURRENT, PREVIOUS}")" -eq 72 ]
	[[ $output == *"write, close"* ]]
	profile show -j --pairs /usr/bin/prog3 | jq -e '(.pairs | length) == 72 and
		.train_pairs == 72 and .test_pairs == 72 and (.calls | length) == 12'
	profile show -j /usr/bin/prog3 /usr/bin/prog1 | jq -es 'length == 2'
}

@test "bytes in a path that a terminal would obey are escaped" {
	jq '.exe_hex = "2f1b5b326aff"' "$DIR/1.json" | profile import -
	run -0 profile list
	[[ $output == *'/\x1b[2j\xff' ]]
	[[ $output != *$'\x1b'* ]]
	profile export --json 0000080100000001 | jq -e '.exe_hex == "2f1b5b326aff"'
}

@test "diff tells pairs that only one has" {
	import_all
	run -0 profile diff /usr/bin/prog1 0000080100000001
	[ -z "$output" ]
	jq '.pairs[0].train = [8] | .pairs[1].test = [1, 2]' "$DIR/1.json" >"$DIR/b.json"
	profile import -o "$DIR/b.ebph" "$DIR/b.json"
	run -1 profile diff /usr/bin/prog1 "$DIR/b.ebph"
	[ "${#lines[@]}" -eq 3 ]
	[ "${lines[1]}" = "train  1                8                read, read" ]
	[ "${lines[2]}" = "test   -                1 2              read, close" ]
	run -1 profile diff -j /usr/bin/prog1 "$DIR/b.ebph"
	jq -e '.differ and .pairs[0] == {current: "read", previous: "read", pairs: "train",
		only_a: [1], only_b: [8]}' <<<"$output"
	run -2 profile diff /usr/bin/prog1 /usr/bin/prog9
	jq '.window = 8 | .pairs = []' "$DIR/1.json" >"$DIR/w.json"
	profile import -o "$DIR/w.ebph" "$DIR/w.json"
	run -2 profile diff /usr/bin/prog1 "$DIR/w.ebph"
}

@test "merge: any order, any grouping, any repetition give the same bytes" {
	import_all
	set -- /usr/bin/prog1 /usr/bin/prog2 /usr/bin/prog3
	profile merge -o "$DIR/123" "$1" "$2" "$3"
	profile merge -o "$DIR/321" "$3" "$2" "$1"
	profile merge -o "$DIR/23" "$2" "$3"
	profile merge -o "$DIR/1_23" "$1" "$DIR/23"
	profile merge -o "$DIR/12" "$1" "$2"
	profile merge -o "$DIR/12_3" "$DIR/12" "$3"
	profile merge -o "$DIR/twice" "$DIR/12_3" "$2" "$DIR/12_3"
	for other in 321 1_23 12_3 twice; do
		cmp "$DIR/123" "$DIR/$other"
	done
	run -1 profile diff "$DIR/123" /usr/bin/prog2
	run -0 profile diff "$DIR/twice" "$DIR/123"
	# one profile merged with itself is that profile
	profile merge -o "$DIR/11" "$1" "$1"
	cmp "$DIR/11" "$STORE"/0000080100000001-*.ebph
}

@test "merge refuses another window or machine" {
	import_all
	for other in '.window = 8 | .pairs = []' \
		'.arch = "aarch64" | .calls[].abi = "aarch64"'; do
		jq "$other" "$DIR/1.json" >"$DIR/other.json"
		profile import -o "$DIR/other.ebph" "$DIR/other.json"
		run -1 profile merge -o "$DIR/merged" /usr/bin/prog1 "$DIR/other.ebph"
		[[ $output == *"machine or window length"* ]]
		[ ! -e "$DIR/merged" ]
	done
}

@test "a profile of another machine is read with its names" {
	profile_json 4 70 3 training '.arch = "aarch64" | .calls[].abi = "aarch64"' |
		profile import -
	run -0 profile show --pairs /usr/bin/prog4
	[[ $output == *"machine         aarch64"*"io_setup"* ]]
	run -0 profile export --seccomp /usr/bin/prog4
	jq -e '.architectures == ["SCMP_ARCH_AARCH64"]' <<<"$output"
}

@test "export --csv is a table of pairs" {
	import_all
	profile export --csv -o "$DIR/out.csv" /usr/bin/prog3
	[ "$(head -n 1 "$DIR/out.csv")" = $'current,previous,train,test\r' ]
	[ "$(wc -l <"$DIR/out.csv")" -eq 73 ]
	awk -F, 'NF != 4 { exit 1 }' "$DIR/out.csv"
	grep -q '^write,close,' "$DIR/out.csv"
}

@test "normalize, reset, rm" {
	import_all
	profile normalize /usr/bin/prog1
	profile export --json /usr/bin/prog1 | jq -e '.state == "normal" and
		.train_count == 0 and .anomalies == 0 and .count == 1000 and
		all(.pairs[]; .train == .test)'
	profile reset /usr/bin/prog1 0000080100000002
	profile export --json /usr/bin/prog2 | jq -e '.state == "training" and
		.calls == [] and .pairs == [] and .count == 2000 and .sequences == 0'
	run -1 profile normalize /usr/bin/prog1
	[[ $output == *"nothing has been learned"* ]]
	profile rm /usr/bin/prog1
	run -0 profile list
	[ "${#lines[@]}" -eq 3 ]
	run -1 profile rm /usr/bin/prog1
	# a copy elsewhere
	cp "$STORE"/0000080100000003-*.ebph "$DIR/copy.ebph"
	profile reset "$DIR/copy.ebph"
	run -0 profile show "$DIR/copy.ebph"
	[[ $output == *"state           training"* ]]
	profile rm "$DIR/copy.ebph"
	[ ! -e "$DIR/copy.ebph" ]
}

@test "-j: what prints nothing otherwise says what it did" {
	local did
	did() {
		profile "$@" -j | tee "$DIR/did" | jq -r '[.command, .exe, .state, .file] | @tsv'
	}
	[ "$(did import "$DIR"/[123].json | cut -f 1-3)" = \
		$'import\t/usr/bin/prog1\ttraining
import\t/usr/bin/prog2\tfrozen
import\t/usr/bin/prog3\tnormal' ]
	[ "$(jq -sr '.[0].file' "$DIR/did")" = "$(echo "$STORE"/0000080100000001-*.ebph)" ]
	[[ $(did normalize /usr/bin/prog1) == normalize*normal*$STORE/0000080100000001-*.ebph ]]
	[[ $(did reset 0000080100000002) == reset*training*.ebph ]]
	[[ $(did merge -o "$DIR/m" /usr/bin/prog1 /usr/bin/prog3) == merge*normal*$DIR/m ]]
	[[ $(did plot -o "$DIR/p" /usr/bin/prog1) == plot*$DIR/p ]]
	[[ $(did rm /usr/bin/prog2) == rm*/usr/bin/prog2*.ebph ]]
	run -1 profile rm -j /usr/bin/prog2
	[[ $output == "ebph profile: there is no profile"* ]]
}

@test "what a running ebph has is not changed behind its back" {
	import_all
	file=$(echo "$STORE"/0000080100000001-*.ebph)
	before=$(cksum "$STORE"/*.ebph)
	exec 9>>"$STORE/.lock"
	flock -n 9
	echo 4242 >"$STORE/.lock"
	for change in "rm /usr/bin/prog1" "reset $file" "normalize 0000080100000001" \
		"import --replace $DIR/1.json"; do
		# shellcheck disable=SC2086 # words
		run -1 profile $change
		[[ $output == *"in use by process 4242"*"ebph admin"* ]]
	done
	run -0 profile list
	[ "$before" = "$(cksum "$STORE"/*.ebph)" ]
	exec 9>&-
	profile rm /usr/bin/prog1
}

@test "check finds damage, and changes nothing" {
	import_all
	run -0 profile check
	[ "$output" = "3 fine, 0 bad" ]
	file=$(echo "$STORE"/0000080100000002-*.ebph)
	printf x | dd of="$file" bs=1 seek=300 conv=notrunc status=none
	cp "$STORE"/0000080100000003-*.ebph "$STORE/copy.ebph"
	before=$(ls "$STORE")
	run -1 profile check
	[[ $output == *"$file: damaged: its checksum is wrong"* ]]
	[[ $output == *"copy.ebph: misnamed: "* ]]
	[[ $output == *"2 fine, 2 bad" ]]
	run -1 profile check -j
	jq -e '.fine == 2 and .bad == 2 and .problems[0].fault == "damaged"' <<<"$output"
	run -1 profile check "$file" "$DIR/1.json" "$STORE"/0000080100000001-*.ebph
	[[ $output == *"1 fine, 2 bad" ]]
	[ "$before" = "$(ls "$STORE")" ]
	run -0 profile list
	[[ $output == *"is damaged"* ]]
	chmod 777 "$STORE"
	run -1 profile check
	[[ $output == *"others may write"* ]]
}

@test "plot draws one profile, and two" {
	profile_json 5 90 5 normal | profile import -
	import_all
	profile plot -o "$DIR/one.svg" /usr/bin/prog5
	profile plot -o "$DIR/two.svg" /usr/bin/prog1 /usr/bin/prog2
	profile plot --test -o "$DIR/test.svg" /usr/bin/prog5
	# a cell for each pair, with its distances for the pointer
	[ "$(grep -c '<rect.*<title>' "$DIR/one.svg")" -eq 1620 ]
	grep -q '<title>write, lstat: 2 5 7<' "$DIR/one.svg"
	grep -q 'distances only in A' "$DIR/two.svg"
	for picture in one two test; do
		jq -Rse 'startswith("<svg") and endswith("</svg>\n")' "$DIR/$picture.svg"
	done
	# each call's name once on each axis
	[ "$(grep -c '>getpid</text>' "$DIR/one.svg")" -eq 2 ]
	rsvg-convert -o "$DIR/one.png" "$DIR/one.svg"
	[ -s "$DIR/one.png" ]
}

# The values of attribute $2 of the texts in $1 whose line matches $3, sorted.
texts() {
	grep -E "$3" "$1" | sed -E "s/.* $2=\"([0-9.]+)\".*/\1/" | sort -g
}

@test "labels of a picture of 90 calls do not overlap" {
	profile_json 5 90 5 normal | profile import -
	profile plot -o "$DIR/one.svg" /usr/bin/prog5
	# beside each other: further apart than letters of 9 pixels are high
	texts "$DIR/one.svg" y 'font-size="9" text-anchor="end"' >"$DIR/rows"
	texts "$DIR/one.svg" x 'font-size="9" text-anchor="start" transform' >"$DIR/columns"
	for axis in rows columns; do
		[ "$(wc -l <"$DIR/$axis")" -eq 90 ]
		awk 'NR > 1 && $1 - last < 9 * 1.2 { exit 1 } { last = $1 }' "$DIR/$axis"
	done
	# the picture itself: nothing is drawn where the longest label and the names of the
	# axes would meet, between 20 pixels and the longest label's own width
	longest=$(jq -r '[.calls[].call | length] | max' \
		<(profile export --json /usr/bin/prog5))
	right=$(sed -nE 's/.* x="([0-9.]+)".* font-size="9" text-anchor="end".*/\1/p' \
		"$DIR/one.svg" | head -n 1)
	[ "$(awk -v r="$right" -v n="$longest" 'BEGIN { print (r - 5.8 * n >= 20) }')" -eq 1 ]
}

@test "output that cannot be written is an error" {
	import_all
	run -1 profile export --json -o /dev/full /usr/bin/prog1
	[[ $output == *"/dev/full"*"No space left"* ]]
	run -1 bash -c "'$EBPH' profile list --profile-dir '$STORE' >/dev/full"
	[[ $output == *"No space left"* ]]
	run -1 profile plot -o "$DIR/none/x.svg" /usr/bin/prog1
	[[ $output == *"$DIR/none/x.svg"* ]]
}

@test "a copy is read by an ordinary user" {
	[ "$(id -u)" -eq 0 ] || skip "only root can become someone else"
	import_all
	chmod 755 "$DIR"
	cp -r "$STORE" "$DIR/copy"
	chown -R nobody "$DIR/copy"
	for command in list check "show /usr/bin/prog1" "reset /usr/bin/prog1"; do
		# shellcheck disable=SC2086 # words
		set -- $command
		setpriv --reuid nobody --clear-groups "$(realpath "$EBPH")" profile "$1" \
			--profile-dir "$DIR/copy" "${@:2}"
	done
}

@test "a thousand profiles are listed in under a second" {
	jq -c '. as $p | range(1000) | . as $i | $p | .identity.inode = $i' \
		< <(profile_json 1 90 5 normal) >"$DIR/all"
	mkdir "$DIR/many"
	split -l 1 -a 4 "$DIR/all" "$DIR/many/"
	profile import "$DIR"/many/*
	start=$(date +%s%N)
	profile list >"$DIR/list"
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$(wc -l <"$DIR/list")" -eq 1001 ]
	echo "# 1000 profiles of 90 calls and 1620 pairs listed in $took ms" >&3
	[ "$took" -lt 1000 ]
}
