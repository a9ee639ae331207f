/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tells a running kernel from one that an earlier boot left in RAM. The old one
 * passes every static check for seconds after a reset, but its clocks stand
 * still.
 *
 * memctx_guest_ops.clocks tells which words are clocks. They are only watched
 * here. */
#ifndef MEMCTX_PULSE_H
#define MEMCTX_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "guest/words.h"
#include "ram/rammap.h"

struct memctx_pulse;

/* Begin to watch the clocks of `kernel`, whose os must be known. now_us is a
 * monotonic time. 0, or -1 with RETRY or GONE (RAM could not be read) or
 * EXHAUSTED (out of memory). Reads what the guest's ops read; keeps 24 bytes
 * for each clock, 96 KiB at most. The caller destroys it. Any thread. */
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

/* Begin to watch the same clocks again, from what they show now. If a pulse was
 * seen before, only the clocks that ticked then are watched, which costs a read
 * or two. Errors as above. One thread at a time. */
int memctx_pulse_restart(struct memctx_pulse *pulse,
                         const struct memctx_rammap *map, uint64_t now_us,
                         struct memctx_error *err);

/* Some of the clocks that ticked when the pulse was seen, and what they showed
 * then. None, if no pulse was seen yet. */
void memctx_pulse_words(const struct memctx_pulse *pulse,
                        struct memctx_words *ret);

/* When a clock was last seen to begin anew: another kernel has taken over the
 * memory of this one, or a part of it. 0: never. */
uint64_t memctx_pulse_restarted_us(const struct memctx_pulse *pulse);

#endif
