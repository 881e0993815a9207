#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS, "A call number means something only with its ABI": 32-bit calls, numbers
# that are none, and programs with more different calls than a row or a table holds.

load common

@test "a 32-bit program's calls have the names of its own ABI" {
	# i386: 4 write, 20 getpid, 24 getuid (16 bits; getuid32 is 199)
	watch -- "$PLAY32" getppid '#4' '#20' '#24' '#199'
	learned "$PLAY32" <<<"$(chain 9 getppid write getpid getuid getuid32 exit_group)"
	same "4 20 24 199 252" "$(events sequence "$PLAY32" | jq -s -r 'map(.nr) | join(" ")')"
}

@test "a 64-bit program's 32-bit calls are symbols of their own" {
	# i386 20 is getpid, x86-64 39 is; the two must not be one symbol
	watch -- "$PLAY" getpid getuid int80:20 getuid getpid getuid int80:39
	learned "$PLAY" <<<"$(chain 9 getpid getuid getpid getuid getpid getuid mkdir exit_group)"
	# Each call is new after what came before; nr: 102 getuid, 39 getpid, 231 exit_group
	same "102 20 102 39 102 39 231" \
		"$(events sequence "$PLAY" | jq -s -r 'map(.nr) | join(" ")')"
	# at distance 2, getpid of one ABI after that of the other; never after itself
	same "getpid > getpid @2
getpid > getpid @4" "$(pairs "$PLAY" | grep 'getpid > getpid')"
}

@test "numbers that are no calls are one symbol, unknown" {
	watch -- "$PLAY" getppid '#9999' '#-1' '#0x3fffffff' '#0x40002710' '#0x7fffffff' \
		int80:9999 int80:-1 getuid
	learned "$PLAY" <<<"$(
		chain 9 getppid unknown unknown unknown unknown unknown unknown unknown getuid exit_group
	)"
	same 10 "$(row "$PLAY" .count)"
	nothing_lost
}

@test "numbers from the end of the kernel's table on are unknown, also below 512" {
	local calls

	calls=$(bpftool btf dump file /sys/kernel/btf/vmlinux -j | jq '.types
		| (.[] | select(.kind == "STRUCT" and .name == "trace_array") | .members[]
			| select(.name == "enter_syscall_files") | .type_id) as $array
		| .[] | select(.id == $array) | .nr_elems')
	((calls > 400 && calls < 510)) # Linux 5.8 has 439, faccessat2
	watch -- "$PLAY" getppid "#$calls" '#511' "#$((0x40000000 + calls))" '#0x400001ff' \
		"int80:$calls" int80:511 getuid int80:439 getuid
	same "$("$EBPH" --ebpf | grep -w CALLS | head -1)" "#define CALLS $calls"
	learned "$PLAY" <<<"$(
		chain 9 getppid unknown unknown unknown unknown unknown unknown getuid \
			faccessat2 getuid exit_group
	)"
	nothing_lost
}

@test "a number of x32 is not the native call of that number" {
	# 0x40000027 is x32's getpid. This holds whether or not the kernel runs it.
	watch --window 2 -- "$PLAY" getpid getuid '#0x40000027' getuid getpid
	same "getuid > getpid @1" "$(pairs "$PLAY" | grep 'getuid > getpid')"
	# getuid is new after each of the two, and each of the two is new after getuid
	same "getuid getpid getuid getpid exit_group" \
		"$(events sequence "$PLAY" | jq -s -r 'map(.syscall) | join(" ")')"
}

@test "a program with 300 different calls: what is beyond 254 is one symbol, counted" {
	# the same again: all is known, and the second 46 calls are the overflow symbol too
	watch --window 2 -- "$PLAY" sweep:300 getpid sweep:300
	same 602 "$(row "$PLAY" .count)"
	same 602 "$(row "$PLAY" .train_count)"
	# calls 255..300 and exit_group
	same 47 "$(row '' .lost)"
	same 47 "$(events lost | jq -s 'map(select(.what | test("254")).count) | add')"
	grep -q "lost: .* 254" "$ERR"
	# 253 first pairs, then other@1 after the 254th and after itself; getpid after
	# other; the first call after getpid; exit_group after other is known
	jq -s -e --arg exe "$PLAY" '[.[] | select(.event == "sequence" and .exe == $exe)]
		| map(select(.syscall == "other")) | length == 2' "$OUT"
}

@test "over 63 different calls: pairs in all parts of a row, at each distance" {
	# Twice around: the second time only what follows the end of the first is new.
	calls=($(strace -f "$PLAY" sweep:250 2>&1 >/dev/null | sed -n 's/(.*//p' | sed 1d |
		grep -v -e exit_group -e +++))
	same 250 "${#calls[@]}"
	watch -- "$PLAY" 2x:sweep:250
	learned "$PLAY" <<<"$(chain 9 "${calls[@]}" "${calls[@]}" exit_group)"
	nothing_lost
}

@test "over 63 different calls: a normal profile flags the one new pair, nothing else" {
	watch --normal-factor 1 --normal-time 0 -- "$PLAY" 4x:sweep:200 getsid
	same 1 "$(count normal "$PLAY")"
	same "getsid exit_group" "$(events anomaly "$PLAY" | jq -s -r 'map(.syscall) | join(" ")')"
	same "8 8" "$(events anomaly "$PLAY" | jq -s -r 'map(.misses) | join(" ")')"
}
