/* SPDX-License-Identifier: GPL-2.0-only */
/* May this process open perf events? Its status says so: 0, or 1. */
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0;
}
