/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the files known before a new program comes after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known.h"

enum { DISK = 1, STICK };

static struct known_list list;

static struct identity file(u64 device, u64 inode, u64 mtime)
{
	return (struct identity){.device = device, .inode = inode, .mtime = mtime};
}

static void know(u64 device, u64 inode, u64 mtime, const char *path)
{
	const struct identity id = file(device, inode, mtime);

	assert_int_equal(known_add(&list, &id, path, false), 0);
}

static int setup(void **state)
{
	(void)state;
	list = (struct known_list){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	known_free(&list);
	return 0;
}

/* The inode of what precedes ID at PATH must be this one, with this relation. */
static void assert_predecessor(struct identity id, const char *path, u64 inode,
			       enum relation expected)
{
	enum relation relation;
	const struct known *k = known_predecessor(&list, &id, path, &relation);

	assert_int_equal(relation, expected);
	if (!expected)
		assert_null(k);
	else
		assert_int_equal(k->identity.inode, inode);
}

static void a_file_at_the_same_path_was_replaced(void **state)
{
	(void)state;
	know(DISK, 10, 1, "/bin/a");
	know(DISK, 11, 1, "/bin/b");
	know(DISK, 12, 1, NULL);
	assert_predecessor(file(DISK, 20, 2), "/bin/b", 11, RELATION_REPLACED);
	assert_predecessor(file(DISK, 10, 2), "/bin/a", 10, RELATION_REPLACED);
	assert_predecessor(file(DISK, 20, 2), "/bin/c", 0, RELATION_NONE);
	assert_predecessor(file(DISK, 20, 2), NULL, 0, RELATION_NONE);
}

static void the_same_file_replaces_nothing(void **state)
{
	(void)state;
	know(DISK, 10, 1, "/bin/a");
	assert_predecessor(file(DISK, 10, 1), "/bin/a", 0, RELATION_NONE);
	assert_predecessor(file(DISK, 10, 1), "/bin/link", 0, RELATION_NONE);
}

static void another_file_system_was_not_replaced(void **state)
{
	(void)state;
	know(STICK, 10, 1, "/bin/a");
	assert_predecessor(file(DISK, 20, 2), "/bin/a", 10, RELATION_PATH);
}

static void an_inode_used_again_is_another_program(void **state)
{
	(void)state;
	know(DISK, 10, 1, "/bin/a");
	assert_predecessor(file(DISK, 10, 2), "/bin/b", 10, RELATION_KEY);
	assert_predecessor(file(DISK, 10, 2), NULL, 10, RELATION_KEY);
	assert_predecessor(file(STICK, 10, 2), "/bin/b", 0, RELATION_NONE);
}

/* Whatever the order in which they are known, and however old they are. */
static void the_closest_comes_first(void **state)
{
	(void)state;
	know(STICK, 31, 9, "/bin/a");
	know(DISK, 20, 8, "/bin/b");
	know(DISK, 10, 1, "/bin/a");
	know(STICK, 30, 9, "/bin/a");
	assert_predecessor(file(DISK, 20, 9), "/bin/a", 10, RELATION_REPLACED);
	assert_predecessor(file(DISK, 20, 9), "/bin/c", 20, RELATION_KEY);
}

static void the_latest_of_equals_comes_first(void **state)
{
	(void)state;
	know(DISK, 10, 3, "/bin/a");
	know(DISK, 11, 5, "/bin/a");
	know(DISK, 12, 4, "/bin/a");
	assert_predecessor(file(DISK, 20, 1), "/bin/a", 11, RELATION_REPLACED);
}

static void what_is_removed_is_not_known(void **state)
{
	const struct identity id = file(DISK, 10, 1);

	(void)state;
	know(DISK, 10, 1, "/bin/a");
	know(DISK, 11, 1, "/bin/b");
	assert_non_null(known_find(&list, &id));
	known_remove(&list, &id);
	assert_null(known_find(&list, &id));
	assert_predecessor(file(DISK, 20, 2), "/bin/a", 0, RELATION_NONE);
	assert_predecessor(file(DISK, 20, 2), "/bin/b", 11, RELATION_REPLACED);
}

static void a_misfit_is_said_anew(void **state)
{
	const struct identity id = file(DISK, 10, 1);

	(void)state;
	know(DISK, 10, 1, "/bin/a");
	assert_false(known_find(&list, &id)->misfit);
	assert_int_equal(known_add(&list, &id, "/bin/a", true), 0);
	assert_int_equal(list.count, 1);
	assert_true(known_find(&list, &id)->misfit);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_at_the_same_path_was_replaced),
		CASE(the_same_file_replaces_nothing),
		CASE(another_file_system_was_not_replaced),
		CASE(an_inode_used_again_is_another_program),
		CASE(the_closest_comes_first),
		CASE(the_latest_of_equals_comes_first),
		CASE(what_is_removed_is_not_known),
		CASE(a_misfit_is_said_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
