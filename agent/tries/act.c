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
#include "tries/attend.h"
#include "tries/judge.h"

/* How long clock words may take to move once their kernel was found; then it
 * counts as one without. */
#define LEARN_US 2000000u

/* ... and at each look at such a kernel. */
#define LOOK_US 600000u

static uint64_t
earlier(uint64_t a_us, uint64_t b_us)
{
    return a_us == 0 || b_us == 0 ? memctx_max(a_us, b_us)
                                  : memctx_min(a_us, b_us);
}

void
act_set_timer(struct adapter *a)
{
    uint64_t at_us = earlier(a->hold_us, a->ring_us);
    uint64_t now_us = adapter_now();
    uint64_t delay_us =
        at_us == 0 ? 0 : memctx_max(at_us - memctx_min(at_us, now_us), 1);
    const struct itimerspec once = {
        .it_value = {.tv_sec = (time_t)(delay_us / 1000000),
                     .tv_nsec = (long)(delay_us % 1000000 * 1000)}};
    timerfd_settime(a->fds[ADAPTER_TIMER], 0, &once, NULL);
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
    judge_pending(a, result);
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

/* Nobody moves a word of synthetic RAM: the heartbeat does as if. */
static struct memctx_words
synthetic_words(const struct adapter *a)
{
    return (struct memctx_words){
        .per_second = 1000, .n = 1, .word = {{.gpa = a->known.kcr3}}};
}

/* A kernel whose clock words are known needs no other look. None may have come:
 * the guest is paused, say. */
static void
learn(struct adapter *a, struct happening *h)
{
    if (h->words->n == 0 && !a->ram.synthetic)
        return;
    a->words = a->ram.synthetic ? synthetic_words(a) : *h->words;
    a->attends = ATTENDS_NOTHING; /* to anything of this kernel */
    attend(a);
    if (!a->looks)
        return;
    a->looks = false;
    a->ring_us = 0;
    act_set_timer(a);
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
shut(struct adapter *a, struct happening *h)
{
    (void)h;
    /* The disposer is to drop the last reference. */
    attend_stop(a);
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
    h->ram->vcpus = NULL;
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
    /* Libvirt and /proc take as long as a prober to start; what was handed in
     * is opened at once. */
    if (ramopen_is_repeatable(a->ramopen))
        tries_expect(a->client);
}

static struct adapter_result
fail_boot(struct adapter *a)
{
    a->fail_boots--;
    pace_begin(&a->pace, adapter_now());
    pace_fail(&a->pace, false, false);
    struct adapter_result result = act_result(a, MEMCTX_EVENT_RETRY);
    memctx_error_set(&result.why, MEMCTX_RETRY,
                     "this boot was told to fail (fail_boots)");
    return result;
}

/* What can be answered without a prober: boots of a stub that are to fail;
 * looks at synthetic RAM, which nobody changes; and what runs beside a kernel
 * that stands while no CPU does. */
static void
answer(struct adapter *a, struct happening *h)
{
    (void)h;
    struct adapter_result result =
        a->order.what == ADAPTER_LOOK ? act_result(a, MEMCTX_EVENT_CONFIRMED)
        : a->fail_boots > 0           ? fail_boot(a)
                                      : act_result(a, MEMCTX_EVENT_PENDING);
    tell(a, &result);
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
read_messages(struct adapter *a, struct happening *h)
{
    (void)h;
    a->reading = a->wrote;
    ask_last_words(a);
}

static void
hold(struct adapter *a, struct happening *h)
{
    (void)h;
    a->hold_us = memctx_max(a->pace.free_us, adapter_now()) + 1;
    act_set_timer(a);
}

/* In the order of the bits; act_step() begins anew by itself. */
static action_fn *const actions[] = {
    learn,    unask,  rest,      shut, spill,         keep, tell_news, tell_end,
    open_ram, answer, ask_order, quiz, read_messages, hold, NULL,
};
static_assert(1 << (MEMCTX_ARRAY_LEN(actions) - 1) == LIFE_ACT_BEGIN,
              "every action is performed by somebody");

static void
perform(struct adapter *a, unsigned bits, struct happening *h)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(actions); i++) {
        if ((bits & 1u << i) != 0 && actions[i] != NULL)
            actions[i](a, h);
    }
}

/* Have the CPUs done nothing since the last try beside a kernel that stands? It
 * cannot have given way to another, then. */
static bool
is_unused(const struct adapter *a)
{
    uint64_t cpu_us;
    return a->order.standing && a->has_tried_cpu &&
           a->attends == ATTENDS_WORDS &&
           heartbeat_cpu_us(a->listener, &cpu_us) && cpu_us == a->tried_cpu_us;
}

/* What the order takes. */
enum life_event
act_classify(const struct adapter *a)
{
    bool look = a->order.what == ADAPTER_LOOK;
    if (look ? a->ram.synthetic || a->words.n > 0
             : a->fail_boots > 0 || is_unused(a))
        return LIFE_ORDER_EASY;
    if (!look && ask_wants_watch(a))
        return LIFE_ORDER_TRY;
    return pace_is_early(&a->pace, adapter_now()) ? LIFE_ORDER_LATER
                                                  : LIFE_ORDER_TRY;
}

static void
take_step(struct adapter *a, enum life_event event, struct happening *h)
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

/* What was logged is read when there is nothing else to do. */
void
act_step(struct adapter *a, enum life_event event, struct happening *h)
{
    take_step(a, event, h);
    if (a->wrote > 0 && a->phase == LIFE_IDLE)
        take_step(a, LIFE_WROTE, h);
}
