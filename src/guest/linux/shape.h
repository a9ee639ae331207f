/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A Linux kernel that tells nothing of itself: found by the shape of
 * its page tables, and proved by what lies where they lead. For kernels without
 * a VMCOREINFO note (CONFIG_VMCORE_INFO is off, or it was overwritten). */
#ifndef MEMCTX_LINUX_SHAPE_H
#define MEMCTX_LINUX_SHAPE_H

#include <stdbool.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "guest/linux/image.h"
#include "ram/rammap.h"

/* May this page of MEMCTX_PAGE_SIZE bytes at page_gpa be a kernel's root? On
 * x86-64 its entry 511 is there and one of those for the direct map, and none
 * of the lower half is user space. A root of Windows leads to itself, too; one
 * of Linux does not. On others see i386.h and arm.h. */
bool memctx_linux_shape_is_clue(const unsigned char *page, uint64_t page_gpa);

/* Prove that the root at clue_gpa is swapper_pg_dir: on x86-64 it lies in the
 * very image that it maps, just before that image's tables, which a task's root
 * does not (KPTI's user half has tables elsewhere); elsewhere init_mm names it.
 * It maps the image's beginning as code that was made read-only, which Linux
 * does when its initcalls are over, VMCOREINFO's among them; and in the image
 * stand its texts (texts.h). `booting`: on x86-64 the code may be writable yet;
 * then "text" is not among the checks that were passed. 0, *ret, without
 * identity and kind of clue, and the image; or -1 with RETRY or GONE. Reads the
 * image once, up to 64 MiB. Any thread. */
int memctx_linux_shape_verify(const struct memctx_rammap *map,
                              uint64_t clue_gpa, bool booting,
                              struct memctx_kernel *ret,
                              struct memctx_linux_image *image,
                              struct memctx_error *err);

#endif
