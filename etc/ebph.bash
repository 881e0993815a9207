# SPDX-License-Identifier: GPL-2.0-only
# bash completion for ebph

_ebph_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_ebph_files() {
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

# The long options in the help of a subcommand, or of ebph itself.
_ebph_options() {
	_ebph_words "$("${COMP_WORDS[0]}" "$@" --help 2>/dev/null |
		grep -oE -- '--[a-z][a-z-]+' | sort -u)"
}

# The subcommands of `ebph profile`, as its help has them.
_ebph_profile_commands() {
	_ebph_words "$("${COMP_WORDS[0]}" profile --help 2>/dev/null |
		sed -nE 's/^  ([a-z]+) .*/\1/p')"
}

# The columns of `ebph ps`, as its help has them; the last of a list after commas.
_ebph_columns() {
	local before=''

	if [[ $1 == *,* ]]; then
		before=${1%,*},
	fi
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$("${COMP_WORDS[0]}" ps --help 2>/dev/null |
		sed -n '/^Columns: /,/\.$/{s/^Columns: //; s/\.$//; p}')" -- "${1##*,}")
}

# What follows the option or word before; 1: nothing special.
_ebph_value() {
	case $1 in
	--exe | --not-exe | -e | --output | -o | --config | --socket | --cgroup | -c | --profile-dir)
		_ebph_files
		;;
	--uid | -u | --not-uid) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
	--pid | -p) _ebph_words "$(cd /proc && printf '%s ' [0-9]*)" ;;
	--respond-to | --never-respond-to) _ebph_files ;;
	--abort-exec-by) _ebph_words 'lsm kill' ;;
	--color) _ebph_words 'auto never always' ;;
	--kernel-headers) _ebph_words 'auto btf' ;;
	--state | -s) _ebph_words 'training frozen normal' ;;
	--key | -k)
		_ebph_words "$("${COMP_WORDS[0]}" ps -p -o key --no-header 2>/dev/null)"
		;;
	set | get)
		_ebph_words 'normal-time normal-factor anomaly-limit tolerize-limit
			delay delay-max abort-exec verbosity'
		;;
	*) return 1 ;;
	esac
}

_ebph() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=''
	local commands='admin bench profile ps replay' which i
	local acts='normalize sensitize tolerize reset forget'

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
			return
		fi
	done
	if [[ $COMP_CWORD -gt 1 && " $commands " == *" ${COMP_WORDS[1]} "* ]]; then
		command=${COMP_WORDS[1]}
	fi
	case $command$before in
	ps-k | ps-o | ps--sort | ps--columns)
		_ebph_columns "$current"
		return
		;;
	ps-p) before='' ;; # no value there
	esac
	_ebph_value "$before" "$current" && return
	if [[ $current == -* ]]; then
		# shellcheck disable=SC2086 # no word: no argument
		_ebph_options $command
	elif [[ -z $command && $COMP_CWORD -eq 1 ]]; then
		_ebph_words "$commands"
	elif [[ $command == admin && " $acts release " == *" $before "* ]]; then
		which='--pid --exe --key --all'
		[[ $before != release ]] || which='--pid --all'
		_ebph_words "$which"
	elif [[ $command == admin && $COMP_CWORD -eq 2 ]]; then
		_ebph_words "status pause resume save load get set follow $acts release"
	elif [[ $command == profile && $COMP_CWORD -eq 2 ]]; then
		_ebph_profile_commands
	elif [[ $command == profile || $command == replay ]]; then
		_ebph_files
	fi
}

complete -F _ebph ebph
