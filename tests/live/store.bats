#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

load wait

# Profiles that last: what one run of ebph learned, the next one knows. Killed while it
# saves: killed.bats; a disk that is full: durable.bats.

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DIR=$(mktemp -d)
	PROFILES=$DIR/profiles
	cat >"$DIR/hello.c" <<'C'
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	(void)argv;
	syscall(SYS_write, 1, "hello\n", 6);
	if (argc > 1)
		syscall(SYS_write, 1, "more\n", 5);
	return 0;
}
C
	gcc -static -o "$DIR/hello" "$DIR/hello.c"
	echo 'for i in $(seq 60); do "$1" >/dev/null; done' >"$DIR/often"
}

teardown() {
	[ -z "${WATCH-}" ] || kill -9 "$WATCH" 2>/dev/null || true
	! mountpoint -q "$DIR/small" || umount "$DIR/small"
	rm -rf "$DIR"
}

# watch OPTIONS... -- COMMAND...: only hello, into out
watch() {
	"$EBPH" --profile-dir "$PROFILES" -e "$DIR/hello" -j -o "$DIR/out" "$@"
}

learn() {
	watch --normal-time 0 "$@" -- sh "$DIR/often" "$DIR/hello"
}

# of the profile in the last summary
field() {
	jq -s -r --arg exe "$DIR/hello" ".[-1].profiles[] | select(.exe == \$exe) | .$1" "$DIR/out"
}

pairs() {
	"$EBPH" profile show --profile-dir "$PROFILES" -j --pairs "$DIR/hello" | jq -S '.pairs'
}

@test "what was learned is known after a restart: the anomaly is found without learning" {
	learn
	[ "$(field state)" = normal ]
	before=$(field count)
	pairs >"$DIR/before"
	[ "$(jq length "$DIR/before")" -gt 20 ]
	watch -- "$DIR/hello"
	[ "$(field state)" = normal ]
	[ "$(field count)" -gt "$before" ]
	[ "$(jq -s '[.[] | select(.event == "anomaly")] | length' "$DIR/out")" -eq 0 ]
	pairs >"$DIR/after"
	cmp "$DIR/before" "$DIR/after"
	run watch --check -- "$DIR/hello" more
	[ "$status" -eq 3 ]
	jq -s -e '[.[] | select(.event == "anomaly")][0].sequence[-2:] == ["write", "write"]' "$DIR/out"
}

@test "--no-load begins anew, --no-save leaves the files alone" {
	learn
	cp -r "$PROFILES" "$DIR/copy"
	watch --no-load --no-save -- "$DIR/hello"
	[ "$(field state)" = training ]
	watch --no-save -- "$DIR/hello"
	[ "$(field state)" = normal ]
	diff -r "$PROFILES" "$DIR/copy"
}

@test "the wait to become normal goes on while ebph does not run" {
	local wait=$((3 * PATIENCE))
	watch --normal-time "$wait" -- sh "$DIR/often" "$DIR/hello"
	[ "$(field state)" = frozen ]
	sleep "$wait.2"
	watch --normal-time "$wait" -- "$DIR/hello"
	[ "$(field state)" = normal ]
}

replaced() {
	jq -s -e '[.[] | select(.event == "warning") | .message]
		| any(test("the program was replaced: "))' "$DIR/out"
}

@test "a program that was copied over, renamed over, or whose inode another file got, begins anew and says so" {
	learn
	old=$(ls "$PROFILES")
	cp "$DIR/hello" "$DIR/new"
	printf x >>"$DIR/new"
	cat "$DIR/new" >"$DIR/hello"
	watch -- "$DIR/hello"
	[ "$(field state)" = training ]
	replaced
	[ -e "$PROFILES/$old" ]
	printf y >>"$DIR/new"
	mv "$DIR/new" "$DIR/hello"
	watch -- "$DIR/hello"
	[ "$(field state)" = training ]
	[ "$(field count)" -lt 100 ]
	replaced
	[ "$(ls "$PROFILES" | wc -l)" -eq 3 ]
}

