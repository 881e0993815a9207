/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel headers that libbcc's own headers include, in a private directory.
 * All that the BPF source knows of the kernel's structs are offsets (kernel.h), so no
 * headers package is needed and none of another kernel can be taken by mistake.
 */
#ifndef EBPH_HEADERS_H
#define EBPH_HEADERS_H

#include "scratch.h"

/*
 * Make the directory; scratch_remove() removes it. 0 or -errno, and then nothing is
 * left behind.
 */
int headers_make(struct scratch_dir *s);

#endif
