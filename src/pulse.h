/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tells a kernel that runs from one that an earlier boot left in RAM. The
 * latter passes every static check for seconds after a reset, but its clock
 * stands still.
 *
 * For Linux the clock is jiffies_64: 64 bits, 8-byte aligned, in the .data of
 * the kernel image like the root page table (108 KiB apart at most on 5.10,
 * 6.1 and 6.12). It starts at INITIAL_JIFFIES, (u32)(-300 * HZ)
 * (include/linux/jiffies.h), in every release since 2.6, so that its value
 * gives it away without symbols. HZ is at most 1000. An idle kernel may stop
 * its tick for seconds: a pulse comes late rather than never. */
#ifndef MEMCTX_PULSE_H
#define MEMCTX_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "guest.h"
#include "rammap.h"

struct memctx_pulse;

/* Look for clocks around the root of `kernel`. now_us is a monotonic time. 0,
 * or -1 with RETRY or GONE (RAM could not be read) or BUG (out of memory).
 * Reads at most 1 MiB. The caller destroys it. Any thread. */
int memctx_pulse_create(const struct memctx_rammap *map,
                        const struct memctx_kernel *kernel, uint64_t now_us,
                        struct memctx_pulse **ret, struct memctx_error *err);
void memctx_pulse_destroy(struct memctx_pulse *pulse);

/* Look again. *alive becomes true when a clock has moved on as far as a clock
 * can in the time that passed; once true it stays so. Errors as above; the
 * clocks that were found are kept. One thread at a time. */
int memctx_pulse_check(struct memctx_pulse *pulse,
                       const struct memctx_rammap *map, uint64_t now_us,
                       bool *alive, struct memctx_error *err);

#endif
