/* SPDX-License-Identifier: GPL-2.0-only */
#include "setting.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

enum { ANOMALY_LIMIT_MAX = 1000000, DELAY_LIMIT = 60000 };

#define MILLISECOND_NS ((u64)1000000)

/* ---- each: from and to text ---- */

static int set_normal_time(struct settings *s, const char *value)
{
	return number_duration_ns(value, &s->rules.normal_wait);
}

static void duration_text(u64 ns, char text[SETTING_TEXT])
{
	static const struct {
		const char *name;
		u64 ns;
	} units[] = {
		{"w", 604800000000000ULL}, {"d", 86400000000000ULL},
		{"h", 3600000000000ULL},   {"m", 60000000000ULL},
		{"s", 1000000000ULL},	   {"ms", 1000000ULL},
	};

	for (size_t i = 0; ns && i < sizeof(units) / sizeof(*units); i++) {
		if (ns % units[i].ns)
			continue;
		snprintf(text, SETTING_TEXT, "%" PRIu64 "%s", ns / units[i].ns,
			 units[i].name);
		return;
	}
	snprintf(text, SETTING_TEXT, ns ? "%" PRIu64 ".%09" PRIu64 : "0", ns / 1000000000,
		 ns % 1000000000);
}

static void normal_time_text(const struct settings *s, char text[SETTING_TEXT])
{
	duration_text(s->rules.normal_wait, text);
}

static int set_normal_factor(struct settings *s, const char *value)
{
	return number_ratio(value, &s->rules.factor, &s->rules.factor_den);
}

static void normal_factor_text(const struct settings *s, char text[SETTING_TEXT])
{
	snprintf(text, SETTING_TEXT, "%u/%u", s->rules.factor, s->rules.factor_den);
}

static int set_number(u32 *number, const char *value, u32 max)
{
	u64 parsed;
	int result = number_u64(value, 0, max, &parsed);

	if (!result)
		*number = (u32)parsed;
	return result;
}

static int set_anomaly_limit(struct settings *s, const char *value)
{
	return set_number(&s->rules.anomaly_limit, value, ANOMALY_LIMIT_MAX);
}

static void anomaly_limit_text(const struct settings *s, char text[SETTING_TEXT])
{
	snprintf(text, SETTING_TEXT, "%u", s->rules.anomaly_limit);
}

static int set_tolerize_limit(struct settings *s, const char *value)
{
	return set_number(&s->rules.tolerize_limit, value, FRAME_LENGTH);
}

static void tolerize_limit_text(const struct settings *s, char text[SETTING_TEXT])
{
	snprintf(text, SETTING_TEXT, "%u", s->rules.tolerize_limit);
}

static int set_delay(struct settings *s, const char *value)
{
	u32 ms;
	int result = set_number(&ms, value, DELAY_LIMIT);

	if (!result)
		s->response.delay_unit = ms * MILLISECOND_NS;
	return result;
}

static void delay_text(const struct settings *s, char text[SETTING_TEXT])
{
	snprintf(text, SETTING_TEXT, "%" PRIu64, s->response.delay_unit / MILLISECOND_NS);
}

static int set_delay_max(struct settings *s, const char *value)
{
	u64 ns;
	int result = number_duration_ns(value, &ns);

	if (!result && ns < MILLISECOND_NS)
		result = -ERANGE;
	if (!result)
		s->response.delay_max = ns;
	return result;
}

static void delay_max_text(const struct settings *s, char text[SETTING_TEXT])
{
	duration_text(s->response.delay_max, text);
}

static int set_abort_exec(struct settings *s, const char *value)
{
	return set_number(&s->response.abort_lfc, value, FRAME_LENGTH);
}

static void abort_exec_text(const struct settings *s, char text[SETTING_TEXT])
{
	snprintf(text, SETTING_TEXT, "%u", s->response.abort_lfc);
}

static const char *const verbosities[] = {
	[VERBOSITY_QUIET] = "quiet",
	[VERBOSITY_NORMAL] = "normal",
	[VERBOSITY_VERBOSE] = "verbose",
};

static int set_verbosity(struct settings *s, const char *value)
{
	for (int i = 0; i <= VERBOSITY_VERBOSE; i++) {
		if (strcmp(verbosities[i], value))
			continue;
		if (i == VERBOSITY_VERBOSE && !s->sends_all)
			return -EOPNOTSUPP;
		s->verbosity = i;
		return 0;
	}
	return -EINVAL;
}

static void verbosity_text(const struct settings *s, char text[SETTING_TEXT])
{
	snprintf(text, SETTING_TEXT, "%s", verbosities[s->verbosity]);
}

