/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "compile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bcc.h"
#include "feature.h"

/* What the child sends: a descriptor under its index in the table, or an error. */
struct message {
	int index; /* -1: error */
	char error[700];
};

#define PART(kind, x)                                \
	{                                            \
#x, offsetof(struct loaded, x), kind \
	}

static const struct part detector[] = {
	PART(ATTACHED, enter),
	PART(ATTACHED, attach),
	PART(ATTACHED, known),
	PART(ATTACHED, judge),
	PART(ATTACHED, name),
	PART(ATTACHED, report),
	PART(ATTACHED, on_fork),
	PART(ATTACHED, on_exec),
	PART(ATTACHED, on_exit),
	PART(ATTACHED, on_signal),
	PART(TESTRUN, command),
	PART(TESTRUN, resolve),
	PART(MAP, profiles),
	PART(MAP, rows),
	PART(MAP, threads),
	PART(MAP, losses),
	PART(MAP, taken),
	PART(MAP, settings),
	PART(MAP, events),
	PART(MAP, tails),
	PART(MAP, by_identity),
	PART(MAP, free_profiles),
	PART(MAP, free_rows),
	PART(MAP, free_threads),
	PART(MAP, targets),
	PART(MAP, cgroups),
	PART(MAP, locks),
	PART(MAP, handovers),
	PART(MAP, scratches),
	PART(MAP, owners),
	PART(MAP, exes),
	PART(MAP, hints),
	PART(MAP, halts),
	PART(MAP, delays),
	PART(MAP, stops),
	PART(MAP, exempt),
	PART(ATTACHED, respond),
	PART(RAW, on_generate),
	PART(TESTRUN, release),
	{"lsm__bprm_check_security", offsetof(struct loaded, bprm_check), LSM},
};

enum { PARTS = sizeof(detector) / sizeof(*detector) };

/* A list of parts, and the struct that takes their descriptors. */
struct wanted {
	const struct part *parts;
	int count;
	void *base;
};

