/* SPDX-License-Identifier: GPL-2.0-only */
#include "member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION(major, minor) ((major) << 16 | (minor) << 8)

/* The structs, and the header that declares each. */
static const struct {
	const char *name, *header;
} types[] = {
	{"task_struct", "linux/sched.h"},
	{"cred", "linux/cred.h"},
	{"css_set", "linux/cgroup-defs.h"},
	{"cgroup", "linux/cgroup-defs.h"},
	{"kernfs_node", "linux/kernfs.h"},
	{"signal_struct", "linux/sched/signal.h"},
	{"k_sigaction", "linux/signal_types.h"},
	{"pid", "linux/pid.h"},
	{"upid", "linux/pid.h"},
	{"mm_struct", "linux/mm_types.h"},
	{"file", "linux/fs.h"},
	{"inode", "linux/fs.h"},
	{"super_block", "linux/fs.h"},
	{"dentry", "linux/dcache.h"},
	{"files_struct", "linux/fdtable.h"},
	{"fdtable", "linux/fdtable.h"},
	{"fs_struct", "linux/fs_struct.h"},
	{"vfsmount", "linux/mount.h"},
	{"mount", NULL}, /* in fs/mount.h, which no headers package has */
	{"pt_regs", "asm/ptrace.h"},
	/* what classic tracepoints hand over; macros make them, headers do not have them */
	{"trace_event_raw_sys_enter", NULL},
	{"trace_event_raw_sched_process_fork", NULL},
	{"trace_event_raw_sched_process_exec", NULL},
	{"trace_event_raw_signal_deliver", NULL},
	/* has arrays with a place for each system call */
	{"trace_array", NULL},
};

enum { TYPES = sizeof(types) / sizeof(*types) };

_Static_assert((int)TYPES <= (int)MEMBER_TYPES_MAX, "too many structs");

const struct member members[] = {
	{"task_mm", "task_struct", "mm", {0}},
	{"task_fs", "task_struct", "fs", {0}},
	{"task_pid", "task_struct", "pid", {0}},
	{"task_tgid", "task_struct", "tgid", {0}},
	{"task_real_parent", "task_struct", "real_parent", {0}},
	{"task_newest_child", "task_struct", "children.prev", {0}},
	{"task_sibling", "task_struct", "sibling", {0}},
	{"task_group_leader", "task_struct", "group_leader", {0}},
	{"task_thread_pid", "task_struct", "thread_pid", {0}},
	{"task_signal", "task_struct", "signal", {0}},
	{"task_ptrace", "task_struct", "ptrace", {0}},
	{"task_jobctl", "task_struct", "jobctl", {0}},
	{"task_pending", "task_struct", "pending.signal", {0}},
	{"task_start", "task_struct", "start_boottime", {0}},
	{"task_sas_ss_sp", "task_struct", "sas_ss_sp", {0}},
	{"task_sas_ss_size", "task_struct", "sas_ss_size", {0}},
	{"task_files", "task_struct", "files", {0}},
	{"task_cred", "task_struct", "cred", {0}},
	{"cred_uid", "cred", "uid", {0}},
	{"task_cgroups", "task_struct", "cgroups", {0}},
	{"css_set_dfl_cgrp", "css_set", "dfl_cgrp", {0}},
	{"cgroup_kn", "cgroup", "kn", {0}},
	{"kernfs_node_id", "kernfs_node", "id", {0}},
	{"files_fdt", "files_struct", "fdt", {0}},
	{"fdtable_fd", "fdtable", "fd", {0}},
	{"signal_live", "signal_struct", "live", {0}},
	{"signal_flags", "signal_struct", "flags", {0}},
	{"signal_pending", "signal_struct", "shared_pending.signal", {0}},
	{"pid_level", "pid", "level", {0}},
	{"pid_numbers", "pid", "numbers", {0}},
	{"upid", "upid", NULL, {0}},
	{"mm_exe_file", "mm_struct", "exe_file", {0}},
	{"file_inode", "file", "f_inode", {0}},
	{"file_path_mnt", "file", "f_path.mnt", {0}},
	{"file_path_dentry", "file", "f_path.dentry", {0}},
	{"fs_root_mnt", "fs_struct", "root.mnt", {0}},
	{"fs_root_dentry", "fs_struct", "root.dentry", {0}},
	{"inode_sb", "inode", "i_sb", {0}},
	{"inode_ino", "inode", "i_ino", {0}},
	{"inode_generation", "inode", "i_generation", {0}},
	{"inode_size", "inode", "i_size", {0}},
	{"inode_mtime_sec",
	 "inode",
	 "i_mtime_sec|__i_mtime.tv_sec|i_mtime.tv_sec",
	 {VERSION(6, 11), VERSION(6, 6)}},
	{"inode_mtime_nsec",
	 "inode",
	 "i_mtime_nsec|__i_mtime.tv_nsec|i_mtime.tv_nsec",
	 {VERSION(6, 11), VERSION(6, 6)}},
	{"sb_dev", "super_block", "s_dev", {0}},
	{"vfsmount_mnt_root", "vfsmount", "mnt_root", {0}},
	{"mount_mnt", "mount", "mnt", {0}},
	{"mount_mnt_parent", "mount", "mnt_parent", {0}},
	{"mount_mnt_mountpoint", "mount", "mnt_mountpoint", {0}},
	{"dentry_d_parent", "dentry", "d_parent", {0}},
	{"dentry_d_name_name", "dentry", "d_name.name", {0}},
	{"dentry_d_name_len", "dentry", "d_name.len", {0}},
	{"sigaction_handler", "k_sigaction", "sa.sa_handler", {0}},
	{"sigaction_flags", "k_sigaction", "sa.sa_flags", {0}},
	{"sys_enter_id", "trace_event_raw_sys_enter", "id", {0}},
	{"fork_child_pid", "trace_event_raw_sched_process_fork", "child_pid", {0}},
	{"exec_old_pid", "trace_event_raw_sched_process_exec", "old_pid", {0}},
	{"signal_sa_handler", "trace_event_raw_signal_deliver", "sa_handler", {0}},
	{"signal_sa_flags", "trace_event_raw_signal_deliver", "sa_flags", {0}},
#if defined(__x86_64__)
	{"task_status", "task_struct", "thread_info.status", {0}},
	{"regs_result", "pt_regs", "ax", {0}},
	{"regs_number", "pt_regs", "orig_ax", {0}},
	{"regs_sp", "pt_regs", "sp", {0}},
#elif defined(__aarch64__)
	{"task_flags", "task_struct", "thread_info.flags", {0}},
	{"regs_result", "pt_regs", "regs", {0}},
	{"regs_number", "pt_regs", "syscallno", {0}},
	{"regs_sp", "pt_regs", "sp", {0}},
#endif
};

