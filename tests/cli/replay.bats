#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

setup() {
	EBPH=${EBPH:-$BATS_TEST_DIRNAME/../../build/ebph}
	DATA=${EBPH_DATA:-$BATS_TEST_DIRNAME/../../../shared/data}
	DIR=$(mktemp -d)
	cd "$DIR"
}

teardown() {
	rm -rf "$DIR"
}

# The published traces, unpacked in the current folder; the test is skipped without them.
published() {
	[ -r "$DATA/syscall-traces.tar.xz" ] ||
		skip "NOT RUN: the published traces are not in $DATA (EBPH_DATA names another folder)"
	tar xf "$DATA/syscall-traces.tar.xz"
}

# replay's rows without their header, in $DIR/rows; the arguments are replay's
rows() {
	"$EBPH" replay "$@" >"$DIR/out"
	[ "$(head -n 1 "$DIR/out")" = "$(printf 'FILE\tPID\tCALLS\tANOMALIES\tMISSES\tMAX_LFC')" ]
	tail -n +2 "$DIR/out" >"$DIR/rows"
}

@test "published sendmail traces: every row as an independent implementation has it" {
	published
	rows --learn unm/sendmail/normal unm/sendmail/intrusion
	diff "$DATA/expected/sendmail.tsv" "$DIR/rows"
}

@test "published lpr traces: every row as an independent implementation has it" {
	published
	rows --learn unm/lpr/normal/lpr-normal-10.txt unm/lpr/normal/lpr-normal-11.txt unm/lpr/intrusion
	diff "$DATA/expected/lpr.tsv" "$DIR/rows"
}

@test "published ADFA-LD traces: every row as an independent implementation has it" {
	published
	rows --learn adfa-ld/training adfa-ld/validation adfa-ld/attack
	xz -dc "$DATA/expected/adfa-ld.tsv.xz" >"$DIR/expected"
	[ "$(wc -l <"$DIR/expected")" -gt 2000 ]
	diff "$DIR/expected" "$DIR/rows"
	"$EBPH" replay -j --learn adfa-ld/training adfa-ld/validation adfa-ld/attack |
		jq -r 'select(.event == "trace") | [.file, .pid, .calls, .anomalies, .misses, .max_lfc] | @tsv' |
		diff "$DIR/expected" -
}

@test "the score of published traces is that of their expected rows, recomputed" {
	published
	"$EBPH" replay -j --learn adfa-ld/training --score --normal adfa-ld/validation --attack adfa-ld/attack >"$DIR/score"
	# All pairs of an attack and a normal process, and the best threshold at 5 % false alarms.
	xz -dc "$DATA/expected/adfa-ld.tsv.xz" | awk -F'\t' '
		function score(name, column,   a, n, i, k, wins, best, t, f, d) {
			for (i = 1; i <= NR; i++)
				if (attack[i]) a++; else n++
			for (i = 1; i <= NR; i++) {
				if (!attack[i]) continue
				d = f = 0
				for (k = 1; k <= NR; k++) {
					if (!attack[k])
						wins += (v[i, column] > v[k, column]) + (v[i, column] == v[k, column]) / 2
					if (v[k, column] >= v[i, column])
						if (attack[k]) d++; else f++
				}
				if (f / n <= 0.05 && d / a > best) best = d / a
			}
			printf "%s %.6f %.6f\n", name, wins / a / n, best
		}
		{ attack[NR] = $1 ~ /attack/; v[NR, 1] = $6; v[NR, 2] = $4 / $3; v[NR, 3] = $5 }
		END { score("max_lfc", 1); score("anomaly_share", 2); score("misses", 3) }' >"$DIR/expected"
	jq -r '"\(.measure) \(.area) \(.detected["5%"])"' "$DIR/score" |
		awk '{ printf "%s %.6f %.6f\n", $1, $2, $3 }' >"$DIR/found"
	cat "$DIR/found"
	[ -s "$DIR/expected" ]
	diff "$DIR/expected" "$DIR/found"
}

# Small traces: what comes out can be checked by eye.
small() {
	mkdir normal
	echo '1 2 3 1 2 3 1 2 3' >normal/a
	echo '1 2 3 1 2 3' >normal/b
}

