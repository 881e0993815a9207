/* SPDX-License-Identifier: GPL-2.0-only */
#include "image_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "lookahead.h"
#include "printable.h"
#include "state.h"
#include "timestamp.h"

/* Readers that keep numbers as doubles (jq) would change a larger one. */
static json_t *number(u64 value)
{
	char text[24];

	if (value <= 1ULL << 53)
		return json_integer((json_int_t)value);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

static json_t *time_of(u64 ns)
{
	char text[TIMESTAMP_TEXT];

	return json_string(timestamp_text(ns, text, sizeof(text)));
}

/* "exe", and where that is not all of the truth "exe_hex", the bytes. */
static void add_path(json_t *j, const char *path)
{
	char *text, *hex;

	if (!path || printable_is_utf8(path)) {
		json_object_set_new(j, "exe", path ? json_string(path) : json_null());
		return;
	}
	text = printable(path);
	hex = malloc(2 * strlen(path) + 1);
	for (size_t i = 0; hex && path[i]; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)path[i]);
	if (text && hex) {
		json_object_set_new(j, "exe", json_string(text));
		json_object_set_new(j, "exe_hex", json_string(hex));
	}
	free(text);
	free(hex);
}

static void add_counters(json_t *j, const struct image *im)
{
	json_object_set_new(j, "state", json_string(state_text(im->state)));
	json_object_set_new(j, "count", number(im->count));
	json_object_set_new(j, "train_count", number(im->train_count));
	json_object_set_new(j, "last_mod_count",
			    number(im->train_count - im->change_count));
	json_object_set_new(j, "sequences", number(im->sequences));
	json_object_set_new(j, "anomalies", number(im->anomalies));
	if (im->state == STATE_FROZEN)
		json_object_set_new(j, "normal_time", time_of(im->normal_time));
}

static void add_key(json_t *j, const struct image *im)
{
	char key[IDENTITY_KEY_TEXT];

	json_object_set_new(j, "key", json_string(identity_key_text(&im->identity, key)));
	add_path(j, im->path);
}

json_t *image_json_summary(const struct image *im)
{
	json_t *j = json_object();

	add_key(j, im);
	add_counters(j, im);
	return j;
}

json_t *image_json_distances(u8 bits)
{
	json_t *list = json_array();

	for (int d = 1; d <= DISTANCES; d++)
		if (bits >> (d - 1) & 1)
			json_array_append_new(list, json_integer(d));
	return list;
}

static json_t *identity_json(const struct identity *id)
{
	json_t *j = json_object();

	json_object_set_new(j, "device", number(id->device));
	json_object_set_new(j, "inode", number(id->inode));
	json_object_set_new(j, "generation", number(id->generation));
	json_object_set_new(j, "size", number(id->size));
	json_object_set_new(j, "mtime", time_of(id->mtime));
	return j;
}

static json_t *calls_json(const struct image *im, char (*labels)[SYSCALL_LABEL])
{
	json_t *list = json_array();

	for (u32 i = 0; i < im->calls; i++) {
		u32 symbol = im->call[i].symbol;
		enum abi abi = symbol_abi(symbol);
		json_t *call = json_object();

		json_object_set_new(call, "call", json_string(labels[i]));
		json_object_set_new(call, "abi", json_string(abi_name(im->arch, abi)));
		if (abi <= ABI_X32)
			json_object_set_new(call, "nr",
					    json_integer(symbol_number(symbol)));
		json_object_set_new(call, "rank", json_integer(im->call[i].rank));
		json_array_append_new(list, call);
	}
	return list;
}

static json_t *pairs_json(const struct image *im, char (*labels)[SYSCALL_LABEL])
{
	json_t *list = json_array();

	for (u32 i = 0; i < im->calls; i++)
		for (u32 k = 0; k < im->calls; k++) {
			u16 cell = *image_cell(im, i, k);
			json_t *pair;

			if (!cell)
				continue;
			pair = json_object();
			json_object_set_new(pair, "current", json_string(labels[i]));
			json_object_set_new(pair, "previous", json_string(labels[k]));
			json_object_set_new(pair, "train",
					    image_json_distances(cell & 0xff));
			json_object_set_new(pair, "test",
					    image_json_distances(cell >> TEST_SHIFT));
			json_array_append_new(list, pair);
		}
	return list;
}

json_t *image_json_pairs(const struct image *im)
{
	char(*labels)[SYSCALL_LABEL] = image_labels(im);
	json_t *list = labels ? pairs_json(im, labels) : NULL;

	free(labels);
	return list;
}

json_t *image_json(const struct image *im)
{
	char(*labels)[SYSCALL_LABEL] = image_labels(im);
	json_t *j = json_object();

	if (!labels) {
		json_decref(j);
		return NULL;
	}
	json_object_set_new(j, "format", json_string("ebph-profile"));
	json_object_set_new(j, "version", json_integer(1));
	json_object_set_new(j, "arch", json_string(arch_name(im->arch)));
	json_object_set_new(j, "window", json_integer(im->window));
	add_key(j, im);
	json_object_set_new(j, "identity", identity_json(&im->identity));
	add_counters(j, im);
	json_object_set_new(j, "saved", time_of(im->saved));
	json_object_set_new(j, "calls", calls_json(im, labels));
	json_object_set_new(j, "pairs", pairs_json(im, labels));
	free(labels);
	return j;
}
