/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebph-bench-compile: libbcc compiles an empty program, against the same headers as
 * ebph's own. What this takes, no program that uses libbcc can save.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "headers.h"

int main(void)
{
	void *(*create)(const char *, unsigned, const char **, int, bool, const char *);
	const char *flags[] = {"-O2"};
	void *lib, *module;
	struct scratch_dir headers;

	if (headers_make(&headers))
		return 1;
	setenv("BCC_KERNEL_SOURCE", headers.path, 1);
	lib = dlopen("libbcc.so.0", RTLD_NOW | RTLD_LOCAL);
	create = lib ? dlsym(lib, "bpf_module_create_c_from_string") : NULL;
	module = create ? create("int empty(void *ctx) { return 0; }\n", 0, flags, 1,
				 true, NULL)
			: NULL;
	scratch_remove(&headers);
	if (!module)
		fprintf(stderr, "ebph-bench-compile: libbcc.so.0 compiled nothing\n");
	fflush(NULL);
	_Exit(module ? 0 : 1);
}
