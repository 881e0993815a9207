/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookahead.h"
#include "moment.h"
#include "stats.h"

/* How long a program that found a profile's slot may take to look into it. */
#define GRACE_NS 20000000ULL
/* How long to wait for a profile that is busy: whoever asked for it waits too. */
#define BUSY_NS 500000000ULL
/* How long making room may keep events waiting. */
#define ROOM_BUDGET_NS 20000000ULL

enum { RANGES = 256 };

static const char *const lost_names[LOST_KINDS] = {
	[LOST_EVENT] = "events: a full ring buffer, or over 1000 of a program",
	[LOST_ANOMALY] = "anomalies only counted: over 1000 of a program, or no room",
	[LOST_THREAD] = "calls of threads beyond the table of threads",
	[LOST_PROFILE] = "calls of programs beyond --max-profiles",
	[LOST_ROW] = "calls beyond --max-pairs-memory",
	[LOST_PATH] = "names: the path was too long to read",
	[LOST_LOCK] = "calls not judged or counted: the profile was busy",
	[LOST_OVERFLOW] = "kinds of calls told apart no further: over 254 in a program",
	[LOST_FORK] = "children that began with an empty window",
	[LOST_TARGET] = "children of what is watched: over 8192 processes and threads",
	[LOST_DELAY] =
		"delays: over 16384 processes at once, or one that cannot be stopped",
};

static int push_range(int stack, u32 first, u32 count)
{
	struct range r = {.first = first, .count = count};

	return bpf_map_update_elem(stack, NULL, &r, BPF_ANY) ? -errno : 0;
}

static int push(int stack, u32 slot)
{
	return push_range(stack, slot, 1);
}

/* Slots 1..COUNT are free. In ranges: to push each would take most of the start. */
static int fill_stack(int stack, u32 count)
{
	u32 most = count / RANGES + 1;
	int result = 0;

	for (u32 first = 1; first <= count && !result; first += most)
		result = push_range(stack, first,
				    count - first + 1 < most ? count - first + 1 : most);
	return result;
}

/*
 * Let programs call those of L. The last first: who is called is there before who calls,
 * and until the first all can also be called by another L's, whose maps are the same.
 */
static int set_tails(const struct loaded *l)
{
	const int tails[] = {l->attach, l->known,  l->judge,
			     l->name,	l->report, l->respond};

	for (u32 i = sizeof(tails) / sizeof(*tails); i--;)
		if (tails[i] >= 0 &&
		    bpf_map_update_elem(l->tails, &i, &tails[i], BPF_ANY))
			return -errno;
	return 0;
}

static int map_arrays(struct tables *t)
{
	const struct bounds *b = t->bounds;
	const struct {
		struct array *array;
		int fd;
		u32 count;
		size_t size;
	} arrays[] = {
		{&t->profiles, t->l->profiles, b->profiles + 1, sizeof(struct profile)},
		{&t->rows, t->l->rows, b->rows + 1, sizeof(struct row)},
		{&t->threads, t->l->threads, b->threads + 1, sizeof(struct thread)},
		{&t->losses, t->l->losses, LOST_KINDS, sizeof(u64)},
		{&t->taken, t->l->taken, TAKEN_KINDS, sizeof(u64)},
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays) && !result; i++)
		result = array_map(arrays[i].array, arrays[i].fd, arrays[i].count,
				   arrays[i].size);
	return result;
}

int tables_init(struct tables *t, const struct loaded *l, const struct bounds *b)
{
	int result;

	memset(t, 0, sizeof(*t));
	t->l = l;
	t->bounds = b;
	t->leaving = calloc(b->profiles, sizeof(*t->leaving));
	t->gone = calloc((size_t)b->threads + 1, sizeof(*t->gone));
	if (!t->leaving || !t->gone)
		return -ENOMEM;
	result = map_arrays(t);
	if (!result)
		result = fill_stack(l->free_profiles, b->profiles);
	if (!result)
		result = fill_stack(l->free_rows, b->rows);
	if (!result)
		result = fill_stack(l->free_threads, b->threads);
	return result ? result : set_tails(l);
}

