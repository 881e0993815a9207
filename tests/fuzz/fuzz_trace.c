/* SPDX-License-Identifier: GPL-2.0-only */
/* The unpacking of files, and what tells their format. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run.h"
#include "trace.h"

enum { ENOUGH = 4 << 20 }; /* bytes: small files can unpack to very many */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char error[64] = "";
	struct trace *t;
	const char *block;
	size_t total = 0;
	ssize_t count;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	if (!trace_open_fd(&t, fd, error, sizeof(error))) {
		while ((count = trace_read(t, &block, error, sizeof(error))) > 0 &&
		       total < ENOUGH) {
			if (count > TRACE_BLOCK)
				abort();
			run_format(block, count);
			total += count;
		}
		if (count < 0 && !*error)
			abort();
		trace_close(t);
	} else if (!*error) {
		abort();
	}
	close(fd);
	return 0;
}
