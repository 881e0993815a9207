/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <sys/syscall.h>

#include "../../src/report.h"

enum { SLOTS = 8, SECOND = 1000000000 };

/* All of what a test needs: a report that writes to memory. */
struct fixture {
	struct options options;
	struct report report;
	char *text, *messages;
	size_t size, messages_size;
	size_t read; /* of text, by written() */
	FILE *out, *err;
};

static void open_report(struct fixture *f)
{
	f->out = open_memstream(&f->text, &f->size);
	f->err = open_memstream(&f->messages, &f->messages_size);
	assert_non_null(f->out);
	assert_non_null(f->err);
	assert_int_equal(report_init(&f->report, &f->options, f->out, SLOTS), 0);
	f->report.messages = f->err;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	setenv("TZ", "UTC", 1);
	tzset();
	*state = f;
	return f ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	report_free(&f->report);
	if (f->out)
		fclose(f->out);
	if (f->err)
		fclose(f->err);
	free(f->text);
	free(f->messages);
	free(f);
	return 0;
}

/* What was written since the last call; valid until something is written again. */
static const char *written(struct fixture *f)
{
	size_t from = f->read;

	fflush(f->out);
	f->read = f->size;
	return f->text + from;
}

/* The boot clock when it was, or will be, 2026-01-02 03:04:SECONDS.5 UTC. */
static u64 boot_at(u32 seconds)
{
	struct timespec boot, real;
	u64 base = 1767323040ULL + seconds;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &real);
	return base * SECOND + SECOND / 2 -
	       (((u64)real.tv_sec - (u64)boot.tv_sec) * SECOND + (u64)real.tv_nsec -
		(u64)boot.tv_nsec);
}

static struct event make_event(u32 type)
{
	struct event e = {
		.type = type,
		.slot = 3,
		.time = boot_at(5),
		.cgroup = 1ULL << 62, /* there is none */
		.train_count = 1000,
		.sequences = 60,
		.anomalies = 7,
		.identity = {.device = 0xfe0, .inode = 0x3c5be, .mtime = 1},
		.pid = 4711,
		.tid = 4712,
		.ppid = 1,
		.uid = 33,
		.container_pid = 4711,
		.lfc = 2,
		.comm = "sh",
	};

	for (int i = 0; i < WINDOW_MAX; i++)
		e.sequence[i] = SYMBOL_NONE;
	return e;
}

static struct event make_call(u32 type)
{
	struct event e = make_event(type);

	e.sequence[0] = SYS_write;
	e.sequence[1] = SYS_write;
	e.sequence[2] = SYS_read;
	e.sequence[3] = SYS_openat;
	e.missed = 1 | 4;
	return e;
}

/* Tell R that slot 3 is PATH; what that prints is dropped. */
static void name_it(struct fixture *f, const char *path)
{
	union {
		struct event event;
		char room[sizeof(struct event) + 256];
	} e = {.event = make_event(EVENT_PROFILE)};

	e.event.path_length = (u32)strlen(path);
	memcpy(e.room + sizeof(e.event), path, strlen(path));
	report_event(&f->report, &e.event, sizeof(e.event) + strlen(path));
	written(f);
	f->report.header_done = false;
}

static void send(struct fixture *f, const struct event *e)
{
	report_event(&f->report, e, sizeof(*e));
}

/* NAME of J begins with WANTED; it is taken away. */
static void take_time(json_t *j, const char *name, const char *wanted)
{
	const char *time = json_string_value(json_object_get(j, name));

	assert_non_null(time);
	assert_int_equal(strlen(time), strlen("2026-01-02T03:04:05.500000000Z"));
	assert_int_equal(time[29], 'Z');
	if (strncmp(time, wanted, strlen(wanted)))
		fail_msg("%s is %s, not %s", name, time, wanted);
	json_object_del(j, name);
}

