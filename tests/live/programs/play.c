/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes the system calls that its arguments name, in that order, and no others; at
 * the end exit_group. An argument is a list of steps between commas, perhaps with a
 * number of repetitions: `3x:getuid,getgid`. A step is one of
 *
 *   getuid, ...    a call without arguments: see `simple`
 *   #N             the call of number N, all arguments -1 (N decimal or 0x)
 *   int80:N        the same through the 32-bit entry
 *   sweep:N        N different calls that fail or do no harm, all arguments -1
 *   kill:N         signal N to itself; `getpid` must have come before
 *   tgkill:K:N     signal N to its thread K; `getpid` must have come before
 *   send:N         signal N to the last child
 *   trap           signal 5 without a call
 *   on:N[FLAGS]    what signal N's handler does is the next argument. FLAGS: r
 *                  SA_RESTART, s SA_ONSTACK, o (32-bit) the old sigreturn
 *   default:N, ignore:N, block:N, unblock:N
 *   altstack       64 KiB for handlers
 *   jump           leave the handler, as siglongjmp: go on with the main thread's
 *                  next argument
 *   exec:PATH      run PATH with the arguments up to `end`; goes on if that fails
 *   run:PATH       run PATH with the argument `getpid`, also in a handler
 *   fork, vfork    a child does the arguments up to `end`, and exits
 *   as:N           the next child or (64-bit) thread gets the id N, as soon as that is free
 *   thread         the same as fork, a thread
 *   split          a child goes on where its parent does, which waits first
 *   wait           for any child
 *   join           for all threads to be gone, without a call
 *   read, write:N  one byte from standard input; one to descriptor N
 *   nap:N          nanosleep, N ms
 *   comm:NAME, ruid:N, sigmask (rt_sigprocmask that only asks)
 *   @N, +          wait for the turn N, without a call; next turn. All threads share
 *                  the turn; after `shared` (mmap) also children
 *   /...           nothing: what the kernel adds when PLAY interprets a script
 *   die            end here, without a call (SIGILL)
 *   spin           for ever, without a call
 */
#include "raw.h"

#include <linux/sched.h>

enum { THREADS = 64, STACK = 65536, SIGNALS = 65, ALTSTACK = 65536 };
enum { SA_SIGINFO_ = 4, SA_RESTORER_ = 0x04000000, SA_ONSTACK_ = 0x08000000 };
enum { EXISTS = -17 }; /* -EEXIST */
enum { SA_RESTART_ = 0x10000000, SA_NODEFER_ = 0x40000000 };

struct action {
	void (*handler)(int number, void *info, void *context);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask[8 / sizeof(long)];
};

static const struct {
	const char *name;
	int nr;
} simple[] = {
	{"getpid", __NR_getpid},
	{"getppid", __NR_getppid},
	{"gettid", __NR_gettid},
	{"getuid", __NR_getuid},
	{"geteuid", __NR_geteuid},
	{"getgid", __NR_getgid},
	{"getegid", __NR_getegid},
	{"getpgrp", __NR_getpgrp},
	{"getsid", __NR_getsid},
	{"getpgid", __NR_getpgid},
	{"sched_yield", __NR_sched_yield},
	{"sched_getscheduler", __NR_sched_getscheduler},
	{"sched_get_priority_max", __NR_sched_get_priority_max},
	{"sched_get_priority_min", __NR_sched_get_priority_min},
	{"alarm", __NR_alarm},
	{"times", __NR_times},
};

static char **args, **environment;
static int position; /* of the main thread */
static long pid, child, wanted;
static const char *bodies[SIGNALS];
static void *resume[5];
/* In one object, so that the alternate stack lies above the threads' own. */
static struct {
	struct {
		unsigned char stack[STACK];
	} threads[THREADS];
	unsigned char altstack[ALTSTACK];
} stacks __attribute__((aligned(STACK)));
static volatile int thread_start[THREADS], thread_tid[THREADS], thread_live[THREADS];
static int thread_count;
static int own_turn;
static volatile int *turn = &own_turn;

static void steps(const char *text, int *at);
static void play(int *at);

static __attribute__((noreturn)) void leave(long nr, long status)
{
	for (;;)
		raw(nr, status, 0, 0, 0);
}

static __attribute__((noreturn)) void complain(const char *what)
{
	unsigned long size = 0;

	while (what[size])
		size++;
	raw(__NR_write, 2, (long)"play: cannot do ", 16, 0);
	raw(__NR_write, 2, (long)what, (long)size, 0);
	raw(__NR_write, 2, (long)"\n", 1, 0);
	leave(__NR_exit_group, 99);
}

