/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The Linux bootstrap: from VMCOREINFO in RAM to a verified swapper_pg_dir. */
#ifndef MEMCTX_LINUX_H
#define MEMCTX_LINUX_H

#include "guest/guest.h"

/* __START_KERNEL_map (arch/x86/include/asm/page_64_types.h): the kernel image
 * is mapped in the 1 GiB that begins here. */
#define MEMCTX_LINUX_IMAGE_MAP UINT64_C(0xffffffff80000000)
#define MEMCTX_LINUX_IMAGE_MAP_SIZE (UINT64_C(1) << 30)

/* Where RAM begins on QEMU's machine "virt" of ARM (hw/arm/virt.c). */
#define MEMCTX_LINUX_ARM_RAM UINT64_C(0x40000000)

extern const struct memctx_guest_ops memctx_linux_ops;

#endif