/* LINE is one line with just the fields that WANTED has ('' for ""), and time. */
static void expect_json(const char *line, const char *wanted, const char *time,
			const char *normal_time)
{
	json_error_t error;
	json_t *have = json_loads(line, JSON_REJECT_DUPLICATES, &error), *want;
	char *copy = strdup(wanted);

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	want = json_loads(copy, 0, &error);
	free(copy);
	if (!have || !want)
		fail_msg("%s: %s", error.text, line);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	take_time(have, "time", time);
	if (normal_time)
		take_time(have, "normal_time", normal_time);
	if (!json_equal(have, want))
		fail_msg("%s, not %s", json_dumps(have, JSON_SORT_KEYS),
			 json_dumps(want, JSON_SORT_KEYS));
	json_decref(have);
	json_decref(want);
}

#define WHEN "2026-01-02T03:04:05."

/* ---- text ---- */

#define HEADER "PID     TID     COMM            EVENT          LFC EXE: DETAIL\n"
#define WHO "4711    4712    sh              "

static void test_text_of_each_event(void **state)
{
	static const struct {
		u32 type;
		const char *line;
	} expected[] = {
		{EVENT_PROFILE, WHO "profile        2   (no path)\n"},
		{EVENT_FREEZE, WHO "freeze         2   (no path)\n"},
		{EVENT_THAW, WHO "thaw           2   (no path)\n"},
		{EVENT_NORMAL, WHO "normal         2   (no path)\n"},
		{EVENT_ANOMALY_LIMIT, WHO "anomaly_limit  2   (no path)\n"},
		{EVENT_TOLERIZE_LIMIT, WHO "tolerize_limit 2   (no path)\n"},
		{EVENT_EXEC, WHO "exec           2   (no path)\n"},
		{EVENT_EXIT, WHO "exit           2   (no path)\n"},
		{EVENT_DELAY, WHO "delay          2   (no path): 640 ms\n"},
		{EVENT_ABORT_EXEC, WHO "abort_exec     2   (no path)\n"},
	};
	struct fixture *f = *state;

	open_report(f);
	name_it(f, "");
	f->report.header_done = true;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		struct event e = make_event(expected[i].type);

		if (e.type == EVENT_DELAY)
			e.delay = 640000000;
		send(f, &e);
		assert_string_equal(written(f), expected[i].line);
	}
}

static void test_text_of_an_anomaly(void **state)
{
	struct event e = make_call(EVENT_ANOMALY);
	struct fixture *f = *state;

	open_report(f);
	name_it(f, "/usr/bin/dash");
	send(f, &e);
	assert_string_equal(written(f),
			    HEADER WHO "anomaly        2   /usr/bin/dash: openat, read, "
				       "write, write (new: write@1, openat@3)\n");
	/* the header comes once */
	e.missed = 7;
	send(f, &e);
	assert_string_equal(written(f), WHO "anomaly        2   /usr/bin/dash: openat, "
					    "read, write, write (new: all 3)\n");
	e.sequence[2] = SYMBOL_NONE;
	e.sequence[3] = SYMBOL_NONE;
	e.missed = 1;
	send(f, &e);
	assert_string_equal(written(f), WHO "anomaly        2   /usr/bin/dash: write, "
					    "write (new: write@1)\n");
	assert_int_equal(f->report.anomalies, 3);
}

/* A call beyond those that a profile tells apart has no number, but is a call. */
static void test_calls_without_a_name(void **state)
{
	struct event e = make_call(EVENT_SEQUENCE);
	struct fixture *f = *state;

	open_report(f);
	name_it(f, "/a");
	f->report.header_done = true;
	e.sequence[0] = SYMBOL_UNKNOWN;
	e.sequence[1] = SYMBOL_NONE; /* but missed: the overflow symbol */
	e.sequence[2] = SYMBOL_COMPAT + 4;
	e.sequence[3] = 511;
	e.missed = 1;
	send(f, &e);
	assert_string_equal(written(f), WHO "sequence       2   /a: syscall_511, write, "
					    "other, unknown (new: other@1)\n");
}

static void test_time_of_day(void **state)
{
	struct event e = make_event(EVENT_NORMAL);
	struct fixture *f = *state;

	f->options.timestamp = true;
	setenv("TZ", "UTC-2", 1); /* two hours east */
	tzset();
	open_report(f);
	name_it(f, "/a");
	send(f, &e);
	assert_string_equal(written(f),
			    "TIME     " HEADER "05:04:05 " WHO "normal         2   /a\n");
}

