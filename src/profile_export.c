/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
/* ebph profile merge, export */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "image_json.h"
#include "lookahead.h"
#include "oci.h"
#include "profile_cmd.h"

/* ---- merge ---- */

/* NEXT goes into SUM; an error is printed. */
static int add(struct image *sum, const struct found *next)
{
	struct image both;
	int result = image_merge(&both, sum, &next->image);

	if (result) {
		profile_error("cannot merge %s: %s", next->file,
			      result == -EXDEV ? "it differs from those before it in "
						 "machine or window length"
					       : strerror(-result));
		return result;
	}
	image_free(sum);
	*sum = both;
	return 0;
}

static int write_merged(const struct profile_args *a, const struct image *sum)
{
	size_t size;
	u8 *data;
	int result = codec_encode(sum, &data, &size);

	if (result) {
		profile_error("cannot write %s: %s", a->output, strerror(-result));
		return result;
	}
	result = profile_output(a, data, size);
	free(data);
	if (!result)
		profile_done(a, sum, a->output);
	return result;
}

int profile_cmd_merge(const struct profile_args *a)
{
	struct image sum = {0};
	int result = 0;

	if (!a->output) {
		profile_error("merge needs -o FILE");
		return 2;
	}
	for (int i = 0; i < a->count && !result; i++) {
		struct found f;

		result = profile_find(a, a->names[i], &f);
		if (result)
			break;
		if (i) {
			result = add(&sum, &f);
		} else {
			sum = f.image;
			memset(&f.image, 0, sizeof(f.image));
		}
		found_free(&f);
	}
	if (!result)
		result = write_merged(a, &sum);
	image_free(&sum);
	return profile_flush() || result ? 1 : 0;
}

/* ---- export ---- */

static void put_distances(FILE *out, u8 bits)
{
	const char *gap = "";

	for (int d = 1; d <= DISTANCES; d++)
		if (bits >> (d - 1) & 1) {
			fprintf(out, "%s%d", gap, d);
			gap = " ";
		}
}

/* No field needs quotes: names of calls and numbers. */
static int put_csv(FILE *out, const struct image *im)
{
	char(*labels)[SYSCALL_LABEL] = image_labels(im);

	if (!labels)
		return -ENOMEM;
	fputs("current,previous,train,test\r\n", out);
	for (u32 i = 0; i < im->calls; i++)
		for (u32 j = 0; j < im->calls; j++) {
			u16 cell = *image_cell(im, i, j);

			if (!cell)
				continue;
			fprintf(out, "%s,%s,", labels[i], labels[j]);
			put_distances(out, cell & 0xff);
			fputc(',', out);
			put_distances(out, cell >> TEST_SHIFT);
			fputs("\r\n", out);
		}
	free(labels);
	return 0;
}

static int put_json(FILE *out, json_t *j, size_t flags)
{
	int result = j && !json_dumpf(j, out, flags) ? 0 : -ENOMEM;

	fputc('\n', out);
	json_decref(j);
	return result;
}

static void leave_out(void *context, const char *label)
{
	const struct found *f = context;

	profile_error("warning: %s made the call %s, which has no name: the seccomp "
		      "profile does not allow it",
		      f->file, label);
}

static int put_seccomp(FILE *out, struct found *f)
{
	json_t *j = oci_profile(&f->image, leave_out, f);
	char why[256];
	int result = j ? oci_check(j, why, sizeof(why)) : -ENOMEM;

	if (!result)
		return put_json(out, j, JSON_INDENT(2));
	profile_error("cannot make a seccomp profile of %s: %s", f->file,
		      j ? why : "out of memory");
	json_decref(j);
	return result;
}

static int put(FILE *out, const struct profile_args *a, struct found *f)
{
	if (a->csv)
		return put_csv(out, &f->image);
	if (a->seccomp)
		return put_seccomp(out, f);
	return put_json(out, image_json(&f->image), JSON_INDENT(1));
}

int profile_cmd_export(const struct profile_args *a)
{
	struct found f;
	char *text = NULL;
	size_t size;
	FILE *out;
	int result;

	if (a->csv + a->json + a->seccomp != 1) {
		profile_error("export needs one of --csv, --json and --seccomp");
		return 2;
	}
	if (profile_find(a, a->names[0], &f))
		return 1;
	out = open_memstream(&text, &size);
	result = out ? put(out, a, &f) : -ENOMEM;
	if (out && fclose(out) && !result)
		result = -ENOMEM;
	if (!result)
		result = profile_output(a, text, size);
	else if (result == -ENOMEM)
		profile_error("cannot export %s: out of memory", f.file);
	free(text);
	found_free(&f);
	return result ? 1 : 0;
}
