/* SPDX-License-Identifier: GPL-2.0-only */
#include "steer.h"

#include <errno.h>
#include <stdio.h>

#include "defend.h"
#include "summary.h"

static const char *exe(void *context, u32 slot, const struct identity *id)
{
	struct watch *w = context;

	return report_exe(&w->report, slot, id);
}

static u64 losses(void *context)
{
	return summary_losses(context);
}

static u64 anomalies(void *context)
{
	return summary_anomalies(context);
}

static u64 calls_elsewhere(void *context)
{
	return summary_calls_elsewhere(context);
}

static void forget(void *context, u32 slot, const struct identity *id)
{
	const struct watch *w = context;

	keeper_forget(w->keeper, slot, id);
}

static bool waits(void *context, u32 slot)
{
	const struct watch *w = context;

	return keeper_waits(w->keeper, slot);
}

static u32 release(void *context, u32 pid)
{
	struct watch *w = context;

	return respond_release(&w->respond, (pid_t)pid);
}

static int respond(void *context, const struct settings *s, char *error, size_t size)
{
	return defend_more(context, s, error, size);
}

static void on_set(void *context, const struct settings *s)
{
	struct watch *w = context;

	w->verbosity = s->verbosity;
	w->report.quiet = s->verbosity == VERBOSITY_QUIET;
	respond_enable(&w->respond, s->response.delay_unit != 0);
}

static int save(void *context, char *error, size_t size)
{
	const struct watch *w = context;
	u32 failed = keeper_save(w->keeper, &w->meanwhile);

	if (failed)
		snprintf(error, size, "%u profiles could not be saved in %s", failed,
			 w->o->profile_dir);
	return failed ? -EIO : 0;
}

static int load(void *context, char *error, size_t size)
{
	const struct watch *w = context;

	return keeper_load(w->keeper, error, size);
}

int steer_open(struct watch *w, char *error, size_t size)
{
	static const struct control_ops ops = {.exe = exe,
					       .losses = losses,
					       .anomalies = anomalies,
					       .calls_elsewhere = calls_elsewhere,
					       .forget = forget,
					       .waits = waits,
					       .release = release,
					       .respond = respond,
					       .set = on_set,
					       .save = save,
					       .load = load};

	w->control = (struct control){.ops = &ops,
				      .context = w,
				      .o = w->o,
				      .kernel = w->kernel,
				      .l = w->l,
				      .raw = w->raw,
				      .tables = &w->tables,
				      .links = &w->links};
	w->verbosity = w->o->verbose ? VERBOSITY_VERBOSE : VERBOSITY_NORMAL;
	return control_open(&w->control, error, size);
}
