/* SPDX-License-Identifier: GPL-2.0-only */
/* The reader of strace logs: in one piece or in many, it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "types.h"
#include "model.h"
#include "lookahead.h"
#include "tasks.h"

static const struct rules rules = {
	.factor = 3,
	.factor_den = 2,
	.anomaly_limit = 3,
	.tolerize_limit = 2,
	.normal_wait = 1000000000,
};

struct outcome {
	int result;
	u64 line, sum, calls, profiles, told;
};

static void on_tell(void *context, const struct event *e, const char *exe)
{
	struct outcome *o = context;

	o->told = o->told * 31 + e->type + e->missed + e->sequence[0] + strlen(exe);
}

static void read_in(const char *data, size_t size, size_t piece, struct outcome *o)
{
	struct symbols *s = symbols_new(NULL);
	const struct process *p;
	struct judge j;
	struct tasks *t;
	int end;

	memset(o, 0, sizeof(*o));
	judge_init(&j, &rules, WINDOW_MAX, FRAME_LENGTH);
	j.mode = JUDGE_LIVE;
	j.verbose = true;
	j.tell = on_tell;
	j.context = o;
	t = tasks_new(&j, s);
	if (!s || !t)
		abort();
	for (size_t i = 0; i < size && !o->result; i += piece)
		o->result = tasks_feed(t, data + i, size - i < piece ? size - i : piece);
	end = tasks_end(t, false);
	if (!o->result)
		o->result = end;
	o->line = tasks_line(t);
	for (size_t i = 0; (p = tasks_process(t, i)); i++) {
		if (p->anomalies > p->calls || p->misses > DISTANCES * p->anomalies)
			abort();
		o->sum = o->sum * 31 + p->pid + p->calls + p->misses + p->max_lfc;
		o->calls += p->calls;
	}
	for (u32 i = 0; i < j.detector.count; i++)
		o->profiles += j.detector.models[i]->profile.count;
	if (o->profiles != o->calls)
		abort();
	tasks_free(t);
	judge_free(&j);
	symbols_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	read_in((const char *)data, size, size ? size : 1, &whole);
	read_in((const char *)data, size, 7, &pieces);
	if (memcmp(&whole, &pieces, sizeof(whole)))
		abort();
	return 0;
}
