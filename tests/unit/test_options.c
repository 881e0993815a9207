#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/options.h"

#define SECOND 1000000000ull
#define MAX_WORDS 32
#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static char error[256];
static char *words[MAX_WORDS + 2];

/* Parse NULL-ended words; o->command points into the words above. */
static int parse_words(struct options *o, const char *const *list)
{
	int argc = 0;

	words[argc++] = (char *)"ebph";
	for (; *list; list++) {
		assert_true(argc <= MAX_WORDS);
		words[argc++] = (char *)*list;
	}
	words[argc] = NULL;
	memset(o, 0xa5, sizeof(*o));
	return options_parse(argc, words, o, error, sizeof(error));
}

#define PARSE(o, ...) parse_words(o, (const char *const[]){__VA_ARGS__, NULL})

static void test_defaults(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse_words(&o, (const char *const[]){NULL}), OPTIONS_RUN);
	assert_string_equal(error, "");
	assert_null(o.pids);
	assert_int_equal(o.pid_count + o.exe_count + o.not_exe_count + o.not_uid_count,
			 0);
	assert_null(o.exes);
	assert_null(o.not_exes);
	assert_null(o.not_uids);
	assert_false(o.has_uid);
	assert_null(o.cgroup);
	assert_null(o.comm);
	assert_null(o.output);
	assert_null(o.command);
	assert_int_equal(o.duration_ns, 0);
	assert_int_equal(o.interval_ns, 0);
	assert_false(o.timestamp || o.json || o.quiet || o.verbose || o.check || o.ebpf);
	assert_int_equal(o.normal_wait_ns, 604800 * SECOND);
	assert_int_equal(o.factor, 128);
	assert_int_equal(o.factor_den, 32);
	assert_int_equal(o.anomaly_limit, 30);
	assert_int_equal(o.tolerize_limit, 12);
	assert_int_equal(o.window, 9);
	assert_int_equal(o.max_profiles, 1024);
	assert_int_equal(o.max_pairs_memory, 6291456);
	assert_string_equal(o.headers, "auto");
	assert_int_equal(o.color, COLOR_AUTO);
	options_free(&o);
	options_free(&o);
}

static void test_filters(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, "-p", "1,42", "--pid=4194304", "-e", "/a", "--exe",
			       "/b", "--not-exe", "/c", "-u", "root", "--not-uid", "root",
			       "--not-uid", "4294967294", "-c", "/sys/fs/cgroup/x", "-n",
			       "fifteen-bytes-x"),
			 OPTIONS_RUN);
	assert_int_equal(o.pid_count, 3);
	assert_int_equal(o.pids[0], 1);
	assert_int_equal(o.pids[1], 42);
	assert_int_equal(o.pids[2], 4194304);
	assert_int_equal(o.exe_count, 2);
	assert_string_equal(o.exes[0], "/a");
	assert_string_equal(o.exes[1], "/b");
	assert_int_equal(o.not_exe_count, 1);
	assert_string_equal(o.not_exes[0], "/c");
	assert_true(o.has_uid);
	assert_int_equal(o.uid, 0);
	assert_int_equal(o.not_uid_count, 2);
	assert_int_equal(o.not_uids[0], 0);
	assert_int_equal(o.not_uids[1], 4294967294u);
	assert_string_equal(o.cgroup, "/sys/fs/cgroup/x");
	assert_string_equal(o.comm, "fifteen-bytes-x");
	options_free(&o);
	assert_null(o.pids);
}

static void test_output(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, "-Tjv", "-oout", "-d", "1.5", "-i", "250ms", "--check",
			       "--ebpf", "--color", "always"),
			 OPTIONS_RUN);
	assert_true(o.timestamp && o.json && o.verbose && o.check && o.ebpf);
	assert_false(o.quiet);
	assert_string_equal(o.output, "out");
	assert_int_equal(o.duration_ns, 3 * SECOND / 2);
	assert_int_equal(o.interval_ns, SECOND / 4);
	assert_int_equal(o.color, COLOR_ALWAYS);
	options_free(&o);
	assert_int_equal(PARSE(&o, "-q", "--color=never"), OPTIONS_RUN);
	assert_true(o.quiet);
	assert_int_equal(o.color, COLOR_NEVER);
	options_free(&o);
}

