#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

load wait

# A real server, attached to while it runs under load (nginx, curl).

setup() {
	export EBPH_PROFILE_DIR=$BATS_TEST_TMPDIR/profiles
	export EBPH_SOCKET=$BATS_TEST_TMPDIR/socket
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	chmod 755 "$DIR"
	export EBPH_PROFILE_DIR=$DIR/profiles
	export EBPH_SOCKET=$DIR/socket
	mkdir "$DIR/www" "$DIR/www/list"
	echo hello >"$DIR/www/index.html"
	cat >"$DIR/nginx.conf" <<N
user root;
worker_processes 1;
error_log $DIR/error.log;
pid $DIR/pid;
events {}
http {
	access_log off;
	client_body_temp_path $DIR/body; proxy_temp_path $DIR/proxy;
	fastcgi_temp_path $DIR/fastcgi; uwsgi_temp_path $DIR/uwsgi; scgi_temp_path $DIR/scgi;
	server { listen unix:$DIR/socket; root $DIR/www; location /list/ { autoindex on; } }
}
N
	nginx -c "$DIR/nginx.conf"
	wait_for test -s "$DIR/pid"
	SERVER=$(cat "$DIR/pid")
}

teardown() {
	[ -z "${LOAD-}" ] || kill "$LOAD" 2>/dev/null || true
	[ -z "${WATCH-}" ] || kill "$WATCH" 2>/dev/null || true
	kill "$SERVER"
	rm -rf "$DIR"
}

get() {
	curl -sf --unix-socket "$DIR/socket" -o /dev/null "http://server$1"
}

# Requests of the same kind, one after the other; a line in a file for each.
load() {
	while get /; do
		echo >>"$DIR/served"
	done
}

served() {
	[ "$(wc -l <"$DIR/served")" -ge "$1" ]
}

# The number of nginx's events of type $1 so far, of call $2 if given.
events() {
	jq -s --arg event "$1" --arg call "${2-}" '[.[] | select(.exe == "/usr/sbin/nginx"
		and .event == $event and ($call == "" or .syscall == $call))] | length' "$DIR/out"
}

is_normal() {
	[ "$(events normal)" -gt 0 ]
}

# A hundred requests of the load raise nothing. (On a busy machine nginx may first be
# seen to read a request in two parts, or so.)
settled() {
	local before
	before=$(events anomaly)
	wait_for served $(($(wc -l <"$DIR/served") + 100))
	[ "$(events anomaly)" -eq "$before" ]
}

flagged() {
	[ "$(events anomaly getdents64)" -gt 0 ]
}

@test "nginx under load settles; a kind of request that it never served is flagged" {
	load 3>&- &
	LOAD=$!
	"$EBPH" -p "$SERVER" --normal-time 1s -j -o "$DIR/out" 2>"$DIR/err" 3>&- &
	WATCH=$!
	wait_for grep -q watching "$DIR/err"
	wait_for is_normal
	wait_for settled
	[ "$(events anomaly getdents64)" -eq 0 ]
	get /list/
	wait_for flagged
	kill "$LOAD"
	LOAD=
	kill "$WATCH"
	wait "$WATCH"
	WATCH=
	jq -s -e '.[-1].lost == 0' "$DIR/out"
}
