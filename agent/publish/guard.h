/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Decides when to look at metadata that somebody else may have changed. libvirt
 * reports each change, also our own, but not who made it. So the caller
 * compares what is there with what should be there, and puts it right at once.
 * Two agents that put the same metadata right would go on for ever. So after
 * GUARD_PATIENCE times there is a delay, which grows, until nothing was wrong
 * for GUARD_CALM_MS.
 *
 * It knows no libvirt and reads no clock: milliseconds are the caller's, of a
 * clock that never goes back. Loop thread only. */
#ifndef MEMCTXD_GUARD_H
#define MEMCTXD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define GUARD_PATIENCE 5
#define GUARD_DELAY_FIRST_MS 1000u
#define GUARD_DELAY_CAP_MS 10000u
#define GUARD_CALM_MS 60000u
#define GUARD_NEVER UINT64_MAX

struct guard;

/* NULL: out of memory. */
struct guard *guard_create(void);

/* NULL is fine. */
void guard_destroy(struct guard *guard);

/* The metadata of this domain were changed. */
void guard_hear(struct guard *guard, const char *uuid, uint64_t now_ms);

/* The domain has ended, or is not ours to serve. */
void guard_forget(struct guard *guard, const char *uuid);

/* The domain whose metadata are to be compared now; NULL: none. The caller
 * compares them, and then calls guard_find(), guard_forget() or
 * guard_postpone(). */
const char *guard_due(struct guard *guard, uint64_t now_ms);

/* Nobody knows yet what should be there: ask again soon. */
void guard_postpone(struct guard *guard, const char *uuid, uint64_t now_ms);

/* What is to be told of a domain. */
enum guard_news {
    GUARD_NO_NEWS,
    GUARD_MEDDLED,      /* somebody else changed its metadata: once a run */
    GUARD_FOUGHT,       /* ... again and again: each is put right more slowly */
    GUARD_FOUGHT_AGAIN, /* ... in a run of which that was told before */
};

/* The metadata were compared. `was_wrong`: something else was there. */
enum guard_news guard_find(struct guard *guard, const char *uuid,
                           bool was_wrong, uint64_t now_ms);

/* A domain for which the fight is over; NULL: none. */
const char *guard_calm(struct guard *guard, uint64_t now_ms);

/* When guard_due() or guard_calm() has something next; GUARD_NEVER: not before
 * guard_hear() is called. */
uint64_t guard_next_ms(const struct guard *guard);

#endif