static int *part_of(const struct wanted *w, int i)
{
	return (int *)((char *)w->base + w->parts[i].offset);
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

/* ---- the verifier's words: libbcc prints them, all of them, to standard error ---- */

enum { LOG_LINES = 20 };

/* Send standard error into memory; gives the two descriptors that log_end() takes. */
static void log_begin(int *saved, int *log)
{
	*saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	*log = memfd_create("ebph-log", MFD_CLOEXEC);
	if (*saved >= 0 && *log >= 0)
		dup2(*log, STDERR_FILENO);
}

static void log_copy(const char *text, size_t length, const char *path)
{
	FILE *out = fopen(path, "we");
	bool good = out && fwrite(text, 1, length, out) == length;

	if ((out && fclose(out)) || !good)
		fprintf(stderr, "ebph: cannot write the verifier's log to %s: %s\n", path,
			strerror(errno));
}

/* Print the end of the log; what a person can use is there. */
static void log_tail(const char *text, size_t length)
{
	const char *at = text + length;

	for (int lines = 0; at > text && lines <= LOG_LINES; at--)
		lines += at[-1] == '\n';
	if (at > text)
		at += 2; /* beyond the line end that was one too many */
	fwrite(at, 1, text + length - at, stderr);
}

/* Give standard error back. If FAILED, pass on what came; where to, in WHERE. */
static void log_end(int saved, int log, bool failed, char *where, size_t size)
{
	const char *path = getenv("EBPH_LOG");
	off_t length = log >= 0 ? lseek(log, 0, SEEK_END) : 0;
	char *text = MAP_FAILED;

	if (saved >= 0)
		dup2(saved, STDERR_FILENO);
	snprintf(where, size, "its last words are above, EBPH_LOG=FILE keeps them all");
	if (failed && length > 0)
		text = mmap(NULL, length, PROT_READ, MAP_PRIVATE, log, 0);
	if (text != MAP_FAILED) {
		log_tail(text, length);
		if (path && *path) {
			log_copy(text, length, path);
			snprintf(where, size, "its log is in %s", path);
		}
		munmap(text, length);
	}
	if (saved >= 0)
		close(saved);
	if (log >= 0)
		close(log);
}

/* ---- the child ---- */

static int load_program(const struct bcc *b, void *module, const char *name,
			enum bpf_prog_type type, const struct bpf_insn *start, int sock)
{
	size_t length = b->length(module, name);
	char where[256], missing[400];
	int saved, log, fd, failed;

	log_begin(&saved, &log);
	fd = b->load(module, type, name, start, (int)length, b->license(module),
		     b->version(module), 0, NULL, 0, NULL, -1);
	failed = errno;
	log_end(saved, log, fd < 0, where, sizeof(where));
	if (fd >= 0)
		return fd;
	if (feature_missing(false, missing, sizeof(missing)))
		child_fail(sock, "%s", missing);
	child_fail(sock,
		   "the kernel's verifier refused BPF program %s (%zu instructions): "
		   "%s; %s",
		   name, length / sizeof(*start), strerror(failed), where);
}

/* Programs that are compiled in only where they are needed. */
static bool is_optional(const char *name)
{
	static const char *const names[] = {"resolve", "respond", "on_generate",
					    "release", "lsm__bprm_check_security"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static enum bpf_prog_type program_type(enum part_kind kind, bool raw)
{
	if (kind == LSM)
		return BPF_PROG_TYPE_LSM;
	return kind == ATTACHED && !raw ? BPF_PROG_TYPE_TRACEPOINT
					: BPF_PROG_TYPE_RAW_TRACEPOINT;
}

static int load_part(const struct bcc *b, void *module, const struct part *part, bool raw,
		     int sock)
{
	const char *name = part->name;
	const struct bpf_insn *start;

	if (part->kind == MAP)
		return b->table(module, name);
	start = b->start(module, name);
	if (!start && is_optional(name))
		return -1;
	if (!start)
		child_fail(sock, "libbcc compiled no program %s", name);
	return load_program(b, module, name, program_type(part->kind, raw), start, sock);
}

static void *create_module(const struct bcc *b, const char *text, int sock)
{
	/* libbcc optimises by itself: what clang would do before is done twice */
	const char *flags[] = {"-O2",
			       "-Xclang",
			       "-disable-llvm-passes",
			       "-Wno-unused-function",
			       "-Wno-unknown-attributes",
			       "-Wno-macro-redefined"};
	void *module =
		b->create(text, 0, flags, sizeof(flags) / sizeof(*flags), true, NULL);
	char missing[400];

	if (module)
		return module;
	if (feature_missing(strstr(text, "#define USE_TASK_STORAGE 1") != NULL, missing,
			    sizeof(missing)))
		child_fail(sock, "%s", missing);
	child_fail(sock, "libbcc could not compile the BPF source or make its maps (its "
			 "words are above)");
}

__attribute__((noreturn)) static void child(int sock, const char *text,
					    const char *headers, bool raw, pid_t parent,
					    const struct wanted *w)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char error[400];
	struct bcc b;
	void *module;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* needed before 5.11 only; may be denied */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	setenv("BCC_KERNEL_SOURCE", headers, 1);
	if (bcc_open(&b, error, sizeof(error)))
		child_fail(sock, "%s", error);
	module = create_module(&b, text, sock);
	for (int i = 0; i < w->count; i++) {
		struct message m = {.index = i};
		int fd = load_part(&b, module, &w->parts[i], raw, sock);

		if (fd >= 0)
			send_message(sock, &m, fd);
	}
	_exit(0);
}

/* One message: its index, or -1 with ERROR, or -2 at the end. */
static int receive(int sock, int count, int *fd, char *error, size_t size)
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
	if (m.index < 0 || m.index >= count) {
		snprintf(error, size, "%s", m.error);
		return -1;
	}
	c = CMSG_FIRSTHDR(&h);
	if (!c)
		return -2;
	memcpy(fd, CMSG_DATA(c), sizeof(int));
	return m.index;
}

/* How the child ended, where it has not said so itself. */
static void explain(int status, char *error, size_t size)
{
	if (*error)
		return;
	if (WIFSIGNALED(status))
		snprintf(error, size,
			 "the process that compiles the BPF source was killed by signal "
			 "%d%s",
			 WTERMSIG(status),
			 WTERMSIG(status) == SIGKILL ? " (it needs 150 MB of memory)"
						     : "");
	else
		snprintf(error, size, "compiling the BPF source ended with status %d",
			 WEXITSTATUS(status));
}

int compile_parts(const char *text, const char *headers, bool raw,
		  const struct part *parts, int count, void *base, char *error,
		  size_t size)
{
	const struct wanted w = {parts, count, base};
	int sock[2] = {-1, -1}, status = 0, index, fd, result = 0;
	pid_t parent = getpid(), pid = -1;

	for (int i = 0; i < count; i++)
		*part_of(&w, i) = -1;
	*error = 0;
	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		pid = fork();
	if (!pid) {
		close(sock[0]);
		child(sock[1], text, headers, raw, parent, &w);
	}
	if (pid < 0) {
		result = -errno;
		snprintf(error, size, "cannot start a process to compile in: %s",
			 strerror(errno));
	}
	close(sock[1]);
	while (!result && (index = receive(sock[0], count, &fd, error, size)) >= 0)
		*part_of(&w, index) = fd;
	close(sock[0]);
	if (!result)
		waitpid(pid, &status, 0);
	if (status) {
		explain(status, error, size);
		result = -EIO;
	}
	if (result)
		parts_close(parts, count, base);
	return result;
}

void parts_close(const struct part *parts, int count, void *base)
{
	const struct wanted w = {parts, count, base};

	for (int i = 0; i < count; i++) {
		if (*part_of(&w, i) >= 0)
			close(*part_of(&w, i));
		*part_of(&w, i) = -1;
	}
}

int compile(const char *text, const char *headers, bool raw, struct loaded *l,
	    char *error, size_t size)
{
	return compile_parts(text, headers, raw, detector, PARTS, l, error, size);
}

void loaded_close(struct loaded *l)
{
	parts_close(detector, PARTS, l);
}

int loaded_map(const struct loaded *l, int i)
{
	for (int part = 0; part < PARTS; part++)
		if (detector[part].kind == MAP && !i--)
			return *(const int *)((const char *)l + detector[part].offset);
	return -ENOENT;
}