static void test_quiet(void **state)
{
	struct event e = make_call(EVENT_ANOMALY);
	struct fixture *f = *state;

	f->options.quiet = true;
	open_report(f);
	name_it(f, "/a");
	for (u32 type = EVENT_PROFILE; type <= EVENT_EXIT; type++) {
		e.type = type;
		send(f, &e);
		assert_int_equal(*written(f) != '\0', type == EVENT_ANOMALY);
	}
}

/* A file's name makes no line, no escape sequence, and no detail of its own. */
static void test_names_that_would_forge(void **state)
{
	struct event e = make_call(EVENT_ANOMALY);
	struct fixture *f = *state;

	open_report(f);
	name_it(f, "/tmp/a: read (new: read@1)\n1\x1b[2J\xff\\");
	f->report.header_done = true;
	memcpy(e.comm, "a\nb\x1b\x9b sixteen bytes", sizeof(e.comm)); /* no end */
	send(f, &e);
	assert_string_equal(
		written(f),
		"4711    4712    a\\x0ab\\x1b\\x9b sixteen by anomaly        2   "
		"/tmp/a:\\x20read\\x20(new:\\x20read@1)\\x0a1\\x1b[2J\\xff\\x5c: openat, "
		"read, write, write (new: write@1, openat@3)\n");
}

static void test_columns_count_characters(void **state)
{
	struct event e = make_event(EVENT_NORMAL);
	struct fixture *f = *state;

	open_report(f);
	name_it(f, "/a");
	f->report.header_done = true;
	memcpy(e.comm, "\xc3\xa4\xc3\xb6", 5);
	send(f, &e);
	assert_string_equal(written(f), "4711    4712    \xc3\xa4\xc3\xb6"
					"              normal         2   /a\n");
}

static void test_container_in_text(void **state)
{
	struct event e = make_call(EVENT_ANOMALY);
	struct fixture *f = *state;

	open_report(f);
	name_it(f, "/a");
	f->report.header_done = true;
	e.container_pid = 17;
	e.missed = 7;
	send(f, &e);
	assert_string_equal(written(f),
			    WHO "anomaly        2   /a: openat, read, write, write (new: "
				"all 3) [17 in (id\\x204611686018427387904)]\n");
}

static void test_color(void **state)
{
	struct event e = make_call(EVENT_ANOMALY);
	struct fixture *f = *state;

	f->options.color = COLOR_ALWAYS;
	open_report(f);
	name_it(f, "/a");
	f->report.header_done = true;
	e.missed = 7;
	send(f, &e);
	assert_string_equal(written(f),
			    WHO "\033[1;31manomaly\033[0m        2   /a: openat, read, "
				"write, \033[1;31mwrite\033[0m (new: all 3)\n");
	e.type = EVENT_TOLERIZE_LIMIT;
	send(f, &e);
	assert_string_equal(written(f), WHO "\033[33mtolerize_limit\033[0m 2   /a\n");
	e.type = EVENT_FREEZE;
	send(f, &e);
	assert_string_equal(written(f), WHO "freeze         2   /a\n");
}

/* ---- names ---- */

static void test_unknown_and_reused_slots(void **state)
{
	struct event e = make_event(EVENT_NORMAL);
	struct fixture *f = *state;

	open_report(f);
	f->report.header_done = true;
	send(f, &e);
	assert_string_equal(written(f), WHO "normal         2   (unknown)\n");
	name_it(f, "/a");
	f->report.header_done = true;
	send(f, &e);
	assert_string_equal(written(f), WHO "normal         2   /a\n");
	/* another profile took the slot, and nothing was heard of it */
	e.identity.generation++;
	send(f, &e);
	assert_string_equal(written(f), WHO "normal         2   (unknown)\n");
	assert_null(report_exe(&f->report, 3, &e.identity));
	assert_null(report_exe(&f->report, SLOTS + 1, &e.identity));
}

