/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "listen.h"
#include "request.h"
#include "text.h"

enum { PATIENCE = 60 }; /* seconds to wait for a line of an answer */

static int set_patience(int fd, int seconds)
{
	const struct timeval t = {.tv_sec = seconds};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) ? -errno : 0;
}

static void say_why(int result, const char *path, char *error, size_t size)
{
	if (result == -ENOENT || result == -ECONNREFUSED)
		snprintf(error, size, "no ebph is running (nobody listens at %s)", path);
	else if (result == -EACCES || result == -EPERM)
		snprintf(error, size,
			 "cannot ask the ebph at %s: %s: be root, or who "
			 "runs it",
			 path, strerror(-result));
	else if (result == -EAGAIN)
		snprintf(error, size, "the ebph at %s does not answer: too many ask it",
			 path);
	else
		snprintf(error, size, "cannot ask the ebph at %s: %s", path,
			 strerror(-result));
}

int connection_open(struct connection *c, const char *path, char *error, size_t size)
{
	int fd = listen_connect(path), result = fd < 0 ? fd : 0;
	pid_t pid = 0;
	uid_t uid;

	*c = (struct connection){.fd = fd};
	if (!result)
		result = set_patience(fd, PATIENCE);
	if (!result && fcntl(fd, F_SETFL, 0)) /* it may wait from now on */
		result = -errno;
	if (!result) {
		listen_peer(fd, &pid, &uid);
		c->pid = pid;
		c->in = fdopen(fd, "re");
		result = c->in ? 0 : -errno;
	}
	if (!result)
		return 0;
	say_why(result, path, error, size);
	if (fd >= 0)
		close(fd);
	return result;
}

void connection_close(struct connection *c)
{
	if (c->in)
		fclose(c->in);
	free(c->line);
	*c = (struct connection){.fd = -1};
}

/* ---- lines ---- */

static int send_line(struct connection *c, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT | JSON_PRESERVE_ORDER), *line;
	int length = text ? asprintf(&line, "%s\n", text) : -1, result = 0;

	free(text);
	if (length < 0)
		return -ENOMEM;
	for (int sent = 0; sent < length && !result;) {
		ssize_t some =
			send(c->fd, line + sent, (size_t)(length - sent), MSG_NOSIGNAL);

		if (some >= 0)
			sent += (int)some;
		else if (errno != EINTR)
			result = -errno;
	}
	free(line);
	return result;
}

/* The next line in *J, new: 0 or -errno; -EPIPE: the connection has ended. */
static int read_line(struct connection *c, json_t **j)
{
	ssize_t length = -1;

	/* one that was ended unread may still have left us a word: the error comes first */
	for (int tries = 0; tries < 2 && length <= 0; tries++) {
		errno = 0;
		clearerr(c->in);
		length = getline(&c->line, &c->size, c->in);
		if (errno != ECONNRESET)
			break;
	}
	if (length <= 0)
		return errno ? -errno : -EPIPE;
	*j = json_loadb(c->line, (size_t)length, 0, NULL);
	return *j ? 0 : -EPROTO;
}

/* The answer's last line J: 0 or -EREMOTEIO. */
static int judge(const json_t *j, char *error, size_t size)
{
	const char *why = json_string_value(json_object_get(j, "error"));
	char *text;

	if (json_is_true(json_object_get(j, "ok")))
		return 0;
	text = connection_text(why ? why : "ebph does not say why not", TEXT_LINE);
	snprintf(error, size, "%s", text ? text : "out of memory");
	free(text);
	return -EREMOTEIO;
}

static void say_what_broke(const struct connection *c, int result, char *error,
			   size_t size)
{
	if (result == -EAGAIN)
		snprintf(error, size, "ebph (process %d) does not answer", c->pid);
	else if (result == -EPIPE || result == -ECONNRESET)
		snprintf(error, size, "ebph (process %d) ended the connection", c->pid);
	else
		snprintf(error, size, "cannot ask ebph (process %d): %s", c->pid,
			 strerror(-result));
}

int connection_ask(struct connection *c, json_t *request,
		   int (*row)(void *context, json_t *row), void *context, json_t **reply,
		   char *error, size_t size)
{
	int result;

	json_object_set_new(request, "ebph", json_integer(PROTOCOL_VERSION));
	result = send_line(c, request);
	if (result == -EPIPE || result == -ECONNRESET) /* it says why */
		result = 0;
	json_decref(request);
	while (!result) {
		json_t *line, *one;

		result = read_line(c, &line);
		if (result)
			break;
		one = json_object_get(line, "row");
		if (!one) {
			result = judge(line, error, size);
			if (!result && reply)
				*reply = json_incref(line);
			json_decref(line);
			return result;
		}
		result = row ? row(context, one) : 0;
		json_decref(line);
		if (result)
			return result;
	}
	say_what_broke(c, result, error, size);
	return result;
}

json_t *connection_next(struct connection *c)
{
	json_t *line;

	if (set_patience(c->fd, 0) || read_line(c, &line))
		return NULL;
	return line;
}

/* ---- text ---- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *connection_text(const char *text, int use)
{
	char *bytes = strdup(text), *to = bytes, *result;
	const char *from = text;

	if (!bytes)
		return NULL;
	while (*from) {
		if (from[0] == '\\' && from[1] == 'x' && hex_digit(from[2]) >= 0 &&
		    hex_digit(from[3]) >= 0) {
			*to++ = (char)(hex_digit(from[2]) << 4 | hex_digit(from[3]));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	result = text_escape(bytes, (size_t)(to - bytes), use);
	free(bytes);
	return result;
}

json_t *connection_exe(const char *path)
{
	char *real = realpath(path, NULL);
	const char *used = real ? real : path;
	char *text = text_escape(used, strlen(used), TEXT_JSON);
	json_t *j = text ? json_string(text) : NULL;

	free(text);
	free(real);
	return j;
}