# A file system of its own, where nobody else takes the inode of what is removed; on it
# EXE, a copy of hello that has been learned.
learn_on_disk() {
	truncate -s 16M "$DIR/disk"
	mkfs.ext4 -q "$DIR/disk"
	mkdir "$DIR/small"
	mount -o loop "$DIR/disk" "$DIR/small"
	mv "$DIR/hello" "$DIR/source"
	cp "$DIR/source" "$DIR/small/hello"
	exe=$DIR/small/hello
	"$EBPH" --profile-dir "$PROFILES" -e "$exe" -o "$DIR/out" --normal-time 0 \
		-- sh "$DIR/often" "$exe"
}

@test "a file that got the inode of a program that is gone inherits nothing" {
	learn_on_disk
	before=$(stat -c '%i %s %Y' "$exe")
	rm "$exe"
	cp "$DIR/source" "$exe"
	touch -d "@${before##* }" "$exe"
	[ "$(stat -c '%i %s %Y' "$exe")" = "$before" ]
	"$EBPH" --profile-dir "$PROFILES" -e "$exe" -j -o "$DIR/out" -- "$exe"
	jq -s -e '.[-1].profiles[] | .state == "training" and .count < 200' "$DIR/out"
	replaced
}

@test "a real package's program: upgraded by rename, as dpkg does it" {
	cp /usr/bin/ls "$DIR/ls"
	exe=$DIR/ls
	run_ls() { "$EBPH" --profile-dir "$PROFILES" -e "$exe" -j -o "$DIR/out" "$@" -- "$exe" /; }
	run_ls
	cp /usr/bin/dir "$DIR/ls.dpkg-new"
	mv "$DIR/ls.dpkg-new" "$exe"
	run_ls
	replaced
	jq -s -e --arg exe "$exe" '.[-1].profiles[] | select(.exe == $exe) | .state == "training" and .count < 400' "$DIR/out"
	[ "$(ls "$PROFILES" | wc -l)" -eq 2 ]
}

@test "--adopt-upgrades starts from what the old file knew, in training" {
	learn
	printf x >>"$DIR/hello"
	watch --adopt-upgrades -- "$DIR/hello"
	[ "$(field state)" = training ]
	replaced
	# one run of it alone would have brought a sequence a call
	[ "$(field sequences)" -gt 0 ]
	pairs >"$DIR/adopted"
	watch -v -- "$DIR/hello"
	[ "$(jq -s '[.[] | select(.event == "sequence")] | length' "$DIR/out")" -eq 0 ]
}

@test "--adopt-upgrades starts from what the old file knew just now, not saved yet" {
	cat >"$DIR/session" <<-S
		sh $DIR/often $DIR/hello
		printf x >>$DIR/hello
		$DIR/hello
	S
	watch --adopt-upgrades --save-interval 1d -- sh "$DIR/session"
	jq -s -e 'any(.[].message // ""; endswith("a new one starts from what it knew"))' "$DIR/out"
	jq -s -e '.[-1].profiles | length == 2 and (map(.sequences) | .[0] == .[1] and .[0] > 0)' "$DIR/out"
}

@test "--adopt-upgrades adopts nothing of another path, though its inode is the same" {
	learn_on_disk
	inode=$(stat -c %i "$exe")
	rm "$exe"
	cp "$DIR/source" "$DIR/small/other"
	printf x >>"$DIR/small/other"
	[ "$(stat -c %i "$DIR/small/other")" = "$inode" ]
	"$EBPH" --profile-dir "$PROFILES" -e "$DIR/small/other" --adopt-upgrades -j \
		-o "$DIR/out" -- "$DIR/small/other"
	jq -s -e 'any(.[].message // ""; test("a program at another path had this key: .* a new one starts$"))' \
		"$DIR/out"
	jq -s -e '.[-1].profiles[0] | .count == .train_count and .count < 100' "$DIR/out"
}

@test "a second ebph on the same profiles is refused and told whose they are" {
	"$EBPH" --profile-dir "$PROFILES" -o "$DIR/first" 2>"$DIR/err" &
	WATCH=$!
	wait_for grep -q watching "$DIR/err"
	run "$EBPH" --profile-dir "$PROFILES" -d 1
	[ "$status" -eq 1 ]
	[[ $output == *"$WATCH"* ]]
	kill "$WATCH"
	wait "$WATCH"
	WATCH=
	"$EBPH" --profile-dir "$PROFILES" -d 0.1 -o "$DIR/second"
}
