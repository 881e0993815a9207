/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "privilege.h"

#include <cap-ng.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "control.h"

#define BIT(capability) (1ULL << (capability))

u64 privilege_held(void)
{
	u64 held = 0;

	capng_get_caps_process();
	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if (capng_have_capability(CAPNG_EFFECTIVE, c))
			held |= BIT(c);
	return held;
}

/* CAPABILITY if it is held, else the greater one that includes it. */
static u64 one_of(u64 held, int capability, int greater)
{
	return held & (held & BIT(capability) ? BIT(capability) : BIT(greater));
}

/* ---- what for ---- */

u64 privilege_for_maps(u64 held)
{
	return one_of(held, CAP_BPF, CAP_SYS_ADMIN);
}

/*
 * Those of HELD that a run as O says needs once all is attached. RAW: to raw tracepoints,
 * to which attaching again takes less.
 */
static u64 for_watching(u64 held, const struct options *o, bool raw)
{
	u64 need = privilege_for_maps(held);

	if (!raw) /* `admin resume` opens a perf event */
		need |= one_of(held, CAP_PERFMON, CAP_SYS_ADMIN);
	if (o->exe_count || o->not_exe_count || o->respond_count ||
	    o->never_respond_count) /* a file that takes another's place is opened */
		need |= one_of(held, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE);
	if (options_respond(o)) /* by their executables, responses know whom to spare */
		need |= held & BIT(CAP_SYS_PTRACE);
	if ((o->delay_ms && !o->dry_run) || o->command) /* SIGCONT; signals passed on */
		need |= held & BIT(CAP_KILL);
	return need;
}

/* Whether delays that stop anybody can still be switched on. */
static bool may_stop(const struct options *o)
{
	return !o->delay_ms && !o->dry_run;
}

/* Those of HELD that switching on the responses takes that O has not. */
static u64 for_responding(u64 held, const struct options *o)
{
	if (o->delay_ms && o->abort_lfc) /* both are there */
		return 0;
	return privilege_for_maps(held) | one_of(held, CAP_PERFMON, CAP_SYS_ADMIN) |
	       (held & BIT(CAP_SYS_PTRACE)) | (may_stop(o) ? held & BIT(CAP_KILL) : 0);
}

const char *privilege_missing(u64 held, bool delays)
{
	if (!one_of(held, CAP_BPF, CAP_SYS_ADMIN))
		return "CAP_BPF";
	if (!one_of(held, CAP_PERFMON, CAP_SYS_ADMIN))
		return "CAP_PERFMON";
	if (!(held & BIT(CAP_SYS_PTRACE)))
		return "CAP_SYS_PTRACE";
	return delays && !(held & BIT(CAP_KILL)) ? "CAP_KILL" : NULL;
}

/* ---- what the kernel says ---- */

/* Have no other in effect than SET, for a while. */
static void act_with(u64 set)
{
	capng_get_caps_process();
	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if (capng_have_capability(CAPNG_PERMITTED, c))
			capng_update(set & BIT(c) ? CAPNG_ADD : CAPNG_DROP,
				     CAPNG_EFFECTIVE, c);
	capng_apply(CAPNG_SELECT_CAPS);
}

/* Whether files cannot be made and removed in PATH's directory. */
static bool is_closed_beside(const char *path)
{
	char *copy = strdup(path);
	bool closed =
		!copy || (faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) &&
			  errno == EACCES);

	free(copy);
	return closed;
}

static bool is_regular(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* What SIGHUP opens anew, what is saved, and the socket that is removed in the end. */
static bool is_closed(const struct options *o, int out)
{
	const char *socket = o->socket ? o->socket : control_default_socket();

	return (o->output && is_regular(out) && is_closed_beside(o->output)) ||
	       (!o->no_socket && is_closed_beside(socket)) ||
	       (!o->no_save &&
		faccessat(AT_FDCWD, o->profile_dir, W_OK | X_OK, AT_EACCESS) &&
		errno == EACCES);
}

/* What it takes to see all processes: nothing, unless /proc hides them (hidepid=). */
static u64 for_sight(u64 held, u64 keep)
{
	bool hidden;

	act_with(keep);
	hidden = faccessat(AT_FDCWD, "/proc/1/stat", R_OK, AT_EACCESS) != 0;
	act_with(held);
	return hidden ? held & BIT(CAP_SYS_PTRACE) : 0;
}

u64 privilege_for_guardian(u64 held)
{
	u64 need = privilege_for_maps(held) | (held & BIT(CAP_KILL));

	return need | for_sight(held, need);
}

/*
 * Those of HELD without which, beside KEEP, no perf event can be opened, which attaching to
 * classic tracepoints again takes: as the kernel answers when this process has but KEEP.
 */
static u64 for_events(u64 held, u64 keep)
{
	bool allowed;

	act_with(keep);
	allowed = attach_may_open_events();
	act_with(held);
	return allowed ? 0 : held & BIT(CAP_SYS_ADMIN);
}

/*
 * Those of HELD without which, beside KEEP, a run as O says that writes events to OUT could
 * not do what it could before: as the kernel answers when this process has but KEEP.
 */
static u64 for_files(u64 held, u64 keep, const struct options *o, int out)
{
	bool closed;

	act_with(keep);
	closed = is_closed(o, out);
	act_with(held);
	return (closed ? held & BIT(CAP_DAC_OVERRIDE) : 0) | for_sight(held, keep);
}

/* ---- giving up ---- */

int privilege_keep(u64 keep, char *error, size_t size)
{
	capng_select_t sets = CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT;
	int result;

	/* no_new_privs makes the bounding set mean nothing for who may not empty it */
	if (privilege_held() & BIT(CAP_SETPCAP))
		sets |= CAPNG_SELECT_BOUNDS;
	capng_clear(CAPNG_SELECT_ALL);
	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if (keep & BIT(c))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, c);
	errno = 0; /* libcap-ng does not always set it */
	result = capng_apply(sets);
	if (!result && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 0;
	snprintf(error, size,
		 "cannot give up the capabilities that are no longer needed: %s",
		 errno ? strerror(errno) : "libcap-ng refuses");
	return errno ? -errno : -EPERM;
}

int privilege_settle(const struct options *o, bool raw, bool steered, int out,
		     char *error, size_t size)
{
	u64 held = privilege_held(), keep = for_watching(held, o, raw);

	if (steered)
		keep |= for_responding(held, o);
	if (!raw)
		keep |= for_events(held, keep);
	keep |= for_files(held, keep, o, out);
	return privilege_keep(keep, error, size);
}

const char *privilege_text(u64 set, char text[PRIVILEGE_TEXT])
{
	size_t used = 0;

	snprintf(text, PRIVILEGE_TEXT, "none");
	for (int c = 0; c <= CAP_LAST_CAP; c++) {
		const char *name = capng_capability_to_name((unsigned int)c);

		if (!(set & BIT(c)) || !name || used >= PRIVILEGE_TEXT)
			continue;
		used += (size_t)snprintf(text + used, PRIVILEGE_TEXT - used, "%sCAP_%s",
					 used ? " " : "", name);
	}
	for (size_t i = 0; used && text[i]; i++)
		text[i] = (char)toupper((unsigned char)text[i]);
	return text;
}
