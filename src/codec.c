/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Not text, and spoilt by whatever converts line ends. */
static const u8 magic[8] = {0x89, 'E', 'B', 'P', 'H', '\r', '\n', 0x1a};

enum {
	HEAD = 16, /* magic, version, length: the same in every version */
	TAIL = 4,  /* checksum: the last bytes in every version */
	ARCH_BYTES = 16,
	FIXED = HEAD + ARCH_BYTES + 2 * 4 + 5 * 8 + 5 * 8 + 2 * 8 + 2 * 4,
	CALL_BYTES = 6,
};

/* ---- little-endian bytes ---- */

struct cursor {
	u8 *at, *end;
	bool failed; /* read or written beyond the end */
};

static u8 *step(struct cursor *c, size_t size)
{
	u8 *at = c->at;

	if ((size_t)(c->end - c->at) < size) {
		c->failed = true;
		return NULL;
	}
	c->at += size;
	return at;
}

static void put(struct cursor *c, u64 value, size_t size)
{
	u8 *at = step(c, size);

	for (size_t i = 0; at && i < size; i++)
		at[i] = (u8)(value >> (8 * i));
}

static void put_bytes(struct cursor *c, const void *bytes, size_t size)
{
	u8 *at = step(c, size);

	if (at && size)
		memcpy(at, bytes, size);
}

static u64 get(struct cursor *c, size_t size)
{
	u8 *at = step(c, size);
	u64 value = 0;

	for (size_t i = 0; at && i < size; i++)
		value |= (u64)at[i] << (8 * i);
	return value;
}

/* ---- writing ---- */

static size_t bitmap_bytes(u32 calls)
{
	return (calls + 7) / 8;
}

static size_t encoded_size(const struct image *im)
{
	size_t cells = (size_t)im->calls * im->calls, filled = 0;

	for (size_t i = 0; i < cells; i++)
		filled += im->cell[i] != 0;
	return FIXED + (im->path ? strlen(im->path) : 0) + im->calls * CALL_BYTES +
	       im->calls * bitmap_bytes(im->calls) + 2 * filled + TAIL;
}

static void put_fixed(struct cursor *c, const struct image *im, size_t size)
{
	const struct identity *id = &im->identity;
	char arch[ARCH_BYTES] = "";

	memcpy(arch, arch_name(im->arch), strlen(arch_name(im->arch)));
	put_bytes(c, magic, sizeof(magic));
	put(c, CODEC_VERSION, 4);
	put(c, size, 4);
	put_bytes(c, arch, sizeof(arch));
	put(c, im->window, 4);
	put(c, im->state, 4);
	put(c, id->device, 8);
	put(c, id->inode, 8);
	put(c, id->generation, 8);
	put(c, id->size, 8);
	put(c, id->mtime, 8);
	put(c, im->count, 8);
	put(c, im->train_count, 8);
	put(c, im->change_count, 8);
	put(c, im->sequences, 8);
	put(c, im->anomalies, 8);
	put(c, im->saved, 8);
	put(c, im->normal_time, 8);
	put(c, im->calls, 4);
	put(c, im->path ? strlen(im->path) : 0, 4);
}

static void put_row(struct cursor *c, const struct image *im, u32 current)
{
	u8 *bitmap = step(c, bitmap_bytes(im->calls));

	for (u32 earlier = 0; bitmap && earlier < im->calls; earlier++) {
		u16 cell = *image_cell(im, current, earlier);

		if (!cell)
			continue;
		bitmap[earlier / 8] |= 1 << earlier % 8;
		put(c, cell, 2);
	}
}

int codec_encode(const struct image *im, u8 **data, size_t *size)
{
	struct cursor c = {0};

	if (image_fault(im))
		return -EINVAL;
	*size = encoded_size(im);
	*data = calloc(1, *size);
	if (!*data)
		return -ENOMEM;
	c.at = *data;
	c.end = *data + *size;
	put_fixed(&c, im, *size);
	if (im->path)
		put_bytes(&c, im->path, strlen(im->path));
	for (u32 i = 0; i < im->calls; i++) {
		put(&c, symbol_abi(im->call[i].symbol), 2);
		put(&c, symbol_number(im->call[i].symbol), 2);
		put(&c, im->call[i].rank, 2);
	}
	for (u32 i = 0; i < im->calls; i++)
		put_row(&c, im, i);
	put(&c, crc32(0, *data, (uInt)(*size - TAIL)), TAIL);
	return 0;
}

/* ---- reading ---- */

bool codec_is_profile(const u8 *data, size_t size)
{
	return size >= sizeof(magic) && !memcmp(data, magic, sizeof(magic));
}

/* What must hold in every version, before anything else is believed. */
static int check_whole(const u8 *data, size_t size, char *why, size_t why_size)
{
	struct cursor c = {.at = (u8 *)data, .end = (u8 *)data + size};
	u32 version, length, sum;

	if (!codec_is_profile(data, size)) {
		snprintf(why, why_size, "it does not begin as a profile does");
		return -EBADMSG;
	}
	if (size < HEAD + TAIL || size > CODEC_MAX) {
		snprintf(why, why_size, "its size of %zu bytes cannot be", size);
		return -EBADMSG;
	}
	c.at += sizeof(magic);
	version = (u32)get(&c, 4);
	length = (u32)get(&c, 4);
	if (length != size) {
		snprintf(why, why_size, "it has %zu bytes and should have %u", size,
			 length);
		return -EBADMSG;
	}
	c.at = c.end - TAIL;
	sum = (u32)get(&c, TAIL);
	if (sum != crc32(0, data, (uInt)(size - TAIL))) {
		snprintf(why, why_size, "its checksum is wrong");
		return -EBADMSG;
	}
	if (version != CODEC_VERSION) {
		snprintf(why, why_size, "it has format version %u; this ebph reads %d",
			 version, CODEC_VERSION);
		return -ENOTSUP;
	}
	return 0;
}

