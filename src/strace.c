/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "strace.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static const char *digits(const char *p)
{
	return p + strspn(p, "0123456789");
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* A decimal number at P, cut to 32 bits: ids never are longer. */
static u32 id_at(const char *p)
{
	return (u32)strtoul(p, NULL, 10);
}

/* ---- what stands before the call ---- */

/* PID, or [pid PID] as strace writes without -o. */
static const char *parse_tid(const char *p, struct strace_line *out)
{
	const char *end;

	if (begins(p, "[pid ")) {
		end = digits(blanks(p + 5));
		if (*end != ']')
			return p;
		out->tid = id_at(blanks(p + 5));
		return blanks(end + 1);
	}
	end = digits(p);
	if (end == p || (*end != ' ' && *end != '\t'))
		return p;
	out->tid = id_at(p);
	return blanks(end);
}

/* SECONDS.FRACTION of -ttt; the smaller ones of -r are no time of day. */
static u64 time_at(const char *p)
{
	u64 seconds = strtoull(p, (char **)&p, 10), ns = 0, unit = 100000000;

	if (seconds < 100000000 || seconds > 9000000000 || *p != '.')
		return 0;
	for (p++; digit(*p) && unit; p++, unit /= 10)
		ns += unit * (*p - '0');
	return seconds * 1000000000 + ns;
}

/* HH:MM:SS, HH:MM:SS.FRACTION, SECONDS.FRACTION, and (+ SECONDS) behind it. */
static const char *parse_time(const char *p, struct strace_line *out)
{
	const char *end = p + strspn(p, "0123456789:.");

	if (end > p && digit(*p) && (*end == ' ' || *end == '\t') && digits(p) != end) {
		out->time = time_at(p);
		p = blanks(end);
	}
	if (begins(p, "(+") && strchr(p, ')'))
		p = blanks(strchr(p, ')') + 1);
	return p;
}

/* [NUMBER] of -n and [ADDRESS] of -i. */
static const char *parse_brackets(const char *p, struct strace_line *out)
{
	const char *begin, *end;

	while (*p == '[' && !begins(p, "[ Process ")) {
		begin = blanks(p + 1);
		end = begin + strspn(begin, "0123456789abcdef?");
		if (*end != ']')
			break;
		if (end - begin < 10 && end > begin && digits(begin) == end)
			out->number = id_at(begin);
		p = blanks(end + 1);
	}
	return p;
}

/* ---- the call and its result ---- */

/* What a backslash makes of what follows it is never a quote or a parenthesis. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return p;
}

/*
 * Behind the "=" of the call whose arguments are at P; NULL: it has not returned.
 * Parentheses in arguments come in pairs, outside of strings.
 */
static const char *find_result(const char *p)
{
	const char *last = NULL, *found;
	int depth = 1;

	for (found = p; *found && depth; found++) {
		if (*found == '"')
			found = skip_string(found);
		else if (*found == '\\' && found[1])
			found++;
		else if (*found == '(')
			depth++;
		else if (*found == ')')
			depth--;
		if (!*found)
			break;
	}
	if (!depth && *blanks(found) == '=')
		return blanks(blanks(found) + 1);
	/* Arguments that are not balanced: the last ") = " ends them. */
	while ((p = strchr(p, ')'))) {
		p++;
		if (*blanks(p) == '=')
			last = blanks(blanks(p) + 1);
	}
	return last;
}

static void parse_result(const char *p, struct strace_line *out)
{
	static const struct {
		const char *name;
		u32 code;
	} restarts[] = {
		{"ERESTARTSYS", 512},
		{"ERESTARTNOINTR", 513},
		{"ERESTARTNOHAND", 514},
		{"ERESTART_RESTARTBLOCK", 516},
	};
	char *end;

	if (*p == '?') {
		p = blanks(p + 1);
		for (size_t i = 0; i < sizeof(restarts) / sizeof(*restarts); i++)
			if (begins(p, restarts[i].name))
				out->restart = restarts[i].code;
		return;
	}
	errno = 0;
	out->result = strtoll(p, &end, 0);
	out->returned = end != p && !errno;
}

/* 1 when P ends as a call does that strace could not follow to its return. */
static bool cut_short(const char *p)
{
	static const char *const ends[] = {"<unfinished ...>", "<detached ...>",
					   "No such process>"};
	size_t length = strlen(p);

	while (length && (p[length - 1] == ' ' || p[length - 1] == '\r'))
		length--;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t size = strlen(ends[i]);

		if (length >= size && !memcmp(p + length - size, ends[i], size))
			return true;
	}
	return false;
}

