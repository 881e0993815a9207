/* SPDX-License-Identifier: GPL-2.0-only */
/* An image as the bytes of a file, and back: ebph-profile(5). */
#ifndef EBPH_CODEC_H
#define EBPH_CODEC_H

#include "image.h"

enum {
	CODEC_VERSION = 1,
	CODEC_MAX = 8 << 20, /* bytes; no profile is larger */
};

/* IM, which has no image_fault(), as bytes: free() *DATA. 0, -EINVAL or -ENOMEM. */
int codec_encode(const struct image *im, u8 **data, size_t *size);

/*
 * IM becomes what the SIZE bytes of DATA hold; the caller frees it. -EBADMSG: damaged, or
 * no profile; -ENOTSUP: whole, but of a newer version or of a machine that this version
 * does not know; -ENOMEM. WHY (why_size bytes) then says it, and IM is empty.
 */
int codec_decode(const u8 *data, size_t size, struct image *im, char *why,
		 size_t why_size);

/* 1 when DATA begins as a profile does. */
bool codec_is_profile(const u8 *data, size_t size);

#endif
