/* SPDX-License-Identifier: GPL-2.0-only */
#include "stats.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>

int stats_read(int fd, struct stats *s)
{
	struct bpf_prog_info info;
	__u32 size = sizeof(info);

	memset(&info, 0, sizeof(info));
	memset(s, 0, sizeof(*s));
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	s->runs = info.run_cnt;
	s->ns = info.run_time_ns;
	s->misses = info.recursion_misses;
	return 0;
}

void stats_print(FILE *out, const char *const *names, const int *fds, int count)
{
	bool header = false;

	for (int i = 0; i < count; i++) {
		struct stats s;

		if (fds[i] < 0 || stats_read(fds[i], &s) || !s.runs)
			continue;
		if (!header)
			fprintf(out, "%-12s %14s %10s %10s\n", "PROGRAM", "RUNS",
				"NS/RUN", "MISSES");
		header = true;
		fprintf(out, "%-12s %14" PRIu64 " %10.1f %10" PRIu64 "\n", names[i],
			s.runs, (double)s.ns / (double)s.runs, s.misses);
	}
}
