/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copies SECONDS: has bpf(2) copy a large element again and again. Meanwhile the kernel runs
 * no program of a classic tracepoint on this CPU, though others may run there.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BYTES = 32 << 20 };

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	union bpf_attr attr;
	uint32_t first = 0;
	char *element = malloc(BYTES);
	int map;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(first);
	attr.value_size = BYTES;
	attr.max_entries = 1;
	map = bpf(BPF_MAP_CREATE, &attr);
	if (argc != 2 || !element || map < 0) {
		perror("copies");
		return 1;
	}
	alarm((unsigned int)atoi(argv[1]));
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&first;
	attr.value = (uintptr_t)element;
	while (!bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		;
	perror("copies");
	return 1;
}
