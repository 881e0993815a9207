#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A real server, Debian's Redis, learned under load and then attacked: a module that it is
# made to load starts a shell. Detected, slowed down, the shell's exec aborted; afterwards
# Redis serves as before. Prints when what happened.

load common

PORT=7399

# The session that runs under ebph. Its times are in $DIR/times.
write_session() {
	cat >"$DIR/session" <<-'S'
		cli() { timeout 90 redis-cli -p "$PORT" "$@"; }
		mark() { echo "$1 $(date +%s%N)" >>"$DIR/times"; }
		load() { redis-benchmark -p "$PORT" -q -n "$1" -c "$2" -t "$3" >/dev/null; }
		"$EXE" --port "$PORT" --bind 127.0.0.1 --dir "$DIR" --save "" \
			--enable-module-command yes --jemalloc-bg-thread no --hz 500 \
			--dynamic-hz no --logfile "$DIR/log" &
		server=$!
		for n in $(seq 100); do cli ping && break; sleep 0.1; done
		for n in $(seq 60); do
			load 3000 4 set,get,incr,lpush
			cli set key value
			cli config get maxmemory
			cli module list
			cli bgsave
		done
		for n in $(seq 60); do
			grep -q '"event":"normal"' "$OUT" && break
			load 40000 2 set,get
		done
		load 5000 2 set,get
		mark attack
		cli module load "$DIR/module.so" >"$DIR/answer"
		mark answer
		for n in $(seq 100); do
			before=$(date +%s%N)
			cli get key
			echo "get $(date +%s%N) $((($(date +%s%N) - before) / 1000000))" >>"$DIR/times"
			sleep 0.1
		done
		kill "$server"
		wait "$server"
	S
}

ms_after_attack() { # FILTER: the first event that passes
	events "$1" | jq -s -r --argjson t "$(sed -n 's/^attack //p' "$DIR/times")" '.[0].time
		| (.[:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber) - $t / 1000000 | floor'
}

@test "Redis is made to load a module that starts a shell" {
	command -v redis-check-rdb >/dev/null || skip "redis-tools is not installed (scripts/setup test)"
	[ "$PATIENCE" -eq 1 ] || skip "it measures times, which mean nothing on an emulated machine"
	# Debian's redis-server is a link to this file; a copy, for others may be at work
	EXE=$DIR/redis-server
	cp "$(command -v redis-check-rdb)" "$EXE"
	gcc -shared -fPIC -Wall -Wextra -Werror -o "$DIR/module.so" "$BATS_TEST_DIRNAME/programs/module.c"
	write_session
	export DIR PORT EXE OUT OWNED=$DIR/owned
	status=0
	timeout -k 5 180 "$EBPH" "${FRESH[@]}" --normal-time 1s --normal-factor 3/2 \
		--anomaly-limit 1000 --delay 1 --delay-max 50ms --abort-exec 1 \
		--abort-exec-by kill -e "$EXE" -j -o "$OUT" -- bash "$DIR/session" \
		>/dev/null 2>"$ERR" || status=$?
	same 0 "$status"
	has_normal=$(count normal)
	[ "$has_normal" -gt 0 ] # or all of this says nothing
	[ ! -e "$DIR/owned" ]
	[ "$(count abort_exec "$EXE")" -ge 1 ]
	grep -q ERR "$DIR/answer"
	echo "# ms after the attack: anomaly $(ms_after_attack anomaly), exec aborted $(ms_after_attack abort_exec)," \
		"answer $(awk '$1 == "attack" { a = $2 } $1 == "answer" { print int(($2 - a) / 1e6) }' "$DIR/times");" \
		"$(count delay "$EXE") delays" >&3
	awk '$1 == "attack" { a = $2 }
		$1 == "get" { if ($3 > 100) { last = int(($2 - a) / 1e6) } else good++ }
		END { print "# last GET of more than 100 ms:", last, "ms after the attack;", good, "were faster"
			exit good < 20 }' "$DIR/times" >&3
}
