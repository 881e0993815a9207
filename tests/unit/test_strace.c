/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of strace logs, and what they mean to threads and processes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"
#include "strace.h"
#include "syscalls.h"
#include "tasks.h"

/* ---- lines ---- */

struct example {
	const char *line;
	enum strace_kind kind;
	u32 tid;
	u64 time;
	const char *name;
	bool returned;
	long long result;
	u32 restart;
	long number;
};

#define TTT 1795246046997239000ULL

static const struct example examples[] = {
	{"7 getpid() = 7", STRACE_CALL, 7, 0, "getpid", true, 7, 0, -1},
	{"getpid() = 7", STRACE_CALL, 0, 0, "getpid", true, 7, 0, -1},
	{"[pid  7] getpid()                = 7", STRACE_CALL, 7, 0, "getpid", true, 7, 0,
	 -1},
	{"7 07:33:46 getpid() = 7", STRACE_CALL, 7, 0, "getpid", true, 7, 0, -1},
	{"7 07:33:46.631230 getpid() = 7", STRACE_CALL, 7, 0, "getpid", true, 7, 0, -1},
	{"07:33:46 getpid() = 7", STRACE_CALL, 0, 0, "getpid", true, 7, 0, -1},
	{"7 1795246046.997239 getpid() = 7 <0.000003>", STRACE_CALL, 7, TTT, "getpid",
	 true, 7, 0, -1},
	{"1795246046.997239 getpid() = 7", STRACE_CALL, 0, TTT, "getpid", true, 7, 0, -1},
	{"7      0.000130 brk(NULL) = 0x55c04a718000", STRACE_CALL, 7, 0, "brk", true,
	 0x55c04a718000, 0, -1},
	{"     0.000130 brk(NULL) = 0", STRACE_CALL, 0, 0, "brk", true, 0, 0, -1},
	{"7 07:33:46.631230 (+     0.000272) [  59] execve(\"/a\", [\"a\"], 0x1 /* 3 vars "
	 "*/) = 0",
	 STRACE_CALL, 7, 0, "execve", true, 0, 0, 59},
	{"7 [00007f82b7521ad7] read(3</tmp/a\\\"(b>, \"\", 1) = -1 EIO (Input/output error)",
	 STRACE_CALL, 7, 0, "read", true, -1, 0, -1},
	{"7 write(1, \") = 5\", 5) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
	 STRACE_CALL, 7, 0, "write", false, 0, 512, -1},
	{"7 nanosleep({}, 0x1) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)",
	 STRACE_CALL, 7, 0, "nanosleep", false, 0, 516, -1},
	{"7 exit_group(0) = ?", STRACE_CALL, 7, 0, "exit_group", false, 0, 0, -1},
	{"7 umask(077) = 022", STRACE_CALL, 7, 0, "umask", true, 022, 0, -1},
	{"7 f(a)b) = 3", STRACE_CALL, 7, 0, "f", true, 3, 0, -1},
	{"7 wait4(-1,  <unfinished ...>", STRACE_UNFINISHED, 7, 0, "wait4", false, 0, 0,
	 -1},
	{"7 read(0,  <detached ...>", STRACE_UNFINISHED, 7, 0, "read", false, 0, 0, -1},
	{"7 <... wait4 resumed>NULL, 0, NULL) = 9", STRACE_RESUMED, 7, 0, "wait4", true,
	 9, 0, -1},
	{"7 <... clone3 resumed> => {parent_tid=[8]}, 88) = 8", STRACE_RESUMED, 7, 0,
	 "clone3", true, 8, 0, -1},
	{"7 <... futex resumed>) = ?", STRACE_RESUMED, 7, 0, "futex", false, 0, 0, -1},
	{"7 --- SIGCHLD {si_signo=SIGCHLD} ---", STRACE_SIGNAL, 7, 0, "SIGCHLD", false, 0,
	 0, -1},
	{"7 --- stopped by SIGSTOP ---", STRACE_NOISE, 7, 0, NULL, false, 0, 0, -1},
	{"7 +++ exited with 0 +++", STRACE_EXIT, 7, 0, NULL, false, 0, 0, -1},
	{"7 +++ killed by SIGKILL +++", STRACE_EXIT, 7, 0, NULL, false, 0, 0, -1},
	{"7 +++ superseded by execve in pid 8 +++", STRACE_SUPERSEDED, 7, 0, NULL, false,
	 0, 0, -1},
	{"strace: Process 8 attached", STRACE_NOISE, 0, 0, NULL, false, 0, 0, -1},
	{"strace: [ Process PID=8 runs in 32 bit mode. ]", STRACE_MODE, 0, 0, NULL, false,
	 0, 0, -1},
	{" > /usr/lib/libc.so.6(execve+0x7) [0xd4ad7]", STRACE_NOISE, 0, 0, NULL, false,
	 0, 0, -1},
	{"", STRACE_NOISE, 0, 0, NULL, false, 0, 0, -1},
	{"7 ???\?( <unfinished ...>", STRACE_NOISE, 7, 0, "????", false, 0, 0, -1},
};

