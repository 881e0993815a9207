/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "trace.h"

#include <archive.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trace {
	struct archive *archive;
	char block[TRACE_BLOCK];
};

static int fail(struct archive *a, char *error, size_t size)
{
	const char *why = archive_error_string(a);

	/* libarchive's zlib and lzma messages are fit for people. */
	snprintf(error, size, "%s", why ? why : strerror(archive_errno(a)));
	return -1;
}

/* Only what libraries unpack: for other packers libarchive would start programs. */
static int support(struct archive *a)
{
	return archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
	       archive_read_support_filter_xz(a) == ARCHIVE_OK &&
	       archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
	       archive_read_support_format_raw(a) == ARCHIVE_OK &&
	       archive_read_support_format_empty(a) == ARCHIVE_OK;
}

static struct trace *trace_new(char *error, size_t size)
{
	struct trace *t = malloc(sizeof(*t));

	if (t)
		t->archive = archive_read_new();
	if (!t || !t->archive) {
		snprintf(error, size, "no memory");
		free(t);
		return NULL;
	}
	if (support(t->archive))
		return t;
	fail(t->archive, error, size);
	trace_close(t);
	return NULL;
}

/* The only "member" of a raw archive is its contents; an empty file has none. */
static int start(struct trace *t, int opened, char *error, size_t size)
{
	struct archive_entry *entry;
	int result = opened;

	if (result == ARCHIVE_OK)
		result = archive_read_next_header(t->archive, &entry);
	if (result == ARCHIVE_OK || result == ARCHIVE_WARN || result == ARCHIVE_EOF)
		return 0;
	fail(t->archive, error, size);
	trace_close(t);
	return -1;
}

int trace_open_fd(struct trace **trace, int fd, char *error, size_t size)
{
	struct trace *t = trace_new(error, size);

	if (!t ||
	    start(t, archive_read_open_fd(t->archive, fd, TRACE_BLOCK), error, size))
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
	if (!t || start(t, archive_read_open_filename(t->archive, path, TRACE_BLOCK),
			error, size))
		return -1;
	*trace = t;
	return 0;
}

ssize_t trace_read(struct trace *t, const char **data, char *error, size_t size)
{
	ssize_t count = archive_read_data(t->archive, t->block, sizeof(t->block));

	if (count < 0)
		return fail(t->archive, error, size);
	*data = t->block;
	return count;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	archive_read_free(t->archive);
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
