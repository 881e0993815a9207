/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "handlers.h"

#include <string.h>

#include "strace.h"

enum { RESTARTSYS = 512, RESTARTNOINTR, RESTARTNOHAND };

static u64 signal_bit(const char *name, size_t length)
{
	int number = strace_signal(name, length);

	return number ? 1ULL << (number - 1) : 0;
}

void handlers_exec(struct handlers *h)
{
	*h = (struct handlers){.known = true};
}

static bool is_default(const char *handler)
{
	return !strncmp(handler, "SIG_DFL", 7) || !strncmp(handler, "SIG_IGN", 7);
}

/* SIGUSR1, {sa_handler=0x..., sa_mask=[], sa_flags=...}, ... */
void handlers_sigaction(struct handlers *h, const char *args)
{
	u64 bit = signal_bit(args, strcspn(args, ", "));
	const char *action = strchr(args, ','), *flags, *end;

	if (!bit || !action)
		return;
	action += strspn(action, ", ");
	if (*action != '{')
		return;
	h->handled &= ~bit;
	h->oneshot &= ~bit;
	h->restart &= ~bit;
	action = strchr(action, '=');
	if (!action || is_default(action + 1))
		return;
	h->handled |= bit;
	flags = strstr(action, "sa_flags=");
	if (!flags)
		return;
	end = flags + strcspn(flags, ",}");
	if (memmem(flags, end - flags, "SA_RESETHAND", 12) ||
	    memmem(flags, end - flags, "SA_ONESHOT", 10))
		h->oneshot |= bit;
	if (memmem(flags, end - flags, "SA_RESTART", 10))
		h->restart |= bit;
}

/* SIGUSR1, 0x...: of 32-bit programs; one shot, and no restart */
void handlers_signal(struct handlers *h, const char *args)
{
	u64 bit = signal_bit(args, strcspn(args, ", "));
	const char *handler = strchr(args, ',');

	if (!bit || !handler)
		return;
	handler += strspn(handler, ", ");
	h->handled &= ~bit;
	h->restart &= ~bit;
	h->oneshot |= bit;
	if (!is_default(handler))
		h->handled |= bit;
}

bool handlers_arrival(struct handlers *h, const char *name, size_t length,
		      u32 interrupted, bool *restarts)
{
	/* By default these do nothing: CHLD, CONT, URG, WINCH; */
	const u64 ignored = 1ULL << 16 | 1ULL << 17 | 1ULL << 22 | 1ULL << 27;
	/* these stop: STOP, TSTP, TTIN, TTOU. */
	const u64 stops = 1ULL << 18 | 1ULL << 19 | 1ULL << 20 | 1ULL << 21;
	u64 bit = signal_bit(name, length);
	bool handled = h->handled & bit;

	/* A trace of a running process: what it did not die of, it handled. */
	if (!h->known && !(bit & (ignored | stops)))
		handled = true;
	*restarts = interrupted == RESTARTNOINTR ||
		    (interrupted == RESTARTSYS && (!handled || h->restart & bit)) ||
		    (interrupted == RESTARTNOHAND && !handled);
	if (handled)
		h->handled &= ~(h->oneshot & bit);
	return handled;
}
