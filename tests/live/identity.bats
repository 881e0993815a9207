#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# SEMANTICS, "profile key": which file a profile belongs to; names; full tables.

load common

@test "hard links and bind mounts share a profile" {
	copy one
	ln "$DIR/one" "$DIR/two"
	mkdir "$DIR/mount"
	touch "$DIR/mount/three"
	cat >"$DIR/session" <<-S
		mount --bind $DIR/one $DIR/mount/three
		$DIR/one getuid
		$DIR/two getgid
		$DIR/mount/three getppid
	S
	watch -e "$DIR/one" -- unshare -m sh "$DIR/session"
	same "6 1" "$(row '' '"\(.profiles[0].count) \(.profiles | length)"')"
	same 1 "$(count profile)"
}

@test "a file that was replaced gets a profile of its own" {
	copy one
	cat >"$DIR/session" <<-S
		touch -d @1 $DIR/one
		$DIR/one getuid getgid
		cat $PLAY32 >$DIR/one
		touch -d @1 $DIR/one
		$DIR/one getuid getgid getppid
		touch -d @2 $DIR/one
		$DIR/one getuid getgid getppid getegid
		cp $PLAY $DIR/new
		mv $DIR/new $DIR/one
		$DIR/one getuid getgid getppid getegid geteuid
	S
	watch -- sh "$DIR/session"
	# Three with the key of one inode: size, then time of change, differ; one of another
	same "3 4 5 6" "$(row '' "[.profiles[] | select(.exe == \"$DIR/one\").count] | sort | join(\" \")")"
	same "1 3" "$(row '' "[.profiles[] | select(.exe == \"$DIR/one\").key] | group_by(.)
		| map(length) | sort | join(\" \")")"
	same 4 "$(count profile "$DIR/one")"
	# None began with what another had learned
	same 4 "$(events sequence "$DIR/one" | jq -c 'select(.syscall == "getgid").misses' | wc -l)"
}

# On a file system of its own, where nobody else takes the inode.
@test "a file in a freed inode is another, even with its size and time: the generation tells" {
	truncate -s 16M "$DIR/disk"
	mkfs.ext4 -q "$DIR/disk"
	mkdir "$DIR/small"
	cat >"$DIR/session" <<-S
		set -e
		mount -o loop $DIR/disk $DIR/small
		cp $PLAY $DIR/small/one
		touch -d @1 $DIR/small/one
		stat -c '%i %s %Y' $DIR/small/one
		$DIR/small/one getuid getgid
		rm $DIR/small/one
		cp $PLAY $DIR/small/one
		touch -d @1 $DIR/small/one
		stat -c '%i %s %Y' $DIR/small/one
		$DIR/small/one getuid getgid getppid
	S
	watch -- unshare -m sh "$DIR/session" >"$DIR/files"
	same 1 "$(sort -u "$DIR/files" | wc -l)"
	of_one=".profiles[] | select(.exe == \"$DIR/small/one\")"
	same "3 4" "$(row '' "[$of_one.count] | sort | join(\" \")")"
	same 1 "$(row '' "[$of_one.key] | unique | length")"
	# the second did not begin with what the first had learned
	same 2 "$(events sequence "$DIR/small/one" | jq -c 'select(.syscall == "getgid")' | wc -l)"
}

# The new file of -e, or another with its inode, is known: a process that ends at once is watched.
is_watched() { # EXE
	"$1" getpid
	[ "$(count profile)" -gt "${2-0}" ]
}

@test "-e: who runs a program that has just been replaced is watched a second later" {
	copy one new
	watch_begin -e "$DIR/one"
	mkfifo "$DIR/pipe"
	exec 7<>"$DIR/pipe"
	mv "$DIR/new" "$DIR/one"
	"$DIR/one" getuid read getgid geteuid <"$DIR/pipe" 3>&- 7>&- &
	STARTED+=("$!")
	poll inside "$!" 0
	poll is_watched "$DIR/one"
	echo >&7
	exec 7>&-
	wait "$!"
	watch_end
	grep -x 'getgid > geteuid @1' <<<"$(pairs "$DIR/one")"
}

@test "-e: what takes a program's place and is none is told once, and tried again" {
	copy one two new
	watch_begin -e "$DIR/one" -e "$DIR/two"
	rm "$DIR/one"
	mkdir "$DIR/one"
	poll eval '[ "$(count warning)" -gt 0 ]'
	mv "$DIR/new" "$DIR/two"
	poll is_watched "$DIR/two" # so they have been looked at again
	rmdir "$DIR/one"
	copy one
	poll is_watched "$DIR/one" 1
	watch_end
	same "cannot use the program $DIR/one: it is no regular file" "$(events warning | jq -r .message)"
}

@test "-e: a file in a freed inode is another program, or the same path's new one" {
	truncate -s 16M "$DIR/disk"
	mkfs.ext4 -q "$DIR/disk"
	mkdir "$DIR/small"
	mount -o loop "$DIR/disk" "$DIR/small"
	cp "$PLAY" "$DIR/small/one"
	inode=$(stat -c %i "$DIR/small/one")
	watch_begin -e "$DIR/small/one"
	rm "$DIR/small/one"
	cp "$PLAY" "$DIR/small/other"
	same "$inode" "$(stat -c %i "$DIR/small/other")"
	"$DIR/small/other" getuid
	rm "$DIR/small/other"
	cp "$PLAY" "$DIR/small/one"
	same "$inode" "$(stat -c %i "$DIR/small/one")"
	poll is_watched "$DIR/small/one"
	watch_end
	same "$DIR/small/one" "$(row '' '[.profiles[].exe] | join(" ")')"
}

@test "a script runs under its interpreter's profile" {
	printf '#!%s getuid\n' "$PLAY" >"$DIR/script"
	chmod +x "$DIR/script"
	watch -- "$DIR/script"
	learned "$PLAY" <<<"$(chain 9 getuid exit_group)"
	same 1 "$(row '' '.profiles | length')"
}

@test "the key is device and inode" {
	watch -- "$PLAY"
	device=$(stat -c %Hd:%Ld "$PLAY")
	key=$(printf %016x $((((${device%:*} << 20 | ${device#*:}) << 32) + $(stat -c %i "$PLAY"))))
	same "$key" "$(row "$PLAY" .key)"
}

@test "in a chroot the path is the one that the process sees" {
	mkdir -p "$DIR/root/bin"
	cp "$PLAY" "$DIR/root/bin/inner"
	watch -e "$DIR/root/bin/inner" -- chroot "$DIR/root" /bin/inner getuid
	same /bin/inner "$(row '' '.profiles[].exe')"
}

@test "1,000 programs that start within a second are all named by their full path" {
	long=$DIR/$(printf 'a%.0s' {1..100})
	mkdir "$long"
	steps=()
	for i in $(seq 1000); do
		cp "$PLAY" "$long/$i"
		steps+=(vfork exec:"$long/$i" end end)
		((i % 20)) || steps+=(20x:wait)
	done
	watch --max-profiles 2000 -- "$PLAY" "${steps[@]}"
	nothing_lost
	jq -r 'select(.event == "profile").exe' "$OUT" | grep -c "^$long/" >"$DIR/named"
	same 1000 "$(cat "$DIR/named")"
	same "1001 0" "$(row '' '"\(.profiles | length) \(.profiles
		| map(select(.exe | startswith("/") | not)) | length)"')"
	# each of them makes one call
	same 1000 "$(row '' "[.profiles[] | select(.exe | startswith(\"$long/\")).count] | add")"
}
