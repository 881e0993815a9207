/* SPDX-License-Identifier: GPL-2.0-only */
/* What is learned of a kernel, from BTF and from headers, without any kernel. */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/bcc.h"
#include "../../src/feature.h"
#include "../../src/kernel.h"
#include "../../src/member.h"
#include "../../src/offsets.h"
#include "../../src/scratch.h"
#include "../../src/tree.h"

static const struct member *find(const char *macro)
{
	for (int i = 0; i < member_count; i++)
		if (!strcmp(members[i].macro, macro))
			return &members[i];
	fail_msg("no member %s", macro);
	return NULL;
}

/* ---- BTF ---- */

static int add_struct(struct btf *btf, const char *name, unsigned int size)
{
	int id = btf__add_struct(btf, name, size);

	assert_true(id > 0);
	return id;
}

static void add_field(struct btf *btf, const char *name, int type, unsigned int byte)
{
	assert_int_equal(btf__add_field(btf, name, type, byte * 8, 0), 0);
}

/* struct inode { union { struct { long i_mtime_sec; u32 i_mtime_nsec; }; }; long i_ino; } */
static struct btf *inode_btf(bool newest)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "long", 8, BTF_INT_SIGNED), inner, choice,
	    timespec;

	timespec = add_struct(btf, "timespec64", 16);
	add_field(btf, "tv_sec", number, 0);
	add_field(btf, "tv_nsec", number, 8);
	inner = add_struct(btf, NULL, 16);
	if (newest) {
		add_field(btf, "i_mtime_sec", number, 0);
		add_field(btf, "i_mtime_nsec", number, 8);
	} else {
		add_field(btf, "i_mtime", timespec, 0);
	}
	choice = btf__add_union(btf, NULL, 16);
	add_field(btf, NULL, inner, 0);
	add_struct(btf, "inode", 48);
	add_field(btf, "i_other", number, 0);
	add_field(btf, NULL, choice, 24);
	add_field(btf, "i_ino", number, 40);
	return btf;
}

static void test_btf_offsets(void **state)
{
	int ids[MEMBER_TYPES_MAX];
	unsigned int value;

	(void)state;
	for (int newest = 0; newest < 2; newest++) {
		struct btf *btf = inode_btf(newest);

		member_types(btf, ids);
		assert_int_equal(
			member_from_btf(btf, ids, find("inode_mtime_sec"), &value), 0);
		assert_int_equal(value, 24);
		assert_int_equal(
			member_from_btf(btf, ids, find("inode_mtime_nsec"), &value), 0);
		assert_int_equal(value, 32);
		assert_int_equal(member_from_btf(btf, ids, find("inode_ino"), &value), 0);
		assert_int_equal(value, 40);
		assert_int_equal(member_from_btf(btf, ids, find("inode_sb"), &value),
				 -ENOENT);
		assert_int_equal(member_from_btf(btf, ids, find("task_mm"), &value),
				 -ENOENT);
		btf__free(btf);
	}
}

static void test_btf_size_and_typedef(void **state)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, 0), path, alias;
	int ids[MEMBER_TYPES_MAX];
	unsigned int value;

	(void)state;
	add_struct(btf, "upid", 24);
	path = add_struct(btf, "path", 16);
	add_field(btf, "mnt", number, 0);
	add_field(btf, "dentry", number, 8);
	alias = btf__add_typedef(btf, "path_t", btf__add_const(btf, path));
	add_struct(btf, "file", 64);
	add_field(btf, "f_path", alias, 32);
	member_types(btf, ids);
	assert_int_equal(member_from_btf(btf, ids, find("upid"), &value), 0);
	assert_int_equal(value, 24);
	assert_int_equal(member_from_btf(btf, ids, find("file_path_dentry"), &value), 0);
	assert_int_equal(value, 40);
	btf__free(btf);
}

static void test_btf_of_a_strange_kernel(void **state)
{
	struct btf *btf = inode_btf(true);
	static struct kernel k;
	char error[200];

	(void)state;
	assert_int_equal(kernel_from_btf(btf, &k, error, sizeof(error)), -ENOENT);
	assert_string_equal(error, "this kernel is not one that ebph knows: it has no "
				   "struct task_struct");
	btf__free(btf);
}

/* A field in the struct that was added last, for the part of PATH from FROM on. */
static void add_part(struct btf *btf, const char *from, int type, int place)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(from, ".|"), from);
	add_field(btf, name, type, place * 8);
}

