/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a client to a process that works for it. */
#include "tries/launch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/clocks.h"

/* When its CPU time is used up it is killed, which is for a memctxd that has
 * lost count. */
#define LIFE_CPU_S 600u

/* What a search and its proofs allocate, several times over. */
#define MEMORY_BYTES (16 * MEMCTX_MIB)

/* On a thread of the spawner. */
static void
on_launched(void *arg)
{
    struct live *live = arg;
    struct tries *t = live->tries;
    pthread_mutex_lock(&t->lock);
    live->launched = true;
    pthread_mutex_unlock(&t->lock);
    client_wake_keeper(t);
}

int
launch_prober(struct tries_client *client, struct memctx_error *err)
{
    struct tries *t = client->tries;
    struct live *live = calloc(1, sizeof(*live));
    if (live == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    live->tries = t;
    live->client = client;
    live->since_us = clocks_us(CLOCK_MONOTONIC);
    if (prober_launch(t->config.spawner, t->config.program, on_launched, live,
                      &live->prober, err) < 0) {
        free(live);
        return -1;
    }
    live->next = t->lives;
    t->lives = live;
    client->live = live;
    return 0;
}

void
launch_ahead(struct tries_client *client)
{
    const struct tries *t = client->tries;
    unsigned waiting = 0;
    unsigned n = 0;
    for (const struct live *live = t->lives; live != NULL; live = live->next) {
        n += !live->ending;
        waiting += !live->ending && !live->equipped;
    }
    if (client->live == NULL && !t->stopping && n < t->config.live_max &&
        waiting < t->config.places)
        launch_prober(client, NULL);
}

int
launch_equip(struct tries_client *client, struct memctx_error *err)
{
    struct live *live = client->live;
    if (live->equipped)
        return 0;
    struct memctx_start start = {
        .n_maps = client->n_maps,
        .parent = getpid(),
        .memory_bytes = MEMORY_BYTES,
        .cpu_s = LIFE_CPU_S,
        .output_fd = client->output_fd,
        .output_bytes = client->output_bytes,
    };
    memcpy(start.maps, client->maps, sizeof(start.maps));
    if (prober_equip(live->prober, &start, err) < 0)
        return -1;
    live->equipped = true;
    return 0;
}
