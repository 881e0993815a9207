/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of profiles: what is let in, kept, set aside and refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "codec.h"
#include "durable.h"
#include "identity.h"
#include "no_memory.h"
#include "store.h"
#include "store_dir.h"

static void must_open(struct store *s, enum store_mode mode)
{
	if (store_open(s, dir, mode, error, sizeof(error)))
		fail_msg("%s", error);
}

static void save(struct store *s, u64 i, char name[STORE_NAME])
{
	struct image im;

	image_of(&im, i);
	store_name(&im.identity, name);
	if (store_save(s, &im, error, sizeof(error)))
		fail_msg("%s", error);
	image_free(&im);
}

/* What a loading found. */
struct seen {
	struct image image[16];
	int images, problems;
	enum store_fault fault[16];
	char file[16][128], aside[16][256];
	int stop; /* what the callback gives */
};

static int see_image(void *context, const char *file, struct image *im)
{
	struct seen *seen = context;

	(void)file;
	seen->image[seen->images++] = *im;
	memset(im, 0, sizeof(*im));
	return seen->stop;
}

static void see_problem(void *context, const struct store_problem *p)
{
	struct seen *seen = context;
	int i = seen->problems++;

	assert_true(*p->why);
	seen->fault[i] = p->fault;
	snprintf(seen->file[i], sizeof(seen->file[i]), "%s", p->file);
	snprintf(seen->aside[i], sizeof(seen->aside[i]), "%s", p->aside ? p->aside : "");
}

static void load(struct store *s, struct seen *seen)
{
	const struct store_visitor v = {seen, see_image, see_problem};

	memset(seen, 0, sizeof(*seen));
	if (store_load(s, &v, error, sizeof(error)))
		fail_msg("%s", error);
}

static void forget(struct seen *seen)
{
	for (int i = 0; i < seen->images; i++)
		image_free(&seen->image[i]);
}