static void test_path_without_its_beginning(void **state)
{
	union {
		struct event event;
		char room[sizeof(struct event) + 8];
	} e = {.event = make_event(EVENT_PROFILE)};
	struct fixture *f = *state;

	open_report(f);
	f->report.header_done = true;
	e.event.truncated = 1;
	e.event.path_length = 4;
	memcpy(e.room + sizeof(e.event), "/b/cXXX", 8);
	report_event(&f->report, &e.event, sizeof(e.event) + 4);
	assert_string_equal(written(f), WHO "profile        2   .../b/c\n");
	/* longer than what came: not taken */
	e.event.path_length = 5;
	e.event.identity.size = 1;
	report_event(&f->report, &e.event, sizeof(e.event) + 4);
	assert_string_equal(written(f), WHO "profile        2   (unknown)\n");
}

static void test_what_is_no_event(void **state)
{
	struct event e = make_event(EVENT_NORMAL);
	struct fixture *f = *state;

	open_report(f);
	report_event(&f->report, &e, sizeof(e) - 1);
	e.slot = SLOTS + 1;
	send(f, &e);
	e.slot = 1;
	e.type = 1000;
	send(f, &e);
	assert_string_equal(written(f), "");
}

/* ---- JSON ---- */

#define PROFILE_FIELDS "'key': '00000fe00003c5be', 'exe': '/usr/bin/dash'"
#define CALL_FIELDS                                                                 \
	"'pid': 4711, 'tid': 4712, 'ppid': 1, 'uid': 33, 'comm': 'sh', "            \
	"'cgroup': '(id 4611686018427387904)', 'syscall': 'write', 'nr': 1, "       \
	"'misses': 2, 'sequence': ['openat', 'read', 'write', 'write'], 'missed': " \
	"[{'prev': 'write', 'distance': 1}, {'prev': 'openat', 'distance': 3}], "

static void test_json_of_each_event(void **state)
{
	static const struct {
		u32 type;
		const char *object;
	} expected[] = {
		{EVENT_PROFILE,
		 "{'event': 'profile', " PROFILE_FIELDS ", 'pid': 4711, 'comm': 'sh'}"},
		{EVENT_FREEZE, "{'event': 'freeze', " PROFILE_FIELDS
			       ", 'train_count': 1000, 'sequences': 60}"},
		{EVENT_THAW,
		 "{'event': 'thaw', " PROFILE_FIELDS
		 ", 'train_count': 1000, 'sequences': 60, 'normal_time': null}"},
		{EVENT_NORMAL, "{'event': 'normal', " PROFILE_FIELDS
			       ", 'train_count': 1000, 'sequences': 60}"},
		{EVENT_ANOMALY, "{'event': 'anomaly', " CALL_FIELDS PROFILE_FIELDS
				", 'lfc': 2, 'anomalies': 7}"},
		{EVENT_SEQUENCE, "{'event': 'sequence', " CALL_FIELDS PROFILE_FIELDS "}"},
		{EVENT_ANOMALY_LIMIT,
		 "{'event': 'anomaly_limit', " PROFILE_FIELDS
		 ", 'pid': 4711, 'tid': 4712, 'lfc': 2, 'anomalies': 7}"},
		{EVENT_TOLERIZE_LIMIT,
		 "{'event': 'tolerize_limit', " PROFILE_FIELDS
		 ", 'pid': 4711, 'tid': 4712, 'lfc': 2, 'anomalies': 7}"},
		{EVENT_EXEC, "{'event': 'exec', " PROFILE_FIELDS
			     ", 'pid': 4711, 'ppid': 1, 'tid': 4712, 'comm': 'sh'}"},
		{EVENT_EXIT, "{'event': 'exit', " PROFILE_FIELDS
			     ", 'pid': 4711, 'ppid': 1, 'tid': 4712, 'comm': 'sh'}"},
		{EVENT_DELAY,
		 "{'event': 'delay', " PROFILE_FIELDS
		 ", 'pid': 4711, 'tid': 4712, 'lfc': 2, 'milliseconds': 640, "
		 "'until': null}"},
		{EVENT_ABORT_EXEC, "{'event': 'abort_exec', " PROFILE_FIELDS
				   ", 'pid': 4711, 'tid': 4712, 'lfc': 2, "
				   "'milliseconds': 0, 'dry_run': true}"},
	};
	struct fixture *f = *state;

	f->options.json = true;
	open_report(f);
	name_it(f, "/usr/bin/dash");
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		struct event e = make_call(expected[i].type);

		e.normal_time = e.type == EVENT_FREEZE ? boot_at(9) : 0;
		e.path_length = 1; /* more than there is: the name stays */
		if (e.type == EVENT_DELAY)
			e.delay = 640999999;
		e.dry_run = e.type == EVENT_ABORT_EXEC;
		send(f, &e);
		expect_json(written(f), expected[i].object, WHEN,
			    e.normal_time ? "2026-01-02T03:04:09." : NULL);
	}
}

