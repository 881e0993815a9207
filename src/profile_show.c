/* SPDX-License-Identifier: GPL-2.0-only */
/* ebph profile show, diff */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "image_json.h"
#include "lookahead.h"
#include "profile_cmd.h"
#include "state.h"
#include "timestamp.h"

/* "1 2 5", or "-" for none. */
static const char *distances(u8 bits, char text[2 * DISTANCES + 1])
{
	char *at = text;

	for (int d = 1; d <= DISTANCES; d++)
		if (bits >> (d - 1) & 1)
			at += sprintf(at, "%s%d", at == text ? "" : " ", d);
	if (at == text)
		strcpy(text, "-");
	return text;
}

/* ---- show ---- */

struct pair {
	u32 current, earlier;
	u16 cell;
};

/* Most distances first; among equals in the order of the calls. */
static int by_distances(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = __builtin_popcount(y->cell) - __builtin_popcount(x->cell);

	if (order)
		return order;
	if (x->current != y->current)
		return x->current < y->current ? -1 : 1;
	return x->earlier < y->earlier ? -1 : 1;
}

/* All pairs of IM, free() them; NULL: no memory. */
static struct pair *collect(const struct image *im, u32 *count)
{
	struct pair *pair = calloc((size_t)im->calls * im->calls + 1, sizeof(*pair));

	*count = 0;
	for (u32 i = 0; pair && i < im->calls; i++)
		for (u32 j = 0; j < im->calls; j++)
			if (*image_cell(im, i, j))
				pair[(*count)++] =
					(struct pair){i, j, *image_cell(im, i, j)};
	return pair;
}

/* The pairs to show; top of them unless all are asked for. */
static struct pair *choose(const struct profile_args *a, const struct image *im,
			   u32 *count)
{
	struct pair *pair = collect(im, count);

	if (!pair || a->pairs)
		return pair;
	qsort(pair, *count, sizeof(*pair), by_distances);
	if (*count > a->top)
		*count = a->top;
	return pair;
}

static void print_head(const struct found *f)
{
	const struct image *im = &f->image;
	const struct identity *id = &im->identity;
	char text[TIMESTAMP_TEXT], *exe = profile_exe(im);

	printf("exe             %s\nkey             %016" PRIx64 "\nfile            %s\n",
	       exe ? exe : "", identity_key(id), f->file);
	free(exe);
	printf("identity        device %" PRIu64 ", inode %" PRIu64
	       ", generation %" PRIu64 ", size %" PRIu64 ",\n                mtime %s\n",
	       id->device, id->inode, id->generation, id->size,
	       timestamp_text(id->mtime, text, sizeof(text)));
	printf("machine         %s\nwindow          %u\nstate           %s\n",
	       arch_name(im->arch), im->window, state_text(im->state));
	if (im->state == STATE_FROZEN)
		printf("normal time     %s\n",
		       timestamp_text(im->normal_time, text, sizeof(text)));
	printf("saved           %s\n", timestamp_text(im->saved, text, sizeof(text)));
	printf("count           %" PRIu64 "\ntrain count     %" PRIu64
	       "\nlast mod count  %" PRIu64 "\nsequences       %" PRIu64
	       "\nanomalies       %" PRIu64 "\n",
	       im->count, im->train_count, im->train_count - im->change_count,
	       im->sequences, im->anomalies);
	printf("train pairs     %u\ntest pairs      %u\n", image_pairs(im, TRAIN_SHIFT),
	       image_pairs(im, TEST_SHIFT));
}

static void print_calls(const struct image *im, char (*labels)[SYSCALL_LABEL])
{
	size_t column = 0;
	u32 known = 0;

	for (u32 i = 0; i < im->calls; i++)
		known += im->call[i].symbol != SYMBOL_NONE;
	printf("\n%u system calls\n", known);
	for (u32 i = 0; i < im->calls; i++) {
		if (im->call[i].symbol == SYMBOL_NONE)
			continue;
		if (column && column + 2 + strlen(labels[i]) > 78) {
			printf(",\n");
			column = 0;
		}
		column += (size_t)printf("%s%s", column ? ", " : "  ", labels[i]);
	}
	printf(im->calls ? "\n" : "");
}

static void print_pairs(const struct pair *pair, u32 count, char (*labels)[SYSCALL_LABEL])
{
	char train[2 * DISTANCES + 1], test[2 * DISTANCES + 1];

	printf("\n%-16s %-16s %s\n", "TRAIN", "TEST", "CURRENT, PREVIOUS");
	for (u32 i = 0; i < count; i++)
		printf("%-16s %-16s %s, %s\n", distances(pair[i].cell & 0xff, train),
		       distances(pair[i].cell >> TEST_SHIFT, test),
		       labels[pair[i].current], labels[pair[i].earlier]);
}

