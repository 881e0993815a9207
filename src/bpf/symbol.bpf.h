/* SPDX-License-Identifier: GPL-2.0-only */
/* Which call it is: its number and the ABI that it is of. */

/* 1 when the current task is in a call of a 32-bit ABI. */
INLINE int is_compat(void)
{
#if defined(ARCH_X86)
#if USE_TASK_STORAGE
	return *(u32 *)MEMBER(bpf_get_current_task_btf(), task_status) >> 1 & 1;
#else
	return read32(MEMBER(bpf_get_current_task(), task_status)) >> 1 & 1;
#endif /* TS_COMPAT */
#elif defined(ARCH_ARM64)
	return read64(MEMBER(bpf_get_current_task(), task_flags)) >> 22 &
	       1; /* TIF_32BIT */
#endif
}

/* The symbol of call NUMBER of the current task, below 2048 as the verifier sees it. */
INLINE u64 symbol_now(u64 number)
{
	u64 symbol = number;

	if (is_compat())
		symbol = symbol_of(SYMBOL_COMPAT, (u32)number, CALLS);
	else if (number >= CALLS)
		symbol = symbol_of(SYMBOL_X32, number - X32_BIT, CALLS);
	KEEP(symbol);
	symbol &= 2047;
	KEEP(symbol);
	return symbol;
}

INLINE int is_sigreturn(u64 symbol)
{
	return symbol == SYMBOL_SIGRETURN || symbol == SYMBOL_COMPAT_SIGRETURN ||
	       symbol == SYMBOL_COMPAT_OLD_SIGRETURN || symbol == SYMBOL_X32_SIGRETURN;
}
