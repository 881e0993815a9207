/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "trace.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libarchive.h"

struct trace {
	struct libarchive lib;
	struct archive *archive;
	bool ended;
	char error[256];   /* why it cannot be read further; empty: it can */
	const char *piece; /* of libarchive's, not yet handed on */
	size_t piece_size;
	char block[TRACE_BLOCK];
};

static int fail(const struct trace *t, char *error, size_t size)
{
	const char *why = t->lib.error_string(t->archive);

	snprintf(error, size, "cut off or damaged: %s",
		 why ? why : strerror(t->lib.error_code(t->archive)));
	return -1;
}

/* Only what libraries unpack: for other packers libarchive would start programs. */
static bool support(const struct trace *t)
{
	const struct libarchive *lib = &t->lib;
	struct archive *a = t->archive;

	return lib->gzip(a) == ARCHIVE_OK && lib->xz(a) == ARCHIVE_OK &&
	       lib->zstd(a) == ARCHIVE_OK && lib->raw(a) == ARCHIVE_OK &&
	       lib->empty(a) == ARCHIVE_OK;
}

static struct trace *trace_new(char *error, size_t size)
{
	struct trace *t = malloc(sizeof(*t));

	snprintf(error, size, "no memory");
	if (!t || libarchive_open(&t->lib, error, size)) {
		free(t);
		return NULL;
	}
	t->ended = false;
	t->error[0] = '\0';
	t->piece_size = 0;
	t->archive = t->lib.new();
	if (!t->archive) {
		free(t);
		return NULL;
	}
	if (support(t))
		return t;
	fail(t, error, size);
	trace_close(t);
	return NULL;
}

/*
 * The only "member" of a raw archive is its contents; an empty file has none. What is
 * damaged from its first byte on is told by trace_read().
 */
static int start(struct trace *t, int opened, char *error, size_t size)
{
	struct archive_entry *entry;
	int result;

	if (opened != ARCHIVE_OK && t->lib.error_code(t->archive) > 0) {
		snprintf(error, size, "%s", strerror(t->lib.error_code(t->archive)));
		trace_close(t);
		return -1;
	}
	result = opened;
	if (result == ARCHIVE_OK)
		result = t->lib.next_header(t->archive, &entry);
	t->ended = result == ARCHIVE_EOF;
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN && !t->ended)
		fail(t, t->error, sizeof(t->error));
	return 0;
}

int trace_open_fd(struct trace **trace, int fd, char *error, size_t size)
{
	struct trace *t = trace_new(error, size);

	if (!t || start(t, t->lib.open_fd(t->archive, fd, TRACE_BLOCK), error, size))
		return -1;
	*trace = t;
	return 0;
}

int trace_open(struct trace **trace, const char *path, char *error, size_t size)
{
	struct trace *t;

	if (!strcmp(path, "-"))
		return trace_open_fd(trace, STDIN_FILENO, error, size);
	/* libarchive's own message would repeat the path. */
	if (access(path, R_OK)) {
		snprintf(error, size, "%s", strerror(errno));
		return -1;
	}
	t = trace_new(error, size);
	if (!t ||
	    start(t, t->lib.open_filename(t->archive, path, TRACE_BLOCK), error, size))
		return -1;
	*trace = t;
	return 0;
}

/* The next piece; false at the end or an error. */
static bool next_piece(struct trace *t)
{
	const void *piece;
	la_int64_t offset;
	int result;

	if (t->ended || t->error[0])
		return false;
	result = t->lib.data_block(t->archive, &piece, &t->piece_size, &offset);
	t->piece = piece;
	if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
		return true;
	t->piece_size = 0;
	t->ended = result == ARCHIVE_EOF;
	if (!t->ended)
		fail(t, t->error, sizeof(t->error));
	return false;
}

ssize_t trace_read(struct trace *t, const char **data, char *error, size_t size)
{
	size_t used = 0, count;

	while (used < TRACE_BLOCK && (t->piece_size || next_piece(t))) {
		count = t->piece_size;
		if (count > TRACE_BLOCK - used)
			count = TRACE_BLOCK - used;
		memcpy(t->block + used, t->piece, count);
		used += count;
		t->piece += count;
		t->piece_size -= count;
	}
	*data = t->block;
	if (used || !t->error[0])
		return (ssize_t)used;
	snprintf(error, size, "%s", t->error);
	return -1;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	t->lib.free(t->archive);
	free(t);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int visit_entry(const FTSENT *e, trace_visit *visit, void *context)
{
	switch (e->fts_info) {
	case FTS_F:
		return visit(context, e->fts_path, NULL);
	case FTS_DEFAULT: /* a pipe, <(command), is read; a socket is not */
		return visit(context, e->fts_path, NULL);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return visit(context, e->fts_path, strerror(e->fts_errno));
	case FTS_SLNONE:
		return visit(context, e->fts_path, "a symbolic link to nothing");
	case FTS_DC:
		return visit(context, e->fts_path, "a folder that contains itself");
	default:
		return 0;
	}
}

int trace_walk(const char *path, trace_visit *visit, void *context)
{
	char *paths[] = {(char *)path, NULL};
	int result = 0;
	FTSENT *entry;
	FTS *walk;

	if (!strcmp(path, "-"))
		return visit(context, path, NULL);
	if (!*path)
		return visit(context, path, strerror(ENOENT));
	walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (!walk)
		return visit(context, path, strerror(errno));
	while (!result && (entry = fts_read(walk)))
		result = visit_entry(entry, visit, context);
	fts_close(walk);
	return result;
}