@test "numbers, PID NUMBER, packed files and standard input give the same row" {
	small
	echo '1 2 9 1 2 3' >t
	rows --learn normal t
	# 9: unknown to all before it, and those within reach miss it: 2 + 1 + 1 + 1
	[ "$(cat rows)" = "$(printf 't\t0\t6\t4\t5\t4')" ]
	gzip -k t; xz -k t
	rows --learn normal t.gz t.xz - <t
	[ "$(cut -f 2- rows | uniq -c | awk '{ print $1 }')" = 3 ]
	[ "$(cut -f 3- rows | sort -u)" = "$(printf '6\t4\t5\t4')" ]
	zstd -q t
	rows --learn normal t.zst
	[ "$(cut -f 2- rows)" = "$(printf '0\t6\t4\t5\t4')" ]
	printf '7 1\n8 1\n7 2\n8 2\n7 9\n8 3\n7 1\n7 2\n7 3\n' >pids
	rows --learn normal pids
	[ "$(cat rows)" = "$(printf 'pids\t7\t6\t4\t5\t4\npids\t8\t3\t0\t0\t0')" ]
}

@test "--window and --frame are what they say" {
	small
	echo '1 2 9 1 2 3 1 2 3 1 2 3 9' >t
	rows --learn normal --window 2 t
	[ "$(cat rows)" = "$(printf 't\t0\t13\t3\t3\t3')" ]
	rows --learn normal --window 2 --frame 2 t
	[ "$(cat rows)" = "$(printf 't\t0\t13\t3\t3\t2')" ]
	rows --learn normal --window 2 --frame 1 t
	[ "$(cat rows)" = "$(printf 't\t0\t13\t3\t3\t1')" ]
}

@test "-v shows each anomaly, --arch names its calls" {
	small
	echo '1 2 9' >t
	run -0 "$EBPH" replay -v --window 3 --learn normal t
	[[ $output == *"(trace): syscall_1, syscall_2, syscall_9 (new: all 2)"* ]]
	run -0 "$EBPH" replay -v --window 3 --arch x86 --learn normal t
	[[ $output == *"(trace): exit, fork, link (new: all 2)"* ]]
	"$EBPH" replay -v -j --arch x86 --learn normal t >out
	jq -s -e '.[0] | .event == "anomaly" and .file == "t" and .syscall == "link" and .nr == 9
		and .misses == 2 and .lfc == 1 and .anomalies == 1
		and .sequence == ["exit", "fork", "link"]
		and .missed == [{"prev": "fork", "distance": 1}, {"prev": "exit", "distance": 2}]
		and (has("time") or has("uid") or has("key") | not)' out
	jq -s -e '.[1] == {"event": "trace", "file": "t", "pid": 0, "calls": 3, "anomalies": 1, "misses": 2, "max_lfc": 1}' out
}

@test "what cannot be read is named with its line, the rest is done, exit status 1" {
	small
	cp normal/a good
	: >empty
	head -c 4096 /dev/urandom >binary
	printf '1 2\n3 99999999999 4\n' >range
	printf '1 2 3\n1 -2 3\n' >negative
	printf '1 2 3\n1 x 3\n' >letter
	printf '5 1\n5\n5 2\n' >half
	seq 200000 >long; xz long; head -c 20000 long.xz >cut.xz
	seq 200000 | gzip | head -c 20000 >cut.gz
	printf '7 read(3, "' >cut.strace; head -c 2000000 /dev/zero | tr '\0' a >>cut.strace
	printf '7 read(0, "", 1) = 0\n7 read(0,\n' >bad.strace
	ln -s nowhere dangling
	run -1 --separate-stderr "$EBPH" replay --learn normal empty binary range negative letter \
		half cut.xz cut.gz cut.strace bad.strace dangling missing good
	echo "$stderr"
	[[ $output == *$'good\t0\t9\t0\t0\t0'* ]]
	[[ $stderr == *"ebph: empty: empty: no system call in it"* ]]
	[[ $stderr == *"ebph: binary:1: not a trace"* ]]
	[[ $stderr == *"ebph: range:2: number out of range 0..2147483647"* ]]
	[[ $stderr == *"ebph: negative:2: negative number"* ]]
	[[ $stderr == *"ebph: letter:2: 'x' is no part of a number"* ]]
	[[ $stderr =~ "ebph: cut.xz:"[0-9]+": cut off or damaged: " ]]
	[[ $stderr =~ "ebph: cut.gz:"[0-9]+": cut off or damaged: truncated gzip input" ]]
	[[ $stderr == *"ebph: cut.strace:1: "* ]]
	[[ $stderr == *"ebph: bad.strace:2: a call without a result: the line is cut"* ]]
	[[ $stderr == *"ebph: dangling: "* ]]
	[[ $stderr == *"ebph: missing: No such file or directory"* ]]
	run -1 --separate-stderr "$EBPH" replay --format pid-number --learn half half
	[[ $stderr == *"ebph: half:2: PID 5 without a NUMBER"* ]]
	run -1 --separate-stderr "$EBPH" replay --format strace --learn cut.strace cut.strace
	[[ $stderr == *"ebph: cut.strace:1: line of more than 1048576 bytes"* ]]
	run -1 --separate-stderr "$EBPH" replay --format numbers --learn normal binary good
	[[ $stderr == *"ebph: binary:"*"is no part of a number"* ]]
	[[ $output == *$'good\t0\t9\t0\t0\t0'* ]]
}

