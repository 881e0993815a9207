/* SPDX-License-Identifier: GPL-2.0-only */
/* Which profile a person means. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "codec.h"
#include "identity.h"
#include "profile_cmd.h"

static const char suffix[] = ".ebph";

void found_free(struct found *f)
{
	image_free(&f->image);
	free(f->file);
	memset(f, 0, sizeof(*f));
}

static bool ends_as_profile(const char *name)
{
	size_t length = strlen(name), end = sizeof(suffix) - 1;

	return length > end && !strcmp(name + length - end, suffix);
}

static bool begins_as_profile(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	u8 head[8];
	ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		close(fd);
	return got > 0 && codec_is_profile(head, (size_t)got);
}

static int read_file(const char *path, struct found *f)
{
	char why[256];
	int result = store_read(AT_FDCWD, path, &f->image, why, sizeof(why));

	if (!result)
		f->file = strdup(path);
	if (!result && !f->file)
		result = -ENOMEM;
	else if (result)
		profile_error("cannot read the profile %s: %s", path, why);
	return result;
}

static char *join(const char *dir, const char *file)
{
	char *path = malloc(strlen(dir) + strlen(file) + 2);

	if (path)
		sprintf(path, "%s/%s", dir, file);
	return path;
}

/* ---- in the directory ---- */

struct search {
	const struct profile_args *args;
	const char *name;
	struct found *found;
	int matches;
	int error;
};

static bool matches(const struct search *s, const char *file, const struct image *im)
{
	char key[IDENTITY_KEY_TEXT];

	return !strcasecmp(s->name, identity_key_text(&im->identity, key)) ||
	       !strcmp(s->name, file) || (im->path && !strcmp(s->name, im->path));
}

static int on_image(void *context, const char *file, struct image *im)
{
	struct search *s = context;

	if (!matches(s, file, im))
		return 0;
	if (s->matches++) {
		if (s->matches == 2)
			profile_error("several profiles in %s are called %s: name one by "
				      "its file\n  %s",
				      s->args->dir, s->name, s->found->file);
		fprintf(stderr, "  %s/%s\n", s->args->dir, file);
		return 0;
	}
	s->found->file = join(s->args->dir, file);
	s->found->stored = true;
	s->found->image = *im;
	memset(im, 0, sizeof(*im));
	return s->found->file ? 0 : -ENOMEM;
}

static void on_problem(void *context, const struct store_problem *p)
{
	struct search *s = context;

	if (!strcmp(p->file, s->name))
		profile_error("%s/%s: %s", s->args->dir, p->file, p->why);
}

static int search_store(struct search *s)
{
	const struct store_visitor v = {s, on_image, on_problem};
	struct store store;
	char error[512] = "out of memory";
	int result = store_open(&store, s->args->dir, STORE_READ, error, sizeof(error));

	if (!result) {
		result = store_load(&store, &v, error, sizeof(error));
		store_close(&store);
	}
	if (result)
		profile_error("%s", error);
	return result;
}

/* By what the path stands for: ./a, or /bin/a where /bin is a link to /usr/bin. */
static int search_real_path(struct search *s)
{
	char *path = strchr(s->name, '/') ? realpath(s->name, NULL) : NULL;
	const char *name = s->name;
	int result = 0;

	if (path) {
		s->name = path;
		result = search_store(s);
		s->name = name;
	}
	free(path);
	return result;
}

static int search(struct search *s)
{
	int result = search_store(s);

	if (!result && !s->matches)
		result = search_real_path(s);
	if (result || s->matches == 1)
		return result;
	if (!s->matches)
		profile_error("there is no profile %s in %s%s", s->name, s->args->dir,
			      access(s->name, F_OK) ? ""
						    : ", and the file of that name is no "
						      "profile");
	return s->matches ? -EEXIST : -ENOENT;
}

int profile_find(const struct profile_args *a, const char *name, struct found *f)
{
	struct search s = {.args = a, .name = name, .found = f};
	int result;

	memset(f, 0, sizeof(*f));
	if (begins_as_profile(name) || (ends_as_profile(name) && !access(name, F_OK)))
		result = read_file(name, f);
	else
		result = search(&s);
	if (result)
		found_free(f);
	return result;
}
