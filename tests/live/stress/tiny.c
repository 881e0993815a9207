/* SPDX-License-Identifier: GPL-2.0-only */
/* Two calls from exec to the end: getppid, exit_group. It has no C library. */
void _start(void)
{
#if defined(__x86_64__)
	__asm__ volatile(
		"mov $110, %eax; syscall; mov $231, %eax; xor %edi, %edi; syscall");
#elif defined(__aarch64__)
	__asm__ volatile("mov x8, #173; svc #0; mov x8, #94; mov x0, #0; svc #0");
#endif
	__builtin_unreachable();
}
