/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The clocks of a running Linux kernel.
 *
 * The clock is jiffies_64: 64 bits, 8-byte aligned. Kernels from 6.0 on name
 * their symbol table in VMCOREINFO, and it is looked up there
 * (kallsyms.h). In others, and in those without data symbols, it is known
 * by its value: it is in the .data of the kernel image, on x86-64 like the root
 * page table (108 KiB apart at most on 5.10, 6.1 and 6.12); on i386 the root is
 * in .bss, some 2 MiB above; on aarch64 it is below init_uts_ns (up to 2.4
 * MiB). It starts at INITIAL_JIFFIES, (u32)(-300 * HZ)
 * (include/linux/jiffies.h), in every release since 2.6, so that its value
 * gives it away without symbols. HZ is at most 1000. An idle kernel may stop
 * its tick for seconds: a pulse comes late rather than never.
 */
#ifndef MEMCTX_LINUX_CLOCK_H
#define MEMCTX_LINUX_CLOCK_H

#include "guest/guest.h"

/* See memctx_guest_ops.clocks. Reads about 2 MiB of names, or 1 MiB around the
 * root, on i386 4.5 MiB; on aarch64 up to 16 MiB below init_uts_ns. */
int memctx_linux_clocks(const struct memctx_rammap *map,
                        const struct memctx_kernel *kernel,
                        struct memctx_clocks *ret, struct memctx_error *err);

#endif
