/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "compile.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child sends: a descriptor under its index in the table, or an error. */
struct message {
	int index; /* -1: error */
	char error[512];
};

enum part { MAP, ATTACHED, TESTRUN };

#define PART(kind, x)                                \
	{                                            \
#x, offsetof(struct loaded, x), kind \
	}

static const struct {
	const char *name;
	size_t offset;
	enum part kind;
} parts[] = {
	PART(ATTACHED, enter),	   PART(ATTACHED, attach),  PART(ATTACHED, known),
	PART(ATTACHED, judge),	   PART(ATTACHED, name),    PART(ATTACHED, report),
	PART(ATTACHED, on_fork),   PART(ATTACHED, on_exec), PART(ATTACHED, on_exit),
	PART(ATTACHED, on_signal), PART(TESTRUN, command),  PART(TESTRUN, resolve),
	PART(MAP, profiles),	   PART(MAP, rows),	    PART(MAP, threads),
	PART(MAP, losses),	   PART(MAP, taken),	    PART(MAP, settings),
	PART(MAP, events),	   PART(MAP, tails),	    PART(MAP, by_identity),
	PART(MAP, free_profiles),  PART(MAP, free_rows),    PART(MAP, free_threads),
	PART(MAP, targets),	   PART(MAP, cgroups),	    PART(MAP, locks),
	PART(MAP, handovers),	   PART(MAP, scratches),    PART(MAP, owners),
	PART(MAP, exes),	   PART(MAP, hints),
};

enum { PARTS = sizeof(parts) / sizeof(*parts) };

static int *part_of(struct loaded *l, int i)
{
	return (int *)((char *)l + parts[i].offset);
}

/* libbcc's calls, as bcc_common.h declares them. */
struct bcc {
	void *(*create)(const char *, unsigned, const char **, int, bool, const char *);
	void *(*start)(void *, const char *);
	size_t (*length)(void *, const char *);
	char *(*license)(void *);
	unsigned (*version)(void *);
	int (*table)(void *, const char *);
	int (*load)(void *, int, const char *, const struct bpf_insn *, int, const char *,
		    unsigned, int, char *, unsigned, const char *, int);
};

static int bcc_open(struct bcc *b)
{
	void *lib = dlopen("libbcc.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return -ENOENT;
	b->create = dlsym(lib, "bpf_module_create_c_from_string");
	b->start = dlsym(lib, "bpf_function_start");
	b->length = dlsym(lib, "bpf_function_size");
	b->license = dlsym(lib, "bpf_module_license");
	b->version = dlsym(lib, "bpf_module_kern_version");
	b->table = dlsym(lib, "bpf_table_fd");
	b->load = dlsym(lib, "bcc_func_load");
	return b->create && b->start && b->length && b->license && b->version &&
			       b->table && b->load
		       ? 0
		       : -ENOSYS;
}

static void send_message(int sock, const struct message *m, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *c;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(sock, &h, MSG_NOSIGNAL) < 0)
		_exit(1);
}

__attribute__((format(printf, 2, 3), noreturn)) static void
child_fail(int sock, const char *format, ...)
{
	struct message m = {.index = -1};
	va_list ap;

	va_start(ap, format);
	vsnprintf(m.error, sizeof(m.error), format, ap);
	va_end(ap);
	send_message(sock, &m, -1);
	_exit(1);
}

static int load_part(const struct bcc *b, void *module, int i, bool raw, int sock)
{
	const char *name = parts[i].name;
	const struct bpf_insn *start;
	int fd;

	if (parts[i].kind == MAP)
		return b->table(module, name);
	start = b->start(module, name);
	if (!start && !strcmp(name, "resolve")) /* compiled in only where it is needed */
		return -1;
	if (!start)
		child_fail(sock, "libbcc compiled no program %s", name);
	fd = b->load(module,
		     raw || parts[i].kind == TESTRUN ? BPF_PROG_TYPE_RAW_TRACEPOINT
						     : BPF_PROG_TYPE_TRACEPOINT,
		     name, start, b->length(module, name), b->license(module),
		     b->version(module), 0, NULL, 0, NULL, -1);
	if (fd < 0)
		child_fail(
			sock,
			"the kernel refused program %s (%zu instructions): %s; the verifier's "
			"words are above",
			name, b->length(module, name) / sizeof(struct bpf_insn),
			strerror(errno));
	return fd;
}

__attribute__((noreturn)) static void child(int sock, const char *text,
					    const char *headers, bool raw)
{
	const char *flags[] = {"-O2", "-Wno-unused-function", "-Wno-unknown-attributes",
			       "-Wno-macro-redefined"};
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct bcc b;
	void *module;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_MEMLOCK,
		  &unlimited); /* needed before 5.11 only; may be denied */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	setenv("BCC_KERNEL_SOURCE", headers, 1);
	if (bcc_open(&b))
		child_fail(sock,
			   "cannot use libbcc.so.0: install libbpfcc 0.25 or later");
	module = b.create(text, 0, flags, sizeof(flags) / sizeof(*flags), true, NULL);
	if (!module)
		child_fail(
			sock,
			"libbcc could not compile the BPF source (its words are above)");
	for (int i = 0; i < PARTS; i++) {
		struct message m = {.index = i};
		int fd = load_part(&b, module, i, raw, sock);

		if (fd >= 0)
			send_message(sock, &m, fd);
	}
	_exit(0);
}

/* One message: its index, or -1 with ERROR, or -2 at the end. */
static int receive(int sock, int *fd, char *error, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct message m;
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	if (recvmsg(sock, &h, MSG_CMSG_CLOEXEC) != sizeof(m))
		return -2;
	if (m.index < 0 || m.index >= PARTS) {
		snprintf(error, size, "%s", m.error);
		return -1;
	}
	c = CMSG_FIRSTHDR(&h);
	if (!c)
		return -2;
	memcpy(fd, CMSG_DATA(c), sizeof(int));
	return m.index;
}

int compile(const char *text, const char *headers, bool raw, struct loaded *l,
	    char *error, size_t size)
{
	int sock[2], status, index, fd;
	pid_t pid;

	memset(l, 0xff, sizeof(*l));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -errno;
	pid = fork();
	if (!pid) {
		close(sock[0]);
		child(sock[1], text, headers, raw);
	}
	close(sock[1]);
	*error = 0;
	while (pid > 0 && (index = receive(sock[0], &fd, error, size)) >= 0)
		*part_of(l, index) = fd;
	close(sock[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		if (!*error)
			snprintf(error, size,
				 "compiling the BPF source ended with status %#x",
				 status);
		loaded_close(l);
		return -EIO;
	}
	return 0;
}

void loaded_close(struct loaded *l)
{
	for (int i = 0; i < PARTS; i++) {
		if (*part_of(l, i) >= 0)
			close(*part_of(l, i));
		*part_of(l, i) = -1;
	}
}

int loaded_map(const struct loaded *l, int i)
{
	for (int part = 0; part < PARTS; part++)
		if (parts[part].kind == MAP && !i--)
			return *part_of((struct loaded *)l, part);
	return -ENOENT;
}
