/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ELF file of COUNT segments, x86-64: while the kernel maps them, which takes about a
 * millisecond, the thread that executes it already has another id, and its old one is free.
 * Calls getuid, then exit_group.
 */
	.set base, 0x10000000
	.set count, COUNT
	.globl file
file:
	.byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0,0,0,0,0,0,0,0
	.short 2, 62
	.long 1
	.quad base + begin - file
	.quad headers - file, 0
	.long 0
	.short 64, 56, count, 0, 0, 0
headers:
	.set at, base
	.rept count
	.long 1, 5
	.quad 0, at, at, end - file, end - file, 0x1000
	.set at, at + 0x20000
	.endr
begin:
	movl $102, %eax
	syscall
	xorl %edi, %edi
	movl $231, %eax
	syscall
end:
