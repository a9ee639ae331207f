/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Watches words that look like jiffies_64; knows no other sign of life. */
#include "pulse.h"

#include <stdlib.h>

#include "bytes.h"

#define CHUNK (64 * MEMCTX_KIB)
#define CHUNKS 16u /* looked at, from the root's outwards */
#define CLOCKS_MAX 4096
#define HZ_MAX 1000u
#define JIFFIES_MIN (UINT64_C(0x100000000) - 300 * HZ_MAX)
#define JIFFIES_MAX (JIFFIES_MIN + (UINT64_C(1) << 37)) /* 4 years at 1000 */

/* A tick that was stopped, or a guest that was held up, catches up at once. */
#define CATCH_UP_S 60u

struct clock {
    uint32_t chunk;  /* which of CHUNKS */
    uint32_t offset; /* in it */
    uint64_t value;
};

struct memctx_pulse {
    uint64_t root_gpa;
    uint64_t since_us;
    bool alive;
    size_t n_clocks;
    struct clock clocks[CLOCKS_MAX]; /* by chunk */
};

/* Read the n-th chunk: the root's own, the one below, the one above, the
 * second below, ... 1; 0 when it is not all RAM; -1 on failure. */
static int
read_chunk(const struct memctx_rammap *map, uint64_t root_gpa, uint32_t n,
           unsigned char *chunk, struct memctx_error *err)
{
    uint64_t distance = (n + 1) / 2 * CHUNK;
    uint64_t base = root_gpa - root_gpa % CHUNK;
    if (n % 2 == 1 && base < distance)
        return 0;
    uint64_t gpa = n % 2 == 1 ? base - distance : base + distance;
    if (!memctx_rammap_contains(map, gpa, CHUNK))
        return 0;
    return memctx_rammap_read(map, gpa, chunk, CHUNK, err) < 0 ? -1 : 1;
}

static void
collect(struct memctx_pulse *pulse, const unsigned char *bytes, uint32_t chunk)
{
    for (uint32_t i = 0; i < CHUNK && pulse->n_clocks < CLOCKS_MAX; i += 8) {
        uint64_t value = memctx_le64(bytes + i);
        if (value >= JIFFIES_MIN && value < JIFFIES_MAX)
            pulse->clocks[pulse->n_clocks++] = (struct clock){chunk, i, value};
    }
}

int
memctx_pulse_create(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel, uint64_t now_us,
                    struct memctx_pulse **ret, struct memctx_error *err)
{
    struct memctx_pulse *pulse = calloc(1, sizeof(*pulse));
    if (pulse == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    pulse->root_gpa = kernel->kcr3;
    pulse->since_us = now_us;
    unsigned char chunk[CHUNK];
    for (uint32_t n = 0; n < CHUNKS; n++) {
        int got = read_chunk(map, pulse->root_gpa, n, chunk, err);
        if (got < 0) {
            free(pulse);
            return -1;
        }
        if (got > 0)
            collect(pulse, chunk, n);
    }
    *ret = pulse;
    return 0;
}

void
memctx_pulse_destroy(struct memctx_pulse *pulse)
{
    free(pulse);
}

static bool
has_ticked(const struct clock *clock, uint64_t value, uint64_t elapsed_us)
{
    uint64_t most = (elapsed_us / 1000000 + CATCH_UP_S) * HZ_MAX;
    return value > clock->value && value - clock->value <= most;
}

int
memctx_pulse_check(struct memctx_pulse *pulse, const struct memctx_rammap *map,
                   uint64_t now_us, bool *alive, struct memctx_error *err)
{
    uint64_t elapsed_us = now_us - pulse->since_us;
    unsigned char chunk[CHUNK];
    uint32_t loaded = CHUNKS; /* which one `chunk` holds; CHUNKS: none */
    for (size_t i = 0; i < pulse->n_clocks && !pulse->alive; i++) {
        struct clock *clock = &pulse->clocks[i];
        if (clock->chunk != loaded &&
            read_chunk(map, pulse->root_gpa, clock->chunk, chunk, err) < 0)
            return -1;
        loaded = clock->chunk;
        uint64_t value = memctx_le64(chunk + clock->offset);
        pulse->alive = has_ticked(clock, value, elapsed_us);
        /* Another kernel took the old one's place and counts anew. */
        if (value < clock->value && value >= JIFFIES_MIN)
            clock->value = value;
    }
    *alive = pulse->alive;
    return 0;
}
