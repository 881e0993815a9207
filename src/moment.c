/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "moment.h"

#include <time.h>

enum { SECOND = 1000000000, MILLISECOND = 1000000 };

static u64 read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (u64)t.tv_sec * SECOND + (u64)t.tv_nsec;
}

u64 moment_now(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

u64 moment_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

u64 moment_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

u64 moment_real(struct moment *m, u64 boot)
{
	u64 offset = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);

	/* unsigned on purpose: true for a difference below a millisecond either way */
	if (offset - m->offset + MILLISECOND > 2 * MILLISECOND)
		m->offset = offset;
	return boot + m->offset;
}

static const char *local(u64 ns, const char *format, char text[MOMENT_TEXT])
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm tm;

	localtime_r(&seconds, &tm);
	if (!strftime(text, MOMENT_TEXT, format, &tm))
		*text = '\0';
	return text;
}

const char *moment_date(u64 ns, char text[MOMENT_TEXT])
{
	return local(ns, "%Y-%m-%d %H:%M:%S", text);
}

const char *moment_clock(u64 ns, char text[MOMENT_TEXT])
{
	return local(ns, "%H:%M:%S", text);
}
