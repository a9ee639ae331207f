/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The memory of a Linux guest as its /proc/meminfo counts it. */
#ifndef MEMCTX_MEMINFO_H
#define MEMCTX_MEMINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "explain/btf.h"
#include "explain/landmarks.h"
#include "explain/target.h"
#include "explain/tasks.h"

/* In pages of the guest. */
struct memctx_meminfo {
    uint64_t page_size; /* bytes */
    uint64_t total;
    uint64_t free;
    uint64_t available;
    uint64_t cached;
    uint64_t shmem;
    uint64_t buffers; /* 0 where they are counted with what is cached */
    bool has_buffers;
};

/* Sum up all zones of all nodes. VMCOREINFO says where these are
 * (SYMBOL(node_data), or contig_page_data); that of aarch64 does not, and there
 * `tasks` (NULL: not known) do: each node has a kswapd. The sums of the kernel
 * are these: what single CPUs have not added yet is left out there, too. 0, or
 * -1 with PERMANENT: the kernel does not tell; RETRY. */
int memctx_meminfo_read(struct memctx_target *target,
                        const struct memctx_btf *btf,
                        const struct memctx_landmarks *landmarks,
                        const struct memctx_tasks *tasks,
                        struct memctx_meminfo *ret, struct memctx_error *err);

#endif
