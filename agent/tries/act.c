/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One function an action, in the order of the table's bits. */
#include "tries/act.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "base/bytes.h"
#include "tries/ask.h"
#include "tries/judge.h"

/* How long clock words may take to move once their kernel was found; then it
 * counts as one without. */
#define LEARN_US 2000000u

/* ... and at each look at such a kernel. */
#define LOOK_US 600000u

void
act_set_timer(struct adapter *a, uint64_t delay_us)
{
    const struct itimerspec once = {
        .it_value = {.tv_sec = (time_t)(delay_us / 1000000),
                     .tv_nsec = (long)(delay_us % 1000000 * 1000)}};
    timerfd_settime(a->fds[ADAPTER_TIMER], 0, &once, NULL);
    a->armed = delay_us > 0;
}

static void
destroy_ram(void *what)
{
    struct ram *ram = what;
    ram_deinit(ram);
    free(ram);
}

/* The loop does not wait until gigabytes are freed, if that can be helped. */
void
act_dispose(struct adapter *a, struct ram *ram)
{
    struct ram *what;
    if (ram->map == NULL && !ram->has_inherited)
        return;
    what = malloc(sizeof(*what));
    if (what == NULL || a->means.disposer == NULL) {
        free(what);
        ram_deinit(ram);
    } else {
        *what = *ram;
        disposer_take(a->means.disposer, destroy_ram, what);
    }
    memset(ram, 0, sizeof(*ram));
}

void
act_forget_end(struct adapter *a)
{
    if (a->has_end)
        adapter_result_deinit(&a->end);
    a->has_end = false;
}

/* Whoever polls is woken, if he is not here just now. */
static void
tell(struct adapter *a, struct adapter_result *result)
{
    judge_doubt(a, result);
    act_forget_end(a);
    a->end = *result;
    a->has_end = true;
    if (!a->collecting)
        eventfd_write(a->fds[ADAPTER_DONE], 1);
}

struct adapter_result
act_result(const struct adapter *a, enum memctx_event event)
{
    return (struct adapter_result){.event = event, .attempt = a->pace.attempt};
}

typedef void action_fn(struct adapter *a, struct happening *h);

static void
learn(struct adapter *a, struct happening *h)
{
    a->words = *h->words;
}

static void
unask(struct adapter *a, struct happening *h)
{
    (void)h;
    tries_drop(a->client);
}

static void
rest(struct adapter *a, struct happening *h)
{
    (void)h;
    tries_rest(a->client);
}

static void
leave(struct adapter *a, struct happening *h)
{
    (void)h;
    heartbeat_stop(a->listener);
}

static void
shut(struct adapter *a, struct happening *h)
{
    (void)h;
    tries_set_ram(a->client, NULL, 0);
    act_dispose(a, &a->ram);
    a->words.n = 0;
    a->suspect = false;
}

static void
spill(struct adapter *a, struct happening *h)
{
    act_dispose(a, h->ram);
}

static void
keep(struct adapter *a, struct happening *h)
{
    struct memctx_rammap *const maps[] = {h->ram->map, h->ram->other};
    tries_set_ram(a->client, maps, h->ram->other != NULL ? 2 : 1);
    a->ram = *h->ram;
    a->ram.has_inherited = false;
    h->ram->map = NULL;
    h->ram->other = NULL;
}

/* Also of RAM that could not be opened: a datum that nobody can check must not
 * stand. */
static void
tell_news(struct adapter *a, struct happening *h)
{
    if (!h->opened && !h->ram->has_inherited)
        return;
    if (a->has_news)
        adapter_result_deinit(&a->news);
    a->news = act_result(a, MEMCTX_EVENT_OPENED);
    a->news.opened = h->opened;
    a->news.fresh = h->ram->fresh;
    a->news.run = h->ram->run;
    a->news.has_inherited = h->ram->has_inherited;
    a->news.inherited = h->ram->inherited;
    h->ram->has_inherited = false;
    a->has_news = true;
}

static void
tell_end(struct adapter *a, struct happening *h)
{
    tell(a, h->result);
    *h->result = (struct adapter_result){.map = NULL};
}

static void
open_ram(struct adapter *a, struct happening *h)
{
    (void)h;
    ramopen_start(a->ramopen);
}

/* What can be answered without a prober: boots of a stub that are to fail, and
 * looks at synthetic RAM, which nobody changes. */
static void
answer(struct adapter *a, struct happening *h)
{
    (void)h;
    bool search = a->order.what == ADAPTER_SEARCH;
    if (search) {
        a->fail_boots--;
        pace_begin(&a->pace);
        pace_fail(&a->pace, false, false);
    }
    struct adapter_result result =
        act_result(a, search ? MEMCTX_EVENT_RETRY : MEMCTX_EVENT_CONFIRMED);
    if (search)
        memctx_error_set(&result.why, MEMCTX_RETRY,
                         "this boot was told to fail (fail_boots)");
    tell(a, &result);
}

/* The other half of the patience is for the search beside it. */
static void
listen(struct adapter *a, struct happening *h)
{
    (void)h;
    heartbeat_listen(a->listener,
                     a->known_layout == 0 ? a->ram.map : a->ram.other,
                     &a->words, a->patience_us / 2);
}

static void
ask_order(struct adapter *a, struct happening *h)
{
    (void)h;
    if (a->order.what == ADAPTER_LOOK)
        ask_words(a, LOOK_US);
    else if (ask_wants_watch(a))
        ask_watch(a);
    else
        ask_try(a);
}

static void
quiz(struct adapter *a, struct happening *h)
{
    (void)h;
    ask_words(a, LEARN_US);
}

static void
hold(struct adapter *a, struct happening *h)
{
    uint64_t now_us = adapter_now();
    (void)h;
    act_set_timer(a, a->pace.free_us - memctx_min(a->pace.free_us, now_us) + 1);
}

static void
ring(struct adapter *a, struct happening *h)
{
    (void)h;
    a->rings = true;
}

/* In the order of the bits; step() begins anew by itself. */
static action_fn *const actions[] = {
    learn,    unask,  rest,   leave,     shut, spill, keep, tell_news, tell_end,
    open_ram, answer, listen, ask_order, quiz, hold,  NULL, ring,
};
static_assert(1 << (MEMCTX_ARRAY_LEN(actions) - 1) == LIFE_ACT_RING,
              "every action is performed by somebody");

static void
perform(struct adapter *a, unsigned bits, struct happening *h)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(actions); i++) {
        if ((bits & 1u << i) != 0 && actions[i] != NULL)
            actions[i](a, h);
    }
}

/* What the order takes. */
enum life_event
act_classify(const struct adapter *a)
{
    bool look = a->order.what == ADAPTER_LOOK;
    if (look ? a->ram.synthetic : a->fail_boots > 0)
        return LIFE_ORDER_EASY;
    if (look && a->words.n > 0)
        return LIFE_ORDER_LISTEN;
    if (!look && ask_wants_watch(a))
        return LIFE_ORDER_TRY;
    return pace_is_early(&a->pace, adapter_now()) ? LIFE_ORDER_LATER
                                                  : LIFE_ORDER_TRY;
}

void
act_step(struct adapter *a, enum life_event event, struct happening *h)
{
    struct life_transition t = life_transition(a->phase, event);
    a->phase = t.next;
    perform(a, t.actions, h);
    if ((t.actions & LIFE_ACT_BEGIN) == 0)
        return;
    t = life_transition(a->phase, act_classify(a));
    a->phase = t.next;
    perform(a, t.actions, h);
}