/* Past the `end` of the block that begins at AT. */
static int block_end(int at)
{
	int depth = 1;

	for (; args[at]; at++) {
		if (same(args[at], "fork") || same(args[at], "vfork") ||
		    same(args[at], "thread") || after(args[at], "exec:"))
			depth++;
		if (same(args[at], "end") && --depth == 0)
			return at + 1;
	}
	return at;
}

/* ---- signals ---- */

static void handler(int number, void *info, void *context)
{
	(void)info;
	(void)context;
	steps(bodies[number], 0);
}

void restore_rt(void);
void restore_old(void);
#ifdef __x86_64__
__asm__(".text\nrestore_rt: movl $15, %eax\nsyscall\nrestore_old: ud2\n");
#else
__asm__(".text\nrestore_rt: movl $173, %eax\nint $0x80\n"
	"restore_old: popl %eax\nmovl $119, %eax\nint $0x80\n");
#endif

static void set_action(int number, void (*what)(int, void *, void *), const char *flags)
{
	struct action action = {.handler = what,
				.flags = SA_SIGINFO_ | SA_RESTORER_ | SA_NODEFER_,
				.restorer = restore_rt};

	for (; *flags; flags++) {
		if (*flags == 'r')
			action.flags |= SA_RESTART_;
		if (*flags == 's')
			action.flags |= SA_ONSTACK_;
		if (*flags == 'o') {
			action.flags &= ~(unsigned long)SA_SIGINFO_;
			action.restorer = restore_old;
		}
	}
	raw(__NR_rt_sigaction, number, (long)&action, 0, 8);
}

/* Of signals 1 to 31; 0 only asks. */
static void set_mask(int how, unsigned int number)
{
	unsigned long mask[8 / sizeof(long)] = {1UL << number >> 1};

	raw(__NR_rt_sigprocmask, how, number ? (long)mask : 0, 0, 8);
}

static void set_altstack(void)
{
	struct {
		void *base;
		int flags;
		unsigned long size;
	} stack = {stacks.altstack, 0, sizeof(stacks.altstack)};

	raw(__NR_sigaltstack, (long)&stack, 0, 0, 0);
}

static __attribute__((noinline, noreturn)) void jump(void)
{
	__builtin_longjmp(resume, 1);
}

/* ---- children and threads ---- */

static int thread_here(void)
{
	return (int)(((unsigned long)__builtin_frame_address(0) -
		      (unsigned long)&stacks) /
		     STACK);
}

static __attribute__((noreturn, used)) void thread_main(void)
{
	int at = thread_start[thread_here()];

	play(&at);
	leave(__NR_exit, 0);
}

/* clone or clone3 (NR), with its first two arguments, of thread K. */
static long thread_clone(long nr, long first, long second, int k)
{
	long result;

#ifdef __x86_64__
	/* cppcheck-suppress constStatement */
	register long r10 __asm__("r10") = (long)&thread_live[k];

	__asm__ volatile("syscall\n\ttest %%eax, %%eax\n\tjnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\tcall thread_main\n1:"
			 : "=a"(result)
			 : "0"(nr), "D"(first), "S"(second), "d"(&thread_tid[k]), "r"(r10)
			 : "rcx", "r11", "memory");
#else
	__asm__ volatile("int $0x80\n\ttest %%eax, %%eax\n\tjnz 1f\n\t"
			 "call thread_main\n1:"
			 : "=a"(result)
			 : "0"(nr), "b"(first), "c"(second), "d"(&thread_tid[k]), "S"(0),
			   "D"(&thread_live[k])
			 : "memory");
#endif
	return result;
}

/* The same with the id that is wanted, when that is free. */
static long thread_as(long flags, int k)
{
	int id = (int)wanted;
	struct clone_args clone = {
		.flags = (unsigned long)flags,
		.parent_tid = (unsigned long)&thread_tid[k],
		.child_tid = (unsigned long)&thread_live[k],
		.stack = (unsigned long)stacks.threads[k].stack,
		.stack_size = STACK - 64,
		.set_tid = (unsigned long)&id,
		.set_tid_size = 1,
	};
	long result;

	do {
		result = thread_clone(__NR_clone3, (long)&clone, sizeof(clone), k);
	} while (result == EXISTS);
	wanted = 0;
	return result;
}

static void thread_begin(int at)
{
	/* CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, PARENT_SETTID, CHILD_CLEARTID */
	const long flags =
		0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x100000 | 0x200000;
	long result;
	int k = thread_count;

	while (thread_live[k % THREADS]) /* a stack is used again when it is free */
		__asm__ volatile("pause");
	k %= THREADS;
	thread_count++;
	thread_start[k] = at;
	thread_live[k] = 1;
	if (wanted)
		result = thread_as(flags, k);
	else
		result = thread_clone(__NR_clone, flags,
				      (long)(stacks.threads[k].stack + STACK - 64), k);
	if (result < 0)
		complain("thread");
}

