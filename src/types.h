/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's short names of integers, for what is shared with the BPF program. */
#ifndef EBPH_TYPES_H
#define EBPH_TYPES_H

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif
