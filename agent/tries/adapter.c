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
#include "tries/ask.h"
#include "tries/attend.h"
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
    a->look_us = config->look_us;
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

void
adapter_pace(struct adapter *a, const struct memctx_backoff_limits *limits,
             uint64_t look_us)
{
    a->pace.limits = *limits;
    a->look_us = look_us;
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
    act_forget_end(a);
    if (a->has_news)
        adapter_result_deinit(&a->news);
    act_dispose(a, &a->ram);
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
    return a->hold_us != 0 || a->ring_us != 0;
}

bool
adapter_is_listening(const struct adapter *a)
{
    return a->attends == ATTENDS_WORDS;
}

enum life_phase
adapter_phase(const struct adapter *a)
{
    return a->phase;
}

uint64_t
adapter_tries(const struct adapter *a)
{
    return a->pace.tries;
}

uint64_t
adapter_spent_us(const struct adapter *a)
{
    return tries_spent_us(a->client);
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

/* Whatever was ordered before is void. Its CPU time is charged all the same: an
 * owner that orders anew at each event must not make its guest cheap. */
static void
void_order(struct adapter *a)
{
    charge(a);
    a->hold_us = 0;
    a->ring_us = 0;
    act_set_timer(a);
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
    /* RAM that was handed in cannot be opened again, so it is kept. */
    if (a->suspect && ramopen_is_repeatable(a->ramopen))
        close_ram(a);
    a->order = *order;
    a->has_tried_cpu = a->has_tried_cpu && order->standing;
    if (order->paused)
        a->pending_since_us = 0;
    attend(a);
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

/* A kernel that panicked may give way to one that reads its memory, soon. A
 * minute later most likely nothing comes but its administrator. */
#define SILENT_SOON_US 60000000u
#define SILENT_LATER_US 30000000u

/* One that was never seen running is not listened to: a try tells. */
static uint64_t
silent_delay(struct adapter *a)
{
    uint64_t now_us = adapter_now();
    if (a->silent_since_us == 0) {
        a->silent_since_us = now_us;
        pace_restart_late(&a->pace);
    }
    uint64_t delay_us = pace_next(&a->pace, now_us);
    bool late = now_us - a->silent_since_us > SILENT_SOON_US &&
                a->attends == ATTENDS_WORDS;
    return late ? memctx_max(delay_us, SILENT_LATER_US) : delay_us;
}

/* How long a kernel whose clocks stand is doubted before it counts as silent.
 * Meanwhile a prober looks for another one. */
#define DOUBT_US 1000000u

static uint64_t
choose_delay(struct adapter *a, enum adapter_delay delay)
{
    switch (delay) {
    case ADAPTER_SILENT:
        return silent_delay(a);
    case ADAPTER_TO_LOOK:
        return a->words.n > 0 ? 0 : a->look_us;
    case ADAPTER_DOUBT:
        return DOUBT_US;
    case ADAPTER_BACKOFF:
    case ADAPTER_DELAYS:
        break;
    }
    return pace_next(&a->pace, adapter_now());
}

uint64_t
adapter_arm(struct adapter *a, enum adapter_delay delay)
{
    charge(a);
    if (delay != ADAPTER_SILENT)
        a->silent_since_us = 0;
    uint64_t delay_us = choose_delay(a, delay);
    a->looks = delay == ADAPTER_TO_LOOK;
    a->ring_us = delay_us == 0 ? 0 : adapter_now() + delay_us;
    act_set_timer(a);
    return delay_us;
}

void
adapter_listen(struct adapter *a, bool on)
{
    a->listens = on;
    attend(a);
}

struct memctx_words
adapter_words(const struct adapter *a)
{
    struct memctx_words words = a->words;
    if (a->attends == ATTENDS_WORDS)
        heartbeat_words(a->listener, &words);
    return words;
}

/* Words of an earlier agent may be of another layout, before memory was plugged
 * in or out. */
static bool
are_in_ram(const struct memctx_words *words, const struct memctx_rammap *map)
{
    bool all = map != NULL;
    for (size_t i = 0; i < words->n && all; i++)
        all = memctx_rammap_contains(map, words->word[i].gpa, 8);
    return all;
}

void
adapter_recall(struct adapter *a, const struct memctx_words *words)
{
    const struct memctx_rammap *map =
        a->candidate_layout == 0 ? a->ram.map : a->ram.other;
    if (a->words.n > 0 || !a->has_candidate || words->n == 0 ||
        !are_in_ram(words, map))
        return;
    a->has_known = true;
    a->known = a->candidate;
    a->known_layout = a->candidate_layout;
    a->words = *words;
    attend(a);
}

uint64_t
adapter_age_us(const struct adapter *a)
{
    return a->attends == ATTENDS_WORDS ? heartbeat_age_us(a->listener) : 0;
}

bool
adapter_knows_cpu(const struct adapter *a)
{
    uint64_t cpu_us;
    return heartbeat_cpu_us(a->listener, &cpu_us);
}

/* What was found is another kernel's from now on. */
static void
forget_kernel(struct adapter *a)
{
    a->has_known = false;
    a->has_candidate = false;
    a->words.n = 0;
    a->pending_since_us = 0;
    attend(a);
    pace_restart(&a->pace);
}

void
adapter_new_boot(struct adapter *a)
{
    forget_kernel(a);
    a->new_boot = true;
    a->fail_boots = a->fail_boots_max;
}

/* `doubt`: what was seen before may be of another kernel, so that nothing of it
 * counts in the RAM that is opened next. */
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
    a->wrote = 0;
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

/* A prober has ended its try. judge.c decides what its answer is worth. */
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
    /* RAM that cannot be opened is a try that failed: else it would be tried
     * again without a delay that grows. */
    if (failed < 0) {
        pace_begin(&a->pace, adapter_now());
        pace_fail(&a->pace, false, false);
    }
    struct adapter_result result = act_result(a, event_of(why.kind));
    struct happening h = {
        .result = &result, .ram = &ram, .opened = failed == 0};
    result.why = why;
    act_step(a, failed < 0 ? LIFE_REFUSED : LIFE_OPENED, &h);
    act_dispose(a, &ram);
}

/* What the heartbeat has heard, and in words why the kernel is doubted. */
static struct adapter_result
hear(struct adapter *a, enum heartbeat_news news)
{
    static const enum memctx_event events[] = {
        [HEARTBEAT_MOVES] = MEMCTX_EVENT_MOVES,
        [HEARTBEAT_LULL] = MEMCTX_EVENT_LULL,
        [HEARTBEAT_STANDS] = MEMCTX_EVENT_STANDS,
        [HEARTBEAT_DIED] = MEMCTX_EVENT_DIED,
        [HEARTBEAT_REPLACED] = MEMCTX_EVENT_REPLACED,
        [HEARTBEAT_UNREAD] = MEMCTX_EVENT_UNREAD,
    };
    struct adapter_result result = act_result(a, events[news]);
    uint64_t age_us = heartbeat_age_us(a->listener);
    if (news == HEARTBEAT_STANDS)
        memctx_error_set(&result.why, MEMCTX_RETRY,
                         "the kernel does not run: its clock stood for %" PRIu64
                         ".%" PRIu64 " s%s",
                         age_us / 1000000, age_us / 100000 % 10,
                         adapter_knows_cpu(a) ? " while its CPUs were busy"
                                              : "");
    else if (news == HEARTBEAT_DIED)
        memctx_error_set(&result.why, MEMCTX_RETRY,
                         "the guest panicked, as its kernel says");
    else if (news == HEARTBEAT_REPLACED)
        memctx_error_set(&result.why, MEMCTX_RETRY,
                         "another kernel has taken the place of %s",
                         a->known.version);
    else if (news == HEARTBEAT_UNREAD)
        memctx_error_set(&result.why, MEMCTX_RETRY,
                         "guest RAM does not answer");
    return result;
}

/* The kernel logged something. If it can be read, a prober looks whether these
 * are the words of a panic. */
static void
take_wrote(struct adapter *a)
{
    struct happening h = {.result = NULL};
    if (!ask_can_read(a)) {
        a->wrote = 0;
        return;
    }
    a->wrote++;
    act_step(a, LIFE_WROTE, &h);
}

/* Take what the heartbeat has to say, unless the record has not been told what
 * it said before: the order is kept. */
static void
take_heard(struct adapter *a)
{
    enum heartbeat_news news;
    if (a->has_heard || !heartbeat_take(a->listener, &news))
        return;
    if (news == HEARTBEAT_WROTE) {
        take_wrote(a);
        return;
    }
    a->heard = hear(a, news);
    a->has_heard = true;
    if (news == HEARTBEAT_REPLACED || news == HEARTBEAT_UNREAD)
        a->attends = ATTENDS_NOTHING;
}

/* One descriptor serves three senders and does not tell which of them has
 * written, so all are asked. */
static void
collect(struct adapter *a)
{
    eventfd_t count;
    eventfd_read(a->fds[ADAPTER_DONE], &count);
    a->collecting = true;
    take_ram(a);
    take_answer(a);
    take_heard(a);
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

/* The earlier one of the two moments has come. Was that the record's? */
static bool
take_timer(struct adapter *a)
{
    struct happening h = {.result = NULL};
    uint64_t expirations;
    if (read(a->fds[ADAPTER_TIMER], &expirations, sizeof(expirations)) < 0)
        return false;
    bool rings =
        a->ring_us != 0 && (a->hold_us == 0 || a->ring_us <= a->hold_us);
    if (rings)
        a->ring_us = 0;
    else
        a->hold_us = 0;
    act_set_timer(a);
    if (!rings)
        act_step(a, LIFE_TIMER, &h);
    return rings;
}

bool
adapter_dispatch(struct adapter *a, enum adapter_cookie cookie,
                 struct adapter_result *ret)
{
    if (cookie == ADAPTER_DONE) {
        collect(a);
        return pop(&a->has_news, &a->news, ret) ||
               pop(&a->has_heard, &a->heard, ret) ||
               pop(&a->has_end, &a->end, ret);
    }
    if (!take_timer(a))
        return false;
    *ret = act_result(a, MEMCTX_EVENT_TIMER);
    return true;
}
