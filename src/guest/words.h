/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Words of RAM that only a running kernel moves: its clocks. Whoever looks at a
 * kernel that was found needs no more than these to see that it runs. It knows
 * no operating system. */
#ifndef MEMCTX_WORDS_H
#define MEMCTX_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word of 64 bits. */
struct memctx_clock {
    uint64_t gpa;
    uint64_t value; /* as it was read */
};

#define MEMCTX_WORDS_MAX 8

/* Some clocks of one kernel, each of which was seen to tick. */
struct memctx_words {
    uint64_t per_second; /* the fastest rate of any of them */
    uint64_t least;      /* a smaller value is no clock's */
    uint64_t panic_gpa;  /* a word of 32 bits, all ones until the kernel panics
                            and then the number of a CPU; 0: not known */
    uint64_t log_gpa;    /* then: a word that each message of the kernel's log
                            changes; 0: not known */
    uint64_t log_bytes;  /* ... which has 4 or 8 bytes */
    size_t n;
    struct memctx_clock word[MEMCTX_WORDS_MAX];
};

enum memctx_step {
    MEMCTX_STEP_STANDS,
    MEMCTX_STEP_MOVES,
    MEMCTX_STEP_BACK, /* it began anew, for another kernel */
    MEMCTX_STEP_AWAY, /* went where no clock goes: it is none any more */
    MEMCTX_STEP_TORN  /* of several: some of them did that */
};

/* What has a clock done that said `from` elapsed_us ago and says `to`? One that
 * was held up may catch up for a minute. Pure; any thread. */
enum memctx_step memctx_words_step(const struct memctx_words *words,
                                   uint64_t from, uint64_t to,
                                   uint64_t elapsed_us);

/* All of them, elapsed_us after their values were read: values[i] is what word
 * i says now, and becomes its value.
 *
 * MOVES: one has moved. Where no symbol names a kernel's clock, a word may have
 * ticked for a while that is none: the time when something is due, or when it
 * was last done. What goes back, or too far, while another one moves is left
 * out from now on, but where elapsed_us is UINT64_MAX, not known: then any word
 * may seem to have moved. STANDS: none has moved, and none did that. BACK or
 * AWAY: all of them did. TORN: some of them did, and nobody can tell yet
 * whether they are no clocks or the kernel is another one: they keep their old
 * values, for the next look. */
enum memctx_step memctx_words_judge(struct memctx_words *words,
                                    const uint64_t *values,
                                    uint64_t elapsed_us);

/* Does the word at panic_gpa say that the kernel has panicked? What is no
 * number of a CPU says nothing: it is another kernel's by now. Pure; any
 * thread. */
bool memctx_words_tell_panic(uint32_t value);

#endif