static void test_json_of_a_container(void **state)
{
	struct event e = make_call(EVENT_ANOMALY);
	struct fixture *f = *state;
	json_t *j;

	f->options.json = true;
	open_report(f);
	e.container_pid = 17;
	send(f, &e);
	j = json_loads(written(f), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "container_pid")), 17);
	json_decref(j);
}

/* The number is the ABI's own; a call without one says so. */
static void test_numbers_of_calls(void **state)
{
	static const struct {
		u16 symbol;
		const char *name;
		json_int_t nr; /* -1: null */
	} calls[] = {
		{SYS_write, "write", SYS_write},
		{511, "syscall_511", 511},
#if defined(__x86_64__)
		{SYMBOL_COMPAT + 4, "write", 4},
		{SYMBOL_COMPAT + 119, "sigreturn", 119},
		{SYMBOL_X32 + 1, "write", 0x40000001},
		{SYMBOL_X32 + 513, "rt_sigreturn", 0x40000201},
#endif
		{SYMBOL_UNKNOWN, "unknown", -1},
		{SYMBOL_NONE, "other", -1},
	};
	struct fixture *f = *state;

	f->options.json = true;
	open_report(f);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct event e = make_call(EVENT_ANOMALY);
		json_t *j, *nr;

		e.sequence[0] = calls[i].symbol;
		send(f, &e);
		j = json_loads(written(f), 0, NULL);
		nr = json_object_get(j, "nr");
		assert_string_equal(json_string_value(json_object_get(j, "syscall")),
				    calls[i].name);
		assert_non_null(nr);
		if (calls[i].nr < 0)
			assert_true(json_is_null(nr));
		else
			assert_int_equal(json_integer_value(nr), calls[i].nr);
		json_decref(j);
	}
}

static void expect_exe(struct fixture *f, const char *wanted)
{
	struct event e = make_event(EVENT_EXIT);
	json_t *j, *exe;

	send(f, &e);
	j = json_loads(written(f), 0, NULL);
	exe = json_object_get(j, "exe");
	assert_non_null(exe);
	if (wanted)
		assert_string_equal(json_string_value(exe), wanted);
	else
		assert_true(json_is_null(exe));
	json_decref(j);
}

static void test_names_in_json(void **state)
{
	struct fixture *f = *state;

	f->options.json = true;
	open_report(f);
	expect_exe(f, NULL);
	name_it(f, "");
	expect_exe(f, "");
	name_it(f, "/a b\n\x1b/\xc3\xa4");
	expect_exe(f, "/a b\n\x1b/\xc3\xa4");
	name_it(f, "/\xff\\xff");
	expect_exe(f, "/\\xff\\x5cxff");
}

/* ---- summaries ---- */

static struct profile make_profile(u32 state, u64 anomalies, u64 inode)
{
	return (struct profile){
		.state = state,
		.identity = {.device = 1, .inode = inode},
		.count = 5000,
		.train_count = 4000,
		.change_count = 1000,
		.sequences = 77,
		.anomalies = anomalies,
		.normal_time = boot_at(9),
	};
}