static int parse_call(const char *p, struct strace_line *out, const char **why)
{
	const char *end = p, *result;

	while (isalnum((unsigned char)*end) || *end == '_' || *end == '?')
		end++;
	if (end == p || digit(*p) || *end != '(') {
		*why = "not what strace writes";
		return -1;
	}
	out->name = p;
	out->name_length = end - p;
	out->args = end + 1;
	if (*p == '?') /* strace could not tell which */
		return 0;
	if (cut_short(out->args)) {
		out->kind = STRACE_UNFINISHED;
		return 0;
	}
	result = find_result(out->args);
	if (!result) {
		*why = "a call without a result: the line is cut";
		return -1;
	}
	out->kind = STRACE_CALL;
	parse_result(result, out);
	return 0;
}

/* <... NAME resumed>REST */
static int parse_resumed(const char *p, struct strace_line *out, const char **why)
{
	const char *end = strchr(p, ' '), *result;

	if (!end || !begins(end, " resumed>")) {
		*why = "not what strace writes";
		return -1;
	}
	out->name = p;
	out->name_length = end - p;
	out->args = end + strlen(" resumed>");
	out->kind = STRACE_RESUMED;
	result = find_result(out->args);
	if (result)
		parse_result(result, out);
	return 0;
}

/* "--- SIGUSR1 {...} ---", "--- stopped by SIGSTOP ---" */
static void parse_signal(const char *p, struct strace_line *out)
{
	if (!begins(p, "SIG"))
		return;
	out->kind = STRACE_SIGNAL;
	out->name = p;
	out->name_length = strcspn(p, " \t");
}

static void parse_end(const char *p, struct strace_line *out)
{
	static const char superseded[] = "superseded by execve in pid ";

	if (begins(p, superseded)) {
		out->kind = STRACE_SUPERSEDED;
		out->other = id_at(p + strlen(superseded));
	} else if (begins(p, "exited ") || begins(p, "killed ")) {
		out->kind = STRACE_EXIT;
	}
}

/* "[ Process PID=123 runs in 32 bit mode. ]" */
static void parse_mode(const char *p, struct strace_line *out)
{
	static const char process[] = "[ Process PID=";

	p += strlen(process);
	if (!strstr(p, " runs in "))
		return;
	out->kind = STRACE_MODE;
	out->other = id_at(p);
	out->compat = strstr(p, " 32 bit ") != NULL;
}

int strace_parse(const char *line, struct strace_line *out, const char **why)
{
	const char *p = blanks(line);

	memset(out, 0, sizeof(*out));
	out->number = -1;
	if (begins(p, "strace: ")) { /* what it says on standard error */
		p += strlen("strace: ");
		if (begins(p, "[ Process PID="))
			parse_mode(p, out);
		return 0;
	}
	if (*p == '>' || !*p || *p == '\r') /* a line of -k, or an empty one */
		return 0;
	p = parse_brackets(parse_time(parse_tid(p, out), out), out);
	if (begins(p, "--- "))
		parse_signal(p + 4, out);
	else if (begins(p, "+++ "))
		parse_end(p + 4, out);
	else if (begins(p, "[ Process PID="))
		parse_mode(p, out);
	else if (begins(p, "<... "))
		return parse_resumed(p + 5, out, why);
	else if (*p && !begins(p, "strace: ") && !begins(p, "Process "))
		return parse_call(p, out, why);
	return 0;
}

/* ---- what arguments and names say ---- */

int strace_signal(const char *name, size_t length)
{
	char text[16];

	if (length < 4 || length - 3 >= sizeof(text))
		return 0;
	length -= 3; /* "SIG" */
	memcpy(text, name + 3, length);
	text[length] = '\0';
	if (begins(text, "RT_") && digits(text + 3) == text + length)
		return 32 + id_at(text + 3) <= 64 ? (int)(32 + id_at(text + 3)) : 0;
	if (!strcmp(text, "RTMIN"))
		return 32;
	for (int i = 1; i < 32; i++)
		if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), text))
			return i;
	return 0;
}

/* The byte that the escape behind the backslash at *P means; *P moves behind it. */
static char unescape(const char **p)
{
	static const char letters[] = "n\nt\tr\rv\vf\fb\ba\a";
	const char *at = ++*p, *found;
	int value = 0;

	if (*at >= '0' && *at <= '7') {
		for (int i = 0; i < 3 && **p >= '0' && **p <= '7'; i++)
			value = value * 8 + *(*p)++ - '0';
		return (char)value;
	}
	if (*at == 'x' && isxdigit((unsigned char)at[1]) &&
	    isxdigit((unsigned char)at[2])) {
		char hex[3] = {at[1], at[2], '\0'};

		*p += 3;
		return (char)strtol(hex, NULL, 16);
	}
	++*p;
	for (found = letters; *found; found += 2)
		if (*found == *at)
			return found[1];
	return *at;
}

bool strace_string(const char *args, char *text, size_t size)
{
	const char *p = strchr(args, '"');
	size_t length = 0;

	if (!p)
		return false;
	for (p++; *p && *p != '"';) {
		char c = *p;

		if (c == '\\' && p[1])
			c = unescape(&p);
		else
			p++;
		if (length + 1 >= size)
			return false;
		text[length++] = c;
	}
	text[length] = '\0';
	return *p == '"';
}
