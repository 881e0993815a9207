/* SPDX-License-Identifier: GPL-2.0-only */
/* A profile's bytes: exact both ways, and nothing but whole ones is read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "codec.h"
#include "image_json.h"
#include "printable.h"
#include "timestamp.h"
#include "images.h"

static u8 *encode(const struct image *im, size_t *size)
{
	u8 *bytes;

	assert_int_equal(codec_encode(im, &bytes, size), 0);
	return bytes;
}

static int decode(const u8 *bytes, size_t size, struct image *im)
{
	char why[200] = "";
	int result = codec_decode(bytes, size, im, why, sizeof(why));

	assert_int_equal(result != 0, *why != '\0');
	return result;
}

static void round_trip(u32 calls, u32 folded, u32 pairs)
{
	struct image im, back;
	size_t size;
	u8 *bytes;

	random_image(&im, calls, folded, pairs);
	bytes = encode(&im, &size);
	assert_int_equal(decode(bytes, size, &back), 0);
	assert_true(image_equal(&im, &back));
	image_free(&im);
	image_free(&back);
	free(bytes);
}

static void bytes_and_back(void **state)
{
	(void)state;
	for (u32 i = 0; i < 300; i++)
		round_trip(random_below(120), 0, random_below(3000));
	for (u32 i = 1; i < 30; i++)
		round_trip(100 + i, i, random_below(3000));
	round_trip(0, 0, 0);
	round_trip(1, 0, 1);
	round_trip(SYMBOLS, 0, 9000);
	round_trip(SYMBOLS, SYMBOLS - 254, 9000);
}

/* A typical profile is to be below 16 KB: 90 calls, 1500 pairs. The densest, too. */
static void small(void **state)
{
	struct image im;
	size_t size;

	(void)state;
	random_image(&im, 90, 0, 0);
	for (u32 set = 0; set < 1500;) {
		u16 *cell = image_cell(&im, random_below(90), random_below(90));

		set += *cell == 0;
		*cell |= 1u << random_below(16);
	}
	free(encode(&im, &size));
	print_message("# 90 calls, 1500 pairs: %zu bytes\n", size);
	assert_in_range(size, 1, 5000);
	memset(im.cell, 0xff, 90 * 90 * sizeof(*im.cell));
	free(encode(&im, &size));
	print_message("# 90 calls, 8100 pairs: %zu bytes\n", size);
	assert_in_range(size, 1, 18 * 1024);
	image_free(&im);
}

static void a_flipped_bit_is_seen(void **state)
{
	struct image im, back;
	size_t size;
	u8 *bytes;

	(void)state;
	random_image(&im, 40, 3, 300);
	bytes = encode(&im, &size);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(decode(bytes, size, &back), -EBADMSG);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	image_free(&im);
	free(bytes);
}

static void a_cut_file_is_seen(void **state)
{
	struct image im, back;
	size_t size;
	u8 *bytes, *longer;

	(void)state;
	random_image(&im, 40, 0, 300);
	bytes = encode(&im, &size);
	longer = calloc(1, size + 1);
	memcpy(longer, bytes, size);
	for (size_t length = 0; length < size; length++) {
		u8 *cut = malloc(length ? length : 1); /* its end is the sanitizer's */

		memcpy(cut, bytes, length);
		assert_int_equal(decode(cut, length, &back), -EBADMSG);
		free(cut);
	}
	assert_int_equal(decode(longer, size + 1, &back), -EBADMSG);
	image_free(&im);
	free(longer);
	free(bytes);
}

/* Make the checksum right again. */
static void seal_only(u8 *bytes, size_t size)
{
	u32 sum = (u32)crc32(0, bytes, (uInt)(size - 4));

	for (int i = 0; i < 4; i++)
		bytes[size - 4 + i] = (u8)(sum >> (8 * i));
}

/* The length too. */
static void seal(u8 *bytes, size_t size)
{
	for (int i = 0; i < 4; i++)
		bytes[12 + i] = (u8)(size >> (8 * i));
	seal_only(bytes, size);
}

static void mutate(u8 *bytes, size_t *size)
{
	for (u32 i = 0; i <= random_below(6); i++) {
		size_t at = random_below((u32)*size), length;

		switch (random_below(4)) {
		case 0:
			bytes[at] = (u8)random_next();
			break;
		case 1: /* a part elsewhere */
			length = random_below((u32)(*size - at)) % 40;
			memmove(bytes + random_below((u32)(*size - length)), bytes + at,
				length);
			break;
		case 2: /* a piece is missing */
			length = random_below((u32)(*size - at)) % 40;
			memmove(bytes + at, bytes + at + length, *size - at - length);
			*size -= length;
			break;
		default:
			bytes[at] ^= 1 << random_below(8);
		}
	}
}

