/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "watcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 30000, SUMMARY_TRIES = 500, OPTIONS_MAX = 32 };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* 1 when PROGRAM's help speaks of OPTION. */
static int knows(const char *program, const char *option)
{
	char command[512], *text = NULL;
	size_t size = 0;
	int found = 0;
	FILE *f;

	snprintf(command, sizeof(command), "'%s' --help 2>/dev/null", program);
	f = popen(command, "re");
	if (f && getdelim(&text, &size, '\0', f) > 0)
		found = strstr(text, option) != NULL;
	if (f)
		pclose(f);
	free(text);
	return found;
}

/* What was learned in other runs must not matter, nor may this one's be kept. */
static size_t add_isolation(const char *program, const char **argv, size_t n)
{
	static const char *const options[] = {"--no-load", "--no-save", "--no-socket"};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (knows(program, options[i]))
			argv[n++] = options[i];
	return n;
}

__attribute__((noreturn)) static void become(const char **argv, int errors)
{
	int nothing = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	execv(argv[0], (char **)argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Read what it says; 1 when it watches, 0 when not yet, -1 at its end. */
static int listen_to(struct watcher *w)
{
	size_t used = strlen(w->words), room = sizeof(w->words) - 1;
	char text[256];
	ssize_t n;

	while ((n = read(w->errors, text, sizeof(text) - 1)) > 0) {
		if (used + n > room) {
			memmove(w->words, w->words + used / 2, used - used / 2);
			used -= used / 2;
		}
		memcpy(w->words + used, text, n);
		used += n;
		w->words[used] = 0;
	}
	if (strstr(w->words, "ebph: watching"))
		return 1;
	return n == 0 ? -1 : 0;
}

static int wait_watching(struct watcher *w)
{
	struct pollfd fd = {.fd = w->errors, .events = POLLIN};
	double start = seconds(), end = start + START_MS / 1000.0;
	int result;

	while (!(result = listen_to(w)) && seconds() < end)
		poll(&fd, 1, 100);
	w->started = seconds() - start;
	return result == 1 ? 0 : -ETIMEDOUT;
}

int watcher_start(struct watcher *w, const char *program, const char *const *options,
		  const char *dir)
{
	const char *argv[OPTIONS_MAX + 8] = {program, "-j", "-o"};
	char path[256];
	int errors[2], result;
	size_t n = 4;

	*w = (struct watcher){.errors = -1, .events = -1};
	snprintf(path, sizeof(path), "%s/events-XXXXXX", dir);
	w->events = mkostemp(path, O_CLOEXEC);
	if (w->events < 0 || pipe2(errors, O_CLOEXEC))
		return -errno;
	argv[3] = path;
	n = add_isolation(program, argv, n);
	for (size_t i = 0; options[i] && n < OPTIONS_MAX; i++)
		argv[n++] = options[i];
	w->pid = fork();
	if (!w->pid)
		become(argv, errors[1]);
	close(errors[1]);
	w->errors = errors[0];
	fcntl(w->errors, F_SETFL, O_NONBLOCK);
	result = wait_watching(w);
	/* Opened anew, in case it writes a file of its own under this name. */
	close(w->events);
	w->events = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	if (result || w->events < 0) {
		watcher_stop(w);
		return result ? result : -ENOENT;
	}
	return 0;
}

/* 1 when the descriptor that file PATH describes holds a program at raw sys_enter. */
static int is_raw_link(const char *path)
{
	FILE *f = fopen(path, "re");
	int raw = 0, entry = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		raw |= !strncmp(line, "link_type:", 10) && strstr(line, "raw_tracepoint");
		entry |= !strncmp(line, "tp_name:", 8) && strstr(line, "sys_enter");
	}
	if (f)
		fclose(f);
	return raw && entry;
}

int watcher_is_raw(const struct watcher *w)
{
	char path[320];
	struct dirent *e;
	int found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)w->pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)w->pid,
			 e->d_name);
		found |= is_raw_link(path);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The last summary in what comes after where W->events stands; NULL: none yet. */
static json_t *read_summary(struct watcher *w)
{
	off_t at = lseek(w->events, 0, SEEK_CUR);
	FILE *f = fdopen(dup(w->events), "re");
	json_t *found = NULL;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while (f && (length = getline(&line, &size, f)) > 0) {
		json_t *j = line[length - 1] == '\n' ? json_loads(line, 0, NULL) : NULL;
		const char *event = json_string_value(json_object_get(j, "event"));

		if (line[length - 1] == '\n')
			at += length;
		if (event && !strcmp(event, "summary")) {
			json_decref(found);
			found = json_incref(j);
		}
		json_decref(j);
	}
	free(line);
	if (f)
		fclose(f);
	lseek(w->events, at, SEEK_SET);
	return found;
}

json_t *watcher_summary(struct watcher *w)
{
	json_t *old = read_summary(w);

	json_decref(old);
	if (kill(w->pid, SIGUSR1))
		return NULL;
	for (int i = 0; i < SUMMARY_TRIES; i++) {
		json_t *j = read_summary(w);

		if (j)
			return j;
		usleep(10000);
	}
	return NULL;
}

static long long number(json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

int watcher_standing(struct watcher *w, const char *exe, struct standing *s)
{
	json_t *summary = watcher_summary(w), *p;
	size_t i;

	*s = (struct standing){0};
	if (!summary)
		return -ETIME;
	json_array_foreach(json_object_get(summary, "profiles"), i, p)
	{
		const char *name = json_string_value(json_object_get(p, "exe"));
		const char *state = json_string_value(json_object_get(p, "state"));

		if (!name || !state || strcmp(name, exe))
			continue;
		snprintf(s->state, sizeof(s->state), "%s", state);
		s->count = number(p, "count");
		s->sequences = number(p, "sequences");
		s->anomalies = number(p, "anomalies");
	}
	json_decref(summary);
	return 0;
}

void watcher_stop(struct watcher *w)
{
	if (w->pid <= 0)
		return;
	kill(w->pid, SIGTERM);
	waitpid(w->pid, NULL, 0);
	w->pid = 0;
	listen_to(w);
	close(w->errors);
	close(w->events);
}
