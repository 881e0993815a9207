/* SPDX-License-Identifier: GPL-2.0-only */
/* Profiles outside the kernel: what is shown, kept in memory, spared, and forgotten. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shelf.h"
#include "store_dir.h"

/* What the shelf told of, the last of it, and what a loading showed. */
struct seen {
	int warnings, images;
	char subject[64], message[256];
	u64 inode; /* of the image */
};

static struct seen seen;
static struct shelf shelf;
static const struct identity first = {1, 1, 2, 3, 4}; /* of image_of() */

static void see_warning(void *context, const char *subject, const char *message)
{
	assert_ptr_equal(context, &seen);
	seen.warnings++;
	snprintf(seen.subject, sizeof(seen.subject), "%s", subject ? subject : "");
	snprintf(seen.message, sizeof(seen.message), "%s", message);
}

static int see_image(void *context, struct image *im)
{
	assert_ptr_equal(context, &seen);
	seen.images++;
	seen.inode = im->identity.inode;
	return 0;
}

/* Open the shelf, which may keep two profiles in memory. */
static int open_shelf(enum store_mode mode, u32 window)
{
	seen = (struct seen){0};
	shelf = (struct shelf){
		.window = window, .max = 2, .warn = see_warning, .context = &seen};
	return shelf_open(&shelf, dir, mode, error, sizeof(error));
}

static int setup_shelf(void **state)
{
	return setup(state) || open_shelf(STORE_WRITE, WINDOW_MAX);
}

static int teardown_shelf(void **state)
{
	shelf_close(&shelf);
	return teardown(state);
}

/* Load all that is on the shelf; SEEN tells what came of it. */
static void load(void)
{
	seen = (struct seen){0};
	if (shelf_load(&shelf, see_image, &seen, error, sizeof(error)))
		fail_msg("%s", error);
}

/* A profile of I, that counts COUNT calls. */
static void profile_of(struct image *im, u64 i, u64 count)
{
	image_of(im, i);
	im->arch = arch_native();
	im->count = count;
	image_set_path(im, "/bin/it", 7);
}

static void save(u64 i, u64 count)
{
	struct image im;

	profile_of(&im, i, count);
	if (shelf_save(&shelf, &im, error, sizeof(error)))
		fail_msg("%s", error);
	image_free(&im);
}

static void keep(u64 i, u64 count)
{
	struct image im;

	profile_of(&im, i, count);
	shelf_keep(&shelf, &im);
	assert_null(im.call);
}

/* Take the profile of I: it counts COUNT calls, and was on disk or in memory. */
static void expect_taken(u64 i, u64 count, bool from_disk)
{
	const struct identity id = {1, i, 2, 3, 4};
	struct image im;
	bool is_saved;

	assert_int_equal(shelf_take(&shelf, &id, &im, &is_saved), 0);
	assert_int_equal(is_saved, from_disk);
	assert_int_equal(im.count, count);
	image_free(&im);
}

/* ---- tests ---- */

static void nothing_is_there_to_be_read(void **state)
{
	struct image im;

	(void)state;
	assert_int_equal(open_shelf(STORE_READ, WINDOW_MAX), 0);
	assert_false(shelf.is_open || shelf_is_writable(&shelf));
	load();
	assert_int_equal(seen.images, 0);
	assert_int_equal(shelf_read(&shelf, &first, &im), -ENOENT);
	assert_int_equal(shelf_forget(&shelf, &first), 0);
}

static void memory_is_newer_than_the_disk(void **state)
{
	(void)state;
	assert_true(shelf_is_writable(&shelf));
	save(1, 10);
	save(2, 20);
	keep(1, 11);
	load();
	assert_int_equal(seen.images, 1);
	assert_int_equal(seen.inode, 2);
	expect_taken(2, 20, true);
	expect_taken(1, 11, false);
	expect_taken(1, 10, true);
	load();
	assert_int_equal(seen.images, 2);
	assert_int_equal(seen.warnings, 0);
}