/*
 * 10,000 spoilt files: no crash (the sanitizers), no hang, no changed pair unnoticed. Of
 * these, every other with a checksum that is right: what then is read must be a profile
 * like any other.
 */
static void mutants(void **state)
{
	u32 refused = 0, read = 0, same = 0;

	(void)state;
	for (u32 round = 0; round < 10000; round++) {
		struct image im, back;
		size_t size, old_size;
		u8 *bytes, *old;

		random_image(&im, 10 + random_below(30), random_below(3), 100);
		bytes = encode(&im, &size);
		old = malloc(size);
		memcpy(old, bytes, size);
		old_size = size;
		mutate(bytes, &size);
		if (round % 2 && size > 20)
			seal(bytes, size);
		if (decode(bytes, size, &back)) {
			refused++;
		} else if (size == old_size && !memcmp(bytes, old, size)) {
			same++;
			assert_true(image_equal(&im, &back));
		} else {
			size_t again_size;
			u8 *again;

			read++;
			assert_int_equal(round % 2, 1); /* never by a wrong checksum */
			assert_null(image_fault(&back));
			again = encode(&back, &again_size);
			assert_int_equal(again_size, size);
			assert_memory_equal(again, bytes, size);
			free(again);
		}
		image_free(&im);
		image_free(&back);
		free(bytes);
		free(old);
	}
	print_message(
		"# 10000 mutants: %u refused, %u unchanged, %u other profiles with a "
		"checksum of their own\n",
		refused, same, read);
	assert_true(refused > 5000);
}

/* Also where the checksum says that all is well. */
static void a_wrong_length_is_seen(void **state)
{
	struct image im, back;
	size_t size;
	u8 *bytes;

	(void)state;
	random_image(&im, 10, 0, 30);
	bytes = encode(&im, &size);
	bytes[12]++;
	seal_only(bytes, size);
	assert_int_equal(decode(bytes, size, &back), -EBADMSG);
	image_free(&im);
	free(bytes);
}

static void newer_is_not_damaged(void **state)
{
	struct image im, back;
	size_t size;
	u8 *bytes;

	(void)state;
	random_image(&im, 10, 0, 30);
	bytes = encode(&im, &size);
	bytes[8] = CODEC_VERSION + 1;
	assert_int_equal(decode(bytes, size, &back), -EBADMSG);
	seal(bytes, size);
	assert_int_equal(decode(bytes, size, &back), -ENOTSUP);
	bytes[8] = CODEC_VERSION;
	memcpy(bytes + 16, "riscv64", 8);
	seal(bytes, size);
	assert_int_equal(decode(bytes, size, &back), -ENOTSUP);
	image_free(&im);
	free(bytes);
}

/* ---- JSON ---- */

static void json_and_back(void **state)
{
	static const char *const paths[] = {NULL, "/bin/x", "/a b/\xc3\xa4\n",
					    "/\xff\xfe\\"};

	(void)state;
	for (u32 i = 0; i < 60; i++) {
		struct image im, back;
		char why[200] = "";
		json_t *j, *read;
		char *text;

		random_image(&im, 8 + random_below(60), i % 4 ? 0 : 3, random_below(400));
		image_set_path(&im, paths[i % 4], 99);
		j = image_json(&im);
		text = json_dumps(j, 0);
		read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(read);
		if (image_from_json(read, &back, why, sizeof(why)))
			fail_msg("%s", why);
		assert_true(image_equal(&im, &back));
		json_decref(j);
		json_decref(read);
		free(text);
		image_free(&im);
		image_free(&back);
	}
}

/* Each member taken away or spoilt is refused with a reason. */
static void json_is_checked(void **state)
{
	static const char *const needed[] = {"format",	  "version",	 "arch",
					     "window",	  "identity",	 "state",
					     "count",	  "train_count", "last_mod_count",
					     "sequences", "anomalies",	 "saved",
					     "calls",	  "pairs"};
	struct image im, back;

	(void)state;
	random_image(&im, 20, 0, 60);
	for (u32 i = 0; i < 2 * sizeof(needed) / sizeof(*needed); i++) {
		json_t *j = image_json(&im);
		char why[200] = "";

		if (i % 2)
			json_object_del(j, needed[i / 2]);
		else
			json_object_set_new(j, needed[i / 2], json_real(-1.5));
		assert_int_equal(image_from_json(j, &back, why, sizeof(why)), -EINVAL);
		assert_true(*why);
		json_decref(j);
	}
	image_free(&im);
}

