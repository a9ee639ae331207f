/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The law of clocks. */
#include "guest/words.h"

#include "base/bytes.h"

/* A tick that was stopped, or a guest that was held up, catches up at once. */
#define CATCH_UP_S 60u

enum memctx_step
memctx_words_step(const struct memctx_words *words, uint64_t from, uint64_t to,
                  uint64_t elapsed_us)
{
    uint64_t most;
    if (to == from)
        return MEMCTX_STEP_STANDS;
    if (to < from)
        return to >= words->least ? MEMCTX_STEP_BACK : MEMCTX_STEP_AWAY;
    if (!memctx_mul(elapsed_us / 1000000 + CATCH_UP_S, words->per_second,
                    &most))
        most = UINT64_MAX;
    return to - from <= most ? MEMCTX_STEP_MOVES : MEMCTX_STEP_AWAY;
}

static bool
is_no_clock(enum memctx_step step)
{
    return step == MEMCTX_STEP_BACK || step == MEMCTX_STEP_AWAY;
}

/* Take the values over. What did that no clock does stays as it was, or goes.
 */
static void
take_values(struct memctx_words *words, const uint64_t *values,
            const enum memctx_step *steps, bool drop)
{
    size_t kept = 0;
    for (size_t i = 0; i < words->n; i++) {
        struct memctx_clock word = words->word[i];
        if (is_no_clock(steps[i]) && drop)
            continue;
        if (!is_no_clock(steps[i]))
            word.value = values[i];
        words->word[kept++] = word;
    }
    words->n = kept;
}

enum memctx_step
memctx_words_judge(struct memctx_words *words, const uint64_t *values,
                   uint64_t elapsed_us)
{
    enum memctx_step steps[MEMCTX_WORDS_MAX];
    enum memctx_step worst = MEMCTX_STEP_STANDS;
    bool moved = false;
    size_t bad = 0;
    for (size_t i = 0; i < words->n; i++) {
        steps[i] = memctx_words_step(words, words->word[i].value, values[i],
                                     elapsed_us);
        moved = moved || steps[i] == MEMCTX_STEP_MOVES;
        bad += is_no_clock(steps[i]);
        worst = steps[i] > worst ? steps[i] : worst;
    }
    bool goes_on = moved && elapsed_us != UINT64_MAX;
    take_values(words, values, steps, goes_on);
    if (goes_on)
        return MEMCTX_STEP_MOVES;
    return bad > 0 && bad < words->n ? MEMCTX_STEP_TORN : worst;
}

/* Linux has up to 8192 CPUs, and no other system has such a word yet. */
#define CPUS_MAX 8192u

bool
memctx_words_tell_panic(uint32_t value)
{
    return value < CPUS_MAX;
}