@test "a folder that cannot be read is named, the others are done" {
	small
	mkdir secret
	cp normal/a secret
	chmod 0 secret
	chmod 755 .
	cp "$EBPH" ebph
	if [ "$(id -u)" -eq 0 ]; then
		run -1 --separate-stderr setpriv --reuid 65534 --clear-groups --inh-caps=-all ./ebph replay --learn normal secret normal/a
	else
		run -1 --separate-stderr ./ebph replay --learn normal secret normal/a
	fi
	[[ $stderr == *"ebph: secret: Permission denied"* ]]
	[[ $output == *$'normal/a\t0\t9\t0\t0\t0'* ]]
}

@test "bad usage is named, exit status 2" {
	small
	bad() {
		local why=$1
		shift
		run -2 --separate-stderr "$EBPH" replay "$@"
		[ -z "$output" ]
		[[ $stderr == "ebph: replay: "*"$why"* ]] || { echo "$stderr"; return 1; }
	}
	bad 'nothing to learn from' normal
	bad 'nothing to test' --learn normal
	bad "'10' for --window" --learn normal --window 10 normal
	bad "'1' for --window" --learn normal --window 1 normal
	bad "'129' for --frame" --learn normal --frame 129 normal
	bad "'0x1' for --frame" --learn normal --frame 0x1 normal
	bad "'perl' for --format" --learn normal --format perl normal
	bad "'pdp11' for --arch" --learn normal --arch pdp11 normal
	bad '--live learns by itself' --live --learn normal normal
	bad '--live learns by itself' --live --profile normal/a normal
	bad "bad value '' for --profile" --profile '' normal
	bad 'need --live' --learn normal --normal-time 1 normal
	bad 'need --score' --learn normal --attack normal normal
	bad '--score needs' --learn normal --score --normal normal
	bad 'standard input' --learn - -
	bad 'unknown option' --learn normal --wat normal
	bad 'needs a value' --learn
}

# A saved profile of program $1, in state $2, in file $3. getpid and getppid in turns are
# normal; getuid among them was learned since. JQ changes the JSON that it is made of.
saved() { # EXE STATE FILE [JQ]
	jq -n --arg exe "$1" --arg state "$2" '
	def pair($current; $previous; $distance; $test):
		{$current, $previous, train: [$distance], test: (if $test then [$distance] else [] end)};
	($state == "normal") as $normal | {
		format: "ebph-profile", version: 1, arch: "x86_64", window: 3, exe: $exe,
		identity: {device: 2049, inode: 5, generation: 7, size: 4096,
			mtime: "2026-01-02T03:04:05.000000006Z"},
		state: $state, count: 1000, train_count: 900, last_mod_count: 10, sequences: 8,
		anomalies: 0, saved: "2026-11-20T00:00:00.000000000Z",
		calls: [{call: "getpid", abi: "x86_64", nr: 39, rank: 1},
			{call: "getuid", abi: "x86_64", nr: 102, rank: 3},
			{call: "getppid", abi: "x86_64", nr: 110, rank: 2}],
		pairs: [pair("getpid"; "getpid"; 2; $normal),
			pair("getpid"; "getppid"; 1; $normal),
			pair("getppid"; "getpid"; 1; $normal),
			pair("getppid"; "getppid"; 2; $normal),
			pair("getuid"; "getpid"; 2; false),
			pair("getuid"; "getppid"; 1; false),
			pair("getpid"; "getuid"; 1; false),
			pair("getppid"; "getuid"; 2; false)]
	} | '"${4:-.}" >"$3.json"
	rm -f "$3"
	"$EBPH" profile import -o "$3" "$3.json"
}

