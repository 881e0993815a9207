# SPDX-License-Identifier: GPL-2.0-only
# The BPF source as it were if there were no responses: without the blocks that they are
# compiled in by, the functions that call these, and all calls of those.
# usage: awk -v out=DIR -f without_responses.awk FILE...

# one word of the responses' in the condition, and no other
function is_response(line) {
	return line ~ /^#if (USE_RESPONSE|USE_DELAY|USE_ABORT_KILL|USE_ABORT_LSM)( |$)/
}
skipping { # a block
	if (/^#if/)
		skipping++
	if (/^#endif/)
		skipping--
	next
}
is_response($0) {
	skipping = 1
	blocks++
	next
}
/^INLINE .* (delay_clear|is_held|respond_to|is_entered_again)\(/ { inside = 1 }
inside { # a function
	if (/^}/) {
		inside = 0
		functions++
	}
	next
}
/^\tif \(USE_DELAY && !t->full\)/ {
	getline # and what it does
	next
}
{ sub(/ \|\| is_entered_again\(t, p, symbol\)/, "") }
/^\t+(respond_to|delay_clear)\(/ { next }
{ print >(out "/" FILENAME) }
END {
	if (blocks < 6 || functions != 4)
		exit 1
}
