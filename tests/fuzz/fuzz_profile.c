/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a profile: as they are, and with a length and checksum that are right, or
 * hardly anything would get past them. What is read must be written as the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const u8 *bytes, size_t size)
{
	char why[200];
	struct image im, sum;
	size_t again_size;
	u8 *again;

	if (codec_decode(bytes, size, &im, why, sizeof(why)))
		return;
	if (codec_encode(&im, &again, &again_size) || again_size != size ||
	    memcmp(again, bytes, size))
		abort();
	if (image_merge(&sum, &im, &im) || !image_equal(&sum, &im))
		abort();
	free(again);
	image_free(&sum);
	image_free(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u8 *copy;
	u32 sum;

	read_one(data, size);
	if (size < 20)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (int i = 0; i < 4; i++)
		copy[12 + i] = (u8)(size >> (8 * i));
	sum = (u32)crc32(0, copy, (uInt)(size - 4));
	for (int i = 0; i < 4; i++)
		copy[size - 4 + i] = (u8)(sum >> (8 * i));
	read_one(copy, size);
	free(copy);
	return 0;
}
