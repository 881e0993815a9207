/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bcc.h"
#include "feature.h"

int message_send(int sock, const struct message *m, int fd)
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
	return sendmsg(sock, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int message_receive(int sock, struct message *m, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	*fd = -1;
	if (recvmsg(sock, &h, MSG_CMSG_CLOEXEC) != sizeof(*m))
		return 0;
	c = CMSG_FIRSTHDR(&h);
	if (c)
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return 1;
}

__attribute__((format(printf, 2, 3), noreturn)) static void
loader_fail(const struct loader *l, const char *format, ...)
{
	struct message m = {.index = -1, .half = l->half};
	va_list ap;

	va_start(ap, format);
	vsnprintf(m.error, sizeof(m.error), format, ap);
	va_end(ap);
	message_send(l->out, &m, -1);
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

/* ---- programs ---- */

static int load_program(const struct loader *l, const struct bcc *b, void *module,
			const char *name, enum bpf_prog_type type,
			const struct bpf_insn *start)
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
		loader_fail(l, "%s", missing);
	loader_fail(l,
		    "the kernel's verifier refused BPF program %s (%zu instructions): "
		    "%s; %s",
		    name, length / sizeof(*start), strerror(failed), where);
}

/* The descriptor of part I of what runs already; -1: nothing does, or it has none. */
static int running(const struct loader *l, int i)
{
	return l->running ? loaded_at(l->running, l->parts[i].offset) : -1;
}

/* Programs that are compiled in only where they are needed. */
static bool is_optional(const char *name)
{
	static const char *const names[] = {"resolve",	   "respond",
					    "on_generate", "release",
					    "reap",	   "lsm__bprm_check_security"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static enum bpf_prog_type program_type(enum part_kind kind, bool raw)
{
	if (kind == LSM)
		return BPF_PROG_TYPE_LSM;
	return (kind == ATTACHED || kind == RESPONDING) && !raw
		       ? BPF_PROG_TYPE_TRACEPOINT
		       : BPF_PROG_TYPE_RAW_TRACEPOINT;
}

static void load_programs(const struct loader *l, const struct bcc *b, void *module)
{
	for (int i = 0; i < l->count; i++) {
		const struct part *part = &l->parts[i];
		struct message m = {.index = i, .half = l->half};
		const struct bpf_insn *start;
		int fd;

		if (part->kind == MAP || (l->half && part->half && part->half != l->half))
			continue;
		if (part->kind != RESPONDING && running(l, i) >= 0)
			continue;
		start = b->start(module, part->name);
		if (!start && is_optional(part->name))
			continue;
		if (!start)
			loader_fail(l, "libbcc compiled no program %s", part->name);
		fd = load_program(l, b, module, part->name,
				  program_type(part->kind, l->raw), start);
		if (message_send(l->out, &m, fd))
			_exit(LOADER_LEFT_ALONE);
	}
}

/*
 * ---- maps: libbcc makes them for each half; all programs are to use those that run
 * already, and the first half's ----
 */

/* Programs have the descriptor OWN in them: let it be that of map FD. 0 or -1. */
static int replace_map(int own, int fd)
{
	return dup3(fd, own, O_CLOEXEC) < 0 ? -1 : 0;
}

static void send_maps(const struct loader *l, const struct bcc *b, void *module)
{
	for (int i = 0; i < l->count; i++) {
		struct message m = {.index = i, .half = l->half};
		int fd =
			l->parts[i].kind == MAP ? b->table(module, l->parts[i].name) : -1;
		bool is_new = running(l, i) < 0;

		if (fd < 0)
			continue;
		if (!is_new && replace_map(fd, running(l, i)))
			loader_fail(l, "cannot go on with map %s: %s", l->parts[i].name,
				    strerror(errno));
		if ((is_new && message_send(l->out, &m, fd)) ||
		    (l->half && message_send(l->maps, &m, fd)))
			_exit(LOADER_LEFT_ALONE);
	}
}

static void receive_maps(const struct loader *l, const struct bcc *b, void *module)
{
	for (int i = 0; i < l->count; i++) {
		struct message m = {0};
		int own =
			l->parts[i].kind == MAP ? b->table(module, l->parts[i].name) : -1;
		int fd;

		if (own < 0)
			continue;
		if (!message_receive(l->maps, &m, &fd))
			_exit(LOADER_LEFT_ALONE);
		if (fd < 0)
			loader_fail(l, "too many open files to compile with; raise the "
				       "limit (ulimit -n)");
		if (m.index != i || replace_map(own, fd))
			loader_fail(l, "the halves of the BPF source do not fit: map %s",
				    l->parts[i].name);
		close(fd);
	}
}

static void *create_module(const struct loader *l, const struct bcc *b)
{
	const char *half = l->half == 1 ? "-DHALF=1" : l->half ? "-DHALF=2" : "-DHALF=0";
	/* libbcc optimises by itself: what clang would do before is done twice */
	const char *flags[] = {"-O2",
			       half,
			       "-Xclang",
			       "-disable-llvm-passes",
			       "-Wno-unused-function",
			       "-Wno-unknown-attributes",
			       "-Wno-macro-redefined"};
	void *module =
		b->create(l->text, 0, flags, sizeof(flags) / sizeof(*flags), true, NULL);
	char missing[400];

	if (module)
		return module;
	if (feature_missing(strstr(l->text, "#define USE_TASK_STORAGE 1") != NULL,
			    missing, sizeof(missing)))
		loader_fail(l, "%s", missing);
	loader_fail(l, "libbcc could not compile the BPF source or make its maps (its "
		       "words are above)");
}

void loader_run(const struct loader *l)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char error[400];
	struct bcc b;
	void *module;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != l->parent)
		_exit(1);
	/* needed before 5.11 only; may be denied */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (l->log >= 0)
		dup2(l->log, STDERR_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	setenv("BCC_KERNEL_SOURCE", l->headers, 1);
	if (bcc_open(&b, error, sizeof(error)))
		loader_fail(l, "%s", error);
	module = create_module(l, &b);
	if (l->half == 2)
		receive_maps(l, &b, module);
	else
		send_maps(l, &b, module);
	load_programs(l, &b, module);
	_exit(0);
}
