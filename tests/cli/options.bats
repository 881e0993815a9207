#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

# The command line as a user meets it. Needs no privilege.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	MAN=$BATS_TEST_DIRNAME/../../man/ebph.8
}

# Each VALUE of OPTION is refused with status 2, nothing on standard output, and one
# line on standard error that names both.
refuses() { # OPTION VALUE...
	local option=$1 value
	shift
	for value; do
		run -2 --separate-stderr "$EBPH" "$option" "$value"
		# shellcheck disable=SC2154 # stderr is run's
		[ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] &&
			[[ $stderr == "ebph: "*"$option"* && $stderr == *"'$value'"* ]] || {
			echo "$option '$value': $output / $stderr"
			return 1
		}
	done
}

@test "--pid: bad process ids" {
	refuses --pid '' 0 -1 +1 1x x 4194305 99999999999999999999 1,,2 1, ,1 '1 ' ' 1' 0x10 1.0
}

@test "--uid and --not-uid: bad users" {
	refuses --uid '' -1 4294967295 99999999999999999999 1x 'no such user'
	refuses --not-uid '' -1 4294967295 99999999999999999999 1x 'no such user'
}

@test "--duration and --interval: bad durations" {
	local bad=('' 0 0s -1 +1 1x 1ss 1.2.3 . s 1e3 0x10 nan inf ' 1' '1 ' 99999999w)
	refuses --duration "${bad[@]}"
	refuses --interval "${bad[@]}"
}

@test "--normal-time: bad durations; 0 is none of them" {
	refuses --normal-time '' -1 +1 1x 1ss 1.2.3 . s 1e3 nan ' 1' '1 ' 99999999w
	run -0 "$EBPH" --normal-time 0 --help
}

@test "--save-interval: bad durations" {
	refuses --save-interval '' 0 999us 0.0001 -1 +1 1x 1.2.3 . s nan ' 1' '1 ' 99999999w
}

@test "--normal-factor: bad ratios" {
	refuses --normal-factor '' 0 1/0 0/1 65536 1/65536 -1 1/-1 1/ /1 1/2/3 1.5 1x x 128/32x
}

@test "the limits, the window and --max-profiles: bad numbers" {
	refuses --anomaly-limit '' -1 +1 1000001 1x x 1.5 0x10 ' 1' 99999999999999999999
	refuses --tolerize-limit '' -1 +1 129 1x x 1.5 99999999999999999999
	refuses --window '' -2 1 10 9x x 2.5 4294967298
	refuses --max-profiles '' 0 -1 65537 1x x 1K 99999999999999999999
}

@test "--max-pairs-memory: bad sizes" {
	refuses --max-pairs-memory '' 0 63K 5G 4097M -1M 1.5M 1X M 1MB '1 M' 99999999999999999999
}

@test "paths, names and words that cannot be" {
	refuses --exe ''
	refuses --not-exe ''
	refuses --cgroup ''
	refuses --comm '' sixteen-bytes-xx
	refuses --output ''
	refuses --profile-dir ''
	refuses --kernel-headers ''
	refuses --color '' Auto yes 1
}

@test "an option without its value, or with one too many" {
	local option
	for option in pid exe not-exe uid not-uid cgroup comm output duration interval color \
		normal-time normal-factor anomaly-limit tolerize-limit window max-profiles \
		max-pairs-memory kernel-headers profile-dir save-interval; do
		run -2 "$EBPH" "--$option"
		[[ $output == *"--$option needs a value"* ]]
	done
	for option in timestamp json quiet verbose check ebpf help version no-load no-save \
		adopt-upgrades; do
		run -2 "$EBPH" "--$option=1"
		[[ $output == *"--$option"*"takes no value"* ]]
	done
}

@test "unknown options, subcommands and arguments" {
	local word
	for word in --nonsense -X frobnicate ''; do
		run -2 "$EBPH" "$word"
		[[ $output == *unknown*"'$word'"* ]]
	done
	run -2 "$EBPH" -j frobnicate -- ls
	[[ $output == *"'frobnicate'"* ]]
	run -2 "$EBPH" --
	[[ $output == *"no command after '--'"* ]]
	run -2 "$EBPH" --max 5
	[[ $output == *ambiguous*"'--max'"* ]]
}

@test "what excludes each other" {
	run -2 "$EBPH" -p 1 -- ls
	[[ $output == *--pid*"'ls'"* ]]
	run -2 "$EBPH" -q -v
	[[ $output == *--quiet*--verbose* ]]
	run -2 "$EBPH" -u 0 -u 1
	[[ $output == *--uid*twice*"'1'"* ]]
}

@test "the examples end with what --help prints" {
	diff <(sed '1,/^# ebph --help$/d' "$BATS_TEST_DIRNAME/../../man/ebph_example.txt") \
		<("$EBPH" --help)
}

@test "--help lists every option and fits the screen; -h is the same" {
	local option
	run -0 "$EBPH" --help
	local help=$output
	for option in -p,\ --pid -e,\ --exe --not-exe -u,\ --uid --not-uid -c,\ --cgroup \
		-n,\ --comm -o,\ --output -d,\ --duration -i,\ --interval -T,\ --timestamp \
		-j,\ --json -q,\ --quiet -v,\ --verbose --normal-time --normal-factor \
		--anomaly-limit --tolerize-limit --window --max-profiles --max-pairs-memory \
		--profile-dir --no-load --no-save --save-interval --adopt-upgrades \
		--kernel-headers --check --ebpf --color -h,\ --help -V,\ --version; do
		grep -qE -- "^ +$option( |\$)" <<<"$help" || { echo "no $option"; false; }
	done
	run -1 grep -E '.{80}' <<<"$help"
	run -0 "$EBPH" -h
	[ "$output" = "$help" ]
}

