/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "columns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "color.h"
#include "jsonl.h"
#include "lookahead.h"
#include "state.h"
#include "syscalls.h"
#include "text.h"

enum {
	CALL_NAME = 64,
	COMM_WIDTH = 15,
	EVENT_WIDTH = 14,
	STATE_WIDTH = 8,
	DATE_WIDTH = 19,
	NO_DATE_WIDTH = 11, /* its title's */
};

static void spaces(FILE *out, size_t used, size_t width)
{
	fprintf(out, "%*s", used < width ? (int)(width - used) : 0, "");
}

/* BYTES made harmless, filled up with spaces to WIDTH characters. */
static void put_text(FILE *out, const char *bytes, size_t length, enum text_use use,
		     size_t width)
{
	char *text = text_escape(bytes, length, use);

	fputs(text ? text : "?", out);
	spaces(out, text ? text_characters(text) : 1, width);
	free(text);
}

static void put_colored(FILE *out, bool on, enum color color, const char *text,
			size_t width)
{
	fprintf(out, "%s%s%s", color_begin(on, color), text, color_end(on, color));
	spaces(out, strlen(text), width);
}

/* Its spaces are escaped: what stands behind it cannot be part of it. */
static void put_exe(FILE *out, const char *exe)
{
	if (!exe)
		fputs("(unknown)", out);
	else if (!*exe)
		fputs("(no path)", out);
	else
		put_text(out, exe, strlen(exe), TEXT_WORD, 0);
}

/* ---- events ---- */

void columns_event_header(FILE *out, bool time)
{
	fprintf(out, "%s%-7s %-7s %-*s %-*s %-3s %s\n", time ? "TIME     " : "", "PID",
		"TID", COMM_WIDTH, "COMM", EVENT_WIDTH, "EVENT", "LFC", "EXE: DETAIL");
}

static enum color event_color(u32 type)
{
	if (type == EVENT_ANOMALY)
		return COLOR_ALARM;
	if (type == EVENT_DELAY || type == EVENT_ABORT_EXEC)
		return COLOR_ALARM;
	if (type == EVENT_ANOMALY_LIMIT || type == EVENT_TOLERIZE_LIMIT)
		return COLOR_WARNING;
	return type == EVENT_NORMAL ? COLOR_GOOD : COLOR_PLAIN;
}

static bool is_missed(const struct event *e, int distance)
{
	return e->missed >> (distance - 1) & 1;
}

static bool is_filled(const struct event *e, int distance)
{
	return e->sequence[distance] != SYMBOL_NONE || is_missed(e, distance);
}

/* The window, oldest first; the call itself in color. */
static void put_sequence(FILE *out, const struct event *e, const struct columns *c)
{
	const char *gap = ": ";
	char name[CALL_NAME];

	for (int d = WINDOW_MAX - 1; d > 0; d--) {
		if (!is_filled(e, d))
			continue;
		fprintf(out, "%s%s", gap,
			syscall_name_by(c->names, e->sequence[d], name, sizeof(name)));
		gap = ", ";
	}
	fputs(gap, out);
	put_colored(out, c->color, e->type == EVENT_ANOMALY ? COLOR_ALARM : COLOR_PLAIN,
		    syscall_name_by(c->names, e->sequence[0], name, sizeof(name)), 0);
}

/* The earlier calls whose pairs are new; when that is true of all of them, so it says. */
static void put_missed(FILE *out, const struct event *e, const struct columns *c)
{
	int misses = __builtin_popcount(e->missed), filled = 0;
	const char *gap = "";
	char name[CALL_NAME];

	for (int d = 1; d <= DISTANCES; d++)
		filled += is_filled(e, d);
	if (misses > 1 && misses == filled) {
		fprintf(out, " (new: all %d)", misses);
		return;
	}
	fputs(" (new: ", out);
	for (int d = 1; d <= DISTANCES; d++) {
		if (!is_missed(e, d))
			continue;
		fprintf(out, "%s%s@%d", gap,
			syscall_name_by(c->names, e->sequence[d], name, sizeof(name)), d);
		gap = ", ";
	}
	fputc(')', out);
}