/* All that ebph reads, as the newest kernels have it, but the struct TYPE and member M. */
static struct btf *kernel_without(const char *type, const struct member *m)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "long", 8, BTF_INT_SIGNED), inner;
	bool done[MEMBER_TYPES_MAX] = {false};

	inner = add_struct(btf, "inner", 4096);
	for (int i = 0; i < member_count; i++)
		if (members[i].path && strchr(members[i].path, '.'))
			add_part(btf, strchr(members[i].path, '.') + 1, number, i);
	for (int i = 0; i < member_count; i++) {
		const char *name = members[i].type;

		if (done[member_type(name)] || !strcmp(name, type))
			continue;
		done[member_type(name)] = true;
		add_struct(btf, name, 4096);
		for (int j = 0; j < member_count; j++)
			if (!strcmp(members[j].type, name) && members[j].path &&
			    &members[j] != m)
				add_part(btf, members[j].path, inner, j);
	}
	return btf;
}

static void learn_without(const char *type, const struct member *m, const char *sentence)
{
	struct btf *btf = kernel_without(type, m);
	static struct kernel k;
	char error[200] = "";

	assert_int_equal(kernel_from_btf(btf, &k, error, sizeof(error)),
			 *sentence ? -ENOENT : 0);
	assert_string_equal(error, sentence);
	btf__free(btf);
}

static void test_what_a_kernel_lacks(void **state)
{
	(void)state;
	learn_without("", NULL, "");
	learn_without("upid", NULL,
		      "this kernel is not one that ebph knows: it has no struct upid");
	learn_without("dentry", NULL,
		      "this kernel is not one that ebph knows: it has no struct dentry");
	learn_without("", find("task_pending"),
		      "this kernel is not one that ebph knows: its struct task_struct "
		      "has no member pending.signal");
	learn_without("", find("inode_mtime_sec"),
		      "this kernel is not one that ebph knows: its struct inode has no "
		      "member i_mtime_sec or __i_mtime.tv_sec or i_mtime.tv_sec");
}

/* The `#define CALLS N` for a kernel whose tracer has an array of ELEMENTS; -1: none. */
static unsigned int calls_with(int elements)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "long", 8, 0), array;
	static struct kernel k;
	char error[200];

	memset(&k, 0, sizeof(k));
	array = btf__add_array(btf, number, btf__add_ptr(btf, number),
			       elements < 0 ? 1 : elements);
	add_struct(btf, "trace_array", 8192);
	add_field(btf, "name", number, 0);
	add_field(btf, elements < 0 ? "other" : "enter_syscall_files", array, 8);
	kernel_from_btf(btf, &k, error, sizeof(error));
	btf__free(btf);
	return k.calls;
}

static void test_calls_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(calls_with(470), 470);
	assert_int_equal(calls_with(511), 511);
	/* as 5.8 to 5.12 have it, for x32; and what no kernel has */
	assert_int_equal(calls_with(548), 512);
	assert_int_equal(calls_with(0), 512);
	assert_int_equal(calls_with(-1), 512);
}

static void test_written_macros(void **state)
{
	static struct kernel k;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	for (int i = 0; i < member_count; i++)
		k.values[i] = i == 1 ? MEMBER_UNKNOWN : 1000U + i;
	k.calls = 470;
	kernel_write(&k, out);
	fclose(out);
	assert_int_equal(
		strncmp(text, "#define CALLS 470\n#define OFFSET_task_mm 1000\n", 46), 0);
	assert_null(strstr(text, "OFFSET_task_fs"));
	assert_non_null(strstr(text, "#define OFFSET_task_pid 1003\n"));
	assert_non_null(strstr(text, "#define SIZE_upid "));
	assert_null(strstr(text, "OFFSET_upid"));
	free(text);
}

/* ---- headers ---- */

