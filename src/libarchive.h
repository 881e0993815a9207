/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libarchive, opened only by who reads packed files: with the libraries that it needs it
 * would take 3 MB of every ebph that watches.
 */
#ifndef EBPH_LIBARCHIVE_H
#define EBPH_LIBARCHIVE_H

#include <archive.h>
#include <stddef.h>

/* What is used of it: member of the struct below, function. */
#define LIBARCHIVE_FUNCTIONS(F)                      \
	F(new, archive_read_new)                     \
	F(gzip, archive_read_support_filter_gzip)    \
	F(xz, archive_read_support_filter_xz)        \
	F(zstd, archive_read_support_filter_zstd)    \
	F(raw, archive_read_support_format_raw)      \
	F(empty, archive_read_support_format_empty)  \
	F(open_fd, archive_read_open_fd)             \
	F(open_filename, archive_read_open_filename) \
	F(next_header, archive_read_next_header)     \
	F(data_block, archive_read_data_block)       \
	F(error_code, archive_errno)                 \
	F(error_string, archive_error_string)        \
	F(free, archive_read_free)

struct libarchive {
#define LIBARCHIVE_MEMBER(member, function) __typeof__(function) *member;
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
};

/*
 * Open it; it stays open as long as the process lives, and may be opened again. 0, or
 * -ENOENT with what to do in ERROR (SIZE bytes).
 */
int libarchive_open(struct libarchive *lib, char *error, size_t size);

#endif