# An strace log of program $1 that makes the calls that follow.
log() { # EXE CALL...
	local exe=$1 call
	shift
	echo "7 execve(\"$exe\", [\"x\"], 0x7f /* 1 var */) = 0"
	for call; do
		echo "7 $call() = 1"
	done
}

@test "--profile: what a saved profile tests against is normal, of one in training all of it" {
	[ "$(uname -m)" = x86_64 ] || skip 'needs x86-64'
	local turns=(getpid getppid getpid getppid getpid getppid)
	saved /opt/prog normal normal.profile
	saved /opt/prog training training.profile
	log /opt/prog "${turns[@]}" >same
	log /opt/prog getpid getppid getuid getpid getppid >since
	log /opt/prog getpid getppid umask getpid getppid >never
	for state in normal training; do
		rows --window 3 --profile $state.profile same
		[ "$(cat rows)" = "$(printf 'same\t7\t6\t0\t0\t0')" ]
		rows --window 3 --profile $state.profile never
		# umask: 2, getpid: umask@1 and getppid@2, getppid: umask@2
		[ "$(cat rows)" = "$(printf 'never\t7\t5\t3\t5\t3')" ]
	done
	rows --window 3 --profile training.profile since
	# getppid@2 before getpid is not in the profile
	[ "$(cat rows)" = "$(printf 'since\t7\t5\t1\t1\t1')" ]
	rows --window 3 --profile normal.profile since
	[ "$(cat rows)" = "$(printf 'since\t7\t5\t3\t5\t3')" ]
	# what --learn adds is normal too, and nothing that the profile has is lost
	rows --window 3 --profile normal.profile --learn since same since never
	[ "$(cut -f 1,4 rows)" = "$(printf 'same\t0\nsince\t0\nnever\t3')" ]
	"$EBPH" replay -v -j --window 3 --profile normal.profile since >out
	jq -s -e '.[0] | .exe == "/opt/prog" and .syscall == "getuid" and .nr == 102 and
		(has("key") | not)' out
}

@test "--profile: programs are found by their path, and by a link to it" {
	[ "$(uname -m)" = x86_64 ] || skip 'needs x86-64'
	: >program
	ln -s program link
	saved "$(realpath program)" training one.profile
	saved /opt/two training two.profile
	log "$PWD/link" getpid umask >linked
	log /opt/two getpid umask >two
	log /opt/none getpid umask >none
	run -0 --separate-stderr "$EBPH" replay --window 3 --profile one.profile --profile two.profile linked two none
	[[ $output == *$'linked\t7\t2\t1\t1\t1\n'*$'two\t7\t2\t1\t1\t1\n'*$'none\t7\t2\t0\t0\t0' ]]
	[ "$stderr" = 'ebph: /opt/none was never learned: 2 calls not tested' ]
}

@test "--profile: what cannot be used is named, and nothing is tested" {
	[ "$(uname -m)" = x86_64 ] || skip 'needs x86-64'
	refuse() {
		local why=$1
		shift
		log /opt/prog getpid >one
		run -1 --separate-stderr "$EBPH" replay --window 3 "$@" one
		[ -z "$output" ]
		[[ $stderr == "ebph: cannot use the profile "*"$why"* ]] || { echo "$stderr"; return 1; }
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	}
	saved /opt/prog normal good
	refuse 'good: it was made with another window length' --window 4 --profile good
	refuse 'good: another --profile is of the same program' --profile good --profile good
	refuse 'missing: it cannot be opened: No such file' --profile missing
	head -c 100 good >cut
	refuse 'cut: ' --profile cut
	saved /opt/prog training empty '.pairs = [] | .calls = [] | .sequences = 0'
	refuse 'empty: it has no pairs' --profile empty
	saved /opt/prog training arm '.arch = "aarch64" | .calls = [] | .pairs = [] | .sequences = 0'
	refuse 'arm: it was made on another kind of machine' --profile arm
}

@test "a full output is an error, a closed pipe is not" {
	small
	run -1 --separate-stderr sh -c "'$EBPH' replay --learn normal normal >/dev/full"
	[[ $stderr == "ebph: cannot write to standard output: No space left on device" ]]
	for i in $(seq 3000); do cp normal/a "normal/x$i"; done
	"$EBPH" replay --learn normal normal normal normal normal 2>err | head -n 1 >/dev/null
	[ "${PIPESTATUS[0]}" -eq 0 ]
	[ ! -s err ]
}

