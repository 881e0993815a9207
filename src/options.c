#include "options.h"
#include "config.h"
#include "number.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PID_LIMIT 4194304     /* PID_MAX_LIMIT of 64-bit kernels */
#define UID_LIMIT 4294967294u /* (uid_t)-1 means "none" to the kernel */
#define COMM_MAX 15	      /* TASK_COMM_LEN without its end */
#define WEEK_NS (7 * 86400 * 1000000000ull)

/*
 * One option. The setter stores the value in the field at that offset (lists
 * have their count at another) and returns 0 or -errno; what then is said is
 * made from the row here.
 */
struct rule {
	const char *name;
	int letter; /* 0: has no short form */
	int (*set)(const struct rule *r, struct options *o, const char *value);
	size_t field;
	size_t count;
	uint64_t min;
	uint64_t max;
	const char *expected; /* the value; NULL: the option takes none */
};

static void *field_of(struct options *o, size_t offset)
{
	return (char *)o + offset;
}

/* Make room for one more; the grown list, or NULL. */
static void *grow(void *list, size_t count, size_t item)
{
	return reallocarray(list, count + 1, item);
}

static int set_flag(const struct rule *r, struct options *o, const char *value)
{
	(void)value;
	*(bool *)field_of(o, r->field) = true;
	return 0;
}

static int set_u32(const struct rule *r, struct options *o, const char *value)
{
	uint64_t number;
	int err = number_u64(value, r->min, r->max, &number);

	if (!err)
		*(uint32_t *)field_of(o, r->field) = number;
	return err;
}

static int set_duration(const struct rule *r, struct options *o, const char *value)
{
	uint64_t ns;
	int err = number_duration_ns(value, &ns);

	if (err)
		return err;
	if (ns < r->min)
		return -ERANGE;
	*(uint64_t *)field_of(o, r->field) = ns;
	return 0;
}

static int set_size(const struct rule *r, struct options *o, const char *value)
{
	uint64_t bytes;
	int err = number_size(value, &bytes);

	if (err)
		return err;
	if (bytes < r->min || bytes > r->max)
		return -ERANGE;
	*(uint64_t *)field_of(o, r->field) = bytes;
	return 0;
}

static int set_factor(const struct rule *r, struct options *o, const char *value)
{
	(void)r;
	return number_ratio(value, &o->factor, &o->factor_den);
}

static int set_string(const struct rule *r, struct options *o, const char *value)
{
	if (!*value)
		return -EINVAL;
	*(const char **)field_of(o, r->field) = value;
	return 0;
}

/*
 * A filter that can be given once: as other filters are lists, the last one
 * winning would leave unwatched what the user asked to watch.
 */
static int set_filter(const struct rule *r, struct options *o, const char *value)
{
	if (*(const char **)field_of(o, r->field))
		return -EEXIST;
	if (r->max && strlen(value) > r->max)
		return -ERANGE;
	return set_string(r, o, value);
}