/* Spoilt JSON: refused with a reason, or a profile that keeps the rules. */
static void json_mutants(void **state)
{
	u32 refused = 0, read = 0, no_json = 0;
	struct image im, back;
	char *text;
	json_t *j;

	(void)state;
	random_image(&im, 12, 2, 30);
	j = image_json(&im);
	text = json_dumps(j, 0);
	for (u32 round = 0; round < 5000; round++) {
		char *copy = strdup(text), why[200] = "";
		size_t length = strlen(copy);
		json_t *spoilt;

		for (u32 i = 0; i <= random_below(3); i++)
			copy[random_below((u32)length)] =
				random_below(3) ? '0' + (char)random_below(10)
						: (char)(0x20 + random_below(0x5f));
		spoilt = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
		free(copy);
		if (!spoilt) {
			no_json++;
			continue;
		}
		if (image_from_json(spoilt, &back, why, sizeof(why))) {
			refused++;
			assert_true(*why);
		} else {
			read++;
			assert_null(image_fault(&back));
		}
		image_free(&back);
		json_decref(spoilt);
	}
	print_message("# 5000 JSON mutants: %u no JSON, %u refused, %u profiles\n",
		      no_json, refused, read);
	assert_true(refused > 100 && read > 100);
	json_decref(j);
	free(text);
	image_free(&im);
}

/* ---- small things ---- */

static void timestamps(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-02-30T00:00:00.000000000Z",
		"2026-01-01T00:00:00Z",
		"2026-01-01T24:00:00.000000000Z",
		"2026-01-01T00:00:61.000000000Z",
		"1969-12-31T23:59:59.999999999Z",
		"9999-01-01T00:00:00.000000000Z",
		" 026-01-01T00:00:00.000000000Z",
		"2026-01-01T00:00:00.000000000Zx",
	};
	char text[TIMESTAMP_TEXT];
	u64 back;

	(void)state;
	assert_string_equal(timestamp_text(0, text, sizeof(text)),
			    "1970-01-01T00:00:00.000000000Z");
	for (u32 i = 0; i < 2000; i++) {
		u64 ns = i ? random_next() : UINT64_MAX;

		assert_int_equal(timestamp_parse(timestamp_text(ns, text, sizeof(text)),
						 &back),
				 0);
		assert_int_equal(back, ns);
	}
	for (u32 i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_not_equal(timestamp_parse(bad[i], &back), 0);
}

static void expect_printable(const char *bytes, const char *expected)
{
	char *text = printable(bytes);

	assert_string_equal(text, expected);
	free(text);
}

static void paths_are_printable(void **state)
{
	(void)state;
	expect_printable("/bin/ls", "/bin/ls");
	expect_printable("/a\nb\x1b[m\\", "/a\\x0ab\\x1b[m\\x5c");
	expect_printable("/\xc3\xa4", "/\xc3\xa4");
	expect_printable("/\xc2\x9b!", "/\\xc2\\x9b!");
	expect_printable("/\xc3", "/\\xc3");
	expect_printable("/\xc2\xa0", "/\xc2\xa0");
}

static void labels_and_back(void **state)
{
	char label[SYSCALL_LABEL];

	(void)state;
	for (int arch = ARCH_X86_64; arch <= ARCH_AARCH64; arch++)
		for (u32 s = 0; s < SYMBOLS; s++) {
			if (symbol_abi(s) == ABI_X32 && arch == ARCH_AARCH64)
				continue;
			syscall_label((enum arch)arch, s, label, sizeof(label));
			if (syscall_symbol((enum arch)arch, label) != (int)s)
				fail_msg("%s %u: %s gives %d", arch_name((enum arch)arch),
					 s, label,
					 syscall_symbol((enum arch)arch, label));
		}
	assert_int_equal(syscall_symbol(ARCH_X86_64, "write"), 1);
	assert_int_equal(syscall_symbol(ARCH_AARCH64, "write"), 64);
	assert_int_equal(syscall_symbol(ARCH_X86_64, "i386:write"), SYMBOL_COMPAT + 4);
	assert_int_equal(syscall_symbol(ARCH_X86_64, "other"), SYMBOL_NONE);
	assert_int_equal(syscall_symbol(ARCH_X86_64, "i386:"), -1);
	assert_int_equal(syscall_symbol(ARCH_X86_64, "arm:write"), -1);
	assert_int_equal(syscall_symbol(ARCH_X86_64, "socketcall"), -1);
	assert_int_equal(syscall_symbol(ARCH_X86_64, "syscall_512"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_back),
		cmocka_unit_test(small),
		cmocka_unit_test(a_flipped_bit_is_seen),
		cmocka_unit_test(a_cut_file_is_seen),
		cmocka_unit_test(mutants),
		cmocka_unit_test(a_wrong_length_is_seen),
		cmocka_unit_test(newer_is_not_damaged),
		cmocka_unit_test(json_and_back),
		cmocka_unit_test(json_is_checked),
		cmocka_unit_test(json_mutants),
		cmocka_unit_test(timestamps),
		cmocka_unit_test(paths_are_printable),
		cmocka_unit_test(labels_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