@test "more than 254 different calls: the rest is one, and that is said" {
	mkdir normal
	seq 300 >normal/a
	run -0 --separate-stderr "$EBPH" replay --learn normal normal/a
	[[ $stderr == *"(trace) makes more than 254 different calls: 46 (92 calls) were taken for one"* ]]
	[[ $output == *$'normal/a\t0\t300\t0\t0\t0'* ]]
}

@test "--live goes through the life cycle on the trace's own clock" {
	# Frozen at the 13th call: more than 4 times the 3 that brought something new.
	awk 'BEGIN { for (i = 0; i < 40; i++) printf "7 %d.000000 getpid() = 7\n", 1700000000 + i
		print "7 1700000040.000000 umask(022) = 022" }' >t
	"$EBPH" replay --live -j --window 2 --normal-time 5 t >out
	jq -c 'select(.event != "summary")' out
	jq -s -e 'map(.event) == ["profile", "freeze", "normal", "anomaly", "trace", "summary"]' out
	jq -s -e '.[1] | .time == "2023-11-14T22:13:28.000000000Z" and .normal_time == "2023-11-14T22:13:33.000000000Z"' out
	jq -s -e '.[2].time == "2023-11-14T22:13:33.000000000Z"' out
	jq -s -e '.[3] | .syscall == "umask" and .nr == 95 and .missed == [{"prev": "getpid", "distance": 1}]' out
	jq -s -e '.[5].profiles[0] | .state == "normal" and .count == 41 and .anomalies == 1' out
	# Without a clock of its own, a call is a second.
	sed -i 's/ 17[0-9.]*//' t
	"$EBPH" replay --live -j --window 2 --normal-time 5 t >out
	jq -s -e 'map(.event) == ["profile", "freeze", "normal", "anomaly", "trace", "summary"] and (map(has("time")) | any | not)' out
}

@test "--score tells perfect separation, and draws it" {
	small
	mkdir attack
	echo '1 2 9 9' >attack/a
	run -0 "$EBPH" replay --learn normal --score --normal normal --attack attack --plot roc.svg
	[[ ${lines[1]} == "max_lfc "*" 1.0000  100.0%  100.0%  100.0%" ]]
	grep -q 'False alarms' roc.svg
	grep -q 'Detected' roc.svg
	grep -q 'maximal LFC (area 1.0000)' roc.svg
	[ "$(grep -c '<polyline' roc.svg)" -eq 3 ]
	xmllint --noout roc.svg
	run -1 --separate-stderr "$EBPH" replay --learn normal --score --normal normal --attack attack --plot none/roc.svg
	[[ $stderr == "ebph: cannot write none/roc.svg: No such file or directory" ]]
}

@test "what strace's options add to a line changes nothing" {
	cat >work.c <<'C'
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void handler(int s) { (void)s; getppid(); }
int main(int argc, char **argv)
{
	signal(SIGUSR1, handler);
	for (int i = 0; i < 5; i++) {
		kill(getpid(), SIGUSR1);
		if (!fork()) {
			execl(argv[0], argv[0], "child", (char *)0);
			_exit(1);
		}
		wait(0);
		if (argc > 1)
			return 0;
	}
	return 0;
}
C
	sed -i 's/if (!fork())/if (argc == 1 \&\& !fork())/; s/wait(0);/if (argc == 1) wait(0);/' work.c
	gcc -o work work.c
	strace -f -o plain ./work
	rows --learn plain plain
	[ "$(wc -l <rows)" -eq 6 ]
	[ "$(awk -F'\t' '{ n += $4 } END { print n }' rows)" -eq 0 ]
	cut -f 3- rows >expected
	for option in -t -tt -ttt -r -T -y -yy -n -i -v '-s 0' '-ttt -r -T -y -n -i' -q; do
		# shellcheck disable=SC2086 # more than one
		strace -f $option -o log ./work
		rows --learn plain log
		cut -f 3- rows | diff expected - || { echo "with $option"; return 1; }
	done
}

@test "progress is shown on a terminal, after a second, and wiped" {
	awk 'BEGIN { for (i = 0; i < 1500000; i++) print 1, 2, 3, 4, 5 }' >big
	# Fed slowly, so that it takes over a second anywhere.
	feed() { cat big; sleep 1.2; cat big; }
	export -f feed
	SHELL=$BASH script -qec "bash -c 'feed | $EBPH replay --format numbers --learn - big >out'" typescript </dev/null
	grep -q 'ebph: learning: 1 files, [0-9]* MiB' typescript
	grep -q $'\r\033\\[K' typescript
	grep -q 'big' out
}