static int add_string(const struct rule *r, struct options *o, const char *value)
{
	const char ***list = field_of(o, r->field);
	size_t *count = field_of(o, r->count);
	const char **grown;

	if (!*value)
		return -EINVAL;
	grown = grow(*list, *count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = value;
	*list = grown;
	return 0;
}

/* Digits are a number even if a user should have such a name. */
static int parse_user(const char *text, uid_t *uid)
{
	const struct passwd *user;
	uint64_t number;
	int err = number_u64(text, 0, UID_LIMIT, &number);

	if (!err) {
		*uid = number;
		return 0;
	}
	if (err == -ERANGE || !*text)
		return err;
	user = getpwnam(text);
	if (!user)
		return -ENOENT;
	*uid = user->pw_uid;
	return 0;
}

static int set_user(const struct rule *r, struct options *o, const char *value)
{
	int err;

	(void)r;
	if (o->has_uid)
		return -EEXIST;
	err = parse_user(value, &o->uid);
	o->has_uid = !err;
	return err;
}

static int add_user(const struct rule *r, struct options *o, const char *value)
{
	uid_t *grown, uid;
	int err = parse_user(value, &uid);

	(void)r;
	if (err)
		return err;
	grown = grow(o->not_uids, o->not_uid_count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[o->not_uid_count++] = uid;
	o->not_uids = grown;
	return 0;
}

static int add_pid(struct options *o, const char *text)
{
	uint64_t pid;
	pid_t *grown;
	int err = number_u64(text, 1, PID_LIMIT, &pid);

	if (err)
		return err;
	grown = grow(o->pids, o->pid_count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[o->pid_count++] = pid;
	o->pids = grown;
	return 0;
}

/* Not strtok(): an empty item is an error here, not skipped. */
static int add_pids(const struct rule *r, struct options *o, const char *value)
{
	char *copy = strdup(value), *rest = copy, *item;
	int err = 0;

	(void)r;
	if (!copy)
		return -ENOMEM;
	while (!err && (item = strsep(&rest, ",")))
		err = add_pid(o, item);
	free(copy);
	return err;
}

static int set_color(const struct rule *r, struct options *o, const char *value)
{
	static const char *const names[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_NEVER] = "never",
		[COLOR_ALWAYS] = "always",
	};

	(void)r;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], value)) {
			o->color = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_abort_by(const struct rule *r, struct options *o, const char *value)
{
	(void)r;
	if (!strcmp(value, "lsm"))
		o->abort_by = ABORT_BY_LSM;
	else if (!strcmp(value, "kill"))
		o->abort_by = ABORT_BY_KILL;
	else
		return -EINVAL;
	return 0;
}

#define FIELD(f) .field = offsetof(struct options, f)
#define COUNT(f) .count = offsetof(struct options, f)
#define DURATION "a duration above 0, such as 10, 0.5, 250ms or 10m"
#define USER "a user's name or number (0..4294967294)"

static const struct rule rules[] = {
	{"pid", 'p', add_pids, .expected = "process ids 1..4194304, separated by commas"},
	{"exe", 'e', add_string, FIELD(exes), COUNT(exe_count), .expected = "a path"},
	{"not-exe", 0, add_string, FIELD(not_exes), COUNT(not_exe_count),
	 .expected = "a path"},
	{"uid", 'u', set_user, .expected = USER},
	{"not-uid", 0, add_user, .expected = USER},
	{"cgroup", 'c', set_filter, FIELD(cgroup), .expected = "a path"},
	{"comm", 'n', set_filter, FIELD(comm), .max = COMM_MAX,
	 .expected = "a command name of 1..15 bytes"},
	{"output", 'o', set_string, FIELD(output), .expected = "a file"},
	{"duration", 'd', set_duration, FIELD(duration_ns), .min = 1,
	 .expected = DURATION},
	{"interval", 'i', set_duration, FIELD(interval_ns), .min = 1,
	 .expected = DURATION},
	{"timestamp", 'T', set_flag, FIELD(timestamp)},
	{"json", 'j', set_flag, FIELD(json)},
	{"quiet", 'q', set_flag, FIELD(quiet)},
	{"verbose", 'v', set_flag, FIELD(verbose)},
	{"normal-time", 0, set_duration, FIELD(normal_wait_ns),
	 .expected = "a duration of 0 or more, such as 0, 30s, 6h or 1w"},
	{"normal-factor", 0, set_factor, .expected = "N or N/D, each 1..65535"},
	{"anomaly-limit", 0, set_u32, FIELD(anomaly_limit), .max = 1000000,
	 .expected = "a number 0..1000000"},
	{"tolerize-limit", 0, set_u32, FIELD(tolerize_limit), .max = 128,
	 .expected = "a number 0..128"},
	{"window", 0, set_u32, FIELD(window), .min = 2, .max = 9,
	 .expected = "a number 2..9"},
	{"delay", 0, set_u32, FIELD(delay_ms), .max = 60000,
	 .expected = "a number of milliseconds 0..60000"},
	{"delay-max", 0, set_duration, FIELD(delay_max_ns), .min = 1000000,
	 .expected = "a duration of 1ms or more, such as 30s or 1h"},
	{"abort-exec", 0, set_u32, FIELD(abort_lfc), .max = 128,
	 .expected = "a number 0..128"},
	{"abort-exec-by", 0, set_abort_by, .expected = "lsm or kill"},
	{"respond-to", 0, add_string, FIELD(respond), COUNT(respond_count),
	 .expected = "a path"},
	{"never-respond-to", 0, add_string, FIELD(never_respond),
	 COUNT(never_respond_count), .expected = "a path"},
	{"dry-run", 0, set_flag, FIELD(dry_run)},
	{"show-exceptions", 0, set_flag, FIELD(show_exceptions)},
	{"profile-dir", 0, set_string, FIELD(profile_dir), .expected = "a directory"},
	{"no-load", 0, set_flag, FIELD(no_load)},
	{"no-save", 0, set_flag, FIELD(no_save)},
	{"save-interval", 0, set_duration, FIELD(save_interval_ns), .min = 1000000,
	 .expected = "a duration of 1ms or more, such as 30s or 5m"},
	{"adopt-upgrades", 0, set_flag, FIELD(adopt_upgrades)},
	{"max-profiles", 0, set_u32, FIELD(max_profiles), .min = 1, .max = 65536,
	 .expected = "a number 1..65536"},
	{"max-pairs-memory", 0, set_size, FIELD(max_pairs_memory), .min = 64 << 10,
	 .max = 4ull << 30, .expected = "a size 64K..4G, in bytes or with K, M or G"},
	{"kernel-headers", 0, set_string, FIELD(headers),
	 .expected = "auto, btf or a directory"},
	{"socket", 0, set_string, FIELD(socket), .expected = "a path"},
	{"no-socket", 0, set_flag, FIELD(no_socket)},
	{"config", 0, set_string, FIELD(config), .expected = "a file"},
	{"check", 0, set_flag, FIELD(check)},
	{"ebpf", 0, set_flag, FIELD(ebpf)},
	{"self-test", 0, set_flag, FIELD(self_test)},
	{"color", 0, set_color, .expected = "auto, never or always"},
	{.name = "help", .letter = 'h'}, /* these two end the parsing */
	{.name = "version", .letter = 'V'},
};

#define RULES (sizeof(rules) / sizeof(*rules))
#define LONG_ONLY 256 /* what getopt returns: letter, or this + row */

struct getopt_tables {
	char letters[2 * RULES + 3];
	struct option longs[RULES + 1];
};

static void fill_getopt_tables(struct getopt_tables *t)
{
	char *letter = t->letters;

	memset(t, 0, sizeof(*t));
	*letter++ = '+'; /* stop at the first word */
	*letter++ = ':'; /* a missing value is no unknown option */
	for (size_t i = 0; i < RULES; i++) {
		const struct rule *r = &rules[i];

		t->longs[i].name = r->name;
		t->longs[i].has_arg = r->expected ? required_argument : no_argument;
		t->longs[i].val = r->letter ? r->letter : LONG_ONLY + (int)i;
		if (!r->letter)
			continue;
		*letter++ = r->letter;
		if (r->expected)
			*letter++ = ':';
	}
}

static const struct rule *find_rule(int value)
{
	if (value >= LONG_ONLY)
		return &rules[value - LONG_ONLY];
	for (size_t i = 0; value && i < RULES; i++)
		if (rules[i].letter == value)
			return &rules[i];
	return NULL;
}

struct complaint {
	char *text;
	size_t size;
};

static __attribute__((format(printf, 2, 3))) int bad(const struct complaint *c,
						     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->text, c->size, format, args);
	va_end(args);
	return OPTIONS_BAD;
}

