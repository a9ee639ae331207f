/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks a symbol up in the tables that a running Linux kernel keeps for its own
 * oops messages, and that VMCOREINFO names from 6.0 on (kernel commit
 * 5fd8fea935a1). No symbol file is needed.
 *
 * Names are compressed: each is a length (one byte, or two with the high bit
 * set in the first; 6.1, commit 73bbb94466fd) and so many tokens, which the
 * token table expands to a type letter and the name. kallsyms_offsets holds 32
 * bits for each, in one of three ways; which, the kernel does not say:
 * _stext tells, whose address VMCOREINFO has too. */
#ifndef MEMCTX_LINUX_KALLSYMS_H
#define MEMCTX_LINUX_KALLSYMS_H

#include "base/error.h"
#include "guest/kernel.h"
#include "guest/linux/vmcoreinfo.h"
#include "ram/rammap.h"

#define MEMCTX_KALLSYMS_MAX (1u << 20) /* symbols; kernels have about 2^17 */

/* Find the first of `names` (NULL ends them) that the kernel has, in the order
 * of its table, and its address: 0 and *ret. -1 with RETRY: VMCOREINFO names no
 * tables, they make no sense, or there is no such symbol (without
 * CONFIG_KALLSYMS_ALL there are no data symbols); GONE. Reads the names once,
 * about 2 MiB and at most 16 MiB, which expand to 64 MiB at most: 0.1 s of CPU
 * time. Any thread. */
int memctx_linux_kallsyms_find(const struct memctx_rammap *map,
                               const struct memctx_kernel *kernel,
                               const struct memctx_vmcoreinfo *info,
                               const char *const *names, uint64_t *ret,
                               struct memctx_error *err);

#endif