static void name_profile(struct fixture *f, u32 slot, const struct profile *p,
			 const char *path)
{
	union {
		struct event event;
		char room[sizeof(struct event) + 64];
	} e = {.event = make_event(EVENT_PROFILE)};

	e.event.slot = slot;
	e.event.identity = p->identity;
	e.event.path_length = (u32)strlen(path);
	memcpy(e.room + sizeof(e.event), path, strlen(path));
	report_event(&f->report, &e.event, sizeof(e.event) + strlen(path));
	written(f);
}

static const struct totals totals = {.system_calls = 123456,
				     .lost = 5,
				     .map_memory = 23306020,
				     .processes = 3,
				     .threads = 9};

static void test_summary_text(void **state)
{
	struct profile training = make_profile(STATE_TRAINING, 0, 1),
		       frozen = make_profile(STATE_FROZEN, 0, 2),
		       normal = make_profile(STATE_NORMAL, 12, 3),
		       nameless = make_profile(STATE_TRAINING, 0, 0);
	struct fixture *f = *state;

	open_report(f);
	name_profile(f, 1, &training, "/usr/bin/b c");
	name_profile(f, 2, &frozen, "/usr/bin/a");
	name_profile(f, 3, &normal, "/usr/bin/z");
	report_summary_begin(&f->report);
	report_profile(&f->report, 4, &nameless);
	report_profile(&f->report, 1, &training);
	report_profile(&f->report, 2, &frozen);
	report_profile(&f->report, 3, &normal);
	report_summary_end(&f->report, &totals);
	assert_string_equal(
		written(f),
		"\n"
		"STATE         TRAIN   LAST_MOD SEQUENCES ANOMALIES NORMAL TIME         "
		"EXE\n"
		"normal         4000       3000        77        12 -                   "
		"/usr/bin/z\n"
		"frozen         4000       3000        77         0 2026-01-02 03:04:09 "
		"/usr/bin/a\n"
		"training       4000       3000        77         0 -                   "
		"/usr/bin/b\\x20c\n"
		"training       4000       3000        77         0 -                   "
		"(unknown)\n"
		"123456 system calls, 3 processes, 9 threads, 5 lost, 22.2M kernel "
		"memory\n");
	/* the next one begins from nothing; without dates it is narrower */
	report_summary_begin(&f->report);
	report_profile(&f->report, 3, &normal);
	report_summary_end(&f->report, &(struct totals){.system_calls = 1,
							.processes = 1,
							.threads = 1,
							.map_memory = 512});
	assert_string_equal(
		written(f),
		"\n"
		"STATE         TRAIN   LAST_MOD SEQUENCES ANOMALIES NORMAL TIME EXE\n"
		"normal         4000       3000        77        12 -           "
		"/usr/bin/z\n"
		"1 system call, 1 process, 1 thread, 0 lost, 512 kernel memory\n");
}

static void test_summary_color_and_time(void **state)
{
	struct profile normal = make_profile(STATE_NORMAL, 12, 3);
	struct fixture *f = *state;
	const char *text;

	f->options.color = COLOR_ALWAYS;
	f->options.timestamp = true;
	open_report(f);
	name_profile(f, 3, &normal, "/z");
	report_summary_begin(&f->report);
	report_profile(&f->report, 3, &normal);
	report_summary_end(&f->report, &totals);
	text = written(f);
	assert_int_equal(text[1], '[');
	assert_int_equal(text[10], ']');
	assert_non_null(strstr(text, "\n\033[32mnormal\033[0m         4000"));
	assert_non_null(strstr(text, " \033[1;31m       12\033[0m -"));
}

