/* SPDX-License-Identifier: GPL-2.0-only */
/* What ebph itself has done to a profile, or asks, by test-run. */

/*
 * From now on nobody finds P. Who runs it still looks for another profile at its next
 * call; user space takes the slot back when there is no such thread any more.
 */
INLINE void retire(struct profile *p, u32 slot)
{
	u32 *found = by_identity.lookup(&p->identity);

	if (found && *found == slot)
		by_identity.delete(&p->identity);
	p->state = STATE_RETIRED;
	p->epoch++;
}

/* Do VERB to P, whose lock is held: enum answer. */
INLINE int obey(struct profile *p, u32 slot, u32 verb, u64 last_used)
{
	if (p->state == STATE_FREE || p->state == STATE_RETIRED)
		return ANSWER_NO_PROFILE;
	if (verb == VERB_RETIRE_UNUSED && (p->threads || p->last_used != last_used))
		return ANSWER_IN_USE;
	if (verb == VERB_RETIRE_UNUSED || verb == VERB_RETIRE)
		retire(p, slot);
	else if (verb == VERB_NORMALIZE)
		normalize(p);
	else if (verb == VERB_TOLERIZE)
		tolerize(p);
	else if (verb == VERB_SENSITIZE)
		sensitize(p);
	else if (verb == VERB_RESET)
		profile_reset(p);
	else if (verb == VERB_GAP)
		profile_gap(p);
	return ANSWER_DONE;
}

/*
 * Run by ebph itself, by test-run: a profile's slot, enum verb, and for VERB_RETIRE_UNUSED
 * when the profile was last used; gives enum answer.
 */
FIRST_HALF int command(struct bpf_raw_tracepoint_args *ctx)
{
	u32 slot = ctx->args[0], verb = ctx->args[1];
	struct profile *p = profiles.lookup(&slot);
	int answer;

	if (!p)
		return ANSWER_NO_PROFILE;
	if (lock(slot))
		return ANSWER_LOCKED;
	answer = obey(p, slot, verb, ctx->args[2]);
	unlock(slot);
	return answer;
}

#if USE_EXES || USE_RESPONSE_EXES
/*
 * Run by ebph itself, by test-run: descriptor, enum exe. Only the kernel knows a file
 * by the numbers that it will have when it is executed; stat's differ on overlayfs
 * and btrfs.
 */
FIRST_HALF int resolve(struct bpf_raw_tracepoint_args *ctx)
{
	u64 files = read64(MEMBER(bpf_get_current_task(), task_files));
	u64 fds = read64(MEMBER(read64(MEMBER(files, files_fdt)), fdtable_fd));
	u64 inode = read64(MEMBER(read64(fds + 8 * ctx->args[0]), file_inode));
	struct file_id file = {
		.device = read32(MEMBER(read64(MEMBER(inode, inode_sb)), sb_dev)),
		.inode = read64(MEMBER(inode, inode_ino)),
		.generation = read32(MEMBER(inode, inode_generation)),
	};
	u32 *found = exes.lookup(&file), how = ctx->args[1], zero = 0;
	u64 *epoch;

	if (found)
		how |= *found;
	if (exes.update(&file, &how))
		return -1;
	epoch = exes_epoch.lookup(&zero);
	if (epoch)
		__sync_fetch_and_add(epoch, 1);
	return 0;
}
#endif
