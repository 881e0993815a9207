/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "timestamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const u64 second = 1000000000ULL;

const char *timestamp_text(u64 ns, char *text, size_t size)
{
	time_t seconds = (time_t)(ns / second);
	struct tm tm;
	char date[20];

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, size, "%s.%09uZ", date, (unsigned int)(ns % second));
	return text;
}

int timestamp_parse(const char *text, u64 *ns)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
	char again[TIMESTAMP_TEXT];
	unsigned int part[7];
	struct tm tm = {0};
	time_t seconds;
	u64 value;

	if (strlen(text) != sizeof(form) - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return -EINVAL;
	if (sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%9uZ", &part[0], &part[1], &part[2],
		   &part[3], &part[4], &part[5], &part[6]) != 7)
		return -EINVAL;
	tm.tm_year = (int)part[0] - 1900;
	tm.tm_mon = (int)part[1] - 1;
	tm.tm_mday = (int)part[2];
	tm.tm_hour = (int)part[3];
	tm.tm_min = (int)part[4];
	tm.tm_sec = (int)part[5];
	seconds = timegm(&tm);
	if (seconds < 0 || __builtin_mul_overflow((u64)seconds, second, &value) ||
	    __builtin_add_overflow(value, (u64)part[6], &value))
		return -ERANGE;
	/* a 30th of February and the like */
	if (strcmp(timestamp_text(value, again, sizeof(again)), text))
		return -EINVAL;
	*ns = value;
	return 0;
}
