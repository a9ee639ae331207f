/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Counts, and chooses delays. */
#include "common/repeats.h"

#include <limits.h>
#include <stdio.h>

#include "base/bytes.h"

#define GROWTH 4
#define MIN_MS 60000

static void
count_words(const struct repeats *r, uint64_t now_ms,
            char words[REPEATS_WORDS_SIZE])
{
    uint64_t ms = now_ms - r->told_ms;
    bool minutes = ms >= 2 * MIN_MS;
    words[0] = '\0';
    if (r->untold > 0)
        snprintf(words, REPEATS_WORDS_SIZE, " (%u %s more in %llu %s)",
                 r->untold, r->untold == 1 ? "time" : "times",
                 (unsigned long long)(minutes ? ms / MIN_MS : ms / 1000),
                 minutes ? "min" : "s");
}

static void
tell(struct repeats *r, const struct repeats_rule *rule, uint64_t now_ms,
     char words[REPEATS_WORDS_SIZE])
{
    count_words(r, now_ms, words);
    if (r->told < UINT_MAX)
        r->told++;
    if (r->told >= rule->free)
        r->delay_ms = r->delay_ms == 0
                          ? rule->first_ms
                          : memctx_min(r->delay_ms * GROWTH, rule->cap_ms);
    r->told_ms = now_ms;
    r->untold = 0;
}

static bool
is_due(const struct repeats *r, uint64_t now_ms)
{
    return r->told == 0 || now_ms - r->told_ms >= r->delay_ms;
}

bool
repeats_happen(struct repeats *r, const struct repeats_rule *rule,
               uint64_t now_ms, char words[REPEATS_WORDS_SIZE])
{
    if (r->untold == 0 && now_ms - r->last_ms >= rule->forget_ms)
        *r = (struct repeats){.told = 0};
    r->last_ms = now_ms;
    if (is_due(r, now_ms)) {
        tell(r, rule, now_ms, words);
        return true;
    }
    if (r->untold < UINT_MAX)
        r->untold++;
    return false;
}

bool
repeats_settle(struct repeats *r, const struct repeats_rule *rule,
               uint64_t now_ms, char words[REPEATS_WORDS_SIZE])
{
    if (r->untold == 0 || !is_due(r, now_ms))
        return false;
    tell(r, rule, now_ms, words);
    return true;
}