/* Where a container's process is to be found. */
static void put_container(FILE *out, const struct event *e, const char *cgroup)
{
	if (e->container_pid == e->pid || !cgroup)
		return;
	fprintf(out, " [%u in ", e->container_pid);
	put_text(out, cgroup, strlen(cgroup), TEXT_WORD, 0);
	fputc(']', out);
}

/* What was done, or would have been. */
static void put_response(FILE *out, const struct event *e)
{
	if (e->type == EVENT_DELAY)
		fprintf(out, ": %" PRIu64 " ms", e->delay / 1000000);
	if (e->dry_run)
		fputs(e->type == EVENT_DELAY ? " (dry run)" : ": (dry run)", out);
}

void columns_event(FILE *out, const struct event *e, const struct columns *c)
{
	if (c->time)
		fprintf(out, "%s ", c->time);
	fprintf(out, "%-7u %-7u ", e->pid, e->tid);
	put_text(out, e->comm, strnlen(e->comm, sizeof(e->comm)), TEXT_LINE, COMM_WIDTH);
	fputc(' ', out);
	put_colored(out, c->color, event_color(e->type), jsonl_event_name(e->type),
		    EVENT_WIDTH);
	fprintf(out, " %-3u ", e->lfc);
	put_exe(out, c->exe);
	if (e->type == EVENT_ANOMALY || e->type == EVENT_SEQUENCE) {
		put_sequence(out, e, c);
		put_missed(out, e, c);
		put_container(out, e, c->cgroup);
	}
	if (e->type == EVENT_DELAY || e->type == EVENT_ABORT_EXEC)
		put_response(out, e);
	fputc('\n', out);
}

/* ---- summaries ---- */

static int date_width(bool dates)
{
	return dates ? DATE_WIDTH : NO_DATE_WIDTH;
}

void columns_profile_header(FILE *out, bool dates)
{
	fprintf(out, "%-*s %10s %10s %9s %9s %-*s %s\n", STATE_WIDTH, "STATE", "TRAIN",
		"LAST_MOD", "SEQUENCES", "ANOMALIES", date_width(dates), "NORMAL TIME",
		"EXE");
}

static enum color state_color(u32 state)
{
	if (state == STATE_NORMAL)
		return COLOR_GOOD;
	return state == STATE_FROZEN ? COLOR_WAITING : COLOR_PLAIN;
}

void columns_profile(FILE *out, const struct profile *p, const char *normal_time,
		     bool dates, const struct columns *c)
{
	enum color alarm = p->anomalies ? COLOR_ALARM : COLOR_PLAIN;

	put_colored(out, c->color, state_color(p->state), state_text(p->state),
		    STATE_WIDTH);
	fprintf(out, " %10" PRIu64 " %10" PRIu64 " %9" PRIu64 " %s%9" PRIu64 "%s %-*s ",
		p->train_count, last_mod_count(p), p->sequences,
		color_begin(c->color, alarm), p->anomalies, color_end(c->color, alarm),
		date_width(dates), normal_time ? normal_time : "-");
	put_exe(out, c->exe);
	fputc('\n', out);
}

void columns_delayed_header(FILE *out)
{
	fprintf(out, "%-7s %-3s %-*s %s\n", "DELAYED", "LFC", DATE_WIDTH, "UNTIL", "EXE");
}

void columns_delayed(FILE *out, u32 pid, u32 lfc, const char *until,
		     const struct columns *c)
{
	fprintf(out, "%-7u %-3u %-*s ", pid, lfc, DATE_WIDTH, until);
	put_exe(out, c->exe);
	fputc('\n', out);
}

void columns_size(FILE *out, u64 bytes)
{
	static const char units[] = "KMGTPE";
	double size = (double)bytes;
	int unit = -1;

	for (; size >= 1024 && units[unit + 1]; unit++)
		size /= 1024;
	if (unit < 0)
		fprintf(out, "%" PRIu64, bytes);
	else
		fprintf(out, "%.1f%c", size, units[unit]);
}
