/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes orders, and what workers, probers and the heartbeat have to say. */
#include "tries/adapter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "tries/act.h"
#include "tries/judge.h"

static int
open_parts(struct adapter *a, const struct adapter_config *config,
           struct memctx_error *err)
{
    a->fds[ADAPTER_DONE] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    a->fds[ADAPTER_TIMER] =
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (ramopen_create(&config->ram, a->means.workers, a->fds[ADAPTER_DONE],
                       &a->ramopen, err) < 0)
        return -1;
    if (a->fds[ADAPTER_DONE] < 0 || a->fds[ADAPTER_TIMER] < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no descriptors for another domain");
    if (tries_join(a->means.tries, a->fds[ADAPTER_DONE], &a->client, err) < 0)
        return -1;
    return heartbeat_join(a->means.heartbeat, a->fds[ADAPTER_DONE],
                          &a->listener, err);
}

int
adapter_create(const struct adapter_config *config,
               const struct adapter_means *means, struct adapter **ret,
               struct memctx_error *err)
{
    struct adapter *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        struct ramopen *none;
        /* To close what was handed in. */
        if (ramopen_create(&config->ram, means->workers, -1, &none, NULL) == 0)
            ramopen_destroy(none);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    a->means = *means;
    a->look = config->look;
    a->patience_us = config->look.patience_us;
    a->fail_boots_max = config->fail_boots;
    a->fail_boots = config->fail_boots;
    pace_init(&a->pace, &config->limits);
    if (open_parts(a, config, err) < 0) {
        adapter_destroy(a);
        return -1;
    }
    *ret = a;
    return 0;
}

static void
destroy_ramopen(void *what)
{
    ramopen_destroy(what);
}

void
adapter_destroy(struct adapter *a)
{
    if (a == NULL)
        return;
    tries_leave(a->client);
    heartbeat_leave(a->listener);
    /* It may have RAM that was handed in, and never used. */
    if (a->means.disposer != NULL)
        disposer_take(a->means.disposer, destroy_ramopen, a->ramopen);
    else
        ramopen_destroy(a->ramopen);
    act_dispose(a, &a->ram);
    act_forget_end(a);
    if (a->has_news)
        adapter_result_deinit(&a->news);
    for (unsigned i = 0; i < ADAPTER_COOKIES; i++)
        memctx_close_fd(&a->fds[i]);
    free(a);
}

int
adapter_fd(const struct adapter *a, enum adapter_cookie cookie)
{
    return a->fds[cookie];
}

bool
adapter_is_armed(const struct adapter *a)
{
    return a->armed;
}

enum life_phase
adapter_phase(const struct adapter *a)
{
    return a->phase;
}

unsigned
adapter_faults(const struct adapter *a, const char **ret)
{
    *ret = tries_fault_name(tries_last_fault(a->client));
    return tries_faults(a->client);
}

/* Probers have worked for this guest since it was charged last, maybe in vain.
 * A paused guest is looked at because somebody has paused it. */
static void
charge(struct adapter *a)
{
    uint64_t spent_us = tries_spent_us(a->client);
    uint64_t more_us = spent_us - a->spent_us;
    a->spent_us = spent_us;
    if (!a->asked.paused && more_us > 0)
        pace_charge(&a->pace, more_us, adapter_now());
}

static void
void_order(struct adapter *a)
{
    charge(a);
    act_set_timer(a, 0);
    act_forget_end(a);
}

static void
close_ram(struct adapter *a)
{
    struct happening h = {.result = NULL};
    act_step(a, LIFE_CLOSE, &h);
}

void
adapter_order(struct adapter *a, const struct adapter_order *order)
{
    struct happening h = {.result = NULL};
    void_order(a);
    if (a->suspect && ramopen_is_repeatable(a->ramopen))
        close_ram(a);
    a->order = *order;
    if (order->what == ADAPTER_LOOK)
        a->look_since_us = adapter_now();
    if (order->paused)
        a->pending_since_us = 0;
    act_step(a, act_classify(a), &h);
}

void
adapter_drop(struct adapter *a)
{
    struct happening h = {.result = NULL};
    void_order(a);
    /* What the clocks said before is no sign of life later. */
    a->pace.pending = false;
    act_step(a, LIFE_DROP, &h);
}

/* The period goes from the beginning of one look to that of the next, so that
 * the time for a kexec to be noticed does not grow by what a look takes. */
static uint64_t
delay_to_look(const struct adapter *a)
{
    uint64_t period_us = a->look.period_us;
    uint64_t since_us = adapter_now() - a->look_since_us;
    if (a->look_since_us == 0)
        return period_us;
    return period_us - memctx_min(since_us, period_us / 2);
}

uint64_t
adapter_arm(struct adapter *a, enum adapter_delay delay)
{
    charge(a);
    uint64_t delay_us = delay == ADAPTER_TO_LOOK
                            ? delay_to_look(a)
                            : pace_next(&a->pace, adapter_now());
    act_set_timer(a, delay_us);
    return delay_us;
}

void
adapter_be_patient(struct adapter *a)
{
    a->patience_us = memctx_min(2 * a->patience_us, JUDGE_PENDING_MAX_US);
}

/* What was found is another kernel's from now on. */
static void
forget_kernel(struct adapter *a)
{
    a->has_known = false;
    a->words.n = 0;
    a->pending_since_us = 0;
    pace_restart(&a->pace);
}

void
adapter_new_boot(struct adapter *a)
{
    forget_kernel(a);
    a->new_boot = true;
    a->fail_boots = a->fail_boots_max;
}

void
adapter_close(struct adapter *a, bool doubt)
{
    struct happening h = {.result = NULL};
    void_order(a);
    if (doubt) {
        forget_kernel(a);
        a->has_found = false;
        a->new_boot = true;
    }
    a->pending_since_us = 0;
    pace_restart(&a->pace);
    act_step(a, LIFE_DROP, &h);
    tries_rest(a->client);
    if (ramopen_is_repeatable(a->ramopen))
        close_ram(a);
}

void
adapter_release(struct adapter *a)
{
    void_order(a);
    close_ram(a);
}

static void
take_answer(struct adapter *a)
{
    struct tries_outcome outcome;
    if (!tries_take(a->client, &outcome))
        return;
    charge(a);
    struct adapter_result result = act_result(a, MEMCTX_EVENT_RETRY);
    const struct memctx_words words = judge_words(&outcome.answer);
    struct happening h = {.result = &result, .words = &words};
    enum life_event event = judge_outcome(a, &outcome, &result);
    act_step(a, event, &h);
    adapter_result_deinit(&result);
}

/* What could not be opened: in which way, and whether it may pass. */
static enum memctx_event event_of(enum memctx_error_kind class)
{
    switch (class) {
    case MEMCTX_PERMANENT:
        return MEMCTX_EVENT_NEVER;
    case MEMCTX_GONE:
        return MEMCTX_EVENT_GONE;
    case MEMCTX_OK:
    case MEMCTX_RETRY:
    case MEMCTX_BUG:
    case MEMCTX_STALE:
    case MEMCTX_EXHAUSTED: /* it may pass */
    case MEMCTX_ERROR_KINDS:
        break;
    }
    return MEMCTX_EVENT_RETRY;
}

static void
take_ram(struct adapter *a)
{
    struct ram ram;
    struct memctx_error why;
    int failed;
    if (!ramopen_take(a->ramopen, &ram, &failed, &why))
        return;
    if (failed < 0) {
        pace_begin(&a->pace);
        pace_fail(&a->pace, false, false);
    }
    struct adapter_result result = act_result(a, event_of(why.kind));
    struct happening h = {
        .result = &result, .ram = &ram, .opened = failed == 0};
    result.why = why;
    act_step(a, failed < 0 ? LIFE_REFUSED : LIFE_OPENED, &h);
    act_dispose(a, &ram);
}

static void
take_words(struct adapter *a)
{
    enum memctx_step heard;
    if (!heartbeat_take(a->listener, &heard, &a->words))
        return;
    bool moves = heard == MEMCTX_STEP_MOVES;
    struct adapter_result result =
        act_result(a, moves ? MEMCTX_EVENT_CONFIRMED : MEMCTX_EVENT_STANDS);
    struct happening h = {.result = &result};
    if (!moves)
        memctx_error_set(&result.why, MEMCTX_RETRY,
                         "the clocks of kernel %s at root %#" PRIx64 " %s",
                         a->known.version, a->known.kcr3,
                         heard == MEMCTX_STEP_STANDS
                             ? "stand still"
                             : "are no clocks any more");
    act_step(a, LIFE_HEARD, &h);
}

/* Something has ended; what, is not said. */
static void
collect(struct adapter *a)
{
    eventfd_t count;
    eventfd_read(a->fds[ADAPTER_DONE], &count);
    a->collecting = true;
    take_ram(a);
    take_answer(a);
    take_words(a);
    a->collecting = false;
}

static bool
pop(bool *has, struct adapter_result *from, struct adapter_result *ret)
{
    if (!*has)
        return false;
    *ret = *from;
    *from = (struct adapter_result){.map = NULL};
    *has = false;
    return true;
}

bool
adapter_dispatch(struct adapter *a, enum adapter_cookie cookie,
                 struct adapter_result *ret)
{
    struct happening h = {.result = NULL};
    uint64_t expirations;
    if (cookie == ADAPTER_DONE) {
        collect(a);
        return pop(&a->has_news, &a->news, ret) ||
               pop(&a->has_end, &a->end, ret);
    }
    if (read(a->fds[ADAPTER_TIMER], &expirations, sizeof(expirations)) < 0)
        return false;
    a->armed = false;
    a->rings = false;
    act_step(a, LIFE_TIMER, &h);
    *ret = act_result(a, MEMCTX_EVENT_TIMER);
    return a->rings;
}