static void lines_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		const struct example *e = &examples[i];
		struct strace_line l;
		const char *why = "";

		if (strace_parse(e->line, &l, &why))
			fail_msg("%s: %s", e->line, why);
		if (l.kind != e->kind || l.tid != e->tid || l.time != e->time ||
		    l.returned != e->returned || l.result != e->result ||
		    l.restart != e->restart || l.number != e->number)
			fail_msg("%s: kind %d tid %u time %llu returned %d result %lld "
				 "restart %u number %ld",
				 e->line, (int)l.kind, l.tid, (unsigned long long)l.time,
				 l.returned, l.result, l.restart, l.number);
		if (e->name)
			assert_memory_equal(l.name, e->name, strlen(e->name));
		if (e->name)
			assert_int_equal(l.name_length, strlen(e->name));
	}
}

static void other_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"7 read(0, \"abc", "7 read",	    "hello world",    "7",	  "7 8 9",
		"<... read",	   "{\"event\":1}", "7 9read(1) = 1", "7 read(1)"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct strace_line l;
		const char *why = NULL;

		if (!strace_parse(lines[i], &l, &why))
			fail_msg("%s", lines[i]);
		assert_non_null(why);
	}
}

static void strings_lose_their_escapes(void **state)
{
	char text[32];

	(void)state;
	assert_true(strace_string("3</dir>, \"a\\\"b\\\\\\n\\101\\x41\", 0", text,
				  sizeof(text)));
	assert_string_equal(text, "a\"b\\\nAA");
	assert_false(strace_string("0x1234", text, sizeof(text)));
	assert_false(strace_string("\"open", text, sizeof(text)));
	assert_false(strace_string("\"abc\"", text, 3));
	assert_true(strace_string("\"ab\"", text, 3));
}

static void signals_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(strace_signal("SIGHUP", 6), 1);
	assert_int_equal(strace_signal("SIGUSR1", 7), 10);
	assert_int_equal(strace_signal("SIGSYS", 6), 31);
	assert_int_equal(strace_signal("SIGRTMIN", 8), 32);
	assert_int_equal(strace_signal("SIGRT_1", 7), 33);
	assert_int_equal(strace_signal("SIGRT_32", 8), 64);
	assert_int_equal(strace_signal("SIGRT_33", 8), 0);
	assert_int_equal(strace_signal("SIGNOTHING", 10), 0);
	assert_int_equal(strace_signal("SIG", 3), 0);
}

/* ---- threads and processes ---- */

struct story {
	char text[4096]; /* "TID:earlier,call " for each pair learned at distance 1 */
	struct symbols *symbols;
};

/* Each call with the one before it in its window, if any. */
static void on_tell(void *context, const struct event *e, const char *exe)
{
	struct story *s = context;
	char call[64], earlier[64];
	size_t used = strlen(s->text);

	if (e->type != EVENT_SEQUENCE)
		return;
	snprintf(s->text + used, sizeof(s->text) - used, "%s%u:%s:%s,%s", used ? " " : "",
		 e->tid, exe, syscall_name(e->sequence[1], earlier, sizeof(earlier)),
		 syscall_name(e->sequence[0], call, sizeof(call)));
}

