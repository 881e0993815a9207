/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "source.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel.h"
#include "types.h"
#include "model.h"
#include "lookahead.h"

extern const char bpf_source[];

enum { THREADS_MAX = 16384, RING_PAGES = 128 };

struct bounds source_bounds(const struct options *o)
{
	return (struct bounds){
		.profiles = o->max_profiles,
		.rows = o->max_pairs_memory / sizeof(struct row),
		.threads = THREADS_MAX,
	};
}

static void define(FILE *out, const char *name, unsigned long long value)
{
	fprintf(out, "#define %s %lluULL\n", name, value);
}

static void write_filters(FILE *out, const struct options *o)
{
	u64 comm[2] = {0};

	fprintf(out, "#define USE_TARGETS %d\n", o->pid_count || o->command);
	fprintf(out, "#define USE_UID %d\n", o->has_uid);
	if (o->has_uid)
		define(out, "FILTER_UID", o->uid);
	fprintf(out, "#define USE_NOT_UID %d\n", o->not_uid_count != 0);
	fprintf(out, "#define FILTER_NOT_UID(uid) (0");
	for (size_t i = 0; i < o->not_uid_count; i++)
		fprintf(out, " || (uid) == %uU", o->not_uids[i]);
	fprintf(out, ")\n#define USE_COMM %d\n", o->comm != NULL);
	if (o->comm) {
		memcpy(comm, o->comm, strlen(o->comm));
		define(out, "FILTER_COMM_0", comm[0]);
		define(out, "FILTER_COMM_1", comm[1]);
	}
	fprintf(out, "#define USE_CGROUP %d\n", o->cgroup != NULL);
	fprintf(out, "#define USE_EXES %d\n#define ONLY_EXES %d\n",
		o->exe_count || o->not_exe_count, o->exe_count != 0);
}

/* What is 0 here is not compiled in. */
static void write_response(FILE *out, const struct options *o)
{
	bool aborts = o->abort_lfc != 0, kills = o->abort_by == ABORT_BY_KILL;

	fprintf(out, "#define USE_DELAY %d\n", o->delay_ms != 0);
	fprintf(out, "#define USE_ABORT_LSM %d\n#define USE_ABORT_KILL %d\n",
		aborts && !kills, aborts && kills);
	fprintf(out, "#define DRY_RUN %d\n", o->dry_run);
	fprintf(out, "#define USE_RESPONSE_EXES %d\n#define ONLY_RESPONSE_EXES %d\n",
		options_respond(o), o->respond_count != 0);
}

static void write_arch(FILE *out)
{
#if defined(__x86_64__)
	fprintf(out,
		"#define ARCH_X86 1\n#define X32_BIT 0x40000000\n#define SYMBOL_RESTART 219\n"
		"#define SYMBOL_COMPAT_RESTART 512\n#define SYMBOL_X32_SIGRETURN 1537\n"
		"#define SYMBOL_SIGRETURN 15\n#define SYMBOL_COMPAT_SIGRETURN 685\n"
		"#define SYMBOL_COMPAT_OLD_SIGRETURN 631\n#define SIGNAL_FRAME_MIN 1024\n"
		"#define IS_EXEC(s) ((s) == 59 || (s) == 322 || (s) == 523 || (s) == 870 || "
		"(s) == 1544 || (s) == 1569)\n");
#elif defined(__aarch64__)
	fprintf(out,
		"#define ARCH_ARM64 1\n#define X32_BIT (1ULL << 63) /* no such ABI */\n"
		"#define SYMBOL_RESTART 128\n"
		"#define SYMBOL_COMPAT_RESTART 512\n#define SYMBOL_X32_SIGRETURN 1537\n"
		"#define SYMBOL_SIGRETURN 139\n#define SYMBOL_COMPAT_SIGRETURN 685\n"
		"#define SYMBOL_COMPAT_OLD_SIGRETURN 631\n#define SIGNAL_FRAME_MIN 4096\n"
		"#define IS_EXEC(s) ((s) == 221 || (s) == 281 || (s) == 523 || (s) == 899)\n");
#else
#error "system-call numbers and registers of this architecture are not known to ebph"
#endif
}

static void write_config(FILE *out, const struct options *o, const struct kernel *k,
			 bool raw)
{
	struct bounds b = source_bounds(o);

	fprintf(out,
		"#define MAX_PROFILES %u\n#define MAX_ROWS %u\n#define MAX_THREADS %u\n"
		"#define RING_PAGES %d\n",
		b.profiles, b.rows, b.threads, RING_PAGES);
	define(out, "RING_BYTES", (u64)RING_PAGES * sysconf(_SC_PAGESIZE));
	define(out, "FACTOR", o->factor);
	define(out, "FACTOR_DEN", o->factor_den);
	define(out, "ANOMALY_LIMIT", o->anomaly_limit);
	define(out, "TOLERIZE_LIMIT", o->tolerize_limit);
	define(out, "NORMAL_WAIT", o->normal_wait_ns);
	define(out, "WINDOW_MASK", window_mask(o->window));
	fprintf(out, "#define VERBOSE %d\n#define SELF %d\n", o->verbose, (int)getpid());
	fprintf(out, "#define USE_TASK_STORAGE %d\n", k->task_storage);
	fprintf(out, "#define USE_TASK_REGS %d\n", k->task_regs);
	fprintf(out, "#define USE_EXCHANGE %d\n", k->exchange);
	fprintf(out, "#define RAW_TRACEPOINTS %d\n", raw);
	write_filters(out, o);
	write_response(out, o);
	write_arch(out);
}

/* Give the embedded text's memory back: its file still has it. Whole pages of it only. */
static void let_go(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ((uintptr_t)bpf_source + page - 1) / page * page;
	uintptr_t end = ((uintptr_t)bpf_source + strlen(bpf_source)) / page * page;

	if (first < end)
		madvise((void *)first, end - first, MADV_DONTNEED);
}

char *source_text(const struct options *o, const struct kernel *k, bool raw, char *error,
		  size_t size)
{
	static const char mark[] = "@CONFIG@";
	const char *at = strstr(bpf_source, mark);
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out || !at) {
		snprintf(error, size, "cannot write the BPF source: %s", strerror(errno));
		return NULL;
	}
	fwrite(bpf_source, 1, at - bpf_source, out);
	write_config(out, o, k, raw);
	kernel_write(k, out);
	fputs(at + sizeof(mark) - 1, out);
	fclose(out);
	let_go();
	return text;
}