static void expression(const char *macro, const char *header, const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	member_expression(out, find(macro), header);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_expressions(void **state)
{
	(void)state;
	expression("task_mm", "", "__builtin_offsetof(struct task_struct, mm)");
	expression("upid", "", "sizeof(struct upid)");
	expression("inode_mtime_sec", "struct timespec64 i_mtime;",
		   "__builtin_offsetof(struct inode, i_mtime.tv_sec)");
	/* as 6.7 has it, where functions have such names too */
	expression("inode_mtime_sec",
		   "struct timespec64 __i_mtime; /* inode_get_mtime_sec() */",
		   "__builtin_offsetof(struct inode, __i_mtime.tv_sec)");
	expression("inode_mtime_nsec", "time64_t i_mtime_sec;\n\tu32 i_mtime_nsec;\n",
		   "__builtin_offsetof(struct inode, i_mtime_nsec)");
	expression("inode_mtime_nsec", "i_mtime_nsecs i_mtime",
		   "__builtin_offsetof(struct inode, i_mtime.tv_nsec)");
	/* declared elsewhere: as the newest have it */
	expression("inode_mtime_sec", "",
		   "__builtin_offsetof(struct inode, i_mtime_sec)");
}

static void test_release(void **state)
{
	char release[16];

	(void)state;
	assert_int_equal(tree_parse_release("#define UTS_RELEASE \"6.1.0-56-amd64\"\n",
					    release, sizeof(release)),
			 0);
	assert_string_equal(release, "6.1.0-56-amd64");
	assert_int_equal(tree_parse_release("", release, sizeof(release)), -EINVAL);
	assert_int_equal(tree_parse_release("#define UTS_RELEASE \"\"\n", release,
					    sizeof(release)),
			 -EINVAL);
	assert_int_equal(tree_parse_release("#define UTS_RELEASE \"6.1\n\"", release,
					    sizeof(release)),
			 -EINVAL);
	assert_int_equal(tree_parse_release("#define UTS_RELEASE \"6.1.0-123456789\"",
					    release, sizeof(release)),
			 0);
	assert_int_equal(tree_parse_release("#define UTS_RELEASE \"6.1.0-1234567890\"",
					    release, sizeof(release)),
			 -EINVAL);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(path, 0755);
		*at = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void remove_tree(const char *dir)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
}

/* struct mount is asked of no header, all else is. */
static void test_offsets_source(void **state)
{
	char top[] = "/tmp/ebph-test-XXXXXX", *text;

	(void)state;
	assert_non_null(mkdtemp(top));
	put(top, "include/linux/fs.h", "struct inode { struct timespec64 __i_mtime; };");
	text = offsets_source(top);
	assert_non_null(strstr(text, "#include <linux/sched.h>\n"));
	assert_non_null(strstr(text, "int offset_0(void *unused) { return "
				     "__builtin_offsetof(struct task_struct, mm); }\n"));
	assert_non_null(strstr(text, "(struct inode, __i_mtime.tv_sec)"));
	assert_null(strstr(text, "struct mount,"));
	free(text);
	remove_tree(top);
	assert_null(member_header(find("mount_mnt")));
	assert_int_equal(member_known(find("mount_mnt")), 4 * sizeof(void *));
	assert_int_equal(member_known(find("task_mm")), MEMBER_UNKNOWN);
	assert_int_equal(member_known(find("upid")), MEMBER_UNKNOWN);
}

static const char utsrelease[] = "#define UTS_RELEASE \"1.2.3-test\"\n";

static void open_is(const char *dir, const char *source, const char *build)
{
	static struct tree t;
	char error[600] = "";

	assert_int_equal(tree_open(dir, &t, error, sizeof(error)), 0);
	assert_string_equal(t.source, source);
	assert_string_equal(t.build, build);
	assert_string_equal(t.release, "1.2.3-test");
	assert_int_equal(tree_check(&t, dir, "1.2.3-test", error, sizeof(error)), 0);
	assert_int_equal(tree_check(&t, dir, "1.2.4-test", error, sizeof(error)), -EXDEV);
	assert_non_null(strstr(error, "1.2.3-test"));
	assert_non_null(strstr(error, "1.2.4-test"));
}

static void open_fails(const char *dir, const char *word)
{
	static struct tree t;
	char error[600] = "";

	assert_true(tree_open(dir, &t, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, dir));
	assert_non_null(strstr(error, word));
}

static void test_trees(void **state)
{
	char top[] = "/tmp/ebph-test-XXXXXX", build[64], common[64], text[256], link[80];

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(build, sizeof(build), "%s/amd64", top);
	snprintf(common, sizeof(common), "%s/common", top);
	open_fails(build, "No such file");
	put(common, "include/linux/kconfig.h", "");
	open_fails(common, "no kernel build directory");
	put(build, "include/generated/utsrelease.h", "nothing\n");
	open_fails(build, "names no kernel release");
	put(build, "include/generated/utsrelease.h", utsrelease);
	open_fails(build, "half of the headers");
	/* Debian: the Makefile names the other half */
	snprintf(text, sizeof(text), "KBUILD_OUTPUT=%s\ninclude %s/Makefile\n", build,
		 common);
	put(build, "Makefile", text);
	open_is(build, common, build);
	put(build, "Makefile", "include /nowhere/Makefile\n");
	open_fails(build, "half of the headers");
	/* /lib/modules/RELEASE: links to both; and DIR its build */
	snprintf(link, sizeof(link), "%s/build", top);
	assert_int_equal(symlink(build, link), 0);
	snprintf(link, sizeof(link), "%s/source", top);
	assert_int_equal(symlink(common, link), 0);
	open_is(top, common, build);
	open_is(build, common, build);
	/* all in one */
	put(build, "include/linux/kconfig.h", "");
	open_is(build, build, build);
	remove_tree(top);
}

/* ---- private directories ---- */

static bool exists(const char *dir, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !lstat(path, &st);
}

static void test_scratch(void **state)
{
	struct scratch_dir a, b;
	struct stat st;

	(void)state;
	assert_int_equal(scratch_make(&a), 0);
	assert_int_equal(stat(a.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	put(a.path, "deep/er/file", "");
	assert_int_equal(scratch_make(&b), 0); /* and that leaves what is in use */
	assert_true(exists(a.path, "deep/er/file"));
	scratch_remove(&b);
	assert_false(exists(b.path, ""));
	scratch_remove(&a);
	assert_false(exists(a.path, ""));
	scratch_remove(&a);
}

static void test_sweep(void **state)
{
	char base[] = "/tmp/ebph-test-XXXXXX", path[64];
	static const char *const names[] = {"ebph-private-AAAAAA", "ebph-private-BBBBBB",
					    "ebph-private-CCCCCC",
					    "ebph-private-long-one", "ebph-AAAAAA"};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(base));
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", base, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		put(path, "in/it", "");
	}
	snprintf(path, sizeof(path), "%s/%s", base, names[1]);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	snprintf(path, sizeof(path), "%s/%s", base, names[2]);
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/ebph-private-LLLLLL", base);
	assert_int_equal(symlink("ebph-AAAAAA", path), 0);
	scratch_sweep(base);
	assert_false(exists(base, names[0]));
	assert_true(exists(base, "ebph-private-BBBBBB/in/it"));	  /* locked */
	assert_true(exists(base, "ebph-private-CCCCCC/in/it"));	  /* not private */
	assert_true(exists(base, "ebph-private-long-one/in/it")); /* not of ours */
	assert_true(exists(base, "ebph-AAAAAA/in/it"));
	assert_true(exists(base, "ebph-private-LLLLLL")); /* no directory */
	close(fd);
	scratch_sweep(base);
	assert_false(exists(base, names[1]));
	remove_tree(base);
}

/* ---- features ---- */

static void test_capabilities(void **state)
{
	const unsigned long long admin = 1ULL << 21, perfmon = 1ULL << 38,
				 bpf = 1ULL << 39;

	(void)state;
	assert_null(feature_capabilities(admin, false));
	assert_null(feature_capabilities(admin, true));
	assert_null(feature_capabilities(bpf | perfmon, true));
	assert_string_equal(feature_capabilities(bpf | perfmon, false), "CAP_SYS_ADMIN");
	assert_string_equal(feature_capabilities(0, true),
			    "CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON");
	assert_string_equal(feature_capabilities(bpf, true),
			    "CAP_PERFMON beside CAP_BPF, or CAP_SYS_ADMIN");
	assert_string_equal(feature_capabilities(~(admin | bpf), true),
			    "CAP_BPF beside CAP_PERFMON, or CAP_SYS_ADMIN");
}

static void test_security_modules(void **state)
{
	(void)state;
	assert_true(feature_lists("lockdown,yama,bpf", "bpf"));
	assert_true(feature_lists("bpf,yama\n", "bpf"));
	assert_true(feature_lists("a,bpf\n", "bpf"));
	assert_false(feature_lists("a,bpfilter,xbpf", "bpf"));
	assert_false(feature_lists("", "bpf"));
}

static void test_lockdown(void **state)
{
	(void)state;
	assert_true(feature_locked_down("none integrity [confidentiality]\n"));
	assert_false(feature_locked_down("none [integrity] confidentiality\n"));
	assert_false(feature_locked_down("[none] integrity confidentiality\n"));
	assert_false(feature_locked_down(""));
}

static void test_libbcc_version(void **state)
{
	(void)state;
	assert_int_equal(bcc_version_of("/usr/lib/x86_64-linux-gnu/libbcc.so.0.26.0"),
			 26);
	assert_int_equal(bcc_version_of("libbcc.so.0.24"), 24);
	assert_int_equal(bcc_version_of("/opt/a.so.9.9/libbcc.so.1.2.3"), 1002);
	assert_int_equal(bcc_version_of("/usr/lib/libbcc.so.0"), -1);
	assert_int_equal(bcc_version_of("/usr/lib/libbcc.so"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_security_modules),
		cmocka_unit_test(test_btf_offsets),
		cmocka_unit_test(test_btf_size_and_typedef),
		cmocka_unit_test(test_btf_of_a_strange_kernel),
		cmocka_unit_test(test_what_a_kernel_lacks),
		cmocka_unit_test(test_calls_of_the_kernel),
		cmocka_unit_test(test_written_macros),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_offsets_source),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_scratch),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_lockdown),
		cmocka_unit_test(test_libbcc_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
