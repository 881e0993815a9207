/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel headers that libbcc's own headers include, in a private directory.
 * All that the BPF source knows of the kernel's structs are offsets (kernel.h), so no
 * headers package is needed and none of another kernel can be taken by mistake.
 */
#ifndef EBPH_HEADERS_H
#define EBPH_HEADERS_H

#include <stddef.h>

/*
 * Make the directory (mode 0700, a name nobody can guess); its path goes to PATH of
 * SIZE bytes. 0 or -errno, and then nothing is left behind.
 */
int headers_make(char *path, size_t size);

/* Remove what headers_make() made. */
void headers_remove(const char *path);

#endif
