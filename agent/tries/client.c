/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The guests' side of the tries: what they ask for, and what comes of it. */
#include "tries/client.h"

#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/bytes.h"
#include "wire/clocks.h"

void
client_stop_waiting(struct tries_client *client)
{
    struct tries_client **at = &client->tries->waiting;
    if (!client->waits)
        return;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    client->waits = false;
}

static void
start_waiting(struct tries_client *client)
{
    struct tries_client **at = &client->tries->waiting;
    while (*at != NULL)
        at = &(*at)->next;
    *at = client;
    client->next = NULL;
    client->waits = true;
}

void
client_charge(struct live *live)
{
    uint64_t more_us = live_charge(live);
    if (live->client != NULL)
        live->client->spent_us += more_us;
}

void
client_deliver(struct tries_client *client, const struct tries_outcome *outcome)
{
    client->outcome = *outcome;
    client->has_outcome = true;
    client->cost_us = outcome->cost_us;
    eventfd_write(client->fd, 1);
}

void
client_blame(struct tries_client *client, enum tries_fault fault,
             const char *words, uint64_t cost_us, bool waited_for)
{
    struct tries_outcome outcome = {.fault = fault, .cost_us = cost_us};
    client->faults++;
    if (!waited_for)
        return;
    memctx_error_set(&outcome.why, MEMCTX_RETRY, "the prober %s: %s",
                     tries_fault_name(fault), words);
    client_deliver(client, &outcome);
}

/* A long look that nobody waits for is not waited for. */
static void
drop(struct tries_client *client)
{
    struct live *live = client->live;
    client_stop_waiting(client);
    client->has_outcome = false;
    if (live == NULL || !live->running)
        return;
    live->stale = true;
    if (live->lane != TRIES_LONG)
        return;
    client_charge(live);
    live_retire(live);
}

static void
rest(struct tries_client *client)
{
    drop(client);
    if (client->live == NULL || client->live->ending)
        return;
    client_charge(client->live);
    live_retire(client->live);
}

static void
set_ram(struct tries_client *client, struct memctx_rammap *const *maps,
        size_t n)
{
    for (size_t i = 0; i < client->n_maps; i++)
        memctx_rammap_destroy(client->maps[i]);
    for (size_t i = 0; i < n; i++)
        client->maps[i] = memctx_rammap_share(maps[i]);
    client->n_maps = n;
}

int
tries_join(struct tries *tries, int fd, struct tries_client **ret,
           struct memctx_error *err)
{
    struct tries_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    client->tries = tries;
    client->fd = fd;
    *ret = client;
    return 0;
}

void
tries_leave(struct tries_client *client)
{
    if (client == NULL)
        return;
    struct tries *t = client->tries;
    pthread_mutex_lock(&t->lock);
    rest(client);
    if (client->live != NULL)
        client->live->client = NULL;
    pthread_mutex_unlock(&t->lock);
    tries_wake(t);
    set_ram(client, NULL, 0);
    free(client);
}

void
tries_set_ram(struct tries_client *client, struct memctx_rammap *const *maps,
              size_t n)
{
    pthread_mutex_lock(&client->tries->lock);
    rest(client);
    set_ram(client, maps, n);
    pthread_mutex_unlock(&client->tries->lock);
    tries_wake(client->tries);
}

void
tries_ask(struct tries_client *client,
          const struct memctx_probe_request *request, enum tries_lane lane)
{
    struct tries *t = client->tries;
    pthread_mutex_lock(&t->lock);
    drop(client);
    client->request = *request;
    client->request.serial = ++t->serial;
    client->lane = lane;
    client->asked_us = clocks_us(CLOCK_MONOTONIC);
    start_waiting(client);
    pthread_mutex_unlock(&t->lock);
    tries_wake(t);
}

void
tries_drop(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    drop(client);
    pthread_mutex_unlock(&client->tries->lock);
    tries_wake(client->tries);
}

void
tries_rest(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    rest(client);
    pthread_mutex_unlock(&client->tries->lock);
    tries_wake(client->tries);
}

bool
tries_take(struct tries_client *client, struct tries_outcome *ret)
{
    pthread_mutex_lock(&client->tries->lock);
    bool has = client->has_outcome;
    if (has)
        *ret = client->outcome;
    client->has_outcome = false;
    pthread_mutex_unlock(&client->tries->lock);
    return has;
}

uint64_t
tries_spent_us(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    if (client->live != NULL && client->live->running)
        client_charge(client->live);
    uint64_t spent_us = client->spent_us;
    pthread_mutex_unlock(&client->tries->lock);
    return spent_us;
}

unsigned
tries_faults(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    unsigned faults = client->faults;
    pthread_mutex_unlock(&client->tries->lock);
    return faults;
}
