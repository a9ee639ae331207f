/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Shows readers by the state page, before anything else is done, whether what
 * they opened holds. */
#include "record/hold.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "wire/clocks.h"

/* What the adapter closes must not be held open here. */
void
hold_drop_map(struct record *r)
{
    memctx_rammap_destroy(r->map);
    r->map = NULL;
}

/* Readers are told by the state page before anything else is done: what they
 * opened holds, is doubtful, or is over. */
void
hold_show(struct record *r)
{
    enum memctx_state state = record_state(r);
    if (r->has_datum && state == MEMCTX_STATE_SILENT)
        epoch_set_silent(r->epoch, r->kernel_epoch);
    else if (r->has_datum && state != MEMCTX_STATE_READY)
        epoch_set(r->epoch, STATEPAGE_UNKNOWN);
    else
        epoch_set(r->epoch, r->kernel_epoch);
}

/* From now on no reader's epoch is the one that is shown. */
void
hold_end(struct record *r)
{
    r->kernel_epoch = epoch_next();
    epoch_set(r->epoch, r->kernel_epoch);
}

void
hold_drop(struct record *r)
{
    hold_drop_map(r);
    if (r->has_datum)
        memctx_datum_deinit(&r->datum);
    r->has_datum = false;
    r->unpublished = false;
    r->watched = false;
    r->told = false;
}

void
hold_drop_unproven(struct record *r)
{
    if (r->has_unproven)
        memctx_datum_deinit(&r->unproven);
    r->has_unproven = false;
}

void
hold_withdraw(struct record *r)
{
    if (!r->has_datum)
        return;
    hold_end(r);
    if (!r->unpublished)
        r->ops->withdraw(r->ops->arg, r);
    hold_drop(r);
}

void
hold_count_up_to(struct record *r, unsigned generation)
{
    r->run.generation = (unsigned)memctx_max(r->run.generation, generation);
}

/* Is it the last kernel that was seen running in this run, as far as anybody
 * remembers? A reset ends that, and so does another kernel. */
static bool
is_remembered(const struct record *r, const struct memctx_datum *datum)
{
    char words[MEMCTX_KERNEL_WORDS_MAX];
    memctx_kernel_words(&datum->kernel, words);
    return strcmp(r->run.kernel, words) == 0;
}

/* The same kernel found again is the same generation: while its datum stands,
 * after it was withdrawn for a pulse too slow, or by an agent that ended. */
bool
hold_is_last_kernel(const struct record *r, const struct memctx_datum *datum)
{
    if (r->has_datum && !r->unpublished)
        return r->datum.generation != 0 &&
               memctx_datum_is_same_kernel(&r->datum, datum);
    return is_remembered(r, datum);
}

/* How and when it was found first. */
static void
keep_evidence(struct memctx_datum *to, const struct memctx_datum *from)
{
    to->attempts = from->attempts;
    to->candidates = from->candidates;
    to->seen = from->seen;
    to->layout = from->layout;
    memcpy(to->published, from->published, sizeof(to->published));
    memcpy(to->kernel.found, from->kernel.found, sizeof(to->kernel.found));
    memcpy(to->kernel.checks, from->kernel.checks, sizeof(to->kernel.checks));
}

/* The try's datum takes the place of the one that stood, if `same`, of the same
 * kernel. True: nothing differs that readers act on. */
static bool
take_datum(struct record *r, struct adapter_result *result, bool same)
{
    struct memctx_datum *datum = &result->datum;
    datum->live = r->has_datum ? r->datum.live : MEMCTX_LIVE_RUNS;
    bool equal =
        same && r->has_datum && memctx_datum_is_equal(&r->datum, datum);
    memctx_datum_stamp(datum, (int64_t)time(NULL));
    if (equal)
        keep_evidence(datum, &r->datum);
    hold_drop(r);
    r->datum = *datum;
    r->has_datum = true;
    result->has_datum = false;
    r->map = memctx_steal_ptr(&result->map);
    if (!equal || r->kernel_epoch == 0 || r->identity != result->identity)
        r->kernel_epoch = epoch_next();
    r->identity = result->identity;
    hold_show(r);
    return equal;
}