static void test_settings(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, "--normal-time", "0", "--normal-factor", "4",
			       "--anomaly-limit", "0", "--tolerize-limit", "0",
			       "--window", "2", "--max-profiles", "1",
			       "--max-pairs-memory", "64K", "--kernel-headers", "btf"),
			 OPTIONS_RUN);
	assert_int_equal(o.normal_wait_ns, 0);
	assert_int_equal(o.factor, 4);
	assert_int_equal(o.factor_den, 1);
	assert_int_equal(o.anomaly_limit, 0);
	assert_int_equal(o.tolerize_limit, 0);
	assert_int_equal(o.window, 2);
	assert_int_equal(o.max_profiles, 1);
	assert_int_equal(o.max_pairs_memory, 65536);
	assert_string_equal(o.headers, "btf");
	options_free(&o);
}

static void test_settings_upper(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, "--normal-time", "6h", "--normal-factor", "3/65535",
			       "--anomaly-limit", "1000000", "--tolerize-limit", "128",
			       "--window", "3", "--window", "9", "--max-profiles",
			       "65536", "--max-pairs-memory", "4G", "--kernel-headers",
			       "/usr/src/x"),
			 OPTIONS_RUN);
	assert_int_equal(o.normal_wait_ns, 21600 * SECOND);
	assert_int_equal(o.factor, 3);
	assert_int_equal(o.factor_den, 65535);
	assert_int_equal(o.anomaly_limit, 1000000);
	assert_int_equal(o.tolerize_limit, 128);
	assert_int_equal(o.window, 9);
	assert_int_equal(o.max_profiles, 65536);
	assert_int_equal(o.max_pairs_memory, 4294967296);
	assert_string_equal(o.headers, "/usr/src/x");
	options_free(&o);
}

static void test_command(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, "-j", "--", "ls", "-q", "--", "--help"), OPTIONS_RUN);
	assert_true(o.json);
	assert_false(o.quiet);
	assert_ptr_equal(o.command, words + 3);
	assert_string_equal(o.command[0], "ls");
	assert_string_equal(o.command[3], "--help");
	assert_null(o.command[4]);
	options_free(&o);

	/* -- as an option's value does not end the options */
	assert_int_equal(PARSE(&o, "-o", "--", "ls"), OPTIONS_BAD);
	assert_non_null(strstr(error, "'ls'"));
	assert_int_equal(PARSE(&o, "-o", "--", "--", "ls"), OPTIONS_RUN);
	assert_string_equal(o.output, "--");
	assert_string_equal(o.command[0], "ls");
	options_free(&o);
}

static void test_help_and_version(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, "-h"), OPTIONS_HELP);
	assert_int_equal(PARSE(&o, "-p", "1", "--help", "--nonsense"), OPTIONS_HELP);
	assert_null(o.pids);
	assert_int_equal(PARSE(&o, "-V"), OPTIONS_VERSION);
	assert_int_equal(PARSE(&o, "-e", "/a", "--version"), OPTIONS_VERSION);
	assert_null(o.exes);
}