/* Why getopt returned '?': optopt is 0 for long options it does not know. */
static int bad_option(const struct complaint *c, char **argv)
{
	const struct rule *r = find_rule(optopt);

	if (r)
		return bad(c, "option --%s takes no value: '%s'", r->name,
			   argv[optind - 1]);
	if (optopt)
		return bad(c, "unknown option '-%c'", optopt);
	return bad(c, "unknown or ambiguous option '%s'", argv[optind - 1]);
}

static int apply(const struct complaint *c, const struct rule *r, struct options *o,
		 const char *value)
{
	switch (r->set(r, o, value)) {
	case 0:
		return OPTIONS_RUN;
	case -EEXIST:
		return bad(c, "option --%s given twice: '%s'", r->name, value);
	case -ENOENT:
		return bad(c, "bad value '%s' for --%s: no such user", value, r->name);
	case -ENOMEM:
		return bad(c, "option --%s: out of memory", r->name);
	default:
		return bad(c, "bad value '%s' for --%s: expected %s", value, r->name,
			   r->expected);
	}
}

/* Notes in GIVEN, a flag for each rule, what was given. */
static int apply_option(const struct complaint *c, int value, char **argv,
			struct options *o, bool *given)
{
	if (value == '?')
		return bad_option(c, argv);
	if (value == ':')
		return bad(c, "option --%s needs a value: %s", find_rule(optopt)->name,
			   find_rule(optopt)->expected);
	if (value == 'h')
		return OPTIONS_HELP;
	if (value == 'V')
		return OPTIONS_VERSION;
	given[find_rule(value) - rules] = true;
	return apply(c, find_rule(value), o, optarg);
}

