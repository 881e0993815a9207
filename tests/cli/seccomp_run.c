/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * seccomp_run PROFILE COMMAND...: run COMMAND under the OCI seccomp profile in the file
 * PROFILE, loaded by libseccomp as a container runtime would. With -p for COMMAND: print
 * the filter instead. cc -o seccomp_run seccomp_run.c -ljansson -lseccomp
 */
#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what, const char *which, int result)
{
	fprintf(stderr, "seccomp_run: %s %s: %s\n", what, which, strerror(-result));
	exit(125);
}

/* "SCMP_ARCH_X86_64" -> x86_64, as seccomp_arch_resolve_name() wants it. */
static uint32_t arch_of(const char *name)
{
	char lower[32] = "";

	for (size_t i = 0; name[i + 10] && i < sizeof(lower) - 1; i++)
		lower[i] = (char)(name[i + 10] | (name[i + 10] >= 'A' ? 0x20 : 0));
	for (char *c = lower; *c; c++)
		if (*c == 0x7f)
			*c = '_';
	return seccomp_arch_resolve_name(lower);
}

static void allow(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name), result = -EINVAL;

	if (number != __NR_SCMP_ERROR)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	if (result)
		fail("call", name, result);
}

static scmp_filter_ctx build(const json_t *profile)
{
	const json_t *item, *rule;
	scmp_filter_ctx filter;
	size_t i, k;

	if (strcmp(json_string_value(json_object_get(profile, "defaultAction")),
		   "SCMP_ACT_ERRNO"))
		fail("unknown", "defaultAction", -EINVAL);
	filter = seccomp_init(SCMP_ACT_ERRNO(
		json_integer_value(json_object_get(profile, "defaultErrnoRet"))));
	json_array_foreach(json_object_get(profile, "architectures"), i, item)
	{
		int result = seccomp_arch_add(filter, arch_of(json_string_value(item)));

		if (result && result != -EEXIST)
			fail("architecture", json_string_value(item), result);
	}
	json_array_foreach(json_object_get(profile, "syscalls"), k, rule)
	{
		json_array_foreach(json_object_get(rule, "names"), i, item)
		{
			allow(filter, json_string_value(item));
		}
	}
	return filter;
}

int main(int argc, char **argv)
{
	json_t *profile = argc > 2 ? json_load_file(argv[1], 0, NULL) : NULL;
	scmp_filter_ctx filter;
	int result;

	if (!profile)
		fail("cannot read", argc > 1 ? argv[1] : "(nothing)", -EINVAL);
	filter = build(profile);
	if (!strcmp(argv[2], "-p"))
		return seccomp_export_pfc(filter, STDOUT_FILENO) ? 125 : 0;
	result = seccomp_load(filter);
	if (result)
		fail("cannot load", argv[1], result);
	execvp(argv[2], argv + 2);
	fail("cannot run", argv[2], -errno);
}