static int show_text(const struct profile_args *a, const struct found *f)
{
	char(*labels)[SYSCALL_LABEL] = image_labels(&f->image);
	u32 count;
	struct pair *pair = choose(a, &f->image, &count);

	if (!labels || !pair) {
		profile_error("out of memory");
		free(labels);
		free(pair);
		return 1;
	}
	print_head(f);
	print_calls(&f->image, labels);
	if (count)
		print_pairs(pair, count, labels);
	free(labels);
	free(pair);
	return 0;
}

static int show_json(const struct profile_args *a, const struct found *f)
{
	json_t *j = image_json(&f->image), *list = json_array();
	char(*labels)[SYSCALL_LABEL] = image_labels(&f->image);
	u32 count;
	struct pair *pair = choose(a, &f->image, &count);

	for (u32 i = 0; j && labels && pair && i < count; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:o, s:o}", "current",
				  labels[pair[i].current], "previous",
				  labels[pair[i].earlier], "train",
				  image_json_distances(pair[i].cell & 0xff), "test",
				  image_json_distances(pair[i].cell >> TEST_SHIFT)));
	json_object_set_new(j, "pairs", list);
	json_object_set_new(j, "train_pairs",
			    json_integer(image_pairs(&f->image, TRAIN_SHIFT)));
	json_object_set_new(j, "test_pairs",
			    json_integer(image_pairs(&f->image, TEST_SHIFT)));
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
	free(labels);
	free(pair);
	return 0;
}

int profile_cmd_show(const struct profile_args *a)
{
	int status = 0;

	for (int i = 0; i < a->count; i++) {
		struct found f;

		if (profile_find(a, a->names[i], &f)) {
			status = 1;
			continue;
		}
		if (i && !a->json)
			putchar('\n');
		status |= a->json ? show_json(a, &f) : show_text(a, &f);
		found_free(&f);
	}
	return profile_flush() || status ? 1 : 0;
}

/* ---- diff ---- */

struct diff {
	enum arch arch;
	json_t *pairs; /* NULL: text */
	bool header_done;
};

static void see_json(struct diff *d, const struct image_difference *pair,
		     const char *current, const char *earlier)
{
	json_array_append_new(d->pairs,
			      json_pack("{s:s, s:s, s:s, s:o, s:o}", "current", current,
					"previous", earlier, "pairs",
					pair->shift == TEST_SHIFT ? "test" : "train",
					"only_a", image_json_distances(pair->only_a),
					"only_b", image_json_distances(pair->only_b)));
}

static void see(void *context, const struct image_difference *pair)
{
	struct diff *d = context;
	char current[SYSCALL_LABEL], earlier[SYSCALL_LABEL];
	char a[2 * DISTANCES + 1], b[2 * DISTANCES + 1];

	syscall_label(d->arch, pair->current, current, sizeof(current));
	syscall_label(d->arch, pair->earlier, earlier, sizeof(earlier));
	if (d->pairs) {
		see_json(d, pair, current, earlier);
		return;
	}
	if (!d->header_done)
		printf("%-6s %-16s %-16s %s\n", "PAIRS", "ONLY A", "ONLY B",
		       "CURRENT, PREVIOUS");
	d->header_done = true;
	printf("%-6s %-16s %-16s %s, %s\n", pair->shift == TEST_SHIFT ? "test" : "train",
	       distances(pair->only_a, a), distances(pair->only_b, b), current, earlier);
}

static int diff(const struct profile_args *args, const struct found *a,
		const struct found *b)
{
	struct diff d = {.arch = a->image.arch,
			 .pairs = args->json ? json_array() : NULL};
	u64 found;
	int result = image_diff(&a->image, &b->image, see, &d, &found);

	if (result) {
		profile_error("cannot compare %s with %s: %s", a->file, b->file,
			      result == -EXDEV ? "they differ in machine or window length"
					       : strerror(-result));
		json_decref(d.pairs);
		return 2;
	}
	if (d.pairs) {
		json_t *j =
			json_pack("{s:s, s:s, s:b, s:O}", "a", args->names[0], "b",
				  args->names[1], "differ", found != 0, "pairs", d.pairs);

		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
		json_decref(d.pairs);
	}
	return profile_flush() ? 2 : found != 0;
}

int profile_cmd_diff(const struct profile_args *args)
{
	struct found a, b;
	int status = 2;

	if (profile_find(args, args->names[0], &a))
		return status;
	if (!profile_find(args, args->names[1], &b)) {
		status = diff(args, &a, &b);
		found_free(&b);
	}
	found_free(&a);
	return status;
}
