/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end-to-end check: this same binary, as `ebph -j -- ebph --self-test-child`,
 * watches itself making TRAIN_CALLS getppid (long enough to freeze, and with
 * --normal-time 0 to become normal), one getpgid, QUIET_CALLS getppid and one getsid.
 * Every anomaly of that, its calls and its counts are known beforehand.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

enum {
	TRAIN_CALLS = 5000, /* far above 4 times the calls of a program's start */
	/* So many that 4 of the first 9 anomalies are still among the last 128 calls at
	 * getsid: one call more or less counted, and its LFC is another. */
	QUIET_CALLS = 131,
	/* getpgid; the 8 getppid that have it in their window; getsid; exit_group */
	ANOMALIES = 11,
};

int selftest_child(void)
{
	for (int i = 0; i < TRAIN_CALLS; i++)
		syscall(SYS_getppid);
	syscall(SYS_getpgid, 0);
	for (int i = 0; i < QUIET_CALLS; i++)
		syscall(SYS_getppid);
	syscall(SYS_getsid, 0);
	_exit(0);
}

/* What the watching ebph wrote. */
struct seen {
	bool normal;   /* the profile became normal */
	int anomalies; /* anomaly events, in order: */
	json_t *anomaly[ANOMALIES];
	char headers[100]; /* what was compiled against, as the start event says */
	json_t *summary;   /* the last one */
	char exe[4096];
};

struct failure {
	char text[3000]; /* as long as what ebph says */
};

static __attribute__((format(printf, 2, 3))) int fail(struct failure *f,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return -1;
}

static const char *text_of(const json_t *object, const char *field)
{
	const char *text = json_string_value(json_object_get(object, field));

	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *field)
{
	const json_t *number = json_object_get(object, field);

	return json_is_integer(number) ? json_integer_value(number) : -1;
}

/* Is EVENT about the binary that runs this? */
static bool is_own(const struct seen *s, const json_t *event)
{
	return !strcmp(text_of(event, "exe"), s->exe);
}

static void take(struct seen *s, json_t *event)
{
	const char *name = text_of(event, "event");

	if (!strcmp(name, "summary")) {
		json_decref(s->summary);
		s->summary = json_incref(event);
	} else if (!strcmp(name, "start")) {
		snprintf(s->headers, sizeof(s->headers), "%s", text_of(event, "headers"));
	} else if (!strcmp(name, "normal") && is_own(s, event)) {
		s->normal = true;
	} else if (!strcmp(name, "anomaly") && is_own(s, event)) {
		if (s->anomalies < ANOMALIES)
			s->anomaly[s->anomalies] = json_incref(event);
		s->anomalies++;
	}
}

static int read_events(int fd, struct seen *s, struct failure *f)
{
	FILE *in = fdopen(dup(fd), "re");
	json_error_t error;
	json_t *event;

	if (!in)
		return fail(f, "cannot read the events: %s", strerror(errno));
	rewind(in);
	while ((event = json_loadf(in, JSON_DISABLE_EOF_CHECK, &error))) {
		take(s, event);
		json_decref(event);
	}
	fclose(in);
	if (!s->summary)
		return fail(f, "the events end before the summary: %s", error.text);
	return 0;
}

/* The one anomaly EVENT must be: CALL, with this many MISSES and this LFC. */
static int check_anomaly(const json_t *event, const char *call, int misses, int lfc,
			 struct failure *f)
{
	if (strcmp(text_of(event, "syscall"), call) ||
	    number_of(event, "misses") != misses)
		return fail(f,
			    "an anomaly at %s with %lld misses came where one at %s with "
			    "%d was due",
			    text_of(event, "syscall"),
			    (long long)number_of(event, "misses"), call, misses);
	if (number_of(event, "lfc") != lfc)
		return fail(f, "the anomaly at %s has LFC %lld, not %d: calls were lost",
			    call, (long long)number_of(event, "lfc"), lfc);
	return 0;
}

static int check_anomalies(const struct seen *s, struct failure *f)
{
	int result;

	if (s->anomalies != ANOMALIES)
		return fail(f, "%d anomalies came where %d were due", s->anomalies,
			    ANOMALIES);
	result = check_anomaly(s->anomaly[0], "getpgid", 8, 1, f);
	for (int i = 1; i <= 8 && !result; i++)
		result = check_anomaly(s->anomaly[i], "getppid", 1, i + 1, f);
	if (!result)
		result = check_anomaly(s->anomaly[9], "getsid", 8, 5, f);
	if (!result)
		result = check_anomaly(s->anomaly[10], "exit_group", 8, 5, f);
	return result;
}