void tables_free(struct tables *t)
{
	free(t->leaving);
	t->leaving = NULL;
	free(t->gone);
	t->gone = NULL;
	array_unmap(&t->profiles);
	array_unmap(&t->rows);
	array_unmap(&t->threads);
	array_unmap(&t->losses);
	array_unmap(&t->taken);
}

static int command(const struct tables *t, u32 slot, enum verb verb, u64 last_used)
{
	u64 args[3] = {slot, verb, last_used};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .ctx_in = args, .ctx_size_in = sizeof(args)};
	u64 until = moment_monotonic() + BUSY_NS;

	do {
		if (bpf_prog_test_run_opts(t->l->command, &run))
			return -errno;
	} while ((int)run.retval == ANSWER_LOCKED && moment_monotonic() < until);
	return (int)run.retval;
}

int tables_command(const struct tables *t, u32 slot, enum verb verb)
{
	return command(t, slot, verb, 0);
}

/* ---- making room ---- */

static bool read_profile(const struct tables *t, u32 slot, struct profile *p)
{
	return !array_read(&t->profiles, slot, p);
}

/* Slots of KIND that are in use. */
static u64 used(const struct tables *t, u32 kind)
{
	u64 count = 0;

	array_read(&t->taken, kind, &count);
	return count - t->freed[kind];
}

/* Slots of KIND, of TOTAL, that are missing to a quarter of them; 0: over an eighth free. */
static u64 wanted(const struct tables *t, u32 kind, u64 total)
{
	u64 left = total - used(t, kind);

	return left > total / 8 ? 0 : total / 4 + 1 - left;
}

static void free_row(struct tables *t, u32 slot)
{
	if (!push(t->l->free_rows, slot))
		t->freed[TAKEN_ROWS]++;
}

void tables_free_rows(struct tables *t, const struct profile *p)
{
	struct row r;

	for (u32 i = 1; i < 256; i++) {
		if (!p->row[i] || array_read(&t->rows, p->row[i], &r))
			continue;
		for (u32 k = 0; k < CHUNKS - 1; k++)
			if (r.more[k] && r.more[k] != ROW_NO_ROOM)
				free_row(t, r.more[k]);
		free_row(t, p->row[i]);
	}
}

static u32 count_rows(const struct tables *t, const struct profile *p)
{
	u32 count = 0;
	struct row r;

	for (u32 i = 1; i < 256; i++) {
		if (!p->row[i] || array_read(&t->rows, p->row[i], &r))
			continue;
		count++;
		for (u32 k = 0; k < CHUNKS - 1; k++)
			count += r.more[k] && r.more[k] != ROW_NO_ROOM;
	}
	return count;
}

/* Nothing uses SLOT, whoever takes it next finds it empty. */
static void free_profile(struct tables *t, u32 slot)
{
	static const struct profile nothing;

	array_write(&t->profiles, slot, &nothing);
	if (!push(t->l->free_profiles, slot))
		t->freed[TAKEN_PROFILES]++;
}

/* True until LEAVING's grace is over; only a thread that runs it keeps it longer. */
static bool is_soon(const struct leaving *leaving)
{
	return moment_monotonic() - leaving->since < GRACE_NS;
}

/* What wanted() gives, less what is on its way. */
static u64 lacking(const struct tables *t, u32 kind, u64 total)
{
	u64 count = wanted(t, kind, total), coming = 0;

	for (u32 i = 0; count && i < t->leaving_count; i++)
		if (is_soon(&t->leaving[i]))
			coming += kind == TAKEN_ROWS ? t->leaving[i].rows : 1;
	return count > coming ? count - coming : 0;
}

/*
 * Second step: the slots of profiles that left some time ago are free again. What their
 * threads held back then they have by now.
 */
