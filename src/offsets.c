/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "offsets.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bcc.h"
#include "member.h"

#if defined(__x86_64__)
#define ARCH "x86"
#elif defined(__aarch64__)
#define ARCH "arm64"
#endif

enum { FOLDERS = 6 };

/* What the child has found. */
struct answer {
	int failed;
	unsigned int values[MEMBERS_MAX];
	char error[512];
};

/* The text of header NAME, to be freed; NULL: it cannot be read. */
static char *read_header(const char *source, const char *name)
{
	char path[PATH_MAX + 64], *text = NULL;
	size_t size = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/include/%s", source, name);
	in = fopen(path, "re");
	if (!in)
		return NULL;
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

/* The expression for M. Headers are looked into only where kernels differ. */
static void ask(FILE *out, const struct member *m, const char *source)
{
	char *header = NULL;

	if (m->path && strchr(m->path, '|'))
		header = read_header(source, member_header(m));
	member_expression(out, m, header ? header : "");
	free(header);
}

char *offsets_source(const char *source)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	member_includes(out);
	/* a plugin of gcc then shuffled the structs; libbcc's compiler knows not how */
	fputs("#if defined(CONFIG_RANDSTRUCT) || "
	      "defined(CONFIG_GCC_PLUGIN_RANDSTRUCT)\n"
	      "#error this kernel's structs are in random order, its headers do not tell\n"
	      "#endif\n",
	      out);
	for (int i = 0; i < member_count; i++) {
		if (!member_header(&members[i]))
			continue;
		fprintf(out, "int offset_%d(void *unused) { return ", i);
		ask(out, &members[i], source);
		fputs("; }\n", out);
	}
	fclose(out);
	return text;
}

/* The number that a function returns: it must be `r0 = number; exit`. */
static int returned(const struct bcc *b, void *module, int i, unsigned int *value)
{
	const struct bpf_insn *insn;
	char name[32];

	snprintf(name, sizeof(name), "offset_%d", i);
	insn = b->start(module, name);
	if (!insn || b->length(module, name) != 2 * sizeof(*insn) || insn->dst_reg ||
	    (insn->code & ~7) != (BPF_MOV | BPF_K) ||
	    insn[1].code != (BPF_JMP | BPF_EXIT))
		return -EINVAL;
	*value = insn->imm;
	return 0;
}

/* The generated halves of the headers, in the order that the kernel's build has. */
static int folder_flags(const struct tree *t, char flags[FOLDERS][PATH_MAX + 64])
{
	static const char *const folders[FOLDERS] = {"arch/" ARCH "/include",
						     "arch/" ARCH "/include/generated",
						     "arch/" ARCH
						     "/include/generated/uapi",
						     "include",
						     "include/generated",
						     "include/generated/uapi"};

	for (int i = 0; i < FOLDERS; i++)
		snprintf(flags[i], PATH_MAX + 64, "-I%s/%s", t->build, folders[i]);
	return FOLDERS;
}

static void answer_questions(const struct tree *t, struct answer *a)
{
	static char folders[FOLDERS][PATH_MAX + 64];
	char names[80];
	/* from 6.19 on the kernel names structs inside structs as this extension allows */
	const char *flags[3 + FOLDERS] = {"-Wno-everything", "-O2", "-fms-extensions"};
	int count = 3;
	struct bcc b;
	char *text;
	void *module;

	if (strcmp(t->source, t->build))
		for (int i = 0, n = folder_flags(t, folders); i < n; i++)
			flags[count++] = folders[i];
	text = offsets_source(t->source);
	a->failed = bcc_open(&b, a->error, sizeof(a->error));
	if (a->failed || !text)
		return;
	setenv("BCC_KERNEL_SOURCE", t->source, 1);
	module = b.create(text, 0, flags, count, true, NULL);
	for (int i = 0; i < member_count && module && !a->failed; i++) {
		if (!member_header(&members[i]))
			continue;
		a->failed = returned(&b, module, i, &a->values[i]);
		if (a->failed)
			snprintf(a->error, sizeof(a->error),
				 "libbcc does not tell where %s lies in struct %s",
				 member_names(&members[i], names, sizeof(names)),
				 members[i].type);
	}
	if (module)
		return;
	a->failed = -EINVAL;
	snprintf(a->error, sizeof(a->error),
		 "libbcc could not compile the kernel headers in %.200s (its words are "
		 "above): they may be too new for its compiler; --kernel-headers btf "
		 "needs no headers",
		 t->source);
}

__attribute__((noreturn)) static void child(const struct tree *t, int out, pid_t parent)
{
	struct answer a = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	a.failed = -ENOMEM;
	answer_questions(t, &a);
	_exit(write(out, &a, sizeof(a)) != sizeof(a));
}

int offsets_compile(const struct tree *t, unsigned int *values, char *error, size_t size)
{
	pid_t parent = getpid(), pid;
	struct answer a = {0};
	int ends[2], status;
	ssize_t got;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (!pid) {
		close(ends[0]);
		child(t, ends[1], parent);
	}
	close(ends[1]);
	if (pid < 0) {
		snprintf(error, size, "cannot start a process to compile in: %s",
			 strerror(errno));
		close(ends[0]);
		return -EAGAIN;
	}
	/* no more than a pipe takes in one piece */
	_Static_assert(sizeof(a) <= 4096, "an answer arrives in one read");
	got = read(ends[0], &a, sizeof(a));
	waitpid(pid, &status, 0);
	close(ends[0]);
	if (got != sizeof(a)) {
		snprintf(error, size, "compiling the kernel headers in %s ended early",
			 t->source);
		return -EIO;
	}
	if (a.failed) {
		snprintf(error, size, "%s", a.error);
		return a.failed;
	}
	for (int i = 0; i < member_count; i++)
		if (member_header(&members[i]))
			values[i] = a.values[i];
	return 0;
}
