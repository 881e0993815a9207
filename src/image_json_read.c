/* SPDX-License-Identifier: GPL-2.0-only */
/* The reading half of image_json.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_json.h"
#include "lookahead.h"
#include "number.h"
#include "state.h"
#include "timestamp.h"

struct reader {
	char *why;
	size_t why_size;
	bool failed; /* WHY says what was the first thing wrong */
};

static __attribute__((format(printf, 2, 3))) void bad(struct reader *r,
						      const char *format, ...)
{
	va_list args;

	if (r->failed)
		return;
	r->failed = true;
	va_start(args, format);
	vsnprintf(r->why, r->why_size, format, args);
	va_end(args);
}

static u64 get_number(struct reader *r, const json_t *j, const char *name, u64 max)
{
	const json_t *value = json_object_get(j, name);
	u64 result = 0;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		result = (u64)json_integer_value(value);
	else if (!json_is_string(value) ||
		 number_u64(json_string_value(value), 0, UINT64_MAX, &result))
		bad(r, "\"%s\" is no whole number", name);
	if (result > max)
		bad(r, "\"%s\" is more than %llu", name, (unsigned long long)max);
	return result;
}

static const char *get_text(struct reader *r, const json_t *j, const char *name)
{
	const char *text = json_string_value(json_object_get(j, name));

	if (!text)
		bad(r, "\"%s\" is no text", name);
	return text ? text : "";
}

static u64 get_time(struct reader *r, const json_t *j, const char *name)
{
	u64 ns = 0;

	if (timestamp_parse(get_text(r, j, name), &ns))
		bad(r, "\"%s\" is no time such as 2026-11-21T07:05:00.000000000Z", name);
	return ns;
}

static void get_path(struct reader *r, const json_t *j, struct image *im)
{
	const char *hex = json_string_value(json_object_get(j, "exe_hex")), *path;
	const json_t *exe = json_object_get(j, "exe");
	char *bytes;
	size_t length;

	if (!hex) {
		if (json_is_null(exe) || !exe)
			return;
		path = get_text(r, j, "exe");
		if (image_set_path(im, path, strlen(path)))
			bad(r, "there is no memory for it");
		return;
	}
	length = strlen(hex) / 2;
	bytes = calloc(1, length + 1);
	for (size_t i = 0; bytes && i < length; i++) {
		unsigned int byte = 0;

		if (strspn(hex + 2 * i, "0123456789abcdef") < 2)
			bad(r, "\"exe_hex\" is not in pairs of digits 0-9a-f");
		else
			sscanf(hex + 2 * i, "%2x", &byte);
		bytes[i] = (char)byte;
	}
	if (strlen(hex) % 2)
		bad(r, "\"exe_hex\" is not in pairs of digits 0-9a-f");
	free(im->path);
	im->path = bytes;
}

static void get_identity(struct reader *r, const json_t *j, struct identity *id)
{
	const json_t *from = json_object_get(j, "identity");

	if (!json_is_object(from)) {
		bad(r, "\"identity\" is no object");
		return;
	}
	id->device = get_number(r, from, "device", UINT64_MAX);
	id->inode = get_number(r, from, "inode", UINT64_MAX);
	id->generation = get_number(r, from, "generation", UINT64_MAX);
	id->size = get_number(r, from, "size", UINT64_MAX);
	id->mtime = get_time(r, from, "mtime");
}

static void get_counters(struct reader *r, const json_t *j, struct image *im)
{
	u64 last_mod;

	im->state = state_find(get_text(r, j, "state"));
	im->count = get_number(r, j, "count", UINT64_MAX);
	im->train_count = get_number(r, j, "train_count", UINT64_MAX);
	last_mod = get_number(r, j, "last_mod_count", im->train_count);
	im->change_count = r->failed ? 0 : im->train_count - last_mod;
	im->sequences = get_number(r, j, "sequences", UINT64_MAX);
	im->anomalies = get_number(r, j, "anomalies", UINT64_MAX);
	im->saved = get_time(r, j, "saved");
	if (im->state == STATE_FROZEN)
		im->normal_time = get_time(r, j, "normal_time");
}

/* The symbol that CALL names: by ABI and number if it has them, else by its label. */
static int get_symbol(struct reader *r, const json_t *call, enum arch arch)
{
	const char *label = get_text(r, call, "call");
	const char *abi_text = json_string_value(json_object_get(call, "abi"));
	int symbol = -1;

	if (!json_object_get(call, "nr")) {
		symbol = syscall_symbol(arch, label);
	} else if (abi_text) {
		u64 number = get_number(r, call, "nr", SYMBOLS);

		for (int abi = ABI_NATIVE; abi <= ABI_X32; abi++) {
			const char *name = abi_name(arch, (enum abi)abi);

			if (name && !strcmp(name, abi_text))
				symbol = symbol_make((enum abi)abi, (u32)number);
		}
	}
	if (symbol < 0)
		bad(r, "there is no system call \"%s\" of that ABI and number on %s",
		    label, arch_name(arch));
	return symbol;
}

