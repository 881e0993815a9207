/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "bcc.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBBCC "libbcc.so.0"

enum { VERSION_MIN = 25 }; /* 0.25 */

int bcc_version_of(const char *path)
{
	const char *name = strrchr(path, '/');
	const char *at = strstr(name ? name : path, ".so.");
	unsigned int major, minor;

	if (!at || sscanf(at, ".so.%3u.%3u", &major, &minor) != 2)
		return -1;
	return (int)(major * 1000 + minor);
}

/*
 * From 0.25 on bcc_func_load() has one argument more. The file's name tells the version;
 * where it does not, the C++ method behind that function has its arguments in its name.
 */
static int new_enough(void *lib, char *path, size_t size)
{
	static const char method[] =
		"_ZN4ebpf9BPFModule13bcc_func_loadEiPKcPK8bpf_insniS2_jiPcjS2_ji";
	char real[PATH_MAX];
	struct link_map *map;
	int version = -1;

	snprintf(path, size, "%s", LIBBCC);
	if (!dlinfo(lib, RTLD_DI_LINKMAP, &map) && realpath(map->l_name, real)) {
		snprintf(path, size, "%s", real);
		version = bcc_version_of(real);
	}
	return version < 0 ? dlsym(lib, method) != NULL : version >= VERSION_MIN;
}

/* The dynamic linker has no error numbers: these are its words (glibc, elf/dl-load.c). */
static bool is_memory_short(const char *why)
{
	return strstr(why, "failed to map segment") ||
	       strstr(why, "annot allocate memory");
}

int bcc_open(struct bcc *b, char *error, size_t size)
{
	void *lib = dlopen(LIBBCC, RTLD_NOW | RTLD_LOCAL);
	char path[PATH_MAX];

	if (!lib) {
		const char *why = dlerror();

		snprintf(error, size, "cannot open libbcc: %s; %s", why,
			 is_memory_short(why)
				 ? "free memory, or raise the limit (ulimit -v)"
				 : "install libbcc 0.25 or later (Debian: apt install "
				   "libbpfcc)");
		return -ENOENT;
	}
	if (!new_enough(lib, path, sizeof(path))) {
		snprintf(error, size,
			 "%.300s is too old: ebph needs libbcc 0.25 or later", path);
		return -ENOTSUP;
	}
	b->create = dlsym(lib, "bpf_module_create_c_from_string");
	b->start = dlsym(lib, "bpf_function_start");
	b->length = dlsym(lib, "bpf_function_size");
	b->license = dlsym(lib, "bpf_module_license");
	b->version = dlsym(lib, "bpf_module_kern_version");
	b->table = dlsym(lib, "bpf_table_fd");
	b->load = dlsym(lib, "bcc_func_load");
	if (b->create && b->start && b->length && b->license && b->version && b->table &&
	    b->load)
		return 0;
	snprintf(error, size, "%.300s lacks functions that libbcc 0.25 has", path);
	return -ENOTSUP;
}

/*
 * Stands in for libbcc's function of this name, which reads all of /proc/kallsyms (a
 * fifth of the time that a start takes) in order to tell whether the kernel has
 * bpf_probe_read_kernel. ebph needs that helper, and feature.c asks for it by itself.
 */
__attribute__((visibility("default"))) int
bcc_symcache_resolve_name(void *resolver, const char *module, const char *name,
			  unsigned long long *address)
{
	(void)resolver;
	(void)module;
	*address = 0;
	return strcmp(name, "bpf_probe_read_kernel") ? -1 : 0;
}
