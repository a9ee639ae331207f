/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest as the tries know it, and what they all share. For the files
 * of this room that know probers; everything here is under the lock. */
#ifndef MEMCTXD_CLIENT_H
#define MEMCTXD_CLIENT_H

#include <pthread.h>

#include "tries/live.h"

struct tries {
    struct tries_config config;
    pthread_t thread;
    int wake; /* eventfd */
    int epoll;
    pthread_mutex_t lock; /* over the rest, and over all clients and probers */
    bool stopping;
    uint64_t serial;
    struct tries_client *waiting; /* in the order in which they asked */
    struct live *lives;           /* only the thread removes */
};

struct tries_client {
    struct tries *tries;
    int fd;
    struct memctx_rammap *maps[MEMCTX_LAYOUTS_MAX];
    size_t n_maps;
    int output_fd; /* the owner's; -1: none */
    uint64_t output_bytes;
    struct live *live; /* its prober, also while that ends */
    bool waits;        /* among tries->waiting */
    struct memctx_probe_request request;
    enum tries_lane lane;
    uint64_t asked_us;
    uint64_t cost_us; /* of its last task */
    uint64_t spent_us;
    unsigned faults;
    enum tries_fault fault; /* the last one */
    bool has_outcome;
    struct tries_outcome outcome;
    struct tries_client *next; /* that waits */
};

/* Put it behind those that wait, or take it out of them, if it does. */
void client_start_waiting(struct tries_client *client);
void client_stop_waiting(struct tries_client *client);

/* What it asked, if anything, is void. A prober that is in a long look ends,
 * since nobody waits for it. */
void client_drop(struct tries_client *client);

/* ... and its prober ends. */
void client_rest(struct tries_client *client);

/* Its RAM is that of these maps, of which it takes references. */
void client_set_ram(struct tries_client *client,
                    struct memctx_rammap *const *maps, size_t n);

/* Charge its prober's client for what it has used. */
void client_charge(struct live *live);

/* A task has come to an end. */
void client_deliver(struct tries_client *client,
                    const struct tries_outcome *outcome);

/* Its prober has done what it must not. The task, if somebody waits for it, has
 * failed by that. */
void client_blame(struct tries_client *client, enum tries_fault fault,
                  const char *words, uint64_t cost_us, bool waited_for);

/* Have the thread of keeper.c look again. Any thread; the lock is not needed.
 */
void client_wake_keeper(struct tries *tries);

#endif
