/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* When to tell of what may happen again and again: at first, then after delays
 * that grow, with how often it happened meanwhile. Pure: the clock is the
 * caller's, in milliseconds of any beginning. */
#ifndef MEMCTXD_REPEATS_H
#define MEMCTXD_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

struct repeats_rule {
    unsigned free;      /* so many are told one by one */
    uint64_t first_ms;  /* from the last of these to the next that is told */
    uint64_t cap_ms;    /* a delay is four times the one before, up to this */
    uint64_t forget_ms; /* nothing for so long: it begins anew */
};

/* All zero: it never happened. */
struct repeats {
    unsigned told;     /* since it began */
    unsigned untold;   /* since it was told last */
    uint64_t told_ms;  /* when that was */
    uint64_t last_ms;  /* when it happened last */
    uint64_t delay_ms; /* from told_ms on; 0: none */
};

#define REPEATS_WORDS_SIZE 64

/* It happens now. True: tell of it, and add `words`, which are "", or how often
 * it happened untold, as " (37 times more in 10 min)". */
bool repeats_happen(struct repeats *repeats, const struct repeats_rule *rule,
                    uint64_t now_ms, char words[REPEATS_WORDS_SIZE]);

/* It does not happen now, but did, untold, and its delay is over: tell what has
 * become of it. True as above. */
bool repeats_settle(struct repeats *repeats, const struct repeats_rule *rule,
                    uint64_t now_ms, char words[REPEATS_WORDS_SIZE]);

#endif