/* The file of --config for the next parsing; gives its path. */
static const char *write_file(const char *text)
{
	static char path[32];
	FILE *f;

	strcpy(path, "/tmp/ebph-test-XXXXXX");
	f = fdopen(mkstemp(path), "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void test_file(void **state)
{
	struct options o;
	const char *path = write_file("# all\n\n  json\nverbose = no\r\nquiet=yes\n"
				      "exe = /a b\nexe = /c\nwindow = 5\n"
				      "socket = /s\npid = 7\n");

	(void)state;
	assert_int_equal(PARSE(&o, "--config", path), OPTIONS_RUN);
	assert_true(o.json && o.quiet);
	assert_false(o.verbose);
	assert_int_equal(o.exe_count, 2);
	assert_string_equal(o.exes[0], "/a b");
	assert_int_equal(o.window, 5);
	assert_string_equal(o.socket, "/s");
	assert_int_equal(o.pids[0], 7);
	options_free(&o);

	/* the command line wins, also over what excludes it */
	assert_int_equal(PARSE(&o, "-v", "-e", "/d", "--config", path, "--no-socket",
			       "--window", "3", "--", "ls"),
			 OPTIONS_RUN);
	assert_true(o.json && o.verbose && o.no_socket);
	assert_false(o.quiet);
	assert_int_equal(o.exe_count, 1);
	assert_string_equal(o.exes[0], "/d");
	assert_int_equal(o.window, 3);
	assert_null(o.socket);
	assert_int_equal(o.pid_count, 0);
	options_free(&o);
	unlink(path);
}

static void test_file_mistakes(void **state)
{
	static const char *const wrong[][2] = {
		{"json\nwindow = 99", ":2: bad value '99' for --window"},
		{"json = maybe", ":1: bad value 'maybe' for json: expected yes or no"},
		{"\n\nwindow", ":3: window needs a value: a number 2..9"},
		{"nonsense = 1", ":1: no option for a file has the name 'nonsense'"},
		{"help", ":1: no option for a file has the name 'help'"},
		{"ebpf", ":1: no option for a file has the name 'ebpf'"},
		{"config = x", ":1: no option for a file has the name 'config'"},
		{"comm = a\ncomm = b", ":2: option --comm given twice: 'b'"},
		{"exe = /a\nuid = 0\nuid = 1", ":3: option --uid given twice: '1'"},
		{"quiet\nverbose", "--quiet and --verbose exclude each other"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		const char *path = write_file(wrong[i][0]);
		struct options o;
		int result = PARSE(&o, "--config", path);

		unlink(path);
		if (result != OPTIONS_BAD || !strstr(error, wrong[i][1]))
			fail_msg("'%s': %d, %s", wrong[i][0], result, error);
	}
}

/* Words that are bad usage, and what the error must name. */
struct mistake {
	const char *words[6];
	const char *named[2];
};

static const struct mistake mistakes[] = {
	{{"-p", "0"}, {"'0'", "--pid"}},
	{{"-p", "4194305"}, {"'4194305'", "--pid"}},
	{{"-p", "1,,2"}, {"'1,,2'", "--pid"}},
	{{"-p", "1,"}, {"'1,'", "--pid"}},
	{{"-p", ""}, {"''", "--pid"}},
	{{"-p", "-1"}, {"'-1'", "--pid"}},
	{{"-p", "1", "-p", "x"}, {"'x'", "--pid"}},
	{{"-p", "--", "ls"}, {"'--'", "--pid"}},
	{{"-e", ""}, {"''", "--exe"}},
	{{"--not-exe", ""}, {"''", "--not-exe"}},
	{{"-u", ""}, {"''", "--uid"}},
	{{"-u", "4294967295"}, {"'4294967295'", "--uid"}},
	{{"-u", "no such user"}, {"'no such user'", "--uid"}},
	{{"-u", "0", "-u", "1"}, {"'1'", "--uid"}},
	{{"--not-uid", "-1"}, {"'-1'", "--not-uid"}},
	{{"-c", ""}, {"''", "--cgroup"}},
	{{"-c", "a", "-c", "b"}, {"'b'", "--cgroup"}},
	{{"-n", ""}, {"''", "--comm"}},
	{{"-n", "sixteen-bytes-xx"}, {"'sixteen-bytes-xx'", "--comm"}},
	{{"-n", "a", "-n", "b"}, {"'b'", "--comm"}},
	{{"-o", ""}, {"''", "--output"}},
	{{"-d", "0"}, {"'0'", "--duration"}},
	{{"-d", "1x"}, {"'1x'", "--duration"}},
	{{"-d", "-1"}, {"'-1'", "--duration"}},
	{{"-i", "0.0"}, {"'0.0'", "--interval"}},
	{{"-i", "99999w"}, {"'99999w'", "--interval"}},
	{{"--normal-time", "soon"}, {"'soon'", "--normal-time"}},
	{{"--normal-factor", "1/0"}, {"'1/0'", "--normal-factor"}},
	{{"--anomaly-limit", "1000001"}, {"'1000001'", "--anomaly-limit"}},
	{{"--tolerize-limit", "129"}, {"'129'", "--tolerize-limit"}},
	{{"--window", "1"}, {"'1'", "--window"}},
	{{"--window", "10"}, {"'10'", "--window"}},
	{{"--window", "4294967298"}, {"'4294967298'", "--window"}},
	{{"--profile-dir", ""}, {"''", "--profile-dir"}},
	{{"--save-interval", "0"}, {"'0'", "--save-interval"}},
	{{"--save-interval", "999us"}, {"'999us'", "--save-interval"}},
	{{"--max-profiles", "0"}, {"'0'", "--max-profiles"}},
	{{"--max-profiles", "65537"}, {"'65537'", "--max-profiles"}},
	{{"--max-pairs-memory", "63K"}, {"'63K'", "--max-pairs-memory"}},
	{{"--max-pairs-memory", "5G"}, {"'5G'", "--max-pairs-memory"}},
	{{"--kernel-headers", ""}, {"''", "--kernel-headers"}},
	{{"--color", "Auto"}, {"'Auto'", "--color"}},
	{{"--json=1"}, {"--json=1", "takes no value"}},
	{{"--check="}, {"--check=", "takes no value"}},
	{{"--window"}, {"--window", "needs a value"}},
	{{"-jp"}, {"--pid", "needs a value"}},
	{{"-jX"}, {"'-X'", "unknown"}},
	{{"-?"}, {"'-?'", "unknown"}},
	{{"-:"}, {"'-:'", "unknown"}},
	{{"--max", "1"}, {"'--max'", "ambiguous"}},
	{{"ps"}, {"'ps'", "unknown"}},
	{{"-j", "ls", "--", "x"}, {"'ls'", "unknown"}},
	{{""}, {"''", "unknown"}},
	{{"-"}, {"'-'", "unknown"}},
	{{"--"}, {"'--'", "no command"}},
	{{"-p", "1", "--", "ls"}, {"--pid", "'ls'"}},
	{{"-qv"}, {"--quiet", "--verbose"}},
	/* these come with issues of their own */
	{{"--delay", "60001"}, {"60001", "0..60000"}},
	{{"--delay-max", "0"}, {"--delay-max", "1ms or more"}},
	{{"--abort-exec", "129"}, {"129", "0..128"}},
	{{"--abort-exec-by", "word"}, {"word", "lsm or kill"}},
	{{"--no-socket", "--dry-run"}, {"--dry-run", "--delay or --abort-exec"}},
	{{"--no-socket", "--respond-to", "/a"},
	 {"--respond-to", "--delay or --abort-exec"}},
	{{"--no-socket", "--delay", "0", "--never-respond-to", "/a"},
	 {"--never-respond-to", "--abort-exec"}},
	{{"--delayed=1s"}, {"'--delayed=1s'", "unknown"}},
	{{"--abort-execs", "1"}, {"'--abort-execs'", "unknown"}},
	{{"--self-test=1"}, {"--self-test", "takes no value"}},
	{{"--socket"}, {"--socket", "needs a value"}},
	{{"--socket", ""}, {"--socket", "''"}},
	{{"--socket", "x", "--no-socket"}, {"--no-socket", "exclude"}},
	{{"--config", "/none/x"}, {"/none/x", "No such file"}},
};

static void test_mistakes(void **state)
{
	struct options o;

	(void)state;
	for (size_t i = 0; i < LENGTH(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		int result = parse_words(&o, m->words);

		if (result != OPTIONS_BAD || !strstr(error, m->named[0]) ||
		    !strstr(error, m->named[1]))
			fail_msg("'%s' '%s': %d, %s", m->words[0],
				 m->words[1] ? m->words[1] : "", result, error);
		assert_null(o.pids);
	}
}

static void test_short_error_buffer(void **state)
{
	char *argv[] = {(char *)"ebph", (char *)"--nonsense", NULL};
	char text[8] = "1234567";
	struct options o;

	(void)state;
	assert_int_equal(options_parse(2, argv, &o, text, 4), OPTIONS_BAD);
	assert_string_equal(text, "unk");
	assert_int_equal(text[4], '5');
	assert_int_equal(options_parse(2, argv, &o, NULL, 0), OPTIONS_BAD);
}

/* Every option that is accepted is in the help, no line of 80 columns. */
static void test_help_text(void **state)
{
	static const char *const names[] = {
		"-p, --pid",	   "-e, --exe",	       "--not-exe",
		"-u, --uid",	   "--not-uid",	       "-c, --cgroup",
		"-n, --comm",	   "-o, --output",     "-d, --duration",
		"-i, --interval",  "-T, --timestamp",  "-j, --json",
		"-q, --quiet",	   "-v, --verbose",    "--normal-time",
		"--normal-factor", "--anomaly-limit",  "--tolerize-limit",
		"--window",	   "--max-profiles",   "--max-pairs-memory",
		"--profile-dir",   "--no-load",	       "--no-save",
		"--save-interval", "--adopt-upgrades", "--kernel-headers",
		"--check",	   "--ebpf",	       "--color",
		"-h, --help",	   "-V, --version",
	};
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	options_help(out);
	assert_int_equal(fclose(out), 0);
	for (size_t i = 0; i < LENGTH(names); i++)
		if (!strstr(text, names[i]))
			fail_msg("%s is not in the help", names[i]);
	assert_int_equal(text[size - 1], '\n');
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (strlen(line) >= 80)
			fail_msg("too long: %s", line);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_upper),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_mistakes),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_short_error_buffer),
		cmocka_unit_test(test_help_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