static void join(void)
{
	for (int k = 0; k < THREADS; k++)
		while (thread_live[k])
			__asm__ volatile("pause");
}

static void begin_fork(int *at, int nr)
{
	long result;

	if (wanted && nr == __NR_fork) {
		int id = (int)wanted;
		struct clone_args clone = {
			.exit_signal = 17,
			.set_tid = (unsigned long)&id,
			.set_tid_size = 1,
		};

		do {
			result = raw(__NR_clone3, (long)&clone, sizeof(clone), 0, 0);
		} while (result == EXISTS);
		wanted = 0;
	} else {
		result = raw_vfork(nr);
	}
	if (result < 0)
		complain("fork");
	if (!result) {
		int mine = *at;

		play(&mine);
		leave(__NR_exit_group, 0);
	}
	child = result;
	*at = block_end(*at);
}

static void exec(const char *path, int *at)
{
	char *list[1200];
	int stop = block_end(*at), n = 0;

	list[n++] = (char *)path;
	for (int i = *at; i < stop && n < 1199 && args[i]; i++)
		if (i < stop - 1 || !same(args[i], "end"))
			list[n++] = args[i];
	list[n] = 0;
	raw(__NR_execve, (long)path, (long)list, (long)environment, 0);
	*at = stop;
}

/* ---- steps ---- */

/* Neither ends, stops, forks nor hangs the process, nor touches the machine. */
static int harmless(int nr)
{
	static const short not [] = {
		__NR_rt_sigreturn,
		__NR_pause,
		__NR_clone,
		__NR_fork,
		__NR_vfork,
		__NR_exit,
		__NR_exit_group,
		__NR_kill,
		__NR_tkill,
		__NR_tgkill,
		__NR_sync,
		__NR_vhangup,
		__NR_setsid,
		__NR_alarm,
		__NR_munlockall,
		__NR_reboot,
		__NR_restart_syscall,
		__NR_personality,
		__NR_rt_sigsuspend,
		__NR_ptrace,
		__NR_brk,
		__NR_set_tid_address,
		__NR_umask,
		__NR_sched_yield,
	};

	for (unsigned int i = 0; i < sizeof(not ) / sizeof(*not ); i++)
		if (not [i] == nr)
			return 0;
	return nr < 335;
}

static void sweep(long count)
{
	if (sizeof(long) < 8)
		complain("sweep: the numbers are x86-64's");
	for (int nr = 0; count > 0 && nr < 335; nr++) {
		if (!harmless(nr))
			continue;
		raw6(nr, -1, -1, -1, -1, -1, -1);
		count--;
	}
	if (count)
		complain("so many different calls");
}

static void nap(long ms)
{
	long time[2] = {ms / 1000, ms % 1000 * 1000000};

	raw(__NR_nanosleep, (long)time, 0, 0, 0);
}

static void share_turn(void)
{
	long page = raw6(
#ifdef __x86_64__
		__NR_mmap,
#else
		__NR_mmap2,
#endif
		0, 4096, 3, 0x21, -1, 0);

	turn = (volatile int *)page;
}

static void run(const char *path)
{
	const char *list[] = {path, "getpid", 0};

	raw(__NR_execve, (long)path, (long)list, (long)environment, 0);
	complain("run");
}

static void split(void)
{
	child = raw(__NR_fork, 0, 0, 0, 0);
	if (child)
		raw(__NR_wait4, -1, 0, 0, 0);
}

static int signal_step(const char *s, int *at)
{
	const char *rest;

	if ((rest = after(s, "kill:"))) {
		raw(__NR_kill, pid, number(rest, 0), 0, 0);
	} else if ((rest = after(s, "tgkill:"))) {
		long k = number(rest, &rest);

		raw(__NR_tgkill, pid, thread_tid[k], number(rest + 1, 0), 0);
	} else if ((rest = after(s, "send:"))) {
		raw(__NR_kill, child, number(rest, 0), 0, 0);
	} else if (same(s, "trap")) {
		__asm__ volatile("int3");
	} else if ((rest = after(s, "on:")) && at) {
		long n = number(rest, &rest);

		bodies[n] = args[(*at)++];
		set_action((int)n, handler, rest);
	} else if ((rest = after(s, "default:"))) {
		set_action((int)number(rest, 0), 0, "");
	} else if ((rest = after(s, "ignore:"))) {
		set_action((int)number(rest, 0), (void (*)(int, void *, void *))1, "");
	} else if ((rest = after(s, "block:"))) {
		set_mask(0, (unsigned int)number(rest, 0));
	} else if ((rest = after(s, "unblock:"))) {
		set_mask(1, (unsigned int)number(rest, 0));
	} else if (same(s, "sigmask")) {
		set_mask(0, 0);
	} else if (same(s, "altstack")) {
		set_altstack();
	} else if (same(s, "jump")) {
		jump();
	} else {
		return 0;
	}
	return 1;
}

