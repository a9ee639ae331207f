/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A few pages that look like a Linux to the search, so that everything around
 * it can run without a guest. No kernel's bytes are used. */
#ifndef MEMCTX_LINUX_STUB_H
#define MEMCTX_LINUX_STUB_H

#include <stddef.h>
#include <stdint.h>

/* Puts len_bytes at gpa; 0, or -1 to end it. */
typedef int memctx_stub_put_fn(void *arg, uint64_t gpa, const void *bytes,
                               size_t len_bytes);

/* Put a stub's pages into the 2 MiB of RAM that begin at image_gpa, a multiple
 * of 2 MiB. What is not put must be zeros. 0, or -1 as put() said. */
int memctx_linux_stub_put(uint64_t image_gpa, memctx_stub_put_fn *put,
                          void *arg);

#endif