static void test_summary_json(void **state)
{
	struct profile training = make_profile(STATE_TRAINING, 0, 1),
		       frozen = make_profile(STATE_FROZEN, 1, 2);
	struct fixture *f = *state;
	json_t *j, *rows, *row;

	f->options.json = true;
	open_report(f);
	name_profile(f, 2, &frozen, "/f");
	report_summary_begin(&f->report);
	report_profile(&f->report, 1, &training);
	report_profile(&f->report, 2, &frozen);
	report_summary_end(&f->report, &totals);
	j = json_loads(written(f), 0, NULL);
	assert_non_null(j);
	rows = json_incref(json_object_get(j, "profiles"));
	json_object_del(j, "profiles");
	assert_non_null(json_object_get(j, "time"));
	json_object_del(j, "time");
	row = json_loads(
		"{\"event\": \"summary\", \"system_calls\": 123456, \"lost\": 5, "
		"\"processes\": 3, \"threads\": 9, \"map_memory\": 23306020}",
		0, NULL);
	assert_true(json_equal(j, row));
	json_decref(row);
	json_decref(j);

	assert_int_equal(json_array_size(rows), 2);
	take_time(json_array_get(rows, 0), "normal_time", "2026-01-02T03:04:09.");
	row = json_loads("[{\"key\": \"0000000100000002\", \"exe\": \"/f\", \"state\": "
			 "\"frozen\", \"count\": 5000, \"train_count\": 4000, "
			 "\"last_mod_count\": 3000, \"sequences\": 77, \"anomalies\": 1},"
			 "{\"key\": \"0000000100000001\", \"exe\": null, \"state\": "
			 "\"training\", \"count\": 5000, \"train_count\": 4000, "
			 "\"last_mod_count\": 3000, \"sequences\": 77, \"anomalies\": 0, "
			 "\"normal_time\": null}]",
			 0, NULL);
	assert_non_null(row);
	assert_true(json_equal(rows, row));
	json_decref(row);
	json_decref(rows);
}

static void test_empty_summary(void **state)
{
	struct fixture *f = *state;
	json_t *j;

	f->options.json = true;
	open_report(f);
	report_summary_begin(&f->report);
	report_summary_end(&f->report, &totals);
	j = json_loads(written(f), 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_array_size(json_object_get(j, "profiles")), 0);
	json_decref(j);
}

/* ---- start, losses, messages ---- */

static void start_with(struct fixture *f, const char *settings)
{
	char object[1024];
	json_t *j;
	const char *line;

	report_start(&f->report, &f->options, "6.1.0-x", "btf");
	line = written(f);
	j = json_loads(line, 0, NULL);
	assert_non_null(j);
	snprintf(object, sizeof(object),
		 "{'event': 'start', 'version': '%s', 'schema': 1, 'kernel': '6.1.0-x', "
		 "'headers': 'btf', 'settings': %s}",
		 EBPH_VERSION, settings);
	expect_json(line, object, "20", NULL);
	json_decref(j);
}

#define DEFAULTS                                                                    \
	"'quiet': false, 'verbose': false, 'check': false, 'normal_time': 604800, " \
	"'normal_factor': '128/32', 'anomaly_limit': 30, 'tolerize_limit': 12, "    \
	"'window': 9, 'profile_dir': '/p', 'no_load': false, 'no_save': false, "    \
	"'save_interval': 300, 'adopt_upgrades': false, 'max_profiles': 1024, "     \
	"'max_pairs_memory': 8388608, 'kernel_headers': 'auto'}"

static void test_start(void **state)
{
	char *argv[] = {(char *)"ebph", (char *)"-j", (char *)"--profile-dir=/p",
			(char *)"--max-pairs-memory=8M", NULL};
	struct fixture *f = *state;
	char error[64];

	assert_int_equal(options_parse(4, argv, &f->options, error, sizeof(error)),
			 OPTIONS_RUN);
	open_report(f);
	start_with(f, "{" DEFAULTS);
	options_free(&f->options);
	f->report.quiet = true;
	report_start(&f->report, &f->options, "", "");
	assert_string_equal(written(f), "");
}