/* Run LOG with windows of two calls; WANT: the pairs; COUNTS: "PID/PPID=calls ...". */
static void expect(const char *log, const char *want, const char *counts)
{
	struct rules rules = {.factor = 1000,
			      .factor_den = 1,
			      .tolerize_limit = 12,
			      .anomaly_limit = 30};
	struct story s = {.symbols = symbols_new(NULL)};
	const struct process *p;
	char found[512] = "";
	struct judge j;
	struct tasks *t;

	judge_init(&j, &rules, 2, FRAME_LENGTH);
	j.mode = JUDGE_LIVE;
	j.verbose = true;
	j.tell = on_tell;
	j.context = &s;
	t = tasks_new(&j, s.symbols);
	assert_int_equal(tasks_feed(t, log, strlen(log)), 0);
	assert_int_equal(tasks_end(t, false), 0);
	for (size_t i = 0; (p = tasks_process(t, i)); i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found),
			 "%s%u/%u=%llu", i ? " " : "", p->pid, p->ppid,
			 (unsigned long long)p->calls);
	if (strcmp(s.text, want))
		fail_msg("learned: %s\nnot:     %s", s.text, want);
	assert_string_equal(found, counts);
	tasks_free(t);
	judge_free(&j);
	symbols_free(s.symbols);
}

static void programs_have_profiles_and_failed_execs_none(void **state)
{
	(void)state;
	expect("5 execve(\"/a\", [], 0x1) = 0\n"
	       "5 arch_prctl(1) = 0\n"
	       "5 execve(\"/none\", [], 0x1) = -1 ENOENT (No such file)\n"
	       "5 execve(\"/b\", [], 0x1) = 0\n"
	       "5 arch_prctl(1) = 0\n"
	       "5 exit_group(0) = ?\n"
	       "5 +++ exited with 0 +++\n",
	       "5:/a:arch_prctl,execve 5:/a:execve,execve 5:/b:arch_prctl,exit_group",
	       "5/0=5");
}

static void children_begin_with_the_parents_window(void **state)
{
	(void)state;
	/* 6 is seen before fork() has returned, 7 after. */
	expect("5 execve(\"/a\", [], 0x1) = 0\n"
	       "5 newfstatat(0) = 0\n"
	       "5 fork( <unfinished ...>\n"
	       "6 getuid() = 0\n"
	       "5 <... fork resumed>) = 6\n"
	       "6 exit(0) = ?\n"
	       "6 +++ exited with 0 +++\n"
	       "5 getgid() = 0\n"
	       "5 clone(flags=CLONE_VM|CLONE_THREAD) = 7\n"
	       "7 getppid() = 1\n"
	       "5 getpid() = 1\n",
	       "5:/a:newfstatat,fork 6:/a:fork,getuid 6:/a:getuid,exit 5:/a:fork,getgid "
	       "5:/a:getgid,clone 7:/a:clone,getppid 5:/a:clone,getpid",
	       "5/0=6 6/5=2");
}

static void children_of_unseen_children_find_their_place(void **state)
{
	(void)state;
	expect("1 execve(\"/a\", [], 0x1) = 0\n"
	       "1 newfstatat(0) = 0\n"
	       "1 vfork( <unfinished ...>\n"
	       "2 getuid() = 0\n"
	       "2 fork( <unfinished ...>\n"
	       "3 getgid() = 0\n"
	       "2 <... fork resumed>) = 3\n"
	       "1 <... vfork resumed>) = 2\n"
	       "3 getpid() = 3\n",
	       "1:/a:newfstatat,vfork 2:/a:vfork,getuid 2:/a:getuid,fork 3:/a:fork,getgid "
	       "3:/a:getgid,getpid",
	       "1/0=2 2/1=2 3/2=2");
	/* A child whose parent died in fork(), or was not traced, is nobody's. */
	expect("1 execve(\"/a\", [], 0x1) = 0\n"
	       "1 newfstatat(0) = 0\n"
	       "1 fork( <unfinished ...>\n"
	       "2 newfstatat(0) = 0\n"
	       "2 getuid() = 0\n"
	       "1 +++ killed by SIGKILL +++\n",
	       "1:/a:newfstatat,fork 2:(unknown):newfstatat,getuid", "1/0=2 2/0=2");
}

static void a_reused_id_starts_fresh(void **state)
{
	(void)state;
	expect("5 newfstatat(0) = 0\n"
	       "5 getuid() = 0\n"
	       "5 +++ exited with 0 +++\n"
	       "5 newfstatat(0) = 0\n"
	       "5 getgid() = 0\n",
	       "5:(unknown):newfstatat,getuid 5:(unknown):newfstatat,getgid",
	       "5/0=2 5/0=2");
}

