#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
bats_require_minimum_version 1.5.0

# What the bash completion offers, beside what the program takes.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	compopt() { :; } # of a completion that runs
	# shellcheck source=/dev/null
	source "$BATS_TEST_DIRNAME/../../etc/ebph.bash"
}

# offered WORD...: what may follow the words, of which the last is not complete
offered() {
	COMP_WORDS=("$EBPH" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_ebph || true
	printf '%s\n' "${COMPREPLY[@]}"
}

same() { # EXPECTED, then what was offered on standard input
	diff <(tr ' ' '\n' <<<"$1" | sort) <(sort)
}

@test "commands, of ebph, of admin and of profile" {
	offered '' | same 'admin bench profile ps replay'
	offered re | same replay
	offered profile '' | same 'check diff export import list merge normalize plot reset rm show'
	offered profile im | same import
	for command in $(offered admin ''); do
		run ! "$EBPH" admin "$command" --socket /nonexistent
		[[ $output != *'command'* ]]
	done
	offered admin s | same 'save sensitize set status'
}

@test "what follows admin's commands" {
	offered admin normalize '' | same '--all --exe --key --pid'
	offered admin release '' | same '--all --pid'
	offered admin set de | same 'delay delay-max'
	offered admin set delay '' | same ''
	offered admin pause '' | same ''
}

@test "all options of each, and no other word of the help" {
	for command in admin bench ps replay ''; do
		# shellcheck disable=SC2086 # no word: no argument
		for option in $(offered $command --); do
			# none takes what is said of it; but each is known
			run -2 "$EBPH" $command --no-such-option
			unknown=${output/no-such-option/${option#--}}
			run "$EBPH" $command "$option=x" --no-such-option
			echo "$command $option: $output"
			[[ ${lines[0]} != "${unknown%%$'\n'*}" ]]
		done
	done
	offered admin -- | same '--all --exe --help --json --key --pid --socket --yes'
	offered --abort-exec-by '' | same 'kill lsm'
}

@test "ps: columns, also after a comma; states" {
	offered ps -o an | same anomalies
	offered ps --sort pid,co | same 'pid,comm pid,count'
	for column in $(offered ps -o ''); do
		run -1 "$EBPH" ps -o "$column" --socket /nonexistent
	done
	offered ps -p '' | same ''
	offered ps -s t | same training
}
