/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "feature.h"
#include "offsets.h"
#include "scratch.h"
#include "tree.h"
#include "types.h"
#include "model.h"

enum { ERROR_SIZE = 512 };

static const char kernel_btf[] = "/sys/kernel/btf/vmlinux";

const char *kernel_btf_file(void)
{
	const char *file = getenv("EBPH_BTF");

	return file && *file ? file : kernel_btf;
}

struct btf *kernel_load_btf(char *error, size_t size)
{
	const char *file = kernel_btf_file();
	struct btf *btf = NULL;

	if (!strcmp(file, "none")) {
		snprintf(error, size, "EBPH_BTF=none hides the kernel's types");
		return NULL;
	}
	btf = file != kernel_btf ? btf__parse(file, NULL) : btf__load_vmlinux_btf();
	if (!btf)
		snprintf(error, size,
			 "cannot read the kernel's types (CONFIG_DEBUG_INFO_BTF) from "
			 "%s: %s",
			 file,
			 /* libbpf's way of saying that it found none anywhere */
			 strerror(errno == ESRCH ? ENOENT : errno));
	return btf;
}

/*
 * As many calls as the kernel's tracer makes room for: they have numbers below this. Up to
 * Linux 5.12 that is beyond x32's, and then all of the other ABIs count as calls.
 */
static unsigned int calls_from_btf(const struct btf *btf, const int *ids)
{
	unsigned int calls = member_elements(btf, ids[member_type("trace_array")],
					     "enter_syscall_files");

	return calls && calls < CALLS_MAX ? calls : CALLS_MAX;
}

/* Say that the struct of M, TYPE in BTF (0: it is not there), is not as ebph knows it. */
static int lacks(const struct member *m, int type, char *error, size_t size)
{
	char names[80];

	if (type)
		snprintf(error, size,
			 "this kernel is not one that ebph knows: its struct %s has no "
			 "member %s",
			 m->type, member_names(m, names, sizeof(names)));
	else
		snprintf(error, size,
			 "this kernel is not one that ebph knows: it has no struct %s",
			 m->type);
	return -ENOENT;
}

int kernel_from_btf(const struct btf *btf, struct kernel *k, char *error, size_t size)
{
	int ids[MEMBER_TYPES_MAX];

	member_types(btf, ids);
	k->calls = calls_from_btf(btf, ids);
	for (int i = 0; i < member_count; i++)
		if (member_from_btf(btf, ids, &members[i], &k->values[i]))
			return lacks(&members[i], ids[member_type(members[i].type)],
				     error, size);
	return 0;
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/*
 * In 5.11 and 5.12 only BPF LSM programs can use it. Who may not load programs may still
 * want the source: then BTF alone tells.
 */
static bool has_task_storage(const struct btf *btf)
{
	return has_function(btf, "bpf_task_storage_get") &&
	       feature_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_storage_get);
}

static int learn_from_btf(struct kernel *k, char *error, size_t size)
{
	if (!k->btf)
		return -ENOENT;
	snprintf(k->headers, sizeof(k->headers), "btf");
	return kernel_from_btf(k->btf, k, error, size);
}

/* What no header declares: BTF tells it where there is BTF. */
static void learn_private(struct kernel *k)
{
	int ids[MEMBER_TYPES_MAX] = {0};

	k->calls = CALLS_MAX;
	if (k->btf) {
		member_types(k->btf, ids);
		k->calls = calls_from_btf(k->btf, ids);
	}
	for (int i = 0; i < member_count; i++)
		if (!member_header(&members[i]) &&
		    (!k->btf || member_from_btf(k->btf, ids, &members[i], &k->values[i])))
			k->values[i] = member_known(&members[i]);
}

static int learn_from_tree(const char *dir, struct kernel *k, char *error, size_t size)
{
	struct tree t;
	int result = tree_open(dir, &t, error, size);

	if (!result)
		result = tree_check(&t, dir, k->release, error, size);
	if (!result)
		result = offsets_compile(&t, k->values, error, size);
	if (result)
		return result;
	snprintf(k->headers, sizeof(k->headers), "%s", dir);
	learn_private(k);
	return 0;
}

static int learn_from_kheaders(struct kernel *k, char *error, size_t size)
{
	struct scratch_dir into;
	int result = scratch_make(&into);

	if (result)
		return result;
	result = tree_unpack(into.path);
	if (!result)
		result = learn_from_tree(into.path, k, error, size);
	scratch_remove(&into);
	snprintf(k->headers, sizeof(k->headers), "/sys/kernel/kheaders.tar.xz");
	return result;
}

static int learn_automatically(struct kernel *k, char *no_btf, char *error, size_t size)
{
	char no_tree[1024] = "", no_kheaders[1024] = "", dir[256];

	if (!learn_from_btf(k, no_btf, ERROR_SIZE))
		return 0;
	snprintf(dir, sizeof(dir), "/lib/modules/%s/build", k->release);
	if (!learn_from_tree(dir, k, no_tree, sizeof(no_tree)))
		return 0;
	if (!learn_from_kheaders(k, no_kheaders, sizeof(no_kheaders)))
		return 0;
	snprintf(error, size,
		 "%s; %s; %s. Install the headers of the kernel that runs (Debian: apt "
		 "install linux-headers-%s), or run a kernel with CONFIG_DEBUG_INFO_BTF",
		 no_btf, no_tree,
		 *no_kheaders ? no_kheaders
			      : "there is no /sys/kernel/kheaders.tar.xz "
				"(CONFIG_IKHEADERS)",
		 k->release);
	return -ENOENT;
}

/* 0, or -errno with a sentence in ERROR; NO_BTF (ERROR_SIZE long) has why there is none. */
static int learn(const char *mode, struct kernel *k, char *no_btf, char *error,
		 size_t size)
{
	int result;

	if (!strcmp(mode, "auto"))
		return learn_automatically(k, no_btf, error, size);
	if (strcmp(mode, "btf"))
		return learn_from_tree(mode, k, error, size);
	result = learn_from_btf(k, error, size);
	if (!k->btf)
		snprintf(error, size, "%s; --kernel-headers DIR or auto can do without",
			 no_btf);
	return result;
}

int kernel_learn(const char *mode, struct kernel *k, char *error, size_t size)
{
	char no_btf[ERROR_SIZE] = "";
	struct utsname u;
	int result;

	memset(k, 0, sizeof(*k));
	uname(&u);
	snprintf(k->release, sizeof(k->release), "%s", u.release);
	k->btf = kernel_load_btf(no_btf, sizeof(no_btf));
	k->task_storage = has_task_storage(k->btf);
	/* it wants a task whose type is known: they get that to reach its storage */
	k->task_regs = k->task_storage && has_function(k->btf, "bpf_task_pt_regs");
	k->exchange = feature_exchange() == 1;
	result = learn(mode, k, no_btf, error, size);
	if (result)
		kernel_forget(k);
	return result;
}

void kernel_forget(struct kernel *k)
{
	btf__free(k->btf);
	k->btf = NULL;
}

void kernel_write(const struct kernel *k, FILE *out)
{
	fprintf(out, "#define CALLS %u\n", k->calls);
	for (int i = 0; i < member_count; i++)
		if (k->values[i] != MEMBER_UNKNOWN)
			fprintf(out, "#define %s_%s %u\n",
				members[i].path ? "OFFSET" : "SIZE", members[i].macro,
				k->values[i]);
}
