/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Copies the BTF of a kernel out of its RAM: what /sys/kernel/btf/vmlinux in
 * the guest is, byte for byte (CONFIG_DEBUG_INFO_BTF). */
#ifndef MEMCTX_BTFREAD_H
#define MEMCTX_BTFREAD_H

#include "explain/btf.h"
#include "explain/landmarks.h"
#include "explain/target.h"

/* The BTF of a kernel, where its landmarks say, or where it is found. Errors as
 * of the two below. */
int memctx_btf_take(struct memctx_target *target,
                    const struct memctx_landmarks *landmarks,
                    struct memctx_btf **ret, struct memctx_error *err);

/* The BTF that begins at start_gva and ends before stop_gva: what the symbols
 * __start_BTF and __stop_BTF say. 0 and *ret, which the caller destroys, or -1
 * with RETRY: that is no BTF, or cannot be read; EXHAUSTED. */
int memctx_btf_read(const struct memctx_target *target, uint64_t start_gva,
                    uint64_t stop_gva, struct memctx_btf **ret,
                    struct memctx_error *err);

/* Where BTF is in the image of a kernel without such symbols: what begins as it
 * does, and is the longest, or the first of more than 1 MiB. 0, or -1 with
 * PERMANENT: there is none; RETRY. Reads the image up to it, or all of it. */
int memctx_btf_search(struct memctx_target *target, uint64_t *start_gva,
                      uint64_t *stop_gva, struct memctx_error *err);

#endif