static void put_file(const char *name, const void *data, size_t size, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* ---- tests ---- */

static void saved_is_loaded(void **state)
{
	struct image im[5];
	struct store s;
	struct seen seen = {0};
	struct stat st;

	(void)state;
	must_open(&s, STORE_WRITE);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (u64 i = 0; i < 5; i++) {
		image_of(&im[i], i);
		assert_int_equal(store_save(&s, &im[i], error, sizeof(error)), 0);
		im[i].count++;
		assert_int_equal(store_save(&s, &im[i], error, sizeof(error)), 0);
	}
	store_close(&s);
	must_open(&s, STORE_READ);
	load(&s, &seen);
	assert_int_equal(seen.images, 5);
	assert_int_equal(seen.problems, 0);
	for (int i = 0; i < 5; i++) {
		assert_true(image_equal(&im[i], &seen.image[i]));
		image_free(&im[i]);
	}
	forget(&seen);
	store_close(&s);
	store_close(&s);
}

static void one_key_two_files(void **state)
{
	struct image a, b;
	struct store s;
	struct seen seen = {0};

	(void)state;
	must_open(&s, STORE_WRITE);
	image_of(&a, 7);
	image_of(&b, 7);
	b.identity.generation++;
	assert_int_equal(identity_key(&a.identity), identity_key(&b.identity));
	assert_int_equal(store_save(&s, &a, error, sizeof(error)), 0);
	assert_int_equal(store_save(&s, &b, error, sizeof(error)), 0);
	load(&s, &seen);
	assert_int_equal(seen.images, 2);
	forget(&seen);
	image_free(&a);
	image_free(&b);
	store_close(&s);
}

static void an_image_that_cannot_be_is_not_saved(void **state)
{
	struct image im;
	struct store s;

	(void)state;
	must_open(&s, STORE_WRITE);
	image_of(&im, 1);
	im.window = 77;
	assert_int_equal(store_save(&s, &im, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "window"));
	image_free(&im);
	store_close(&s);
}

static void a_second_instance_is_refused(void **state)
{
	struct store first, second;
	char pid[32];
	int status;
	pid_t child;

	(void)state;
	must_open(&first, STORE_WRITE);
	snprintf(pid, sizeof(pid), "process %d:", (int)getpid());
	child = fork();
	if (!child) {
		int result = store_open(&second, dir, STORE_WRITE, error, sizeof(error));

		_exit(result == -EBUSY && strstr(error, pid) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	must_open(&second, STORE_READ); /* looking is allowed */
	store_close(&second);
	store_close(&first);
	must_open(&second, STORE_WRITE);
	store_close(&second);
}

static void leftovers_are_removed(void **state)
{
	struct store s;

	(void)state;
	must_open(&s, STORE_WRITE);
	put_file(".new-0000000100000001-0000000000000000.ebph", "half", 4, 0600);
	store_close(&s);
	must_open(&s, STORE_READ);
	store_close(&s);
	assert_int_equal(
		access(in_dir(".new-0000000100000001-0000000000000000.ebph"), F_OK), 0);
	must_open(&s, STORE_WRITE);
	assert_int_not_equal(
		access(in_dir(".new-0000000100000001-0000000000000000.ebph"), F_OK), 0);
	store_close(&s);
}

/* Everything that is not to be loaded, beside something that is. */
static void spoil(struct store *s, char name[8][STORE_NAME])
{
	u8 newer[] = {0x89, 'E', 'B', 'P', 'H', '\r', '\n', 0x1a, 2, 0,
		      0,    0,	 20,  0,   0,	0,    0,    0,	  0, 0};
	u32 sum = (u32)crc32(0, newer, 16);

	for (u64 i = 0; i < 7; i++)
		save(s, i, name[i]);
	put_file(name[1], "rubbish", 7, 0600);
	memcpy(newer + 16, &sum, 4);
	put_file(name[2], newer, sizeof(newer), 0600);
	assert_int_equal(chmod(in_dir(name[3]), 0620), 0);
	assert_int_equal(rename(in_dir(name[4]), in_dir("real")), 0);
	assert_int_equal(symlink("real", in_dir(name[4])), 0);
	assert_int_equal(unlink(in_dir(name[5])), 0);
	assert_int_equal(mkfifo(in_dir(name[5]), 0600), 0);
	assert_int_equal(rename(in_dir(name[6]), in_dir("mine.ebph")), 0);
	put_file("README", "hello", 5, 0666);
}

static void expect_problems(const struct seen *seen, char name[8][STORE_NAME], bool aside)
{
	static const enum store_fault faults[] = {STORE_DAMAGED,  STORE_NEWER,
						  STORE_UNSAFE,	  STORE_NOT_FILE,
						  STORE_NOT_FILE, STORE_MISNAMED};

	assert_int_equal(seen->images, 1);
	assert_int_equal(seen->problems, 6);
	strcpy(name[6], "mine.ebph");
	for (int i = 0; i < 6; i++) {
		char expected[256] = "";

		assert_string_equal(seen->file[i], name[i + 1]);
		assert_int_equal(seen->fault[i], faults[i]);
		if (aside)
			snprintf(expected, sizeof(expected), "%s.%s", name[i + 1],
				 store_fault_text(faults[i]));
		assert_string_equal(seen->aside[i], expected);
	}
}

static void what_is_spoilt_is_set_aside(void **state)
{
	char name[8][STORE_NAME];
	struct store s, reader;
	struct seen seen = {0};

	(void)state;
	must_open(&s, STORE_WRITE);
	spoil(&s, name);
	/* a reader changes nothing */
	must_open(&reader, STORE_READ);
	load(&reader, &seen);
	expect_problems(&seen, name, false);
	forget(&seen);
	store_close(&reader);
	load(&s, &seen);
	expect_problems(&seen, name, true);
	forget(&seen);
	/* none was deleted, and none is seen again */
	for (int i = 0; i < 6; i++)
		assert_int_equal(
			faccessat(s.dir, seen.aside[i], F_OK, AT_SYMLINK_NOFOLLOW), 0);
	load(&s, &seen);
	assert_int_equal(seen.images, 1);
	assert_int_equal(seen.problems, 0);
	forget(&seen);
	/* nor written over by the next one that is spoilt */
	put_file(name[1], "rubbish again", 13, 0600);
	load(&s, &seen);
	assert_non_null(strstr(seen.aside[0], ".damaged.1"));
	forget(&seen);
	store_close(&s);
}

static void someone_elses_file_is_set_aside(void **state)
{
	char name[STORE_NAME];
	struct store s;
	struct seen seen = {0};

	(void)state;
	if (geteuid()) {
		print_message("# only root can give a file away\n");
		skip();
	}
	must_open(&s, STORE_WRITE);
	save(&s, 1, name);
	assert_int_equal(chown(in_dir(name), 65534, 65534), 0);
	load(&s, &seen);
	assert_int_equal(seen.images, 0);
	assert_int_equal(seen.fault[0], STORE_FOREIGN);
	assert_non_null(strstr(seen.aside[0], ".foreign"));
	store_close(&s);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_int_equal(store_open(&s, dir, STORE_WRITE, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, "belongs to someone else"));
}

static void unsafe_directories_are_refused(void **state)
{
	char link[200];
	struct store s;

	(void)state;
	must_open(&s, STORE_WRITE);
	store_close(&s);
	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		assert_int_equal(chmod(dir, 0770), 0);
		assert_int_equal(store_open(&s, dir, (enum store_mode)mode, error,
					    sizeof(error)),
				 -EPERM);
		assert_non_null(strstr(error, "0770"));
		assert_int_equal(chmod(dir, 0755), 0);
		must_open(&s, (enum store_mode)mode);
		store_close(&s);
		snprintf(link, sizeof(link), "%s/link%d", top, mode);
		assert_int_equal(symlink(dir, link), 0);
		assert_int_not_equal(store_open(&s, link, (enum store_mode)mode, error,
						sizeof(error)),
				     0);
		assert_non_null(strstr(error, "symbolic link"));
		strcat(link, "/");
		assert_int_not_equal(store_open(&s, link, (enum store_mode)mode, error,
						sizeof(error)),
				     0);
	}
	/* reading makes nothing */
	strcat(dir, "/none");
	assert_int_equal(store_open(&s, dir, STORE_READ, error, sizeof(error)), -ENOENT);
	assert_int_not_equal(access(dir, F_OK), 0);
}

static void removed_is_gone(void **state)
{
	char name[STORE_NAME], aside[256];
	struct store s;
	struct seen seen = {0};

	(void)state;
	must_open(&s, STORE_WRITE);
	save(&s, 1, name);
	assert_int_equal(store_remove(&s, name), 0);
	assert_int_equal(store_remove(&s, name), -ENOENT);
	save(&s, 2, name);
	assert_int_equal(store_set_aside(&s, name, "old", aside, sizeof(aside)), 0);
	assert_int_equal(store_set_aside(&s, name, "old", aside, sizeof(aside)), -ENOENT);
	load(&s, &seen);
	assert_int_equal(seen.images, 0);
	assert_int_equal(seen.problems, 0);
	store_close(&s);
}

static void a_callback_can_end_the_loading(void **state)
{
	struct seen seen = {.stop = -EXFULL};
	const struct store_visitor v = {&seen, see_image, see_problem};
	char name[STORE_NAME];
	struct store s;

	(void)state;
	must_open(&s, STORE_WRITE);
	for (u64 i = 0; i < 3; i++)
		save(&s, i, name);
	assert_int_equal(store_load(&s, &v, error, sizeof(error)), -EXFULL);
	assert_int_equal(seen.images, 1);
	forget(&seen);
	store_close(&s);
}

/* The profile is good, whichever allocation it is that fails. */
static void a_shortage_is_no_damage(void **state)
{
	struct seen seen = {0};
	const struct store_visitor v = {&seen, see_image, see_problem};
	char name[STORE_NAME];
	struct image im;
	struct store s;
	int failed = 0;

	(void)state;
	must_open(&s, STORE_WRITE);
	image_of(&im, 1);
	image_set_path(&im, "/usr/bin/prog", IMAGE_PATH_MAX);
	store_name(&im.identity, name);
	assert_int_equal(store_save(&s, &im, error, sizeof(error)), 0);
	for (;; failed++) {
		int result;

		allocations_left = failed;
		result = store_load_file(&s, name, &v, error, sizeof(error));
		if (!result)
			break;
		assert_int_equal(result, -ENOMEM);
		assert_non_null(strstr(error, "memory"));
	}
	assert_true(allocations_left >= 0); /* there were no more to fail */
	allocations_left = -1;
	assert_int_equal(failed, 4); /* bytes, calls, cells, path */
	assert_int_equal(seen.problems, 0);
	assert_int_equal(seen.images, 1);
	assert_true(image_equal(&im, &seen.image[0]));
	forget(&seen);
	image_free(&im);
	store_close(&s);
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(saved_is_loaded),
		STORE_TEST(one_key_two_files),
		STORE_TEST(an_image_that_cannot_be_is_not_saved),
		STORE_TEST(a_second_instance_is_refused),
		STORE_TEST(leftovers_are_removed),
		STORE_TEST(what_is_spoilt_is_set_aside),
		STORE_TEST(someone_elses_file_is_set_aside),
		STORE_TEST(unsafe_directories_are_refused),
		STORE_TEST(removed_is_gone),
		STORE_TEST(a_callback_can_end_the_loading),
		STORE_TEST(a_shortage_is_no_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