static int check_summary(const struct seen *s, struct failure *f)
{
	const json_t *profile;
	size_t i;

	if (number_of(s->summary, "lost"))
		return fail(f, "%lld events or calls were lost",
			    (long long)number_of(s->summary, "lost"));
	json_array_foreach(json_object_get(s->summary, "profiles"), i, profile)
	{
		if (!is_own(s, profile))
			continue;
		if (strcmp(text_of(profile, "state"), "normal"))
			return fail(f, "the profile is %s at the end, not normal",
				    text_of(profile, "state"));
		if (number_of(profile, "count") < TRAIN_CALLS + QUIET_CALLS + 2)
			return fail(f, "the profile counted %lld calls of more than %d",
				    (long long)number_of(profile, "count"),
				    TRAIN_CALLS + QUIET_CALLS + 2);
		return 0;
	}
	return fail(f, "there is no profile of %s", s->exe);
}

/*
 * Why ebph ended with STATUS: where it failed itself, the last sentence among its words in
 * FD, which are indented above already.
 */
static int fail_ended(int fd, int status, struct failure *f)
{
	static const char name[] = "ebph: ";
	FILE *in = status == 1 ? fdopen(dup(fd), "re") : NULL;
	char line[sizeof(f->text)];

	fail(f, "ebph ended with status %d", status);
	if (!in)
		return -1;
	rewind(in);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, name, strlen(name)) && strcmp(line, "ebph: watching"))
			fail(f, "%s", line + strlen(name));
	}
	fclose(in);
	return -1;
}

/*
 * Run the watching ebph, with --kernel-headers HEADERS; events go to descriptor OUT, its
 * words to ERR.
 */
static int run_watch(const char *headers, int out, int err, struct failure *f)
{
	char path[40];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	pid = fork();
	if (!pid) {
		dup2(err, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execl("/proc/self/exe", "ebph", "-j", "--normal-time", "0", "--no-load",
		      "--no-save", "--kernel-headers", headers, "-o", path, "--",
		      "/proc/self/exe", SELFTEST_CHILD, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail(f, "cannot start ebph: %s", strerror(errno));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return fail_ended(
		err, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), f);
}

/* Show what the watching ebph had to say, indented. */
static void show(int fd)
{
	FILE *in = fdopen(dup(fd), "re");
	char line[1000];

	if (!in)
		return;
	rewind(in);
	while (fgets(line, sizeof(line), in))
		printf("  | %s", line);
	fclose(in);
}

static int end_to_end(const char *headers, struct failure *f)
{
	int out = memfd_create("events", 0), err = memfd_create("words", MFD_CLOEXEC);
	struct seen s = {0};
	ssize_t length = readlink("/proc/self/exe", s.exe, sizeof(s.exe) - 1);
	int result = 0;

	if (out < 0 || err < 0 || length < 0)
		result = fail(f, "cannot prepare: %s", strerror(errno));
	if (!result)
		result = run_watch(headers, out, err, f);
	if (!result)
		result = read_events(out, &s, f);
	if (!result && !s.normal)
		result = fail(f, "the profile never became normal");
	if (!result)
		result = check_anomalies(&s, f);
	if (!result)
		result = check_summary(&s, f);
	if (result && err >= 0)
		show(err);
	if (*s.headers)
		printf("headers used        %s\n", s.headers);
	for (int i = 0; i < ANOMALIES; i++)
		json_decref(s.anomaly[i]);
	json_decref(s.summary);
	if (out >= 0)
		close(out);
	if (err >= 0)
		close(err);
	return result;
}

int selftest(const char *headers)
{
	struct failure f = {""};
	char lacking[700];

	if (probe_print(stdout, headers, lacking, sizeof(lacking))) {
		printf("self-test failed: %s\n", lacking);
		return 1;
	}
	fflush(stdout);
	if (end_to_end(headers, &f)) {
		printf("end to end          failed\nself-test failed: %s\n", f.text);
		return 1;
	}
	printf("end to end          %d known calls, %d anomalies as they must be\n"
	       "self-test passed\n",
	       TRAIN_CALLS + QUIET_CALLS + 2, ANOMALIES);
	return 0;
}
