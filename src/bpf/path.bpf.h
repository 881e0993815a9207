/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths, written from the end of a buffer backwards. */

/* All ones when A and B are the same, else 0, without a branch. */
INLINE u64 same(u64 a, u64 b)
{
	u64 differs = (a ^ b) | -(a ^ b);

	KEEP(differs);
	return (differs >> 63) - 1;
}

/*
 * One step towards the root: write a name, or go on from a mount's root to where it is
 * mounted. At the end it does nothing any more. No branch, so that a loop of steps is
 * one basic block: verifiers to 6.1 refuse a loop whose head is reached by falling
 * through, which is how clang may lay out any other.
 */
INLINE void walk_step(struct walk *w, char *path)
{
	u64 dentry = w->dentry, mount = w->mount, at = w->at, mounts, names, room;
	u64 upper = read64(mount - OFFSET_mount_mnt + OFFSET_mount_mnt_parent) +
		    OFFSET_mount_mnt;
	u64 below = read64(mount - OFFSET_mount_mnt + OFFSET_mount_mnt_mountpoint);
	u64 parent = read64(MEMBER(dentry, dentry_d_parent));
	u64 name = read64(MEMBER(dentry, dentry_d_name_name));
	u64 length = read32(MEMBER(dentry, dentry_d_name_len)) & (NAME_BYTES - 1);
	u64 last; /* a file that is in no directory, such as memfd_create() makes */
	char *slash;

	mounts = same(dentry, read64(MEMBER(mount, vfsmount_mnt_root)));
	w->done |= same(dentry, w->root_dentry) & same(mount, w->root_mount);
	w->done |= mounts & same(upper, mount);
	last = ~mounts & ~w->done & same(parent, dentry);
	mounts &= ~w->done;
	names = ~mounts & ~w->done;
	room = at - (length + 1 + sizeof(struct event));
	KEEP(room);
	room = (room >> 63) - 1;
	w->full |= names & ~room;
	w->done |= w->full | last;
	names &= room;
	KEEP(names);
	KEEP(mounts);
	length &= names;
	KEEP(length);
	length &= NAME_BYTES - 1;
	at -= length;
	bpf_probe_read_kernel(&path[at & (PATH_BYTES - 1)], length, (void *)name);
	at -= names & 1;
	slash = &path[at & (PATH_BYTES - 1)];
	*slash = (*slash & ~names) | ('/' & names);
	w->at = at;
	w->dentry = (parent & names) | (below & mounts) | (dentry & ~(names | mounts));
	w->mount = (upper & mounts) | (mount & ~mounts);
}