static void test_start_with_everything(void **state)
{
	static const char *const words[] = {"ebph",
					    "-jp",
					    "7,8",
					    "-e",
					    "/a\xff",
					    "--not-exe",
					    "/b",
					    "-u0",
					    "--not-uid",
					    "1",
					    "-c",
					    "/c",
					    "-n",
					    "d",
					    "-d",
					    "1.5",
					    "-i",
					    "2m",
					    "--window=3",
					    "-v",
					    "--check",
					    "--normal-time=250ms",
					    "--profile-dir=/p",
					    "--no-load",
					    "--no-save",
					    "--save-interval=2s",
					    "--adopt-upgrades",
					    "--max-pairs-memory=1M"};
	char *argv[sizeof(words) / sizeof(*words) + 1] = {0};
	int argc = sizeof(words) / sizeof(*words);
	struct fixture *f = *state;
	char error[256];

	for (int i = 0; i < argc; i++)
		argv[i] = (char *)words[i];
	assert_int_equal(options_parse(argc, argv, &f->options, error, sizeof(error)),
			 OPTIONS_RUN);
	open_report(f);
	start_with(f,
		   "{'pid': [7, 8], 'exe': ['/a\\\\xff'], 'not_exe': ['/b'], 'uid': 0, "
		   "'not_uid': [1], 'cgroup': '/c', 'comm': 'd', 'duration': 1.5, "
		   "'interval': 120, 'quiet': false, 'verbose': true, 'check': true, "
		   "'normal_time': 0.25, 'normal_factor': '128/32', "
		   "'anomaly_limit': 30, 'tolerize_limit': 12, 'window': 3, "
		   "'profile_dir': '/p', 'no_load': true, 'no_save': true, "
		   "'save_interval': 2, 'adopt_upgrades': true, "
		   "'max_profiles': 1024, 'max_pairs_memory': 1048576, "
		   "'kernel_headers': 'auto'}");
	options_free(&f->options);
}

static void test_losses(void **state)
{
	struct fixture *f = *state;

	open_report(f);
	report_lost(&f->report, "events", 3);
	assert_string_equal(written(f), "");
	f->report.json = true;
	f->report.quiet = true; /* even so */
	report_lost(&f->report, "calls", 4);
	expect_json(written(f), "{'event': 'lost', 'what': 'calls', 'count': 4}", "20",
		    NULL);
	fflush(f->err);
	assert_string_equal(f->messages, "ebph: lost: 3 events\nebph: lost: 4 calls\n");
}

static void test_messages(void **state)
{
	struct fixture *f = *state;

	open_report(f);
	report_warning(&f->report, "too big", "/a\n\x1b");
	assert_string_equal(written(f), "");
	f->report.json = true;
	report_warning(&f->report, "too big", "/a\n");
	expect_json(written(f),
		    "{'event': 'warning', 'message': 'too big', 'subject': '/a\\n'}",
		    "20", NULL);
	f->report.quiet = true;
	report_warning(&f->report, "too big", NULL);
	assert_string_equal(written(f), "");
	report_error(&f->report, "too small", NULL);
	expect_json(written(f), "{'event': 'error', 'message': 'too small'}", "20", NULL);
	fflush(f->err);
	assert_string_equal(f->messages, "ebph: warning: /a\\x0a\\x1b: too big\n"
					 "ebph: warning: /a\\x0a: too big\n"
					 "ebph: warning: too big\n"
					 "ebph: error: too small\n");
}

/* ---- writing ---- */

static void test_full_output(void **state)
{
	struct event e = make_event(EVENT_NORMAL);
	struct fixture *f = *state;
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(report_init(&f->report, &f->options, full, SLOTS), 0);
	assert_int_equal(f->report.error, 0);
	send(f, &e);
	assert_int_equal(f->report.error, ENOSPC);
	fclose(full);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_text_of_each_event),
		TEST(test_text_of_an_anomaly),
		TEST(test_calls_without_a_name),
		TEST(test_time_of_day),
		TEST(test_quiet),
		TEST(test_names_that_would_forge),
		TEST(test_columns_count_characters),
		TEST(test_container_in_text),
		TEST(test_color),
		TEST(test_unknown_and_reused_slots),
		TEST(test_path_without_its_beginning),
		TEST(test_what_is_no_event),
		TEST(test_json_of_each_event),
		TEST(test_json_of_a_container),
		TEST(test_numbers_of_calls),
		TEST(test_names_in_json),
		TEST(test_summary_text),
		TEST(test_summary_color_and_time),
		TEST(test_summary_json),
		TEST(test_empty_summary),
		TEST(test_start),
		TEST(test_start_with_everything),
		TEST(test_losses),
		TEST(test_messages),
		TEST(test_full_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
