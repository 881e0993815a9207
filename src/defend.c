/* SPDX-License-Identifier: GPL-2.0-only */
#include "defend.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "exception.h"
#include "feature.h"
#include "privilege.h"
#include "source.h"

enum { MILLISECOND_NS = 1000000 };

/* ---- from the start ---- */

/* Whether O's delays stop anybody. */
static bool stops(const struct options *o)
{
	return o->delay_ms && !o->dry_run;
}

/* Tell the kernel side's maps how to respond, as S says, and whom to spare. */
static int tell_kernel(const struct watch *w, const struct settings *s, char *error,
		       size_t size)
{
	int result = settings_write_response(s);

	if (result) {
		snprintf(error, size, "cannot tell the kernel how to respond: %s",
			 strerror(-result));
		return result;
	}
	result = exceptions_tell(w->l->exempt, w->respond.guardian.pid);
	if (result)
		snprintf(error, size, "cannot spare whom responses must spare: %s",
			 strerror(-result));
	return result;
}

int defend_start(struct watch *w, char *error, size_t size)
{
	int result = respond_start(&w->respond, &w->tables, stops(w->o), error, size);

	if (result || !options_respond(w->o))
		return result;
	if (!feature_may_look()) {
		snprintf(
			error, size,
			"responses need CAP_SYS_PTRACE, to know by their executables whom "
			"they must spare; run ebph as root, or give it that capability");
		return -EPERM;
	}
	return tell_kernel(w, &w->control.settings, error, size);
}

int defend_settle(const struct watch *w, char *error, size_t size)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	bool steered = w->control.server != NULL;

	/* for the maps of responses, before Linux 5.11; may be denied */
	if (steered)
		setrlimit(RLIMIT_MEMLOCK, &unlimited);
	return privilege_settle(w->o, w->raw, steered, fileno(w->report.out), error,
				size);
}

/* ---- while it watches ---- */

/* O with the responses that S has on. */
static struct options with_responses(const struct options *o, const struct settings *s)
{
	struct options more = *o;

	if (!more.delay_ms)
		more.delay_ms = (uint32_t)(s->response.delay_unit / MILLISECOND_NS);
	if (!more.abort_lfc)
		more.abort_lfc = s->response.abort_lfc;
	return more;
}

/* Whether what W's options are to become can be had here: 0, or -errno with a sentence. */
static int check(const struct watch *w, const struct options *more, char *error,
		 size_t size)
{
	const char *missing =
		privilege_missing(privilege_held(), stops(more) && !stops(w->o));

	if (missing) {
		snprintf(error, size,
			 "switching responses on takes %s, which this ebph does not "
			 "have: start it as root, or with that capability (in a unit: "
			 "CapabilityBoundingSet=)",
			 missing);
		return -EPERM;
	}
	if (more->abort_lfc && !w->o->abort_lfc && more->abort_by == ABORT_BY_LSM)
		return feature_lsm(error, size);
	return 0;
}

/* W's programs are those with responses now, but they do not run yet: prepare what they need. */
static int prepare(struct watch *w, const struct options *before,
		   const struct settings *s, char *error, size_t size)
{
	int result = 0;

	if (!stops(before))
		result = respond_start(&w->respond, &w->tables, stops(w->o), error, size);
	if (!result)
		result = tell_kernel(w, s, error, size);
	if (!result && !options_respond(before))
		result = targets_respond(&w->targets, error, size);
	return result;
}

/* Have W's programs take the place of those in BEFORE. */
static int exchange(struct watch *w, const struct loaded *before, char *error,
		    size_t size)
{
	struct links beside;
	int result = attach_beside(&beside, &w->links, w->l, before, w->raw, error, size);

	if (result)
		return result;
	result = tables_exchange(&w->tables, before);
	if (result) {
		snprintf(error, size, "cannot exchange the programs in the kernel: %s",
			 strerror(-result));
		attach_none(&beside);
		return result;
	}
	attach_replace(&w->links, &beside);
	return 0;
}

/* What was compiled is in MORE, which is W's from now on, or closed. */
static int switch_on(struct watch *w, const struct loaded *more,
		     const struct options *wanted, const struct settings *s, char *error,
		     size_t size)
{
	const struct options options = w->options;
	struct loaded before = *w->l;
	int result;

	loaded_add(w->l, more);
	w->options = *wanted;
	result = prepare(w, &options, s, error, size);
	if (!result)
		result = exchange(w, &before, error, size);
	if (!result) {
		w->report.delays = w->o->delay_ms != 0;
		loaded_close_but(&before, w->l);
		return 0;
	}
	if (!stops(&options))
		respond_end(&w->respond);
	loaded_close_but(w->l, &before);
	*w->l = before;
	w->options = options;
	return result;
}

int defend_more(struct watch *w, const struct settings *s, char *error, size_t size)
{
	const struct options wanted = with_responses(w->o, s);
	struct loaded more;
	int result = check(w, &wanted, error, size);
	char *text;

	if (result)
		return result;
	text = source_text(&wanted, w->kernel, w->raw, error, size);
	if (!text)
		return -ENOMEM;
	result = compile_more(text, w->raw, w->l, &more, &w->meanwhile, error, size);
	free(text);
	if (!result)
		result = switch_on(w, &more, &wanted, s, error, size);
	malloc_trim(0);
	/* what may still be switched on may take less */
	if (!result && defend_settle(w, error, size))
		report_warning(&w->report, error, NULL);
	return result;
}