static void recycle(struct tables *t)
{
	u32 kept = 0;

	for (u32 i = 0; i < t->leaving_count; i++) {
		struct leaving leaving = t->leaving[i];
		struct profile p;

		if (is_soon(&leaving) || !read_profile(t, leaving.slot, &p) ||
		    p.threads) {
			t->leaving[kept++] = leaving;
			continue;
		}
		t->evicted_calls += p.count - leaving.count;
		tables_free_rows(t, &p);
		free_profile(t, leaving.slot);
	}
	t->leaving_count = kept;
}

/* First step: nobody finds the profile in SLOT any more; P is what it was. */
static void leave(struct tables *t, u32 slot, const struct profile *p)
{
	t->evicted_calls += p->count;
	t->leaving[t->leaving_count++] = (struct leaving){.slot = slot,
							  .rows = count_rows(t, p),
							  .count = p->count,
							  .since = moment_monotonic()};
}

int tables_forget(struct tables *t, u32 slot)
{
	int result = tables_command(t, slot, VERB_RETIRE);
	struct profile p = {0};

	if (result != ANSWER_DONE)
		return result;
	read_profile(t, slot, &p);
	leave(t, slot, &p);
	return result;
}

u32 tables_find(const struct tables *t, const struct identity *id)
{
	u32 slot;

	return bpf_map_lookup_elem(t->l->by_identity, id, &slot) ? 0 : slot;
}

struct candidate {
	u32 slot;
	u64 last_used;
};

static int by_use(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->last_used < y->last_used ? -1 : x->last_used > y->last_used;
}

static bool lacks_room(const struct tables *t)
{
	return lacking(t, TAKEN_PROFILES, t->bounds->profiles) ||
	       lacking(t, TAKEN_ROWS, t->bounds->rows);
}

/* The profiles that no thread runs, the least recently used first. */
static struct candidate *candidates(const struct tables *t, u32 *count)
{
	struct candidate *list = calloc(t->bounds->profiles, sizeof(*list));
	struct profile p;

	*count = 0;
	for (u32 slot = 1; list && slot <= t->bounds->profiles; slot++)
		if (read_profile(t, slot, &p) && p.state != STATE_FREE &&
		    p.state != STATE_RETIRED && !p.threads)
			list[(*count)++] = (struct candidate){slot, p.last_used};
	if (list)
		qsort(list, *count, sizeof(*list), by_use);
	return list;
}

/*
 * Retire candidate C; P is what it was. False: a thread runs it, or has run it since. That
 * it was used between two looks shows in last_used: P is read between the list's look and
 * the kernel side's own.
 */
static bool evict(struct tables *t, const struct candidate *c, struct profile *p)
{
	if (!read_profile(t, c->slot, p) || p->threads || p->last_used != c->last_used ||
	    command(t, c->slot, VERB_RETIRE_UNUSED, c->last_used) != ANSWER_DONE)
		return false;
	leave(t, c->slot, p);
	t->evicted++;
	return true;
}

void tables_make_room(struct tables *t,
		      void (*gone)(void *context, u32 slot, const struct profile *p),
		      void *context)
{
	struct candidate *list;
	u32 count;
	u64 until;

	recycle(t);
	if (!lacks_room(t))
		return;
	list = candidates(t, &count);
	until = moment_monotonic() + ROOM_BUDGET_NS;
	for (u32 i = 0; list && i < count && lacks_room(t) && moment_monotonic() < until;
	     i++) {
		struct profile p;

		if (evict(t, &list[i], &p))
			gone(context, list[i].slot, &p);
	}
	free(list);
}

bool tables_have_room(const struct tables *t)
{
	return !wanted(t, TAKEN_PROFILES, t->bounds->profiles) &&
	       !wanted(t, TAKEN_ROWS, t->bounds->rows);
}

/* ---- profiles from outside ---- */

/* A slot off STACK; what is left of its range goes back. */
static int take(struct tables *t, int stack, enum taken kind, u32 *slot)
{
	struct range r;

	if (bpf_map_lookup_and_delete_elem(stack, NULL, &r))
		return errno == ENOENT ? -ENOSPC : -errno;
	*slot = r.first;
	t->freed[kind]--; /* the kernel side has not counted it */
	return r.count > 1 ? push_range(stack, r.first + 1, r.count - 1) : 0;
}