#define BEGIN "5 execve(\"/a\", [], 0x1) = 0\n5 newfstatat(0) = 0\n"
#define ACTION(flags)                                                          \
	"5 rt_sigaction(SIGUSR1, {sa_handler=0x1, sa_mask=[], sa_flags=" flags \
	"}, NULL, "                                                            \
	"8) = 0\n"
#define USR1 "5 --- SIGUSR1 {si_signo=SIGUSR1} ---\n"

static void handlers_have_windows_of_their_own(void **state)
{
	(void)state;
	expect(BEGIN ACTION("SA_RESTORER") "5 getuid() = 0\n" USR1 "5 getgid() = 0\n"
					   "5 rt_sigreturn({mask=[]}) = 0\n"
					   "5 getpid() = 0\n"
					   "5 --- SIGCHLD {si_signo=SIGCHLD} ---\n"
					   "5 getppid() = 0\n",
	       "5:/a:newfstatat,rt_sigaction 5:/a:rt_sigaction,getuid "
	       "5:/a:getgid,rt_sigreturn 5:/a:getuid,getpid 5:/a:getpid,getppid",
	       "5/0=7");
	/* SA_RESETHAND: once. SIG_IGN and SIG_DFL: never. exec: not any more. */
	expect(BEGIN ACTION("SA_RESETHAND") USR1 "5 rt_sigreturn({mask=[]}) = 0\n" USR1
						 "5 getuid() = 0\n",
	       "5:/a:newfstatat,rt_sigaction 5:/a:rt_sigaction,getuid", "5/0=4");
	expect(BEGIN ACTION(
		       "0") "5 rt_sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[], "
			    "sa_flags=0}, {sa_handler=0x1}, 8) = 0\n" USR1
			    "5 getuid() = 0\n",
	       "5:/a:newfstatat,rt_sigaction 5:/a:rt_sigaction,rt_sigaction "
	       "5:/a:rt_sigaction,getuid",
	       "5/0=4");
	expect(BEGIN ACTION("0") "5 execve(\"/b\", [], 0x1) = 0\n"
				 "5 newfstatat(0) = 0\n" USR1 "5 getuid() = 0\n",
	       "5:/a:newfstatat,rt_sigaction 5:/a:rt_sigaction,execve "
	       "5:/b:newfstatat,getuid",
	       "5/0=5");
	/* A log that begins in a handler does not know what that interrupted. */
	expect("5 getgid() = 0\n"
	       "5 rt_sigreturn({mask=[]}) = 0\n"
	       "5 getuid() = 0\n"
	       "5 getpid() = 0\n",
	       "5:(unknown):getgid,rt_sigreturn 5:(unknown):getuid,getpid", "5/0=4");
}

static void restarted_calls_are_noise(void **state)
{
	(void)state;
	/* For an ignored signal, and behind a handler with SA_RESTART. */
	expect(BEGIN "5 read(0, 0x1, 1) = ? ERESTARTSYS (To be restarted)\n"
		     "5 --- SIGWINCH {si_signo=SIGWINCH} ---\n"
		     "5 read(0, \"a\", 1) = 1\n"
		     "5 getuid() = 0\n",
	       "5:/a:newfstatat,read 5:/a:read,getuid", "5/0=4");
	expect(BEGIN ACTION(
		       "SA_RESTART") "5 read(0, 0x1, 1) = ? ERESTARTSYS (To be)\n" USR1
				     "5 rt_sigreturn({mask=[]}) = 0\n"
				     "5 read(0, \"a\", 1) = 1\n"
				     "5 getuid() = 0\n",
	       "5:/a:newfstatat,rt_sigaction 5:/a:rt_sigaction,read 5:/a:read,getuid",
	       "5/0=6");
	/* Without SA_RESTART the program itself calls again. */
	expect(BEGIN ACTION("0") "5 read(0, 0x1, 1) = ? ERESTARTSYS (To be)\n" USR1
				 "5 rt_sigreturn({mask=[]}) = 0\n"
				 "5 read(0, \"a\", 1) = 1\n",
	       "5:/a:newfstatat,rt_sigaction 5:/a:rt_sigaction,read 5:/a:read,read",
	       "5/0=5");
	expect(BEGIN "5 poll(0) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)\n"
		     "5 restart_syscall(<... resuming interrupted poll ...>) = 0\n"
		     "5 getuid() = 0\n",
	       "5:/a:newfstatat,poll 5:/a:poll,getuid", "5/0=4");
}

