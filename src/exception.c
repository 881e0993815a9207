/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "exception.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "types.h"

enum { EXCEPTIONS_MAX = 512 };

static const char reason_init[] = "it starts and reaps everything else";
static const char reason_self[] = "ebph itself";
static const char reason_guardian[] = "ebph's guardian, which continues what is stopped";
static const char reason_ancestor[] = "an ancestor of ebph, up to its session's leader";
static const char reason_journal[] = "it writes the log, also of what ebph says";
static const char reason_sshd[] = "sshd's listener: the way in for who repairs this";

struct exception {
	pid_t pid;
	const char *reason;
};

struct exceptions {
	struct exception list[EXCEPTIONS_MAX];
	size_t count;
};

static void add(struct exceptions *e, pid_t pid, const char *reason)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->list[i].pid == pid)
			return;
	if (pid > 0 && e->count < EXCEPTIONS_MAX)
		e->list[e->count++] = (struct exception){pid, reason};
}

/* Up to SIZE - 1 bytes of /proc/PID/NAME, ended by 0: how many. */
static size_t read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, size - 1, f);
		fclose(f);
	}
	text[n] = 0;
	return n;
}

static pid_t parent_of(pid_t pid)
{
	char text[512];
	const char *rest;
	int parent = 0;

	read_proc(pid, "stat", text, sizeof(text));
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/* The path of what PID runs; true if there is one. */
static bool exe_of(pid_t pid, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	n = readlink(link, path, size - 1);
	path[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* Whether PID is root's in all respects, as the first user namespace knows it. */
static bool is_roots(pid_t pid)
{
	char text[1024];
	const char *line;
	unsigned int real, effective, saved, file;

	read_proc(pid, "status", text, sizeof(text));
	line = strstr(text, "\nUid:");
	return line &&
	       sscanf(line, "\nUid: %u %u %u %u", &real, &effective, &saved, &file) ==
		       4 &&
	       !(real | effective | saved | file);
}

/*
 * Whether PID runs root's program NAME, also when its file has been replaced. A name that
 * it gave itself says nothing, so the file's counts, and that root runs it: in a mount
 * namespace of his own anybody can have a program of his under any path.
 */
static bool runs(pid_t pid, const char *name)
{
	static const char *const places[] = {"/usr/sbin/", "/sbin/", "/usr/lib/systemd/",
					     "/lib/systemd/", "/usr/bin/"};
	char path[512];
	size_t length;

	if (!is_roots(pid) || !exe_of(pid, path, sizeof(path)))
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		length = strlen(places[i]);
		if (strncmp(path, places[i], length) ||
		    strncmp(path + length, name, strlen(name)))
			continue;
		length += strlen(name);
		if (!path[length] || !strcmp(path + length, " (deleted)"))
			return true;
	}
	return false;
}

/*
 * Whether PID is an sshd that waits for connections. A session is begun by an sshd, and
 * mostly is not root's; the listener is begun by whatever there is: systemd, also under
 * ssh.socket, a container's first process, which may be itself, or a shell. The title is
 * no proof, for a session can write what it likes there. But it tells the listener from
 * root's sessions that outlived theirs, or that systemd began (Accept=yes).
 */
static bool is_listener(pid_t pid)
{
	char title[4096];

	if (!runs(pid, "sshd") || runs(parent_of(pid), "sshd"))
		return false;
	read_proc(pid, "cmdline", title, sizeof(title));
	return strstr(title, "[listener]") != NULL;
}

static void add_daemon(struct exceptions *e, pid_t pid)
{
	char comm[32];

	read_proc(pid, "comm", comm, sizeof(comm));
	if (!strncmp(comm, "systemd-journal", 15) && runs(pid, "systemd-journald"))
		add(e, pid, reason_journal);
	else if (!strcmp(comm, "sshd\n") && is_listener(pid))
		add(e, pid, reason_sshd);
}

static int find_daemons(struct exceptions *e)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	if (!proc)
		return -errno;
	while ((d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]))
			add_daemon(e, atoi(d->d_name));
	closedir(proc);
	return 0;
}

static int find(struct exceptions *e, pid_t guardian)
{
	pid_t leader = getsid(0), pid = getpid();

	e->count = 0;
	add(e, 1, reason_init);
	add(e, pid, reason_self);
	add(e, guardian, reason_guardian);
	while (pid > 1 && pid != leader) {
		pid = parent_of(pid);
		add(e, pid, reason_ancestor);
	}
	return find_daemons(e);
}

static bool has(const struct exceptions *e, pid_t pid)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->list[i].pid == pid)
			return true;
	return false;
}

/* Take out of the map whoever is not in E. */
static void forget_others(int exempt, const struct exceptions *e)
{
	u32 key, next;
	int result = bpf_map_get_next_key(exempt, NULL, &next);

	while (!result) {
		key = next;
		result = bpf_map_get_next_key(exempt, &key, &next);
		if (!has(e, (pid_t)key))
			bpf_map_delete_elem(exempt, &key);
	}
}

int exceptions_tell(int exempt, pid_t guardian)
{
	struct exceptions *e = malloc(sizeof(*e));
	u32 one = 1;
	int result = e ? find(e, guardian) : -ENOMEM;

	for (size_t i = 0; !result && i < e->count; i++) {
		u32 key = (u32)e->list[i].pid;

		if (bpf_map_update_elem(exempt, &key, &one, BPF_ANY))
			result = -errno;
	}
	if (!result)
		forget_others(exempt, e);
	free(e);
	return result;
}

static void print(FILE *out, const char *who, const char *path, const char *reason)
{
	char *text = text_escape(path, strlen(path), TEXT_LINE);

	fprintf(out, "%-8s %-36s %s\n", who, text ? text : "?", reason);
	free(text);
}

int exceptions_print(const struct options *o, FILE *out)
{
	struct exceptions *e = malloc(sizeof(*e));
	int result = e ? find(e, 0) : -ENOMEM;
	char who[16], path[512];

	if (!result) {
		print(out, "PID", "EXE", "REASON");
		print(out, "-", "(kernel threads)", "they make no system calls");
	}
	for (size_t i = 0; !result && i < e->count; i++) {
		snprintf(who, sizeof(who), "%d", (int)e->list[i].pid);
		exe_of(e->list[i].pid, path, sizeof(path));
		print(out, who, *path ? path : "(unknown)", e->list[i].reason);
	}
	for (size_t i = 0; !result && i < o->never_respond_count; i++)
		print(out, "any", o->never_respond[i], "--never-respond-to");
	if (!result && o->respond_count)
		print(out, "any", "(others)", "not named by --respond-to");
	free(e);
	return result;
}
