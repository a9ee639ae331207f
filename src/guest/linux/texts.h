/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The texts by which a kernel's image tells its release, and that it is the
 * image of this root. */
#ifndef MEMCTX_LINUX_TEXTS_H
#define MEMCTX_LINUX_TEXTS_H

#include "base/error.h"
#include "guest/kernel.h"
#include "guest/linux/image.h"
#include "paging/paging.h"

/* Walk from the image's root to the byte of the image at gpa. 0 and *ret; -1
 * with RETRY: the tables lead elsewhere, or let user space there; GONE. Any
 * thread. */
int memctx_linux_texts_walk(const struct memctx_rammap *map,
                            const struct memctx_linux_image *image,
                            uint64_t gpa, struct memctx_walk *ret,
                            struct memctx_error *err);

/* Find in an image, mapped where they should be by its root, linux_banner
 * ("Linux version ...") read-only, unless the kernel is `booting`, and a struct
 * new_utsname of the same release, writable; but on x86-64 also a writable word
 * with the root's address, as init_mm.pgd is: a task's root maps the image just
 * as well. They are looked for from the root outwards: it stands in .data, in
 * .bss or in .rodata, and they are in .data and .rodata. 0 and the release, or
 * -1 with RETRY, GONE or EXHAUSTED. Reads the image once, up to 64 MiB, mostly
 * some 10. Any thread. */
int memctx_linux_texts_find(const struct memctx_rammap *map,
                            const struct memctx_linux_image *image,
                            bool booting, char release[MEMCTX_VERSION_MAX],
                            struct memctx_error *err);

#endif
