/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

struct member {
	const char *macro;
	const char *type;
	/* a path of members; alternatives, newest kernel's first, between '|' */
	const char *path;
};

static const struct member members[] = {
	{"task_mm", "task_struct", "mm"},
	{"task_fs", "task_struct", "fs"},
	{"task_pid", "task_struct", "pid"},
	{"task_tgid", "task_struct", "tgid"},
	{"task_real_parent", "task_struct", "real_parent"},
	{"task_group_leader", "task_struct", "group_leader"},
	{"task_thread_pid", "task_struct", "thread_pid"},
	{"task_signal", "task_struct", "signal"},
	{"task_sas_ss_sp", "task_struct", "sas_ss_sp"},
	{"task_sas_ss_size", "task_struct", "sas_ss_size"},
	{"task_files", "task_struct", "files"},
	{"files_fdt", "files_struct", "fdt"},
	{"fdtable_fd", "fdtable", "fd"},
	{"signal_live", "signal_struct", "live"},
	{"pid_level", "pid", "level"},
	{"pid_numbers", "pid", "numbers"},
	{"mm_exe_file", "mm_struct", "exe_file"},
	{"file_inode", "file", "f_inode"},
	{"file_path_mnt", "file", "f_path.mnt"},
	{"file_path_dentry", "file", "f_path.dentry"},
	{"fs_root_mnt", "fs_struct", "root.mnt"},
	{"fs_root_dentry", "fs_struct", "root.dentry"},
	{"inode_sb", "inode", "i_sb"},
	{"inode_ino", "inode", "i_ino"},
	{"inode_generation", "inode", "i_generation"},
	{"inode_size", "inode", "i_size"},
	{"inode_mtime_sec", "inode", "i_mtime_sec|__i_mtime.tv_sec|i_mtime.tv_sec"},
	{"inode_mtime_nsec", "inode", "i_mtime_nsec|__i_mtime.tv_nsec|i_mtime.tv_nsec"},
	{"sb_dev", "super_block", "s_dev"},
	{"vfsmount_mnt_root", "vfsmount", "mnt_root"},
	{"mount_mnt", "mount", "mnt"},
	{"mount_mnt_parent", "mount", "mnt_parent"},
	{"mount_mnt_mountpoint", "mount", "mnt_mountpoint"},
	{"dentry_d_parent", "dentry", "d_parent"},
	{"dentry_d_name_name", "dentry", "d_name.name"},
	{"dentry_d_name_len", "dentry", "d_name.len"},
	{"sigaction_handler", "k_sigaction", "sa.sa_handler"},
	{"sigaction_flags", "k_sigaction", "sa.sa_flags"},
	{"sys_enter_id", "trace_event_raw_sys_enter", "id"},
	{"fork_child_pid", "trace_event_raw_sched_process_fork", "child_pid"},
	{"exec_old_pid", "trace_event_raw_sched_process_exec", "old_pid"},
	{"signal_sa_handler", "trace_event_raw_signal_deliver", "sa_handler"},
	{"signal_sa_flags", "trace_event_raw_signal_deliver", "sa_flags"},
#if defined(__x86_64__)
	{"task_status", "task_struct", "thread_info.status"},
	{"regs_result", "pt_regs", "ax"},
	{"regs_number", "pt_regs", "orig_ax"},
	{"regs_sp", "pt_regs", "sp"},
#elif defined(__aarch64__)
	{"task_flags", "task_struct", "thread_info.flags"},
	{"regs_result", "pt_regs", "regs"},
	{"regs_number", "pt_regs", "syscallno"},
	{"regs_sp", "pt_regs", "sp"},
#endif
};

/* Bytes from the start of TYPE to its member NAME, into anonymous members too. */
static int find_member(const struct btf *btf, int type, const char *name,
		       unsigned int *offset, int *member_type)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__resolve_type(btf, type));
	const struct btf_member *m;

	if (!t || !btf_is_composite(t))
		return -ENOENT;
	m = btf_members(t);
	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *found = btf__name_by_offset(btf, m->name_off);
		unsigned int at = btf_member_bit_offset(t, i) / 8, inner;

		if (found && !strcmp(found, name)) {
			*offset = at;
			*member_type = m->type;
			return 0;
		}
		if ((!found || !*found) &&
		    !find_member(btf, m->type, name, &inner, member_type)) {
			*offset = at + inner;
			return 0;
		}
	}
	return -ENOENT;
}

/* The offset of PATH (members between dots, LENGTH bytes of text) in struct TYPE. */
static int find_path(const struct btf *btf, int type, const char *path, size_t length,
		     unsigned int *offset)
{
	char name[64];

	*offset = 0;
	while (length) {
		size_t part = strcspn(path, ".|");
		unsigned int at;

		if (part > length)
			part = length;
		snprintf(name, sizeof(name), "%.*s", (int)part, path);
		if (find_member(btf, type, name, &at, &type))
			return -ENOENT;
		*offset += at;
		if (part < length)
			part++;
		path += part;
		length -= part;
	}
	return 0;
}

int kernel_member(const struct btf *btf, const char *name, const char *path,
		  unsigned int *offset)
{
	int type = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	while (type > 0 && *path) {
		size_t length = strcspn(path, "|");

		if (!find_path(btf, type, path, length, offset))
			return 0;
		path += length + (path[length] == '|');
	}
	return -ENOENT;
}

int kernel_offsets(FILE *out, char *error, size_t size)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int result = 0;

	if (!btf) {
		result = -errno;
		snprintf(
			error, size,
			"cannot read the kernel's types from /sys/kernel/btf/vmlinux: %s; "
			"this kernel needs CONFIG_DEBUG_INFO_BTF",
			strerror(errno));
		return result;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(*members) && !result; i++) {
		unsigned int offset;

		result = kernel_member(btf, members[i].type, members[i].path, &offset);
		if (result)
			snprintf(error, size, "this kernel's struct %s has no member %s",
				 members[i].type, members[i].path);
		else
			fprintf(out, "#define OFFSET_%s %u\n", members[i].macro, offset);
	}
	if (!result)
		fprintf(out, "#define SIZE_upid %lld\n",
			(long long)btf__resolve_size(
				btf,
				btf__find_by_name_kind(btf, "upid", BTF_KIND_STRUCT)));
	btf__free(btf);
	return result;
}

static int has_function(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -1;

	btf__free(btf);
	return id > 0;
}

int kernel_has_task_storage(void)
{
	return has_function("bpf_task_storage_get");
}

int kernel_has_task_regs(void)
{
	return has_function("bpf_task_pt_regs");
}
