#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

# The shared arithmetic as BPF is run on chosen arguments by the kernel's test-run, which
# works for raw tracepoint programs since Linux 5.10.

setup() {
	TOP=$BATS_TEST_DIRNAME/../..
	DIR=$(mktemp -d)
}

teardown() {
	rm -rf "$DIR"
}

@test "random steps: naive, shared and BPF code agree on every bit" {
	clang -target bpf -O2 -g -Wall -Werror -I "$TOP/src" -I "/usr/include/$(uname -m)-linux-gnu" \
		-c "$TOP/tests/property/kern.c" -o "$DIR/kern.o"
	gcc -std=gnu11 -O1 -Wall -Wextra -Werror -I "$TOP/src" -I "$TOP/tests/property" \
		"$TOP/tests/property/main.c" -o "$DIR/property" -lbpf
	run -0 "$DIR/property" "$DIR/kern.o" 200000
	echo "$output"
	[[ $output == "200000 steps agree: "* ]]
}
