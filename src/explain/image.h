/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks for bytes in the image of a kernel, where no symbol says where
 * something is: kernels without CONFIG_KALLSYMS_ALL, as Debian's for arm64,
 * name no data. */
#ifndef MEMCTX_EXPLAIN_IMAGE_H
#define MEMCTX_EXPLAIN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "explain/target.h"

#define MEMCTX_IMAGE_MAX (256 * MEMCTX_MIB) /* looked through at most */
#define MEMCTX_IMAGE_LIKELY                           \
    (64 * MEMCTX_MIB) /* ... if its size is not known \
                       */

/* The bytes stand at gva. False: no more need be looked for. It may read what
 * it likes. */
typedef bool memctx_image_fn(void *arg, uint64_t gva);

/* Call hit() for every place in the image where these len_bytes stand, from 1
 * to 64, from the first on; pages that are not mapped read as zeros. 0, or -1
 * with RETRY: no work is left. */
int memctx_image_search(const struct memctx_target *target, const void *bytes,
                        size_t len_bytes, memctx_image_fn *hit, void *arg,
                        struct memctx_error *err);

#endif
