/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the rest of the agent asks for, handed over to the keeper. */
#include "tries/tries.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "common/thread.h"
#include "tries/keeper.h"
#include "tries/launch.h"
#include "wire/clocks.h"

int
tries_join(struct tries *tries, int fd, struct tries_client **ret,
           struct memctx_error *err)
{
    struct tries_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    client->tries = tries;
    client->fd = fd;
    client->output_fd = -1;
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
    client_rest(client);
    if (client->live != NULL)
        client->live->client = NULL;
    pthread_mutex_unlock(&t->lock);
    client_wake_keeper(t);
    client_set_ram(client, NULL, 0);
    free(client);
}

void
tries_expect(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    launch_ahead(client);
    pthread_mutex_unlock(&client->tries->lock);
}

/* A prober that waits for RAM is to have this. */
void
tries_set_ram(struct tries_client *client, struct memctx_rammap *const *maps,
              size_t n)
{
    pthread_mutex_lock(&client->tries->lock);
    if (n > 0 && client->live != NULL && !client->live->equipped)
        client_drop(client);
    else
        client_rest(client);
    client_set_ram(client, maps, n);
    pthread_mutex_unlock(&client->tries->lock);
    client_wake_keeper(client->tries);
}

void
tries_set_output(struct tries_client *client, int fd, uint64_t most_bytes)
{
    pthread_mutex_lock(&client->tries->lock);
    client->output_fd = fd;
    client->output_bytes = most_bytes;
    pthread_mutex_unlock(&client->tries->lock);
}

void
tries_ask(struct tries_client *client,
          const struct memctx_probe_request *request, enum tries_lane lane)
{
    struct tries *t = client->tries;
    pthread_mutex_lock(&t->lock);
    client_drop(client);
    client->request = *request;
    client->request.serial = ++t->serial;
    client->lane = lane;
    client->asked_us = clocks_us(CLOCK_MONOTONIC);
    client_start_waiting(client);
    pthread_mutex_unlock(&t->lock);
    client_wake_keeper(t);
}

void
tries_drop(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    client_drop(client);
    pthread_mutex_unlock(&client->tries->lock);
    client_wake_keeper(client->tries);
}

void
tries_rest(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    client_rest(client);
    pthread_mutex_unlock(&client->tries->lock);
    client_wake_keeper(client->tries);
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

enum tries_fault
tries_last_fault(struct tries_client *client)
{
    pthread_mutex_lock(&client->tries->lock);
    enum tries_fault fault = client->fault;
    pthread_mutex_unlock(&client->tries->lock);
    return fault;
}

static void
deallocate(struct tries *t)
{
    memctx_close_fd(&t->wake);
    memctx_close_fd(&t->epoll);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int
tries_create(const struct tries_config *config, struct tries **ret,
             struct memctx_error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    struct tries *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    t->config = *config;
    pthread_mutex_init(&t->lock, NULL);
    t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (t->wake < 0 || t->epoll < 0 ||
        epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->wake, &event) < 0 ||
        thread_start(&t->thread, keeper_run, t) != 0) {
        deallocate(t);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no thread or descriptors for probers");
    }
    *ret = t;
    return 0;
}

void
tries_destroy(struct tries *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_mutex_unlock(&t->lock);
    client_wake_keeper(t);
    pthread_join(t->thread, NULL);
    /* A launch that the spawner has yet to answer, and what the kernel holds,
     * still need it. */
    if (t->lives == NULL)
        deallocate(t);
}
