/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory of profiles for each test. Included by tests, after their headers. */
#ifndef TESTS_STORE_DIR_H
#define TESTS_STORE_DIR_H

#include "images.h"

static char top[64], dir[128];
static char error[512];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/ebph-test-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/a/store", top);
	*error = '\0';
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf -- '%s'", top);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[4][400];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

/* An image whose identity is I alone. */
static void image_of(struct image *im, u64 i)
{
	random_image(im, 20, 0, 60);
	im->identity = (struct identity){1, i, 2, 3, 4};
}

#endif