static int row_read(void *context, u32 slot, struct row *row)
{
	struct tables *t = context;

	return array_read(&t->rows, slot, row);
}

static int row_write(void *context, u32 slot, const struct row *row)
{
	struct tables *t = context;

	return array_write(&t->rows, slot, row);
}

static int row_take(void *context, u32 *slot)
{
	struct tables *t = context;

	return take(t, t->l->free_rows, TAKEN_ROWS, slot);
}

static void row_give(void *context, u32 slot)
{
	free_row(context, slot);
}

struct row_table tables_rows(struct tables *t)
{
	return (struct row_table){.context = t,
				  .read = row_read,
				  .write = row_write,
				  .take = row_take,
				  .give = row_give};
}

int tables_read(const struct tables *t, u32 slot, struct profile *p)
{
	if (!read_profile(t, slot, p) || p->state == STATE_FREE ||
	    p->state == STATE_RETIRED)
		return -ENOENT;
	return 0;
}

int tables_install(struct tables *t, const struct profile *p, u32 old, u32 *slot)
{
	int result = take(t, t->l->free_profiles, TAKEN_PROFILES, slot);

	if (result)
		return result;
	array_write(&t->profiles, *slot, p);
	if (bpf_map_update_elem(t->l->by_identity, &p->identity, slot,
				old ? BPF_ANY : BPF_NOEXIST)) {
		result = -errno;
		free_profile(t, *slot);
		return result;
	}
	if (old && tables_command(t, old, VERB_RETIRE) == ANSWER_DONE) {
		struct profile before = {0};

		read_profile(t, old, &before);
		leave(t, old, &before);
	}
	return 0;
}

/* ---- reading ---- */

static int by_number(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static u32 distinct(u32 *list, u32 count)
{
	u32 different = 0;

	qsort(list, count, sizeof(*list), by_number);
	for (u32 i = 0; i < count; i++)
		different += !i || list[i] != list[i - 1];
	return different;
}

static int each(const struct array *a,
		void (*visit)(void *context, u32 i, const void *element), void *context)
{
	char *element = malloc(a->size);

	for (u32 i = 0; element && !array_read(a, i, element); i++)
		visit(context, i, element);
	free(element);
	return element ? 0 : -ENOMEM;
}

int tables_read_thread(const struct tables *t, u32 slot, struct thread *thread)
{
	int result = array_read(&t->threads, slot, thread);

	return result ? result : thread->tid ? 0 : -ENOENT;
}

int tables_each_profile(const struct tables *t,
			void (*visit)(void *context, u32 slot, const void *profile),
			void *context)
{
	return each(&t->profiles, visit, context);
}

int tables_each_thread(const struct tables *t,
		       void (*visit)(void *context, u32 slot, const void *thread),
		       void *context)
{
	return each(&t->threads, visit, context);
}

struct reading {
	const struct bounds *bounds;
	struct profile *profiles; /* by slot */
	u32 *tgids;
	u32 threads;
};

static void read_one_profile(void *context, u32 slot, const void *element)
{
	struct reading *r = context;

	r->profiles[slot] = *(const struct profile *)element;
	if (r->profiles[slot].state == STATE_RETIRED)
		r->profiles[slot].state = STATE_FREE;
}

/* Add to its profile what the thread holds back. */
static void read_one_thread(void *context, u32 slot, const void *element)
{
	const struct thread *t = element;
	struct reading *r = context;

	if (!slot || !t->tid || !t->profile || t->profile > r->bounds->profiles)
		return;
	settle(&r->profiles[t->profile], t->pending, t->epoch);
	r->tgids[r->threads++] = t->tgid;
}

struct profile *tables_profiles(const struct tables *t, u32 *threads, u32 *processes)
{
	struct reading r = {
		.bounds = t->bounds,
		.profiles = calloc(t->bounds->profiles + 1, sizeof(*r.profiles)),
		.tgids = calloc(t->bounds->threads + 1, sizeof(*r.tgids)),
	};

	if (!r.profiles || !r.tgids || tables_each_profile(t, read_one_profile, &r) ||
	    tables_each_thread(t, read_one_thread, &r)) {
		free(r.profiles);
		r.profiles = NULL;
	}
	*threads = r.threads;
	*processes = r.profiles ? distinct(r.tgids, r.threads) : 0;
	free(r.tgids);
	return r.profiles;
}

/* ---- losses ---- */

/* Runs of PROGRAM that the kernel skipped because the CPU was in it already. */
static u64 skipped_runs(int program)
{
	struct stats s;

	return stats_read(program, &s) ? 0 : s.misses;
}

/* As the kernel numbers them, which is as we do: ebph runs in the first namespace only. */
static bool is_gone(u32 tid)
{
	return kill((pid_t)tid, 0) && errno == ESRCH;
}

/* Give back SLOT of THREAD, which is gone: 1 if it still had it. */
static u32 reap(const struct tables *t, u32 slot, const struct thread *thread)
{
	u64 args[3] = {slot, thread->tid, is_gone(thread->tgid) ? thread->tgid : 0};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .ctx_in = args, .ctx_size_in = sizeof(args)};

	return bpf_prog_test_run_opts(t->l->reap, &run) ? 0 : run.retval;
}