static int by_symbol(const void *a, const void *b)
{
	return (int)((const struct image_call *)a)->symbol -
	       (int)((const struct image_call *)b)->symbol;
}

/* IM's calls, sorted; LABELS maps each label to its symbol. */
static void get_calls(struct reader *r, const json_t *list, struct image *im,
		      json_t *labels)
{
	const json_t *call;
	size_t i;

	json_array_foreach(list, i, call)
	{
		const char *label = get_text(r, call, "call");
		int symbol = get_symbol(r, call, im->arch);
		u16 rank = symbol == SYMBOL_NONE ? RANK_OTHER
			   : i < RANK_MAX	 ? (u16)(i + 1)
						 : RANK_MAX;

		if (r->failed)
			return;
		if (json_object_get(labels, label))
			bad(r, "system call \"%s\" is there twice", label);
		if (json_object_get(call, "rank"))
			rank = (u16)get_number(r, call, "rank", RANK_OTHER);
		json_object_set_new(labels, label, json_integer(symbol));
		im->call[i] = (struct image_call){(u16)symbol, rank};
	}
	qsort(im->call, im->calls, sizeof(*im->call), by_symbol);
}

static u8 get_distances(struct reader *r, const json_t *pair, const char *name)
{
	const json_t *list = json_object_get(pair, name), *item;
	u8 bits = 0;
	size_t i;

	if (!json_is_array(list))
		bad(r, "\"%s\" of a pair is no list of distances", name);
	json_array_foreach(list, i, item)
	{
		json_int_t d = json_integer_value(item);

		if (d < 1 || d > DISTANCES)
			bad(r, "a distance in \"%s\" of a pair is not 1..%d", name,
			    DISTANCES);
		else
			bits |= 1 << (d - 1);
	}
	return bits;
}

static int get_place(struct reader *r, const json_t *pair, const char *name,
		     const json_t *labels, const struct image *im)
{
	const char *label = get_text(r, pair, name);
	const json_t *symbol = json_object_get(labels, label);

	if (!symbol) {
		bad(r, "system call \"%s\" of a pair is not in \"calls\"", label);
		return -1;
	}
	return image_find(im, (u32)json_integer_value(symbol));
}

static void get_pairs(struct reader *r, const json_t *list, struct image *im,
		      const json_t *labels)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(list, i, pair)
	{
		int current = get_place(r, pair, "current", labels, im);
		int earlier = get_place(r, pair, "previous", labels, im);
		u8 train = get_distances(r, pair, "train");
		u8 test = get_distances(r, pair, "test");

		if (r->failed || current < 0 || earlier < 0)
			return;
		if (*image_cell(im, (u32)current, (u32)earlier))
			bad(r, "a pair is there twice");
		*image_cell(im, (u32)current, (u32)earlier) =
			(u16)(train | test << TEST_SHIFT);
	}
}

static void get_image(struct reader *r, const json_t *j, struct image *im)
{
	json_t *labels = json_object();
	const char *fault;

	im->arch = arch_find(get_text(r, j, "arch"));
	if (im->arch == ARCH_NONE)
		bad(r, "\"arch\" is no machine that this ebph knows");
	im->window = (u32)get_number(r, j, "window", WINDOW_MAX);
	get_identity(r, j, &im->identity);
	get_path(r, j, im);
	get_counters(r, j, im);
	if (!r->failed)
		get_calls(r, json_object_get(j, "calls"), im, labels);
	if (!r->failed)
		get_pairs(r, json_object_get(j, "pairs"), im, labels);
	json_decref(labels);
	fault = r->failed ? NULL : image_fault(im);
	if (fault)
		bad(r, "%s", fault);
}

int image_from_json(const json_t *j, struct image *im, char *why, size_t why_size)
{
	struct reader r = {.why = why, .why_size = why_size};
	const json_t *calls = json_object_get(j, "calls");

	memset(im, 0, sizeof(*im));
	if (strcmp(get_text(&r, j, "format"), "ebph-profile"))
		bad(&r, "\"format\" is not \"ebph-profile\"");
	if (get_number(&r, j, "version", UINT64_MAX) != 1)
		bad(&r, "\"version\" is not 1");
	if (!json_is_array(calls) || json_array_size(calls) > IMAGE_CALLS_MAX)
		bad(&r, "\"calls\" is no list of system calls");
	if (!json_is_array(json_object_get(j, "pairs")))
		bad(&r, "\"pairs\" is no list of pairs");
	if (!r.failed && image_init(im, (u32)json_array_size(calls)))
		bad(&r, "there is no memory for it");
	if (!r.failed)
		get_image(&r, j, im);
	if (!r.failed)
		return 0;
	image_free(im);
	return -EINVAL;
}
