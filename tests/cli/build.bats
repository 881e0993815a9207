#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What the build says where something is missing.

bats_require_minimum_version 1.5.0

@test "a library that is missing is named, with the package that has it" {
	cat >"$BATS_TEST_TMPDIR/pkg-config" <<-'S'
		#!/bin/sh
		case " $* " in *" $MISSING"[\ =]*) exit 1 ;; esac
		exec pkg-config "$@"
	S
	chmod +x "$BATS_TEST_TMPDIR/pkg-config"
	for pair in libcap-ng:libcap-ng-dev jansson:libjansson-dev zlib:zlib1g-dev; do
		MISSING=${pair%:*} PKG_CONFIG=$BATS_TEST_TMPDIR/pkg-config run -1 \
			cmake -S "$BATS_TEST_DIRNAME/../.." -B "$BATS_TEST_TMPDIR/${pair%:*}"
		echo "$output"
		# cmake breaks the lines
		said=$(tr -s ' \n' ' ' <<<"$output")
		[[ $said == *"ebph needs ${pair%:*}, but pkg-config does not find it."*"(Debian: ${pair#*:})."* ]]
	done
}
