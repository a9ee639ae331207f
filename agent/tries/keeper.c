/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A loop over epoll(7). All is under the lock of the tries but the waiting;
 * only this thread adds and removes probers. */
#include "tries/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/bytes.h"
#include "tries/launch.h"
#include "wire/clocks.h"

/* A guest whose last try took so long waits as if it had asked so many times
 * that later. */
#define COST_WEIGHT 20

/* When those who wait for a place look again whether somebody has stalled. */
#define STALL_CHECK_US 100000u

/* A prober that has used so much CPU time is replaced, before the kernel kills
 * it (launch.c). */
#define LIFE_CPU_US (UINT64_C(300) * 1000000)

#define END_WAIT_US 2000000u

static uint64_t
now(void)
{
    return clocks_us(CLOCK_MONOTONIC);
}

/* What a prober without RAM does is no guest's doing. */
static void
fail(struct live *live, enum tries_fault fault, const char *words)
{
    if (live->ending)
        return;
    client_charge(live);
    if (live->client != NULL && live->equipped)
        client_blame(live->client, fault, words, live_cost_us(live),
                     live->running && !live->stale);
    live_retire(live);
}

static void
end_task(struct live *live)
{
    client_charge(live);
    live_end(live, now());
    if (live->charged_us > LIFE_CPU_US)
        live_retire(live);
}

static void
take_answer(struct live *live, const void *bytes, size_t len)
{
    struct tries_client *client = live->client;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct tries_outcome outcome = {.cost_us = live_cost_us(live)};
    struct memctx_probe_ram ram = {.n = client->n_maps};
    for (size_t i = 0; i < client->n_maps; i++)
        ram.maps[i] = client->maps[i];
    if (memctx_probe_answer_decode(bytes, len, &client->request, &ram,
                                   &outcome.answer, &why) < 0) {
        fail(live, TRIES_LIED, why.message);
        return;
    }
    end_task(live);
    client_deliver(client, &outcome);
}

/* What it says when it was not asked, or was told that nobody listens. */
static void
hear_answer(struct live *live, const void *bytes, size_t len)
{
    if (!live->running)
        fail(live, TRIES_FLOODED, "it was asked nothing");
    else if (live->owed > 0)
        live->owed--;
    else if (live->stale)
        end_task(live);
    else
        take_answer(live, bytes, len);
}

/* Not by closing it alone: a child that libvirt starts (a session's daemon) has
 * it open, too, until it calls execve(2). */