static void what_is_kept_can_be_saved_later(void **state)
{
	(void)state;
	keep(1, 10);
	keep(1, 11); /* in its place */
	assert_int_equal(shelf.backlog.count, 1);
	assert_int_equal(shelf_save_kept(&shelf), 0);
	assert_int_equal(shelf.backlog.count, 0);
	expect_taken(1, 11, true);
	keep(2, 20);
	shelf.backlog.image[0].window = 77; /* no file may hold that */
	assert_int_equal(shelf_save_kept(&shelf), -EINVAL);
	assert_int_equal(shelf.backlog.count, 1);
}

static void memory_has_a_bound(void **state)
{
	const struct identity third = {1, 3, 2, 3, 4};
	struct image im;

	(void)state;
	for (u64 i = 1; i <= 2; i++)
		keep(i, i);
	assert_int_equal(seen.warnings, 0);
	keep(3, 3);
	assert_int_equal(seen.warnings, 1);
	assert_string_equal(seen.subject, "/bin/it");
	assert_non_null(strstr(seen.message, "is lost"));
	assert_int_equal(shelf_read(&shelf, &third, &im), -ENOENT);
	expect_taken(1, 1, false);
	expect_taken(2, 2, false);
}

/* A profile that is of no use to this run is told of, and never written over. */
static void a_misfit_is_spared(void **state)
{
	char name[STORE_NAME], aside[STORE_NAME + 10];

	(void)state;
	save(1, 10);
	shelf_close(&shelf);
	assert_int_equal(open_shelf(STORE_WRITE, WINDOW_MAX - 1), 0);
	load();
	assert_int_equal(seen.images, 0);
	assert_int_equal(seen.warnings, 1);
	assert_string_equal(seen.subject, "/bin/it");
	assert_non_null(strstr(seen.message, "its profile is not used: "));
	assert_true(known_find(&shelf.known, &first)->misfit);
	save(1, 11);
	save(1, 12);
	assert_false(known_find(&shelf.known, &first)->misfit);
	store_name(&first, name);
	snprintf(aside, sizeof(aside), "%s.misfit", name);
	assert_int_equal(access(in_dir(aside), F_OK), 0);
	strcat(aside, ".1"); /* that of this run is none */
	assert_int_not_equal(access(in_dir(aside), F_OK), 0);
	expect_taken(1, 12, true);
}

static void what_is_damaged_is_told_of(void **state)
{
	char name[STORE_NAME];
	struct image im;

	(void)state;
	save(1, 10);
	store_name(&first, name);
	assert_int_equal(truncate(in_dir(name), 40), 0);
	assert_int_equal(shelf_read(&shelf, &first, &im), -EBADMSG);
	assert_null(im.call);
	assert_int_equal(seen.warnings, 1);
	assert_string_equal(seen.subject, name);
	assert_non_null(strstr(seen.message, "it is kept as "));
	assert_int_equal(shelf_read(&shelf, &first, &im), -ENOENT);
}

static void the_forgotten_does_not_come_back(void **state)
{
	struct image im;

	(void)state;
	save(1, 10);
	keep(1, 11);
	assert_int_equal(shelf_forget(&shelf, &first), 0);
	assert_null(known_find(&shelf.known, &first));
	assert_int_equal(shelf.backlog.count, 0);
	assert_int_equal(shelf_read(&shelf, &first, &im), -ENOENT);
	assert_int_equal(shelf_forget(&shelf, &first), 0);
	save(1, 12);
	shelf_close(&shelf);
	/* who only reads removes nothing */
	assert_int_equal(open_shelf(STORE_READ, WINDOW_MAX), 0);
	load();
	assert_int_equal(shelf_forget(&shelf, &first), 0);
	expect_taken(1, 12, true);
}

#define SHELF_TEST(f) cmocka_unit_test_setup_teardown(f, setup_shelf, teardown_shelf)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_there_to_be_read, setup,
						teardown_shelf),
		SHELF_TEST(memory_is_newer_than_the_disk),
		SHELF_TEST(what_is_kept_can_be_saved_later),
		SHELF_TEST(memory_has_a_bound),
		SHELF_TEST(a_misfit_is_spared),
		SHELF_TEST(what_is_damaged_is_told_of),
		SHELF_TEST(the_forgotten_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
