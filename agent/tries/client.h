/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What tries.c and client.c share. Nobody else includes this. */
#ifndef MEMCTXD_CLIENT_H
#define MEMCTXD_CLIENT_H

#include <pthread.h>

#include "tries/live.h"
#include "tries/tries.h"

struct tries {
    struct tries_config config;
    pthread_t thread;
    int wake; /* eventfd */
    int epoll;
    pthread_mutex_t lock; /* over the rest, and over all clients and probers */
    bool stopping;
    uint64_t serial;
    struct tries_client *waiting; /* in the order in which they asked */
    struct live *lives;           /* only the thread adds and removes */
};

struct tries_client {
    struct tries *tries;
    int fd;
    struct memctx_rammap *maps[MEMCTX_LAYOUTS_MAX];
    size_t n_maps;
    struct live *live; /* its prober, also while that ends */
    bool waits;        /* among tries->waiting */
    struct memctx_probe_request request;
    enum tries_lane lane;
    uint64_t asked_us;
    uint64_t cost_us; /* of its last task */
    uint64_t spent_us;
    unsigned faults;
    bool has_outcome;
    struct tries_outcome outcome;
    struct tries_client *next; /* that waits */
};

/* Have the thread look again. Any thread. */
void tries_wake(struct tries *tries);

/* The rest is under the lock. */

/* Take it out of those that wait, if it does. */
void client_stop_waiting(struct tries_client *client);

/* Charge its prober's client for what it has used. */
void client_charge(struct live *live);

/* A task has come to an end. */
void client_deliver(struct tries_client *client,
                    const struct tries_outcome *outcome);

/* Its prober has done what it must not. The task, if somebody waits for it, has
 * failed by that. */
void client_blame(struct tries_client *client, enum tries_fault fault,
                  const char *words, uint64_t cost_us, bool waited_for);

#endif