static void
unwatch(const struct live *live, int fd)
{
    if (fd >= 0)
        epoll_ctl(live->tries->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* It may have ended, or have closed its socket for a reason of its own. */
static void
lose_socket(struct live *live)
{
    unwatch(live, prober_socket(live->prober));
    if (live->launched)
        prober_kill(live->prober);
}

static void
hear(struct live *live)
{
    unsigned char bytes[sizeof(struct memctx_probe_answer) + 1];
    size_t len;
    switch (prober_hear(live->prober, bytes, sizeof(bytes), &len)) {
    case PROBER_NOTHING:
        break;
    case PROBER_ANSWER:
        if (!live->ending)
            hear_answer(live, bytes, len);
        break;
    case PROBER_CLOSED:
        lose_socket(live);
        break;
    }
}

static void
watch(struct live *live, bool process, int fd)
{
    struct live_tag *tag = &live->tags[process];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    *tag = (struct live_tag){live, process};
    if (epoll_ctl(live->tries->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail(live, TRIES_NOT_STARTED, "it cannot be watched");
}

/* Its process has ended; whatever it was asked has failed. */
static void
bury_process(struct live *live)
{
    char why[80];
    uint64_t cost_us = live_cost_us(live);
    client_charge(live);
    if (!prober_reap(live->prober, why, sizeof(why)))
        return;
    if (!live->ending && live->client != NULL && live->equipped)
        client_blame(live->client, TRIES_CRASHED, why, cost_us,
                     live->running && !live->stale);
    live->ending = true;
    live->ended = true;
}

/* What was launched since the last turn is a process now, or never will be. Its
 * answers were not heard before: what they have cost could not be measured. */
static void
admit(struct live *live)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    live->admitted = true;
    if (prober_has_started(live->prober, &err) < 0) {
        fail(live, TRIES_NOT_STARTED, err.message);
        live->ended = true;
        return;
    }
    watch(live, false, prober_socket(live->prober));
    watch(live, true, prober_pidfd(live->prober));
    if (live->ending)
        prober_kill(live->prober);
}

static void
sweep(struct tries *t)
{
    for (struct live **at = &t->lives; *at != NULL;) {
        struct live *live = *at;
        if (live->launched && !live->admitted)
            admit(live);
        if (!live->ended) {
            at = &live->next;
            continue;
        }
        *at = live->next;
        if (live->client != NULL)
            live->client->live = NULL;
        unwatch(live, prober_socket(live->prober));
        unwatch(live, prober_pidfd(live->prober));
        prober_destroy(live->prober);
        free(live);
    }
}

/* ---- limits ------------------------------------------------------------- */

static void
check_limits(struct tries *t, uint64_t now_us)
{
    char words[80];
    for (struct live *live = t->lives; live != NULL; live = live->next) {
        enum tries_fault fault = live_check(live, &t->config.limits[live->lane],
                                            now_us, words, sizeof(words));
        if (fault != TRIES_FINE)
            fail(live, fault, words);
    }
}

/* In milliseconds, for epoll_wait(). */
static int
time_to_wait(const struct tries *t, uint64_t now_us)
{
    uint64_t until_us = UINT64_MAX;
    for (const struct live *live = t->lives; live != NULL; live = live->next)
        until_us = memctx_min(
            until_us,
            live_next_check_us(live, &t->config.limits[live->lane], now_us));
    /* A place may be free once somebody has stalled. */
    if (t->waiting != NULL)
        until_us = memctx_min(until_us, now_us + STALL_CHECK_US);
    if (until_us == UINT64_MAX)
        return -1;
    return (int)((until_us - memctx_min(now_us, until_us)) / 1000) + 1;
}

/* ---- turns -------------------------------------------------------------- */

static bool
has_place(const struct tries *t, enum tries_lane lane)
{
    unsigned running = 0;
    for (const struct live *live = t->lives; live != NULL; live = live->next)
        running += live->running && live->lane == lane && !live->stalled;
    return lane == TRIES_LIGHT || lane == TRIES_LAST ||
           running < (lane == TRIES_LONG ? 1 : t->config.places);
}

/* Its own prober must be there for it: not busy with what nobody waits for,
 * unless that ends at once, and not about to end. */
static bool
may_begin(const struct tries *t, const struct tries_client *client)
{
    const struct live *live = client->live;
    if (live != NULL &&
        (live->ending || (live->running && live->lane != TRIES_LIGHT)))
        return false;
    return has_place(t, client->lane);
}

static uint64_t
due_us(const struct tries_client *client)
{
    return client->asked_us + COST_WEIGHT * client->cost_us;
}

static struct tries_client *
whose_turn(const struct tries *t)
{
    struct tries_client *first = NULL;
    for (struct tries_client *c = t->waiting; c != NULL; c = c->next) {
        if (may_begin(t, c) && (first == NULL || due_us(c) < due_us(first)))
            first = c;
    }
    return first;
}

/* The prober that has rested for longest ends when there are too many. False:
 * all have something to do. */
static bool
make_room(struct tries *t)
{
    struct live *longest = NULL;
    unsigned n = 0;
    for (struct live *live = t->lives; live != NULL; live = live->next) {
        bool rests = !live->ending && !live->running &&
                     (live->client == NULL || !live->client->waits);
        n += !live->ending;
        if (rests && (longest == NULL || live->since_us < longest->since_us))
            longest = live;
    }
    if (n < t->config.live_max)
        return true;
    if (longest != NULL)
        live_retire(longest);
    return longest != NULL;
}

/* The client has a prober then, which has its RAM. */
static int
provide(struct tries_client *client, struct memctx_error *err)
{
    if (client->live == NULL && launch_prober(client, err) < 0)
        return -1;
    if (client->live->ending || launch_equip(client, err) == 0)
        return 0;
    live_retire(client->live);
    return -1;
}

static void
begin_task(struct live *live, uint64_t now_us)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_probe_request *request = &live->client->request;
    live_begin(live, live->client->lane, now_us);
    request->cpu_us =
        tries_limits_told(&live->tries->config.limits[live->lane]);
    if (prober_ask(live->prober, request, &err) < 0)
        fail(live, TRIES_CRASHED, err.message);
}

static void
give_turns(struct tries *t, uint64_t now_us)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct tries_client *client;
    while (!t->stopping && (client = whose_turn(t)) != NULL) {
        if (client->live == NULL && !make_room(t))
            return;
        client_stop_waiting(client);
        if (provide(client, &err) < 0)
            client_blame(client, TRIES_NOT_STARTED, err.message, 0, true);
        else if (!client->live->ending)
            begin_task(client->live, now_us);
    }
}

/* ---- turns of the loop -------------------------------------------------- */

static void
handle(const struct epoll_event *event)
{
    struct live_tag *tag = event->data.ptr;
    if (tag == NULL || tag->live->ended)
        return;
    if (tag->process)
        bury_process(tag->live);
    else
        hear(tag->live);
}

/* The lock is held, but for the time of waiting. */
static void
turn(struct tries *t)
{
    struct epoll_event events[32];
    eventfd_t ignored;
    uint64_t now_us = now();
    check_limits(t, now_us);
    give_turns(t, now_us);
    int wait_ms = time_to_wait(t, now_us);
    pthread_mutex_unlock(&t->lock);
    int n = epoll_wait(t->epoll, events, MEMCTX_ARRAY_LEN(events), wait_ms);
    eventfd_read(t->wake, &ignored);
    pthread_mutex_lock(&t->lock);
    for (int i = 0; i < n; i++)
        handle(&events[i]);
    sweep(t);
}

static void
end_all(struct tries *t)
{
    for (struct live *live = t->lives; live != NULL; live = live->next) {
        if (!live->ending)
            live_retire(live);
    }
}

void *
keeper_run(void *arg)
{
    struct tries *t = arg;
    uint64_t until_us = UINT64_MAX;
    pthread_mutex_lock(&t->lock);
    while (until_us > now()) {
        turn(t);
        if (t->stopping && until_us == UINT64_MAX) {
            end_all(t);
            until_us = now() + END_WAIT_US;
        }
        if (t->stopping && t->lives == NULL)
            break;
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}
