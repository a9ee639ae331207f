/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the heartbeat makes of what it reads: clock words, and the CPU time of
 * the guest's CPUs. Pure: it has no clock and reads nothing.
 *
 * Wall time alone cannot tell a dead guest from an idle one. Measured: the
 * words of an idle guest stand for 0.5 s, in suspend-to-idle for seconds and
 * more, and those of a guest that panicked for ever. But an idle, halted,
 * stopped or starved guest uses next to no CPU time meanwhile, and one that
 * panicked or hangs most of a CPU.
 *
 * A kernel that slept on its disk, of whose waking no event tells, may be idle
 * as well. So when words stand for long and no CPU is busy, it is to be asked
 * whether another kernel runs: that takes a prober, so it is done when they
 * have stood twice as long as ever before.
 *
 * The clock of a kernel may go on after its panic (aarch64's does). It then
 * says so in a word, or in its log: what it has logged is read once it falls
 * silent, which one that has panicked does for ever. */
#ifndef MEMCTXD_VERDICT_H
#define MEMCTXD_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/words.h"

/* All in us. */
struct verdict_law {
    uint64_t
        look_us; /* the CPU time is read when words have stood for so long */
    /* Words stand when they have not moved for so long, while the CPUs used so
     * much; */
    uint64_t wall_us;
    uint64_t cpu_us;
    uint64_t blind_us;    /* or for so long, where nobody knows what CPUs use */
    uint64_t lull_us;     /* so long at least is a lull, 0: nothing is; */
    uint64_t lull_cap_us; /* and this is one whatever was before */
    /* Messages are read at most once in so long, but for the first few. */
    uint64_t read_us;
    unsigned reads_saved;
};

#define VERDICT_LAW                                                         \
    {                                                                       \
        .look_us = 500000, .wall_us = 1000000, .cpu_us = 500000,            \
        .blind_us = 10000000, .lull_us = 1500000, .lull_cap_us = 600000000, \
        .read_us = 10000000, .reads_saved = 4,                              \
    }

enum verdict {
    VERDICT_NONE,     /* as before; also where words stand and no CPU is used */
    VERDICT_MOVES,    /* a word moved, the first time after none did */
    VERDICT_LULL,     /* none moves, for longer than before */
    VERDICT_STANDS,   /* none moves, and the CPUs are busy: once */
    VERDICT_REPLACED, /* they count for another kernel */
    VERDICT_DIED,     /* the kernel says that it has panicked: once */
    VERDICT_WROTE, /* its last messages are to be read: it may say so there */
    VERDICTS
};

/* What is known of the log of a kernel. */
struct verdict_log {
    bool noted;        /* its head was read: */
    uint64_t head;     /* this is what it was */
    bool unread;       /* messages came that nobody has read, */
    uint64_t since_us; /* the first of them then */
    uint64_t paid_us;  /* up to then what was read is paid for */
};

/* What has been heard of one kernel. */
struct verdict_state {
    bool noted;        /* the words were read since listening began */
    uint64_t noted_us; /* ... when that was last */
    uint64_t since_us; /* a word moved then, or listening began */
    bool moved;        /* that was the last thing told, */
    bool stood;        /* or that */
    bool died;         /* this was told */
    uint64_t lull_us;  /* words may stand so long now without being a lull */
    bool torn;         /* at the last reading some words were no clocks */
    struct verdict_log log;
    bool has_cpu;         /* the next two are known: */
    uint64_t cpu_from_us; /* CPU time when it was first read since since_us */
    uint64_t cpu_us;      /* ... used from then on */
};

/* What was read of it this time. */
struct verdict_reading {
    uint64_t now_us;        /* of a monotonic clock */
    const uint64_t *values; /* of the words */
    bool panicked;          /* what the panic word says */
    bool has_log;           /* the head of the log was read: */
    uint64_t log_head;      /* this is what it is */
    bool looked;            /* somebody tried to read the CPU time, */
    bool has_cpu;           /* and could */
    uint64_t cpu_us;        /* of all CPUs, from any beginning */
};

/* Begin to listen now. */
void verdict_begin(struct verdict_state *state, uint64_t now_us);

/* The last messages were to be read, and could not be. */
void verdict_unread(struct verdict_state *state, uint64_t now_us);

/* Is the CPU time to be read, if no word has moved? */
bool verdict_wants_cpu(const struct verdict_state *state,
                       const struct verdict_law *law, uint64_t now_us);

/* What do these words say now? They get the values that were read. Without
 * words only the CPU time is followed. */
enum verdict verdict_judge(struct verdict_state *state,
                           const struct verdict_law *law,
                           struct memctx_words *words,
                           const struct verdict_reading *reading);

#endif