static int get_arch(struct cursor *c, struct image *im, char *why, size_t why_size)
{
	const u8 *text = step(c, ARCH_BYTES);
	char arch[ARCH_BYTES + 1] = "";
	size_t length;

	if (!text)
		return 0; /* said by the cursor */
	memcpy(arch, text, ARCH_BYTES);
	length = strlen(arch);
	for (size_t i = 0; i < ARCH_BYTES; i++) {
		if (i < length ? arch[i] >= '!' && arch[i] <= '~' : !text[i])
			continue;
		snprintf(why, why_size, "its machine's name is none");
		return -EBADMSG;
	}
	im->arch = arch_find(arch);
	if (im->arch != ARCH_NONE)
		return 0;
	snprintf(why, why_size,
		 "it was made on a machine that this ebph does not know: %s", arch);
	return -ENOTSUP;
}

static void get_counters(struct cursor *c, struct image *im)
{
	struct identity *id = &im->identity;

	im->window = (u32)get(c, 4);
	im->state = (u32)get(c, 4);
	id->device = get(c, 8);
	id->inode = get(c, 8);
	id->generation = get(c, 8);
	id->size = get(c, 8);
	id->mtime = get(c, 8);
	im->count = get(c, 8);
	im->train_count = get(c, 8);
	im->change_count = get(c, 8);
	im->sequences = get(c, 8);
	im->anomalies = get(c, 8);
	im->saved = get(c, 8);
	im->normal_time = get(c, 8);
}

static bool get_calls(struct cursor *c, struct image *im)
{
	for (u32 i = 0; i < im->calls; i++) {
		u32 abi = (u32)get(c, 2), number = (u32)get(c, 2);
		int symbol = abi < ABIS ? symbol_make((enum abi)abi, number) : -1;

		if (symbol < 0)
			return false;
		im->call[i].symbol = (u16)symbol;
		im->call[i].rank = (u16)get(c, 2);
	}
	return true;
}

/* One row; a bit stands for a cell that is not zero, and only calls have bits. */
static bool get_row(struct cursor *c, struct image *im, u32 current)
{
	size_t bytes = bitmap_bytes(im->calls);
	const u8 *bitmap = step(c, bytes);

	for (u32 earlier = 0; bitmap && earlier < 8 * bytes; earlier++) {
		u16 cell;

		if (!(bitmap[earlier / 8] >> earlier % 8 & 1))
			continue;
		cell = (u16)get(c, 2);
		if (earlier >= im->calls || !cell)
			return false;
		*image_cell(im, current, earlier) = cell;
	}
	return bitmap != NULL;
}

/* The path, if it has one. 0, -ENOMEM, or -EBADMSG. */
static int get_path(struct cursor *c, struct image *im, size_t length)
{
	const char *path = (const char *)step(c, length);

	if (!path || length > IMAGE_PATH_MAX || memchr(path, 0, length))
		return -EBADMSG;
	return length ? image_set_path(im, path, length) : 0;
}

/* Everything behind the path. NULL, or what is wrong with it. */
static const char *get_rest(struct cursor *c, struct image *im)
{
	if (!get_calls(c, im))
		return "it has a system call that cannot be";
	for (u32 i = 0; i < im->calls; i++)
		if (!get_row(c, im, i))
			return "its pairs cannot be";
	if (c->failed || c->at != c->end)
		return "it has more or fewer bytes than its parts need";
	return image_fault(im);
}

static int decode(struct cursor *c, struct image *im, char *why, size_t why_size)
{
	struct image fixed = {0};
	size_t path_length;
	const char *fault;
	u32 calls;
	int result = get_arch(c, &fixed, why, why_size);

	if (result)
		return result;
	get_counters(c, &fixed);
	calls = (u32)get(c, 4);
	path_length = get(c, 4);
	/* before memory is asked for: a small file must not cost much of it */
	if (c->failed || calls > IMAGE_CALLS_MAX ||
	    path_length + calls * (CALL_BYTES + bitmap_bytes(calls)) >
		    (size_t)(c->end - c->at)) {
		snprintf(why, why_size, "it has fewer bytes than its parts need");
		return -EBADMSG;
	}
	result = image_init(im, calls);
	if (!result) {
		fixed.calls = im->calls;
		fixed.call = im->call;
		fixed.cell = im->cell;
		*im = fixed;
		result = get_path(c, im, path_length);
	}
	/* a shortage is no fault of the file's */
	if (result == -ENOMEM)
		fault = "there is no memory for it";
	else
		fault = result ? "its path cannot be" : get_rest(c, im);
	if (!fault)
		return 0;
	snprintf(why, why_size, "%s", fault);
	image_free(im);
	return result ? result : -EBADMSG;
}

int codec_decode(const u8 *data, size_t size, struct image *im, char *why,
		 size_t why_size)
{
	struct cursor c;
	int result = check_whole(data, size, why, why_size);

	memset(im, 0, sizeof(*im));
	if (result)
		return result;
	c = (struct cursor){.at = (u8 *)data + HEAD, .end = (u8 *)data + size - TAIL};
	return decode(&c, im, why, why_size);
}