@test "every option of --help is in the manual, and the reverse" {
	"$EBPH" --help | grep -oE -- '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' |
		sort -u >"$BATS_TEST_TMPDIR/help"
	mandoc -T ascii -O width=78 "$MAN" | col -b | sed -n '/^OPTIONS/,/^[A-N]/p' |
		grep -oE -- '^     (-., )?--[a-z-]+.*' | grep -oE -- '--[a-z-]+' |
		sort -u >"$BATS_TEST_TMPDIR/manual"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge 26 ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/manual"
}

# The commands in FILE's SYNOPSIS, a line each.
synopsis_words() { # FILE
	sed -n '/^.Sh SYNOPSIS/,/^.Sh DESCRIPTION/s/^\.Cm \(.*\)/\1/p' "$1" | tr '| ' '\n\n' | sed '/^$/d' | sort
}

@test "the subcommands in --help are those of the manual; each has help and a page" {
	"$EBPH" --help | sed -n 's/^ *ebph \([a-z]*\) \.\.\..*/\1/p' | sort >"$BATS_TEST_TMPDIR/help"
	synopsis_words "$MAN" >"$BATS_TEST_TMPDIR/manual"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -eq 5 ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/manual"
	while read -r name; do
		run -0 "$EBPH" "$name" --help
		[[ $output == "Usage: ebph $name"* ]]
		sed -n '/^.Sh SEE ALSO/,$p' "$MAN" | grep -q "^.Xr ebph-$name 8"
		[ -f "${MAN%/*}/ebph-$name.8" ]
	done <"$BATS_TEST_TMPDIR/help"
}

@test "the commands in admin's help are those of its manual and of the README" {
	# `  name, name WORDS  what it does`
	"$EBPH" admin --help | sed -n 's/^  \([a-z]*\), \([a-z]*\) .*/\1\n\2/p; t; s/^  \([a-z][a-z]*\) .*/\1/p' |
		sort >"$BATS_TEST_TMPDIR/help"
	cat "$BATS_TEST_TMPDIR/help"
	synopsis_words "${MAN%/*}/ebph-admin.8" >"$BATS_TEST_TMPDIR/manual"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -eq 14 ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/manual"
	while read -r name; do
		grep -q "\`$name\`" "${MAN%/*}/../README.md" || { echo "no $name"; false; }
	done <"$BATS_TEST_TMPDIR/help"
}

@test "the manual has every environment variable that ebph reads" {
	cd "${MAN%/*}/.."
	grep -ho 'getenv("[A-Z_]*")' ebph.c src/*.c | tr -cd 'A-Z_\n' | sort -u >"$BATS_TEST_TMPDIR/read"
	cat "$BATS_TEST_TMPDIR/read"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/read")" -ge 5 ]
	while read -r name; do
		sed -n '/^.Sh ENVIRONMENT/,/^.Sh FILES/p' "$MAN" | grep -q "^.It Ev .*$name" || { echo "no $name"; false; }
	done <"$BATS_TEST_TMPDIR/read"
}

# Each option of the text on standard input, a line each: its ranges, bounds and defaults
# that are numbers, as --help writes them.
numbers_of() {
	awk '
		function tell() {
			while (match(text, /[0-9]+[KMG]?(\.\.| to )[0-9]+[KMG]?|[(]above 0|1ms or more|[Dd]efault: [0-9][^ ,;.)]*/)) {
				found = tolower(substr(text, RSTART, RLENGTH))
				sub(/ to /, "..", found)
				print name, found
				text = substr(text, RSTART + RLENGTH)
			}
		}
		match($0, /^ +(-., )?--[a-z-]+/) {
			option = substr($0, RSTART, RLENGTH)
			rest = substr($0, RSTART + RLENGTH)
			tell()
			sub(/.*--/, "--", option)
			name = option
			text = rest
			next
		}
		{ sub(/^[ \t]+/, ""); text = text " " $0 }
		END { tell() }
	' | sort -u
}

@test "ranges and defaults in --help are those of the manual" {
	"$EBPH" --help | sed '/^DUR is/,$d' | numbers_of >"$BATS_TEST_TMPDIR/help"
	mandoc -T ascii -O width=78 "$MAN" | col -b | sed -n '/^OPTIONS/,/^RESPONSE/p' |
		numbers_of >"$BATS_TEST_TMPDIR/manual"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge 20 ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/manual"
}

@test "--version" {
	run -0 "$EBPH" --version
	[[ $output =~ ^ebph\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	local version=$output
	run -0 "$EBPH" -V
	[ "$output" = "$version" ]
}

@test "a full or closed standard output is an error, a closed pipe none" {
	local option
	for option in --help --version --ebpf; do
		run -1 --separate-stderr bash -c '"$0" "$1" >/dev/full' "$EBPH" "$option"
		[[ $stderr == *"standard output: No space left on device"* ]]
		run -1 --separate-stderr bash -c '"$0" "$1" >&-' "$EBPH" "$option"
		[[ $stderr == *"standard output: "* ]]
	done
	for option in admin bench profile ps replay; do
		run -1 --separate-stderr bash -c '"$0" "$1" --help >/dev/full' "$EBPH" "$option"
		[[ $stderr == *"standard output: No space left on device"* ]]
	done
	run -0 --separate-stderr sh -c '"$0" --help | true' "$EBPH" # bash warns of unknown locales
	[ -z "$stderr" ]
}
