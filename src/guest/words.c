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

enum memctx_step
memctx_words_judge(struct memctx_words *words, const uint64_t *values,
                   uint64_t elapsed_us)
{
    enum memctx_step judgement = MEMCTX_STEP_STANDS;
    for (size_t i = 0; i < words->n; i++) {
        enum memctx_step step = memctx_words_step(words, words->word[i].value,
                                                  values[i], elapsed_us);
        words->word[i].value = values[i];
        if (step > judgement)
            judgement = step;
    }
    return judgement;
}

/* Linux has up to 8192 CPUs, and no other system has such a word yet. */
#define CPUS_MAX 8192u

bool
memctx_words_tell_panic(uint32_t value)
{
    return value < CPUS_MAX;
}
