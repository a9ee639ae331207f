/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What becomes of what a guest asks for. */
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

void
client_start_waiting(struct tries_client *client)
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
    client->fault = fault;
    if (!waited_for)
        return;
    memctx_error_set(&outcome.why, MEMCTX_RETRY, "the prober %s: %s",
                     tries_fault_name(fault), words);
    client_deliver(client, &outcome);
}

void
client_drop(struct tries_client *client)
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

void
client_rest(struct tries_client *client)
{
    client_drop(client);
    if (client->live == NULL || client->live->ending)
        return;
    client_charge(client->live);
    live_retire(client->live);
}

void
client_set_ram(struct tries_client *client, struct memctx_rammap *const *maps,
               size_t n)
{
    for (size_t i = 0; i < client->n_maps; i++)
        memctx_rammap_destroy(client->maps[i]);
    for (size_t i = 0; i < n; i++)
        client->maps[i] = memctx_rammap_share(maps[i]);
    client->n_maps = n;
}

void
client_wake_keeper(struct tries *t)
{
    eventfd_write(t->wake, 1);
}