static const struct setting {
	const char *name;
	int (*set)(struct settings *s, const char *value);
	void (*text)(const struct settings *s, char text[SETTING_TEXT]);
	const char *expected;
} settings[] = {
	{"normal-time", set_normal_time, normal_time_text,
	 "a duration of 0 or more, such as 0, 30s, 6h or 1w"},
	{"normal-factor", set_normal_factor, normal_factor_text,
	 "N or N/D, each 1..65535"},
	{"anomaly-limit", set_anomaly_limit, anomaly_limit_text, "a number 0..1000000"},
	{"tolerize-limit", set_tolerize_limit, tolerize_limit_text, "a number 0..128"},
	{"delay", set_delay, delay_text, "milliseconds 0..60000"},
	{"delay-max", set_delay_max, delay_max_text, "a duration of 1ms or more"},
	{"abort-exec", set_abort_exec, abort_exec_text, "a number 0..128"},
	{"verbosity", set_verbosity, verbosity_text, "quiet, normal or verbose"},
};

enum { SETTINGS = sizeof(settings) / sizeof(*settings) };

/* ---- all ---- */

void settings_init(struct settings *s, const struct options *o, const struct loaded *l)
{
	*s = (struct settings){
		.o = o,
		.l = l,
		.rules = {.factor = o->factor,
			  .factor_den = o->factor_den,
			  .anomaly_limit = o->anomaly_limit,
			  .tolerize_limit = o->tolerize_limit,
			  .normal_wait = o->normal_wait_ns},
		.response = {.delay_unit = o->delay_ms * MILLISECOND_NS,
			     .delay_max = o->delay_max_ns,
			     .abort_lfc = o->abort_lfc},
		.verbosity = o->quiet	  ? VERBOSITY_QUIET
			     : o->verbose ? VERBOSITY_VERBOSE
					  : VERBOSITY_NORMAL,
		.sends_all = o->verbose,
	};
}

int settings_write_response(const struct settings *s)
{
	u32 zero = 0;

	if (s->l->response < 0)
		return 0;
	return bpf_map_update_elem(s->l->response, &zero, &s->response, BPF_ANY) ? -errno
										 : 0;
}

static int write_rules(const struct settings *s, const struct rules *rules)
{
	u32 zero = 0;

	return bpf_map_update_elem(s->l->settings, &zero, rules, BPF_ANY) ? -errno : 0;
}

/*
 * A program may read the rules while they are written, half old, half new. Half a ratio
 * could freeze a profile too early: so nothing freezes until the new one is complete.
 */
static int put_in_force(const struct settings *s, struct rules old, struct rules new)
{
	int result = 0;

	if (!old.changed) /* the compiled-in ones are in force until the next write */
		result = write_rules(s, &old);
	old.changed = 1;
	if (old.factor != new.factor || old.factor_den != new.factor_den) {
		old.factor = ~0U;
		if (!result)
			result = write_rules(s, &old);
		old.factor_den = new.factor_den;
		if (!result)
			result = write_rules(s, &old);
	}
	return result ? result : write_rules(s, &new);
}

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

static int unknown(const char *name, char *error, size_t size)
{
	snprintf(error, size, "no setting has the name '%.40s'; there are:", name);
	for (size_t i = 0; i < SETTINGS; i++) {
		size_t used = strlen(error);

		snprintf(error + used, size - used, " %s", settings[i].name);
	}
	return -EINVAL;
}

bool settings_need_more(const struct settings *s)
{
	return (s->response.delay_unit && !s->o->delay_ms) ||
	       (s->response.abort_lfc && !s->o->abort_lfc);
}

int settings_understand(const struct settings *s, const char *name, const char *value,
			struct settings *changed, char *error, size_t size)
{
	const struct setting *setting = find(name);
	int result;

	if (!setting)
		return unknown(name, error, size);
	*changed = *s;
	result = setting->set(changed, value);
	if (result == -EOPNOTSUPP)
		snprintf(error, size,
			 "%s: '%s' needs an ebph that was started with --verbose", name,
			 value);
	else if (result)
		snprintf(error, size, "bad value '%.40s' for %s: expected %s", value,
			 name, setting->expected);
	return result ? -EINVAL : 0;
}

int settings_change(struct settings *s, const struct settings *changed, char *error,
		    size_t size)
{
	struct settings new = *changed;
	int result = 0;

	if (memcmp(&s->rules, &new.rules, sizeof(s->rules))) {
		new.rules.changed = 1;
		result = put_in_force(s, s->rules, new.rules);
	}
	if (!result && memcmp(&s->response, &new.response, sizeof(s->response)))
		result = settings_write_response(&new);
	if (result)
		snprintf(error, size, "cannot change the settings in the kernel: %s",
			 strerror(-result));
	else
		*s = new;
	return result;
}

const char *settings_name(size_t i)
{
	return i < SETTINGS ? settings[i].name : NULL;
}

const char *settings_value(const struct settings *s, size_t i, char text[SETTING_TEXT])
{
	settings[i].text(s, text);
	return text;
}
