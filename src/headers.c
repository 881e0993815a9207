/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "headers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char types_h[] =
	"#pragma once\n"
	"typedef signed char __s8; typedef unsigned char __u8;\n"
	"typedef short __s16; typedef unsigned short __u16;\n"
	"typedef int __s32; typedef unsigned int __u32;\n"
	"typedef long long __s64; typedef unsigned long long __u64;\n"
	"typedef __s8 s8; typedef __u8 u8; typedef __s16 s16;\n"
	"typedef __u16 u16; typedef __s32 s32; typedef __u32 u32;\n"
	"typedef __s64 s64; typedef __u64 u64;\n"
	"typedef __u16 __be16; typedef __u32 __be32;\n"
	"typedef __u64 __be64; typedef __u32 __wsum;\n"
	"typedef unsigned long size_t; typedef unsigned long uintptr_t;\n"
	"typedef _Bool bool;\n"
	"#define __aligned_u64 __u64 __attribute__((aligned(8)))\n";

static const struct {
	const char *path, *text;
} files[] = {
	{"include/linux/kconfig.h", "#define CONFIG_BPF_SYSCALL 1\n"},
	{"include/linux/types.h", types_h},
	{"include/linux/bpf_common.h", ""},
	{"include/linux/log2.h", ""},
	{"include/uapi/linux/bpf.h", "#include <bcc/bpf.h>\n"},
	{"include/uapi/linux/if_packet.h", ""},
	{"include/uapi/linux/ptrace.h", ""},
};

static int write_file(int dir, const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t written = fd < 0 ? -1 : write(fd, text, length);
	int result = written == (ssize_t)length ? 0 : -(errno ? errno : EIO);

	if (fd >= 0)
		close(fd);
	return result;
}

static int write_version(int dir)
{
	unsigned int major = 0, minor = 0, patch = 0;
	struct utsname u;
	char text[160];

	uname(&u);
	if (sscanf(u.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return -EINVAL;
	snprintf(text, sizeof(text),
		 "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))\n"
		 "#define LINUX_VERSION_CODE KERNEL_VERSION(%u, %u, %u)\n",
		 major, minor, patch > 255 ? 255 : patch);
	if (write_file(dir, "include/linux/version.h", text))
		return -EIO;
	snprintf(text, sizeof(text), "#define PAGE_SIZE %ld\n", sysconf(_SC_PAGESIZE));
	return write_file(dir, "include/asm/page.h", text);
}

static int fill(int dir)
{
	static const char *const folders[] = {"include", "include/linux", "include/asm",
					      "include/uapi", "include/uapi/linux"};
	int result = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdirat(dir, folders[i], 0700))
			return -errno;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !result; i++)
		result = write_file(dir, files[i].path, files[i].text);
	return result ? result : write_version(dir);
}

int headers_make(struct scratch_dir *s)
{
	int result = scratch_make(s);

	if (result)
		return result;
	result = fill(s->fd);
	if (result)
		scratch_remove(s);
	return result;
}
