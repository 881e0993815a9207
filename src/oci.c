/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "oci.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Calls that a profile need not show although its program makes them:
 * - execve, which starts the program when the filter is already in force;
 * - what the kernel makes a program do (restart_syscall, the return from a handler);
 * - the end, which may not have been seen yet;
 * - what the vDSO answers without entering the kernel, but only with a clock source that
 *   it can read.
 */
static const char *const always[] = {
	"clock_getres", "clock_gettime", "execve",	 "exit",
	"exit_group",	"getcpu",	 "gettimeofday", "restart_syscall",
	"rt_sigreturn", "sigreturn",	 "time",	 "clock_gettime64",
};

static const struct {
	u32 token;
	const char *name;
} tokens[] = {
	{SCMP_ARCH_X86_64, "SCMP_ARCH_X86_64"}, {SCMP_ARCH_X86, "SCMP_ARCH_X86"},
	{SCMP_ARCH_X32, "SCMP_ARCH_X32"},	{SCMP_ARCH_AARCH64, "SCMP_ARCH_AARCH64"},
	{SCMP_ARCH_ARM, "SCMP_ARCH_ARM"},
};

enum { TOKENS = sizeof(tokens) / sizeof(*tokens) };

/* Only what some ABI in USE has: other engines may refuse a name they do not know. */
static bool is_known(const struct image *im, const bool use[ABIS], const char *name)
{
	for (int abi = ABI_NATIVE; abi <= ABI_X32; abi++)
		if (use[abi] && seccomp_syscall_resolve_name_arch(
					abi_token(im->arch, (enum abi)abi), name) >= 0)
			return true;
	return false;
}

/* The names as an object, which keeps each once. USE: the ABIs that they belong to. */
static json_t *collect(const struct image *im, bool use[ABIS],
		       void (*leave_out)(void *context, const char *label), void *context)
{
	json_t *names = json_object();

	use[ABI_NATIVE] = true;
	for (u32 i = 0; i < im->calls; i++) {
		u32 symbol = im->call[i].symbol;
		enum abi abi = symbol_abi(symbol);
		char name[SYSCALL_LABEL];

		if (abi == ABI_OTHER)
			continue;
		syscall_name_on(im->arch, symbol, name, sizeof(name));
		if (abi == ABI_UNKNOWN || !strncmp(name, "syscall_", 8)) {
			syscall_label(im->arch, symbol, name, sizeof(name));
			leave_out(context, name);
			continue;
		}
		use[abi] = true;
		json_object_set_new(names, name, json_true());
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (is_known(im, use, always[i]))
			json_object_set_new(names, always[i], json_true());
	return names;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of OBJECT, sorted. */
static json_t *sorted_keys(json_t *object)
{
	const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys)), *key;
	json_t *list = json_array(), *value;
	size_t count = 0;

	if (keys) {
		json_object_foreach(object, key, value) keys[count++] = key;
		qsort(keys, count, sizeof(*keys), by_text);
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(keys[i]));
	free(keys);
	return list;
}

json_t *oci_profile(const struct image *im,
		    void (*leave_out)(void *context, const char *label), void *context)
{
	bool use[ABIS] = {false};
	json_t *names = collect(im, use, leave_out, context), *archs = json_array(), *j;

	for (int abi = ABI_NATIVE; abi <= ABI_X32; abi++)
		for (size_t i = 0; i < TOKENS; i++)
			if (use[abi] &&
			    tokens[i].token == abi_token(im->arch, (enum abi)abi))
				json_array_append_new(archs, json_string(tokens[i].name));
	j = json_pack("{s:s, s:i, s:o, s:[{s:o, s:s}]}", "defaultAction",
		      "SCMP_ACT_ERRNO", "defaultErrnoRet", EPERM, "architectures", archs,
		      "syscalls", "names", sorted_keys(names), "action",
		      "SCMP_ACT_ALLOW");
	json_decref(names);
	return j;
}

/* ---- checking ---- */

static int add_archs(scmp_filter_ctx filter, const json_t *profile)
{
	const json_t *list = json_object_get(profile, "architectures"), *name;
	int result = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
	size_t at;

	json_array_foreach(list, at, name) for (size_t i = 0; i < TOKENS && !result;
						i++) if (!strcmp(tokens[i].name,
								 json_string_value(name)))
		result = seccomp_arch_add(filter, tokens[i].token);
	return result;
}

static int add_rules(scmp_filter_ctx filter, const json_t *profile, char *why,
		     size_t why_size)
{
	const json_t *rule = json_array_get(json_object_get(profile, "syscalls"), 0);
	const json_t *list = json_object_get(rule, "names"), *name;
	size_t at;

	json_array_foreach(list, at, name)
	{
		const char *text = json_string_value(name);
		int number = seccomp_syscall_resolve_name(text), result = -EINVAL;

		if (number != __NR_SCMP_ERROR)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (result) {
			snprintf(why, why_size, "libseccomp refuses the call %s: %s",
				 text, strerror(-result));
			return result;
		}
	}
	return 0;
}

/* The program itself, into memory: some mistakes show only when it is generated. */
static int generate(scmp_filter_ctx filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	result = seccomp_export_bpf(filter, fd);
	close(fd);
	return result;
}

int oci_check(const json_t *profile, char *why, size_t why_size)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result;

	if (!filter) {
		snprintf(why, why_size, "libseccomp makes no filter");
		return -ENOMEM;
	}
	result = add_archs(filter, profile);
	if (result)
		snprintf(why, why_size, "libseccomp refuses the architectures: %s",
			 strerror(-result));
	else
		result = add_rules(filter, profile, why, why_size);
	if (!result) {
		result = generate(filter);
		if (result)
			snprintf(why, why_size, "libseccomp makes no program: %s",
				 strerror(-result));
	}
	seccomp_release(filter);
	return result;
}