static void a_threads_exec_replaces_the_leader(void **state)
{
	(void)state;
	expect(BEGIN "5 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 6\n"
		     "5 futex(0,  <unfinished ...>\n"
		     "6 execve(\"/b\", [], 0x1 <unfinished ...>\n"
		     "5 <... futex resumed>) = ?\n"
		     "5 +++ superseded by execve in pid 6 +++\n"
		     "5 <... execve resumed>) = 0\n"
		     "5 newfstatat(0) = 0\n"
		     "5 getuid() = 0\n",
	       "5:/a:newfstatat,clone3 5:/a:clone3,futex 6:/a:clone3,execve "
	       "5:/b:newfstatat,getuid",
	       "5/0=6");
}

static void a_late_name_tells_a_32_bit_program(void **state)
{
	/* brk is 45 there and 12 here. */
	const char *log = "5 execve(\"/a\", [], 0x1) = 0\n"
			  "5 brk(NULL) = 0x1\n"
			  "5 mmap2(0) = 0\n"
			  "5 brk(NULL) = 0x1\n";
	struct rules rules = {.factor = 0};
	struct symbols *s = symbols_new(NULL);
	struct judge j;
	struct tasks *t;

	(void)state;
	judge_init(&j, &rules, WINDOW_MAX, FRAME_LENGTH);
	t = tasks_new(&j, s);
	assert_int_equal(tasks_feed(t, log, strlen(log)), 0);
	assert_int_equal(tasks_end(t, false), 0);
	assert_int_equal(j.detector.count, 1);
	assert_int_equal(j.detector.models[0]->profile.symbols, 2);
#ifdef __x86_64__
	assert_int_equal(j.detector.models[0]->profile.symbol[1], SYMBOL_COMPAT + 45);
	assert_int_equal(j.detector.models[0]->profile.symbol[2], SYMBOL_COMPAT + 192);
#endif
	tasks_free(t);
	judge_free(&j);
	symbols_free(s);
}

/* Each is a parent in clone() that is held for its own parent: no recursion. */
static void a_long_chain_of_unknown_parents_needs_no_stack(void **state)
{
	enum { CHAIN = 200000 };
	struct rules rules = {.factor = 0};
	struct symbols *s = symbols_new(NULL);
	struct judge j;
	struct tasks *t;
	char line[64];

	(void)state;
	judge_init(&j, &rules, WINDOW_MAX, FRAME_LENGTH);
	t = tasks_new(&j, s);
	snprintf(line, sizeof(line), "1 fork( <unfinished ...>\n");
	assert_int_equal(tasks_feed(t, line, strlen(line)), 0);
	for (u32 i = 2; i < CHAIN; i++) {
		snprintf(line, sizeof(line), "%u fork() = %u\n", i, i + 1);
		assert_int_equal(tasks_feed(t, line, strlen(line)), 0);
	}
	snprintf(line, sizeof(line), "1 <... fork resumed>) = 2\n");
	assert_int_equal(tasks_feed(t, line, strlen(line)), 0);
	assert_int_equal(tasks_end(t, false), 0);
	assert_non_null(tasks_process(t, CHAIN - 1));
	assert_null(tasks_process(t, CHAIN));
	assert_int_equal(tasks_process(t, CHAIN - 1)->ppid, CHAIN - 1);
	tasks_free(t);
	judge_free(&j);
	symbols_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_understood),
		cmocka_unit_test(other_lines_are_refused),
		cmocka_unit_test(strings_lose_their_escapes),
		cmocka_unit_test(signals_have_numbers),
		cmocka_unit_test(programs_have_profiles_and_failed_execs_none),
		cmocka_unit_test(children_begin_with_the_parents_window),
		cmocka_unit_test(children_of_unseen_children_find_their_place),
		cmocka_unit_test(a_reused_id_starts_fresh),
		cmocka_unit_test(handlers_have_windows_of_their_own),
		cmocka_unit_test(restarted_calls_are_noise),
		cmocka_unit_test(a_threads_exec_replaces_the_leader),
		cmocka_unit_test(a_late_name_tells_a_32_bit_program),
		cmocka_unit_test(a_long_chain_of_unknown_parents_needs_no_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