static int process_step(const char *s, int *at)
{
	const char *rest;

	if ((rest = after(s, "exec:")) && at) {
		exec(rest, at);
	} else if ((rest = after(s, "run:"))) {
		run(rest);
	} else if (same(s, "shared")) {
		share_turn();
	} else if (same(s, "fork") && at) {
		begin_fork(at, __NR_fork);
	} else if (same(s, "vfork") && at) {
		begin_fork(at, __NR_vfork);
	} else if (same(s, "thread") && at) {
		thread_begin(*at);
		*at = block_end(*at);
	} else if ((rest = after(s, "as:"))) {
		wanted = number(rest, 0);
	} else if (*s == '/') {
		return 1;
	} else if (same(s, "split")) {
		split();
	} else if (same(s, "wait")) {
		raw(__NR_wait4, -1, 0, 0, 0);
	} else if (same(s, "join")) {
		join();
	} else if (same(s, "die")) {
		__builtin_trap();
	} else if (same(s, "spin")) {
		for (;;)
			__asm__ volatile("pause");
	} else if (same(s, "+")) {
		__sync_fetch_and_add(turn, 1);
	} else if ((rest = after(s, "@"))) {
		while (*turn < number(rest, 0))
			__asm__ volatile("pause");
	} else {
		return 0;
	}
	return 1;
}

static int call_step(const char *s)
{
	const char *rest;
	char byte = 0;

	for (unsigned int i = 0; i < sizeof(simple) / sizeof(*simple); i++)
		if (same(s, simple[i].name)) {
			long result = raw(simple[i].nr, 0, 0, 0, 0);

			if (simple[i].nr == __NR_getpid)
				pid = result;
			return 1;
		}
	if ((rest = after(s, "#"))) {
		raw6(number(rest, 0), -1, -1, -1, -1, -1, -1);
	} else if ((rest = after(s, "int80:"))) {
		raw_int80(number(rest, 0), -1, -1, -1);
	} else if ((rest = after(s, "sweep:"))) {
		sweep(number(rest, 0));
	} else if (same(s, "read")) {
		raw(__NR_read, 0, (long)&byte, 1, 0);
	} else if ((rest = after(s, "write:"))) {
		raw(__NR_write, number(rest, 0), (long)"+", 1, 0);
	} else if ((rest = after(s, "nap:"))) {
		nap(number(rest, 0));
	} else if ((rest = after(s, "comm:"))) {
		raw(__NR_prctl, 15, (long)rest, 0, 0);
	} else if ((rest = after(s, "ruid:"))) {
		raw(__NR_setresuid, number(rest, 0), -1, -1, 0);
	} else {
		return 0;
	}
	return 1;
}

/* The steps of one argument, once. */
static void step_list(const char *text, int *at)
{
	char step[512];

	while (*text) {
		int n = 0;

		while (*text && *text != ',' && n < 511)
			step[n++] = *text++;
		step[n] = 0;
		text += *text == ',';
		if (!call_step(step) && !signal_step(step, at) && !process_step(step, at))
			complain(step);
	}
}

/* One argument; AT: the next, NULL inside a handler. */
static void steps(const char *text, int *at)
{
	const char *rest = text;
	long times = 1;

	if (*text >= '0' && *text <= '9') {
		times = number(text, &rest);
		if (rest[0] != 'x' || rest[1] != ':')
			complain(text);
		rest += 2;
	}
	while (times-- > 0)
		step_list(rest, at);
}

/* All arguments from *AT on, to the end or to the `end` of the block. */
static void play(int *at)
{
	while (args[*at] && !same(args[*at], "end"))
		steps(args[(*at)++], at);
}

static __attribute__((noreturn, used)) void start(long *stack)
{
	args = (char **)(stack + 1);
	environment = args + stack[0] + 1;
	position = 1;
	__builtin_setjmp(resume);
	play(&position);
	leave(__NR_exit_group, 0);
}

#ifdef __x86_64__
__asm__(".globl _start\n_start: movq %rsp, %rdi\nandq $-16, %rsp\ncall start\n");
#else
__asm__(".globl _start\n_start: movl %esp, %eax\nandl $-16, %esp\npushl %eax\n"
	"call start\n");
#endif
