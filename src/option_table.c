/* SPDX-License-Identifier: GPL-2.0-only */
#include "option_table.h"

#include <string.h>

#include "options.h"

#define COMM_MAX 15   /* TASK_COMM_LEN without its end */
#define LONG_ONLY 256 /* what getopt returns: letter, or this + place */

#define FIELD(f) .field = offsetof(struct options, f)
#define OTHER(f) .other = offsetof(struct options, f)
#define DURATION "a duration above 0, such as 10, 0.5, 250ms or 10m"
#define USER "a user's name or number (0..4294967294)"

static const char *const color_words[] = {
	[COLOR_AUTO] = "auto",
	[COLOR_NEVER] = "never",
	[COLOR_ALWAYS] = "always",
	NULL,
};

static const char *const abort_words[] = {
	[ABORT_BY_LSM] = "lsm",
	[ABORT_BY_KILL] = "kill",
	NULL,
};

static const struct option_rule rules[] = {
	{"pid", 'p', OPTION_PIDS, FIELD(pids), OTHER(pid_count),
	 .expected = "process ids 1..4194304, separated by commas"},
	{"exe", 'e', OPTION_STRINGS, FIELD(exes), OTHER(exe_count), .expected = "a path"},
	{"not-exe", 0, OPTION_STRINGS, FIELD(not_exes), OTHER(not_exe_count),
	 .expected = "a path"},
	{"uid", 'u', OPTION_USER, FIELD(uid), OTHER(has_uid), .expected = USER},
	{"not-uid", 0, OPTION_USERS, FIELD(not_uids), OTHER(not_uid_count),
	 .expected = USER},
	{"cgroup", 'c', OPTION_ONCE, FIELD(cgroup), .expected = "a path"},
	{"comm", 'n', OPTION_ONCE, FIELD(comm), .max = COMM_MAX,
	 .expected = "a command name of 1..15 bytes"},
	{"output", 'o', OPTION_STRING, FIELD(output), .expected = "a file"},
	{"duration", 'd', OPTION_DURATION, FIELD(duration_ns), .min = 1,
	 .expected = DURATION},
	{"interval", 'i', OPTION_DURATION, FIELD(interval_ns), .min = 1,
	 .expected = DURATION},
	{"timestamp", 'T', OPTION_FLAG, FIELD(timestamp)},
	{"json", 'j', OPTION_FLAG, FIELD(json)},
	{"quiet", 'q', OPTION_FLAG, FIELD(quiet), .excludes = "verbose"},
	{"verbose", 'v', OPTION_FLAG, FIELD(verbose), .excludes = "quiet"},
	{"normal-time", 0, OPTION_DURATION, FIELD(normal_wait_ns),
	 .expected = "a duration of 0 or more, such as 0, 30s, 6h or 1w"},
	{"normal-factor", 0, OPTION_RATIO, FIELD(factor), OTHER(factor_den),
	 .expected = "N or N/D, each 1..65535"},
	{"anomaly-limit", 0, OPTION_NUMBER, FIELD(anomaly_limit), .max = 1000000,
	 .expected = "a number 0..1000000"},
	{"tolerize-limit", 0, OPTION_NUMBER, FIELD(tolerize_limit), .max = 128,
	 .expected = "a number 0..128"},
	{"window", 0, OPTION_NUMBER, FIELD(window), .min = 2, .max = 9,
	 .expected = "a number 2..9"},
	{"delay", 0, OPTION_NUMBER, FIELD(delay_ms), .max = 60000,
	 .expected = "a number of milliseconds 0..60000"},
	{"delay-max", 0, OPTION_DURATION, FIELD(delay_max_ns), .min = 1000000,
	 .expected = "a duration of 1ms or more, such as 30s or 1h"},
	{"abort-exec", 0, OPTION_NUMBER, FIELD(abort_lfc), .max = 128,
	 .expected = "a number 0..128"},
	{"abort-exec-by", 0, OPTION_WORD, FIELD(abort_by), .words = abort_words,
	 .expected = "lsm or kill"},
	{"respond-to", 0, OPTION_STRINGS, FIELD(respond), OTHER(respond_count),
	 .expected = "a path"},
	{"never-respond-to", 0, OPTION_STRINGS, FIELD(never_respond),
	 OTHER(never_respond_count), .expected = "a path"},
	{"dry-run", 0, OPTION_FLAG, FIELD(dry_run)},
	{"show-exceptions", 0, OPTION_FLAG, FIELD(show_exceptions)},
	{"profile-dir", 0, OPTION_STRING, FIELD(profile_dir), .expected = "a directory"},
	{"no-load", 0, OPTION_FLAG, FIELD(no_load)},
	{"no-save", 0, OPTION_FLAG, FIELD(no_save)},
	{"save-interval", 0, OPTION_DURATION, FIELD(save_interval_ns), .min = 1000000,
	 .expected = "a duration of 1ms or more, such as 30s or 5m"},
	{"adopt-upgrades", 0, OPTION_FLAG, FIELD(adopt_upgrades)},
	{"max-profiles", 0, OPTION_NUMBER, FIELD(max_profiles), .min = 1, .max = 65536,
	 .expected = "a number 1..65536"},
	{"max-pairs-memory", 0, OPTION_SIZE, FIELD(max_pairs_memory), .min = 64 << 10,
	 .max = 4ull << 30, .expected = "a size 64K..4G, in bytes or with K, M or G"},
	{"kernel-headers", 0, OPTION_STRING, FIELD(headers),
	 .expected = "auto, btf or a directory"},
	{"socket", 0, OPTION_STRING, FIELD(socket), .excludes = "no-socket",
	 .expected = "a path"},
	{"no-socket", 0, OPTION_FLAG, FIELD(no_socket), .excludes = "socket"},
	{"config", 0, OPTION_STRING, FIELD(config), .expected = "a file"},
	{"check", 0, OPTION_FLAG, FIELD(check)},
	{"ebpf", 0, OPTION_FLAG, FIELD(ebpf)},
	{"self-test", 0, OPTION_FLAG, FIELD(self_test)},
	{"color", 0, OPTION_WORD, FIELD(color), .words = color_words,
	 .expected = "auto, never or always"},
	{.name = "help", .letter = 'h'}, /* these two end the parsing */
	{.name = "version", .letter = 'V'},
};

enum { RULES = sizeof(rules) / sizeof(*rules) };
_Static_assert((int)RULES <= (int)OPTION_TABLE_MAX, "there is no room for all options");

void option_getopt_fill(struct option_getopt *t)
{
	char *letter = t->letters;

	*letter++ = '+'; /* stop at the first word */
	*letter++ = ':'; /* a missing value is no unknown option */
	for (size_t i = 0; i < RULES; i++) {
		const struct option_rule *r = &rules[i];

		t->longs[i].name = r->name;
		t->longs[i].has_arg = r->expected ? required_argument : no_argument;
		t->longs[i].val = r->letter ? r->letter : LONG_ONLY + (int)i;
		if (!r->letter)
			continue;
		*letter++ = r->letter;
		if (r->expected)
			*letter++ = ':';
	}
}

const struct option_rule *option_by_value(int value)
{
	if (value >= LONG_ONLY)
		return &rules[value - LONG_ONLY];
	for (size_t i = 0; value && i < RULES; i++)
		if (rules[i].letter == value)
			return &rules[i];
	return NULL;
}

const struct option_rule *option_by_name(const char *name)
{
	for (size_t i = 0; i < RULES; i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

size_t option_place(const struct option_rule *r)
{
	return (size_t)(r - rules);
}