/* What the next agent should know of it. */
static void
note(struct record *r)
{
    r->run.live = r->has_datum ? r->datum.live : MEMCTX_LIVE_RUNS;
    r->run.died = r->died;
    r->run.words = adapter_words(r->adapter);
}

void
hold_remember(struct record *r)
{
    note(r);
    r->ops->remember(r->ops->arg, r);
}

/* The datum says from now on whether its kernel runs. */
static void
say(struct record *r, enum memctx_datum_live live)
{
    r->datum.live = live;
    note(r);
    r->ops->publish(r->ops->arg, r, &r->datum);
    r->told = true;
}

/* One more kernel; or the first one, which came with its generation from where
 * the guest was before. */
static void
count(struct record *r, const struct memctx_datum *datum)
{
    bool came = r->has_unproven && r->unproven.generation > 0 &&
                r->run.generation == 0 && r->boot == 1 &&
                memctx_datum_is_same_kernel(&r->unproven, datum);
    if (came)
        hold_count_up_to(r, r->unproven.generation);
    else if (r->run.generation < UINT_MAX)
        r->run.generation++;
    hold_drop_unproven(r);
    r->ended = false;
    r->replaced += r->counted && !r->was_reset;
    r->was_reset = false;
    if (r->start_us != 0)
        r->delay_us = clocks_us(CLOCK_MONOTONIC) - r->start_us;
    r->start_us = 0;
}

/* A kernel that runs. From here on RAM has held a kernel, which a kexec may
 * replace. */
void
hold_publish(struct record *r, struct adapter_result *result)
{
    bool same = hold_is_last_kernel(r, &result->datum);
    if (!same)
        count(r, &result->datum);
    r->counted = true;
    result->datum.generation = r->run.generation;
    take_datum(r, result, same);
    memctx_kernel_words(&r->datum.kernel, r->run.kernel);
    r->cold = false;
    r->watched = true;
    r->died = false;
    say(r, MEMCTX_LIVE_RUNS);
}

/* A kernel that does not run, or of which nobody knows. One that nobody has
 * seen running is counted by nobody, and stands in no metadata. */
void
hold_keep(struct record *r, struct adapter_result *result)
{
    if (result == NULL || !result->has_datum)
        return;
    bool stood = r->has_datum && !r->unpublished;
    bool seen = is_remembered(r, &result->datum);
    if (stood && !seen)
        r->ops->withdraw(r->ops->arg, r);
    result->datum.generation = seen ? r->run.generation : 0;
    bool watched = r->watched;
    bool told = r->told;
    bool equal = take_datum(r, result, r->has_datum);
    r->watched = watched && seen;
    r->told = told && seen && equal && stood;
    r->unpublished = !seen;
    if (seen)
        adapter_recall(r->adapter, &r->run.words);
}

/* Only what was watched all the time is known not to run; a panic is known
 * anyhow. */
static enum memctx_datum_live
judge_live(const struct record *r)
{
    bool knows =
        r->died || (!record_is_paused(r) && adapter_knows_cpu(r->adapter));
    return knows ? MEMCTX_LIVE_NO : MEMCTX_LIVE_UNKNOWN;
}

void
hold_mark(struct record *r, struct adapter_result *result)
{
    hold_keep(r, result);
    if (!r->has_datum)
        return;
    enum memctx_datum_live live = judge_live(r);
    if (r->unpublished)
        r->datum.live = live;
    else if (!r->told || r->datum.live != live)
        say(r, live);
}

void
hold_unmark(struct record *r)
{
    r->watched = true;
    say(r, MEMCTX_LIVE_RUNS);
}