enum { COUNT = sizeof(members) / sizeof(*members) };

_Static_assert((int)COUNT <= (int)MEMBERS_MAX, "too many members");

const int member_count = COUNT;

int member_type(const char *name)
{
	for (int i = 0; i < TYPES; i++)
		if (!strcmp(types[i].name, name))
			return i;
	return -1;
}

/* One pass over all types: a search for each struct by itself would take as many. */
void member_types(const struct btf *btf, int *ids)
{
	int count = btf__type_cnt(btf);

	memset(ids, 0, MEMBER_TYPES_MAX * sizeof(*ids));
	for (int id = 1; id < count; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		int i;

		if (!btf_is_struct(t) || !t->name_off)
			continue;
		i = member_type(btf__name_by_offset(btf, t->name_off));
		if (i >= 0 && !ids[i])
			ids[i] = id;
	}
}

/* Bytes from the start of TYPE to its member NAME, into anonymous members too. */
static int find_member(const struct btf *btf, int type, const char *name,
		       unsigned int *offset, int *type_found)
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
			*type_found = m->type;
			return 0;
		}
		if ((!found || !*found) &&
		    !find_member(btf, m->type, name, &inner, type_found)) {
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

/* The first of the alternatives in PATH that struct TYPE has. */
static int find_alternative(const struct btf *btf, int type, const char *path,
			    unsigned int *offset)
{
	while (type > 0 && *path) {
		size_t length = strcspn(path, "|");

		if (!find_path(btf, type, path, length, offset))
			return 0;
		path += length + (path[length] == '|');
	}
	return -ENOENT;
}

int member_from_btf(const struct btf *btf, const int *ids, const struct member *m,
		    unsigned int *value)
{
	int type = ids[member_type(m->type)];

	if (type && !m->path) {
		*value = btf__type_by_id(btf, type)->size;
		return 0;
	}
	return find_alternative(btf, type, m->path ? m->path : "", value);
}

int kernel_member(const struct btf *btf, const char *name, const char *path,
		  unsigned int *offset)
{
	return find_alternative(btf, btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT),
				path, offset);
}

unsigned int member_elements(const struct btf *btf, int type, const char *name)
{
	const struct btf_type *t;
	unsigned int offset;

	if (!type || find_member(btf, type, name, &offset, &type))
		return 0;
	t = btf__type_by_id(btf, btf__resolve_type(btf, type));
	return t && btf_is_array(t) ? btf_array(t)->nelems : 0;
}

const char *member_names(const struct member *m, char *text, size_t size)
{
	const char *from = m->path ? m->path : "", *separator = "";
	size_t used = 0;

	*text = 0;
	while (*from && used < size) {
		int length = (int)strcspn(from, "|");

		used += snprintf(text + used, size - used, "%s%.*s", separator, length,
				 from);
		separator = " or ";
		from += length + (from[length] == '|');
	}
	return text;
}

int member_has_header(const struct member *m)
{
	return types[member_type(m->type)].header != NULL;
}

/*
 * struct mount as fs/mount.h begins, in Linux 3.13 to 7.3: struct hlist_node mnt_hash;
 * struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt.
 */
unsigned int member_known(const struct member *m)
{
	static const struct {
		const char *path;
		unsigned int offset;
	} mount[] = {{"mnt_parent", 2 * sizeof(void *)},
		     {"mnt_mountpoint", 3 * sizeof(void *)},
		     {"mnt", 4 * sizeof(void *)}};

	for (size_t i = 0; i < sizeof(mount) / sizeof(*mount); i++)
		if (!strcmp(m->type, "mount") && !strcmp(m->path, mount[i].path))
			return mount[i].offset;
	return MEMBER_UNKNOWN;
}

void member_includes(FILE *out)
{
	for (int i = 0; i < TYPES; i++)
		if (types[i].header)
			fprintf(out, "#include <%s>\n", types[i].header);
}

void member_expression(FILE *out, const struct member *m, unsigned int version)
{
	const char *path = m->path;

	if (!path) {
		fprintf(out, "sizeof(struct %s)", m->type);
		return;
	}
	for (int i = 0; i < 2 && m->since[i] && version < m->since[i]; i++)
		path = strchr(path, '|') + 1;
	fprintf(out, "__builtin_offsetof(struct %s, %.*s)", m->type,
		(int)strcspn(path, "|"), path);
}