u32 tables_reap(struct tables *t)
{
	u32 freed = 0;

	if (t->l->reap < 0 || !(t->skipped_before + skipped_runs(t->l->on_exit)))
		return 0;
	for (u32 slot = 1; slot <= t->bounds->threads; slot++) {
		struct thread thread;
		u32 was = t->gone[slot];

		t->gone[slot] = 0;
		if (tables_read_thread(t, slot, &thread) || !is_gone(thread.tid))
			continue;
		t->gone[slot] = thread.tid;
		if (was == thread.tid)
			freed += reap(t, slot, &thread);
	}
	return freed;
}

static u64 skipped(const struct loaded *l)
{
	return skipped_runs(l->enter) + skipped_runs(l->on_fork) +
	       skipped_runs(l->on_exec) + skipped_runs(l->on_exit) +
	       skipped_runs(l->on_signal);
}

int tables_exchange(struct tables *t, const struct loaded *before)
{
	int result = set_tails(t->l);

	if (result)
		set_tails(before);
	else if (before->on_exit != t->l->on_exit)
		t->skipped_before += skipped_runs(before->on_exit);
	return result;
}

u64 tables_losses(struct tables *t,
		  void (*lost)(void *context, const char *what, u64 count), void *context)
{
	u64 total = t->skipped_before + skipped(t->l);

	if (total > t->skipped)
		lost(context, "calls and changes of threads that the kernel skipped",
		     total - t->skipped);
	t->skipped = total;
	for (u32 kind = 0; kind < LOST_KINDS; kind++) {
		u64 count = 0;

		array_read(&t->losses, kind, &count);
		if (count > t->lost[kind])
			lost(context, lost_names[kind], count - t->lost[kind]);
		t->lost[kind] = count;
		total += count;
	}
	return total;
}

/* ---- memory ---- */

static u64 map_bytes(int fd)
{
	char path[64], line[128];
	u64 bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "memlock:", 8))
			bytes = strtoull(line + 8, NULL, 10);
	if (f)
		fclose(f);
	return bytes;
}

u64 tables_mapped(const struct tables *t)
{
	return array_bytes(&t->profiles) + array_bytes(&t->rows) +
	       array_bytes(&t->threads) + array_bytes(&t->losses) +
	       array_bytes(&t->taken);
}

u64 tables_memory(const struct tables *t)
{
	u64 bytes = 0;
	int fd;

	for (int i = 0; (fd = loaded_map(t->l, i)) != -ENOENT; i++) /* -1: not there */
		if (fd >= 0)
			bytes += map_bytes(fd);
	return bytes;
}
