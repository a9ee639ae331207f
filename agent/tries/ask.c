/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Says what may be read, and what was found before. */
#include "tries/ask.h"

#include "base/bytes.h"

/* What the first try on a guest that already runs may read: it is likely to
 * be up, and nobody wants to wait for the budget to grow. It is a short one all
 * the same: it must not wait for the looks at paused guests. */
#define FIRST_LOOK_BYTES (256 * MEMCTX_MIB)

/* A paused guest is looked at once, as a whole: its kernel must be the only
 * one. About 2 s of CPU; guests with more data are looked at in part. */
#define PAUSED_LOOK_BYTES (16 * MEMCTX_GIB)

/* What may be read to see whether another kernel runs beside one that is idle.
 * Its clocks stand twice as long each time until they are looked at, so that
 * this is seldom. */
#define LULL_LOOK_BYTES (512 * MEMCTX_MIB)

static struct memctx_probe_ram
probe_ram(const struct adapter *a)
{
    return (struct memctx_probe_ram){{a->ram.map, a->ram.other},
                                     a->ram.other != NULL ? 2 : 1};
}

/* A kernel that was found where RAM is no longer is not told to the prober. */
static void
add_known(const struct adapter *a, struct memctx_probe_request *request)
{
    struct memctx_probe_request with = *request;
    struct memctx_probe_request ignored;
    const struct memctx_probe_ram ram = probe_ram(a);
    with.has_kernel = true;
    with.kernel = a->known;
    with.layout = a->known_layout;
    if (a->has_known && memctx_probe_request_decode(&with, sizeof(with), &ram,
                                                    &ignored, NULL) == 0)
        *request = with;
}

/* Of a guest that was up before anybody looked. */
static bool
is_first_look(const struct adapter *a)
{
    return a->pace.attempt == 1 && !a->order.cold && !a->new_boot &&
           !a->has_found;
}

static uint64_t
budget_of(const struct adapter *a)
{
    if (a->order.paused)
        return PAUSED_LOOK_BYTES;
    if (a->order.lulled)
        return LULL_LOOK_BYTES;
    return is_first_look(a) ? FIRST_LOOK_BYTES : pace_budget(&a->pace);
}

static void
ask(struct adapter *a, const struct memctx_probe_request *request,
    enum tries_lane lane)
{
    a->asked = *request;
    add_known(a, &a->asked);
    tries_ask(a->client, &a->asked, lane);
}

/* Which words move? */
void
ask_words(struct adapter *a, uint64_t wait_us)
{
    struct memctx_probe_request request = {.task = MEMCTX_PROBE_VERIFY,
                                           .wait_us = wait_us};
    ask(a, &request, TRIES_LIGHT);
}

bool
ask_can_read(const struct adapter *a)
{
    struct memctx_probe_request request = {.task = MEMCTX_PROBE_LAST_WORDS};
    add_known(a, &request);
    return request.has_kernel;
}

void
ask_last_words(struct adapter *a)
{
    const struct memctx_probe_request request = {.task =
                                                     MEMCTX_PROBE_LAST_WORDS};
    ask(a, &request, TRIES_LIGHT);
}

void
ask_try(struct adapter *a)
{
    struct memctx_probe_request request = {
        .task = MEMCTX_PROBE_TRY,
        .cold = (a->order.cold && a->ram.fresh) || a->ram.synthetic,
        .paused = a->order.paused,
        .believed = a->order.believed,
        .new_boot = a->new_boot,
    };
    pace_begin(&a->pace, adapter_now());
    a->has_tried_cpu =
        a->order.standing && heartbeat_cpu_us(a->listener, &a->tried_cpu_us);
    request.budget_bytes = budget_of(a);
    a->new_boot = false;
    ask(a, &request, a->order.paused ? TRIES_LONG : TRIES_SHORT);
}

bool
ask_wants_watch(const struct adapter *a)
{
    return !a->order.paused && !a->order.believed && !a->new_boot &&
           pace_wants_watch(&a->pace, adapter_now());
}

void
ask_watch(struct adapter *a)
{
    const struct memctx_probe_request request = {.task = MEMCTX_PROBE_WATCH};
    ask(a, &request, TRIES_LIGHT);
}
