/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded: each call of GATE_CALL waits until it has got a byte out of the pipe
 * GATE_PIPE. GATE_CALL is `fsync`, or `retire`: ebph asking its kernel side to retire a
 * profile that nobody uses (VERB_RETIRE_UNUSED).
 * cc -shared -fPIC -I src -o gate.so gate.c -ldl
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "types.h"
#include "model.h"

static void wait_at(const char *call)
{
	const char *wanted = getenv("GATE_CALL"), *pipe = getenv("GATE_PIPE");
	char byte;
	int fd;

	if (!wanted || !pipe || strcmp(wanted, call))
		return;
	fd = open(pipe, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &byte, 1) != 1)
		abort();
	close(fd);
}

int fsync(int fd)
{
	wait_at("fsync");
	return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int bpf_prog_test_run_opts(int program, struct bpf_test_run_opts *run)
{
	const u64 *args = run->ctx_in;

	if (run->ctx_size_in >= 2 * sizeof(*args) && args[1] == VERB_RETIRE_UNUSED)
		wait_at("retire");
	return ((int (*)(int, struct bpf_test_run_opts *))dlsym(
		RTLD_NEXT, "bpf_prog_test_run_opts"))(program, run);
}
