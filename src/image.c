/* SPDX-License-Identifier: GPL-2.0-only */
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "lookahead.h"

int image_init(struct image *im, u32 calls)
{
	memset(im, 0, sizeof(*im));
	if (calls > IMAGE_CALLS_MAX)
		return -EINVAL;
	/* one more than none, so that there is something to point to */
	im->call = calloc(calls + 1, sizeof(*im->call));
	im->cell = calloc((size_t)calls * calls + 1, sizeof(*im->cell));
	im->calls = calls;
	if (im->call && im->cell)
		return 0;
	image_free(im);
	return -ENOMEM;
}

void image_free(struct image *im)
{
	free(im->path);
	free(im->call);
	free(im->cell);
	memset(im, 0, sizeof(*im));
}

int image_set_path(struct image *im, const char *path, size_t length)
{
	char *copy = NULL;

	if (path) {
		copy = strndup(path, length);
		if (!copy)
			return -ENOMEM;
	}
	free(im->path);
	im->path = copy;
	return 0;
}

int image_find(const struct image *im, u32 symbol)
{
	u32 low = 0, high = im->calls;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (im->call[middle].symbol == symbol)
			return (int)middle;
		if (im->call[middle].symbol < symbol)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

u32 image_pairs(const struct image *im, u32 shift)
{
	size_t cells = (size_t)im->calls * im->calls;
	u32 pairs = 0;

	for (size_t i = 0; i < cells; i++)
		pairs += (im->cell[i] >> shift & 0xff) != 0;
	return pairs;
}

char (*image_labels(const struct image *im))[SYSCALL_LABEL]
{
	char(*labels)[SYSCALL_LABEL] = calloc(im->calls + 1, sizeof(*labels));

	for (u32 i = 0; labels && i < im->calls; i++)
		syscall_label(im->arch, im->call[i].symbol, labels[i], sizeof(labels[i]));
	return labels;
}

/* ---- the rules ---- */

static const char *call_fault(const struct image *im, u32 i)
{
	const struct image_call *c = &im->call[i];
	enum abi abi = symbol_abi(c->symbol);

	if (c->symbol >= SYMBOLS && c->symbol != SYMBOL_NONE)
		return "a system call that cannot be";
	if (abi <= ABI_X32 && !abi_token(im->arch, abi))
		return "a system call of an ABI that its machine does not have";
	if (i && im->call[i - 1].symbol >= c->symbol)
		return "its system calls are not in order";
	if (c->symbol == SYMBOL_NONE ? c->rank != RANK_OTHER : c->rank > RANK_MAX)
		return "a system call's rank is out of range";
	return NULL;
}

static const char *calls_fault(const struct image *im)
{
	bool folded = false;

	for (u32 i = 0; i < im->calls; i++) {
		const char *fault = call_fault(im, i);

		if (fault)
			return fault;
		folded |= im->call[i].rank == RANK_FOLDED;
	}
	if (folded != (image_find(im, SYMBOL_NONE) >= 0))
		return "the calls that it does not tell apart are not accounted for";
	return NULL;
}

static const char *cells_fault(const struct image *im)
{
	u32 unused = ~(u32)image_cell_mask(im->window);

	for (u32 current = 0; current < im->calls; current++)
		for (u32 earlier = 0; earlier < im->calls; earlier++) {
			u16 cell = *image_cell(im, current, earlier);

			if (cell & unused)
				return "a pair at a distance beyond its window";
			if (cell && (im->call[current].rank == RANK_FOLDED ||
				     im->call[earlier].rank == RANK_FOLDED))
				return "a pair of a call that it does not tell apart";
		}
	return NULL;
}

const char *image_fault(const struct image *im)
{
	const char *fault;

	if (im->arch == ARCH_NONE)
		return "its machine is not known";
	if (im->window < 2 || im->window > WINDOW_MAX)
		return "its window length is not 2..9";
	if (im->state < STATE_TRAINING || im->state > STATE_NORMAL)
		return "its state is none";
	if (im->state != STATE_FROZEN && im->normal_time)
		return "it has a normal time without being frozen";
	if (im->change_count > im->train_count)
		return "its counters contradict each other";
	if (im->calls > IMAGE_CALLS_MAX)
		return "it has more system calls than there are";
	if (im->path && (!*im->path || strlen(im->path) > IMAGE_PATH_MAX))
		return "its path is empty or too long";
	fault = calls_fault(im);
	return fault ? fault : cells_fault(im);
}

const char *image_misfit(const struct image *im, u32 window)
{
	if (im->arch != arch_native())
		return "it was made on another kind of machine";
	if (im->window != window)
		return "it was made with another window length (--window)";
	return NULL;
}

/* ---- comparing ---- */

static bool path_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool image_equal(const struct image *a, const struct image *b)
{
	if (a->arch != b->arch || a->window != b->window || a->state != b->state ||
	    a->count != b->count || a->train_count != b->train_count ||
	    a->change_count != b->change_count || a->sequences != b->sequences ||
	    a->anomalies != b->anomalies || a->saved != b->saved ||
	    a->normal_time != b->normal_time || a->calls != b->calls)
		return false;
	return identity_equal(&a->identity, &b->identity) &&
	       path_equal(a->path, b->path) &&
	       !memcmp(a->call, b->call, a->calls * sizeof(*a->call)) &&
	       !memcmp(a->cell, b->cell, (size_t)a->calls * a->calls * sizeof(*a->cell));
}

/* ---- changing ---- */

void image_normalize(struct image *im)
{
	size_t cells = (size_t)im->calls * im->calls;

	for (size_t i = 0; i < cells; i++)
		im->cell[i] = (im->cell[i] & 0xff) * 0x101;
	im->state = STATE_NORMAL;
	im->anomalies = 0;
	im->normal_time = 0;
	im->train_count = 0;
	im->change_count = 0;
}

void image_train(struct image *im)
{
	im->state = STATE_TRAINING;
	im->normal_time = 0;
	/* not 0: the freeze rule waits for a first new pair, and there may be none */
	im->train_count = im->sequences ? im->sequences : 1;
	im->change_count = im->train_count;
	if (im->count < im->train_count)
		im->count = im->train_count;
}

void image_adopt(struct image *im, const struct identity *id)
{
	image_train(im);
	im->identity = *id;
	im->anomalies = 0;
}

void image_reset(struct image *im)
{
	im->calls = 0;
	im->state = STATE_TRAINING;
	im->anomalies = 0;
	im->normal_time = 0;
	im->train_count = 0;
	im->change_count = 0;
	im->sequences = 0;
}
