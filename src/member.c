/* SPDX-License-Identifier: GPL-2.0-only */
#include "member.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
	{"task_mm", "task_struct", "mm"},
	{"task_fs", "task_struct", "fs"},
	{"task_flags", "task_struct", "flags"},
	{"task_pid", "task_struct", "pid"},
	{"task_tgid", "task_struct", "tgid"},
	{"task_real_parent", "task_struct", "real_parent"},
	{"task_newest_child", "task_struct", "children.prev"},
	{"task_sibling", "task_struct", "sibling"},
	{"task_group_leader", "task_struct", "group_leader"},
	{"task_thread_pid", "task_struct", "thread_pid"},
	{"task_signal", "task_struct", "signal"},
	{"task_ptrace", "task_struct", "ptrace"},
	{"task_jobctl", "task_struct", "jobctl"},
	{"task_pending", "task_struct", "pending.signal"},
	{"task_start", "task_struct", "start_boottime"},
	{"task_stack", "task_struct", "stack"},
	{"task_sas_ss_sp", "task_struct", "sas_ss_sp"},
	{"task_sas_ss_size", "task_struct", "sas_ss_size"},
	{"task_files", "task_struct", "files"},
	{"task_cred", "task_struct", "cred"},
	{"cred_uid", "cred", "uid"},
	{"task_cgroups", "task_struct", "cgroups"},
	{"css_set_dfl_cgrp", "css_set", "dfl_cgrp"},
	{"cgroup_kn", "cgroup", "kn"},
	{"kernfs_node_id", "kernfs_node", "id"},
	{"files_fdt", "files_struct", "fdt"},
	{"fdtable_fd", "fdtable", "fd"},
	{"signal_live", "signal_struct", "live"},
	{"signal_flags", "signal_struct", "flags"},
	{"signal_pending", "signal_struct", "shared_pending.signal"},
	{"pid_level", "pid", "level"},
	{"pid_numbers", "pid", "numbers"},
	{"upid", "upid", NULL},
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

const char *member_header(const struct member *m)
{
	return types[member_type(m->type)].header;
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

static bool is_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Whether the name of LENGTH bytes at NAME stands in TEXT, by itself. */
static bool has_name(const char *text, const char *name, size_t length)
{
	for (const char *at = text; *at; at++)
		if (!strncmp(at, name, length) && !is_of_name(at[length]) &&
		    (at == text || !is_of_name(at[-1])))
			return true;
	return false;
}

/* Of the alternatives in PATH the first whose name is in TEXT; none is: the newest. */
static const char *declared(const char *path, const char *text)
{
	for (const char *at = path; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (has_name(text, at, strcspn(at, ".|")))
			return at;
	}
	return path;
}

void member_expression(FILE *out, const struct member *m, const char *header)
{
	const char *path;

	if (!m->path) {
		fprintf(out, "sizeof(struct %s)", m->type);
		return;
	}
	path = declared(m->path, header);
	fprintf(out, "__builtin_offsetof(struct %s, %.*s)", m->type,
		(int)strcspn(path, "|"), path);
}