/* ---- the file of --config ---- */

struct file {
	const struct complaint *c;
	struct options *o;
	const bool *given; /* on the command line, which wins */
	int result;
};

static const struct rule *find_name(const char *name)
{
	for (size_t i = 0; i < RULES; i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

/* 1 when the command line has R, or what excludes it. */
static int is_overruled(const struct file *f, const struct rule *r)
{
	static const char *const exclusive[][2] = {{"quiet", "verbose"},
						   {"socket", "no-socket"}};

	for (size_t i = 0; i < 2 * (sizeof(exclusive) / sizeof(*exclusive)); i++)
		if (!strcmp(exclusive[i / 2][i % 2], r->name) &&
		    f->given[find_name(exclusive[i / 2][1 - i % 2]) - rules])
			return 1;
	return f->given[r - rules] || (f->o->command && !strcmp(r->name, "pid"));
}

/* Whether a flag is wanted: 1, 0 or -EINVAL. */
static int parse_flag(const char *value)
{
	if (!value || !strcmp(value, "yes"))
		return 1;
	return strcmp(value, "no") ? -EINVAL : 0;
}

static int apply_entry(struct file *f, const char *name, const char *value)
{
	const struct rule *r = find_name(name);

	if (!r || !r->set || !strcmp(name, "config") || !strcmp(name, "ebpf"))
		return bad(f->c, "no option for a file has the name '%s'", name);
	if (!r->expected && parse_flag(value) < 0)
		return bad(f->c, "bad value '%s' for %s: expected yes or no", value,
			   name);
	if (r->expected && !value)
		return bad(f->c, "%s needs a value: %s", name, r->expected);
	if (is_overruled(f, r) || (!r->expected && !parse_flag(value)))
		return OPTIONS_RUN;
	return apply(f->c, r, f->o, value);
}

static int take_entry(void *context, unsigned int line, const char *name,
		      const char *value)
{
	struct file *f = context;
	char *why;

	f->result = apply_entry(f, name, value);
	if (f->result == OPTIONS_RUN)
		return 0;
	why = strdup(f->c->text);
	bad(f->c, "%s:%u: %s", f->o->config, line, why ? why : "out of memory");
	free(why);
	return 1;
}

static int take_file(const struct complaint *c, struct options *o, const bool *given)
{
	struct file f = {.c = c, .o = o, .given = given, .result = OPTIONS_RUN};

	if (config_read(o->config, &o->config_text, take_entry, &f, c->text, c->size) < 0)
		return OPTIONS_BAD;
	return f.result;
}

/* What is left behind the options; dashes: a -- ended them. */
static int take_command(const struct complaint *c, int argc, char **argv, bool dashes,
			struct options *o)
{
	if (dashes && optind >= argc)
		return bad(c, "no command after '--'");
	if (!dashes && optind < argc)
		return bad(c,
			   "unknown subcommand or argument '%s' (a command "
			   "to start goes after '--')",
			   argv[optind]);
	if (dashes)
		o->command = argv + optind;
	return OPTIONS_RUN;
}

static int check_conflicts(const struct complaint *c, const struct options *o)
{
	if (o->pid_count && o->command)
		return bad(c, "--pid and a command ('%s') exclude each other",
			   o->command[0]);
	if (o->quiet && o->verbose)
		return bad(c, "--quiet and --verbose exclude each other");
	if (o->socket && o->no_socket)
		return bad(c, "--socket and --no-socket exclude each other");
	if (!options_respond(o) && !o->show_exceptions &&
	    (o->dry_run || o->respond_count || o->never_respond_count))
		return bad(c, "--%s needs a response: --delay or --abort-exec",
			   o->dry_run	      ? "dry-run"
			   : o->respond_count ? "respond-to"
					      : "never-respond-to");
	return OPTIONS_RUN;
}

static const char *default_profile_dir(void)
{
	const char *wish = getenv("EBPH_PROFILE_DIR");

	return wish && *wish ? wish : "/var/lib/ebph";
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.normal_wait_ns = WEEK_NS,
		.factor = 128,
		.factor_den = 32,
		.anomaly_limit = 30,
		.tolerize_limit = 12,
		.window = 9,
		.delay_max_ns = 3600 * 1000000000ull,
		.profile_dir = default_profile_dir(),
		.save_interval_ns = 5 * 60 * 1000000000ull,
		.max_profiles = 1024,
		.max_pairs_memory = 6 << 20,
		.headers = "auto",
		.color = COLOR_AUTO,
	};
}

static int parse(const struct complaint *c, int argc, char **argv, struct options *o)
{
	struct getopt_tables tables = {0};
	bool given[RULES] = {false};
	int before, value, result;

	fill_getopt_tables(&tables);
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	for (;;) {
		before = optind ? optind : 1;
		value = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
		if (value == -1)
			break;
		result = apply_option(c, value, argv, o, given);
		if (result != OPTIONS_RUN)
			return result;
	}
	/* A -- that is an option's value was passed before: it is no end. */
	result = take_command(c, argc, argv, optind > before, o);
	if (result == OPTIONS_RUN && o->config)
		result = take_file(c, o, given);
	return result == OPTIONS_RUN ? check_conflicts(c, o) : result;
}

int options_parse(int argc, char **argv, struct options *o, char *error, size_t size)
{
	const struct complaint c = {error, size};
	int result;

	if (size)
		*error = '\0';
	set_defaults(o);
	result = parse(&c, argc, argv, o);
	if (result != OPTIONS_RUN)
		options_free(o);
	return result;
}

bool options_respond(const struct options *o)
{
	return o->delay_ms || o->abort_lfc;
}

void options_free(struct options *o)
{
	free(o->pids);
	free(o->exes);
	free(o->not_exes);
	free(o->not_uids);
	free(o->config_text);
	free(o->respond);
	free(o->never_respond);
	memset(o, 0, sizeof(*o));
}

static const char help[] =
	"Usage: ebph [OPTIONS]                    watch the whole machine\n"
	"       ebph [OPTIONS] -p PID[,PID...]    watch these and what they start\n"
	"       ebph [OPTIONS] -- COMMAND [ARG]   start COMMAND, watch it and what it\n"
	"                                         starts, end when it ends\n"
	"       ebph replay ...                   the same over recorded traces: see\n"
	"                                         ebph replay --help\n"
	"\n"
	"Learn which system calls are normal for each executable, and say so when a\n"
	"process leaves its normal.\n"
	"\n"
	"What to watch:\n"
	"  -p, --pid PID[,PID]      these processes and their descendants (PID\n"
	"                           1..4194304; repeatable; not with COMMAND)\n"
	"  -e, --exe PATH           only processes that run PATH (repeatable)\n"
	"      --not-exe PATH       all but those that run PATH (repeatable)\n"
	"  -u, --uid USER           only this user, by name or number\n"
	"      --not-uid USER       all but this user (repeatable)\n"
	"  -c, --cgroup PATH        only this cgroup (a container)\n"
	"  -n, --comm NAME          only this command name (1..15 bytes)\n"
	"\n"
	"Output:\n"
	"  -o, --output FILE        write events and summaries to FILE (default:\n"
	"                           standard output)\n"
	"  -d, --duration DUR       stop after DUR (above 0; default: never)\n"
	"  -i, --interval DUR       print a summary every DUR (above 0; default: only\n"
	"                           at the end)\n"
	"  -T, --timestamp          put the time of day on each line\n"
	"  -j, --json               write JSON Lines, one event a line\n"
	"  -q, --quiet              anomalies and errors only (not with -v)\n"
	"  -v, --verbose            also each new sequence while training\n"
	"      --color WHEN         auto, never or always (default: auto)\n"
	"      --check              exit with status 3 if any anomaly was seen\n"
	"\n"
	"Detection:\n"
	"      --normal-time DUR    how long a profile must stay frozen to become\n"
	"                           normal (0 or more; default: 1w; 0: at the next\n"
	"                           call after freezing)\n"
	"      --normal-factor N[/D]  freeze ratio (N and D 1..65535; D is 1 if left\n"
	"                           out; default: 128/32)\n"
	"      --anomaly-limit N    0..1000000 (default: 30)\n"
	"      --tolerize-limit N   0..128 (default: 12)\n"
	"      --window N           window length in calls, 2..9 (default: 9)\n"
	"\n"
	"Response (off unless asked for):\n"
	"      --delay MS           hold a thread with LFC > 0 up for MS * 2^LFC ms at\n"
	"                           each call, by stopping its process (0..60000;\n"
	"                           default: 0, off)\n"
	"      --delay-max DUR      but no longer than DUR (1ms or more; default: 1h)\n"
	"      --abort-exec N       make exec fail for threads with LFC >= N (0..128;\n"
	"                           default: 0, off)\n"
	"      --abort-exec-by HOW  lsm: exec fails with EPERM; kill: the process is\n"
	"                           killed (default: lsm)\n"
	"      --respond-to PATH    only to processes that run PATH (repeatable)\n"
	"      --never-respond-to PATH  never to those that run PATH (repeatable)\n"
	"      --dry-run            report what would be done, do nothing\n"
	"      --show-exceptions    say whom responses spare, and why, and exit\n"
	"\n"
	"Profiles on disk:\n"
	"      --profile-dir DIR    where they live (default: $EBPH_PROFILE_DIR, else\n"
	"                           /var/lib/ebph)\n"
	"      --no-load            start without them\n"
	"      --no-save            leave them as they are\n"
	"      --save-interval DUR  save what has changed every DUR (1ms or more;\n"
	"                           default: 5m)\n"
	"      --adopt-upgrades     a file that took another's place starts from what\n"
	"                           that one had learned, in training\n"
	"\n"
	"Steering (ebph ps, ebph admin):\n"
	"      --socket PATH        listen there (default: $EBPH_SOCKET, else\n"
	"                           /run/ebph.sock, or nowhere when another ebph does\n"
	"                           and this run is limited to some processes or a\n"
	"                           time)\n"
	"      --no-socket          listen nowhere\n"
	"      --config FILE        more options, a line `name = value` each; the\n"
	"                           command line wins\n"
	"\n"
	"Kernel:\n"
	"      --max-profiles N     room for N profiles, 1..65536 (default: 1024)\n"
	"      --max-pairs-memory SIZE  memory for call pairs, 64K..4G (default: 6M)\n"
	"      --kernel-headers MODE  what to compile against: auto, btf or a\n"
	"                           directory (default: auto)\n"
	"      --self-test          say what this kernel offers, check that ebph works\n"
	"                           here, and exit (1 if it does not)\n"
	"      --ebpf               print the BPF C source and exit\n"
	"\n"
	"  -h, --help               print this help and exit\n"
	"  -V, --version            print the version and exit\n"
	"\n"
	"DUR is a number, fractions allowed, with ms, s, m, h, d or w (seconds if\n"
	"left out). SIZE is a whole number of bytes, of K (1024), M or G.\n"
	"\n"
	"Exit status: 0 fine; 1 failed; 2 bad usage; 3 anomaly seen under --check;\n"
	"with COMMAND otherwise the status of COMMAND.\n";

void options_help(FILE *out)
{
	fputs(help, out);
}
