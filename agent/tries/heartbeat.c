/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One thread keeps the time, has batches read, and judges. */
#include "tries/heartbeat.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "common/thread.h"
#include "tries/batch.h"
#include "wire/clocks.h"

struct heartbeat {
    uint64_t period_us;
    pthread_t thread;
    pthread_mutex_t lock;   /* over the rest, and over all listeners */
    pthread_cond_t changed; /* somebody listens, or it is to end */
    bool stopping;
    uint64_t serial;
    struct heartbeat_listener *first;
};

struct heartbeat_listener {
    struct heartbeat *heartbeat;
    int fd;
    uint64_t serial; /* of what it listens to; 0: nothing */
    size_t index;    /* in the batch under way */
    bool noted;      /* the words' values are of noted_us, no older ones */
    uint64_t noted_us;
    uint64_t until_us;
    struct memctx_rammap *map; /* NULL: it does not listen */
    struct memctx_words words;
    bool has_heard;
    enum memctx_step heard;
    struct heartbeat_listener *next;
};

static void
silence(struct heartbeat_listener *l)
{
    memctx_rammap_destroy(memctx_steal_ptr(&l->map));
    l->serial = 0;
}

static void
tell(struct heartbeat_listener *l, enum memctx_step heard)
{
    l->heard = heard;
    l->has_heard = true;
    silence(l);
    eventfd_write(l->fd, 1);
}

static void
judge(struct heartbeat_listener *l, const struct batch_item *item,
      uint64_t now_us)
{
    if (item->failed) {
        tell(l, MEMCTX_STEP_AWAY);
        return;
    }
    enum memctx_step step =
        memctx_words_judge(&l->words, item->values, now_us - l->noted_us);
    bool first = !l->noted;
    l->noted = true;
    l->noted_us = now_us;
    /* That it has moved before it was listened to may be long ago. */
    bool early = step == MEMCTX_STEP_MOVES
                     ? first
                     : step == MEMCTX_STEP_STANDS && now_us < l->until_us;
    if (!early)
        tell(l, step);
}

/* Whoever still listens to what was read. What was not read in time stands. */
static void
judge_all(struct heartbeat *h, struct batch *b, size_t n_read)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    for (struct heartbeat_listener *l = h->first; l != NULL; l = l->next) {
        if (l->serial == 0 || l->index > n_read)
            continue;
        if (l->index == n_read)
            tell(l, MEMCTX_STEP_STANDS);
        else if (batch_item(b, l->index)->serial == l->serial)
            judge(l, batch_item(b, l->index), now_us);
    }
}

static size_t
count_listening(const struct heartbeat *h)
{
    size_t n = 0;
    for (const struct heartbeat_listener *l = h->first; l != NULL; l = l->next)
        n += l->serial != 0;
    return n;
}

/* NULL: no memory, so nothing is heard this time. */
static struct batch *
make_batch(struct heartbeat *h)
{
    struct batch *b = batch_create(count_listening(h));
    size_t n = 0;
    for (struct heartbeat_listener *l = b != NULL ? h->first : NULL; l != NULL;
         l = l->next) {
        if (l->serial == 0)
            continue;
        l->index = n++;
        *batch_item(b, l->index) =
            (struct batch_item){.serial = l->serial,
                                .map = memctx_rammap_share(l->map),
                                .words = l->words};
    }
    return b;
}

/* The lock is held, but while others read. */
static void
beat(struct heartbeat *h)
{
    size_t n_read;
    struct batch *b = make_batch(h);
    if (b == NULL)
        return;
    pthread_mutex_unlock(&h->lock);
    int failed = batch_read(b, &n_read);
    pthread_mutex_lock(&h->lock);
    if (failed == 0)
        judge_all(h, b, n_read);
    batch_destroy(b);
}

static void *
run_thread(void *arg)
{
    struct heartbeat *h = arg;
    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        struct timespec next =
            clocks_deadline(memctx_max(h->period_us / 1000, 1));
        if (count_listening(h) == 0) {
            pthread_cond_wait(&h->changed, &h->lock);
            continue;
        }
        beat(h);
        while (!h->stopping &&
               pthread_cond_timedwait(&h->changed, &h->lock, &next) == 0)
            ;
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

int
heartbeat_create(uint64_t period_us, struct heartbeat **ret,
                 struct memctx_error *err)
{
    struct heartbeat *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    h->period_us = period_us;
    pthread_mutex_init(&h->lock, NULL);
    clocks_init_cond(&h->changed);
    if (thread_start(&h->thread, run_thread, h) != 0) {
        free(h);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "cannot start a thread");
    }
    *ret = h;
    return 0;
}

void
heartbeat_destroy(struct heartbeat *h)
{
    if (h == NULL)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

int
heartbeat_join(struct heartbeat *h, int fd, struct heartbeat_listener **ret,
               struct memctx_error *err)
{
    struct heartbeat_listener *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    l->heartbeat = h;
    l->fd = fd;
    pthread_mutex_lock(&h->lock);
    l->next = h->first;
    h->first = l;
    pthread_mutex_unlock(&h->lock);
    *ret = l;
    return 0;
}

void
heartbeat_leave(struct heartbeat_listener *l)
{
    if (l == NULL)
        return;
    struct heartbeat *h = l->heartbeat;
    pthread_mutex_lock(&h->lock);
    struct heartbeat_listener **at = &h->first;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    silence(l);
    pthread_mutex_unlock(&h->lock);
    free(l);
}

void
heartbeat_listen(struct heartbeat_listener *l, struct memctx_rammap *map,
                 const struct memctx_words *words, uint64_t patience_us)
{
    struct heartbeat *h = l->heartbeat;
    pthread_mutex_lock(&h->lock);
    silence(l);
    l->serial = ++h->serial;
    l->index = SIZE_MAX; /* not in the batch under way */
    l->noted = false;
    l->until_us = clocks_us(CLOCK_MONOTONIC) + patience_us;
    l->map = memctx_rammap_share(map);
    l->words = *words;
    l->has_heard = false;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void
heartbeat_stop(struct heartbeat_listener *l)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    silence(l);
    l->has_heard = false;
    pthread_mutex_unlock(&l->heartbeat->lock);
}

bool
heartbeat_take(struct heartbeat_listener *l, enum memctx_step *ret,
               struct memctx_words *words)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    bool has = l->has_heard;
    if (has) {
        *ret = l->heard;
        *words = l->words;
    }
    l->has_heard = false;
    pthread_mutex_unlock(&l->heartbeat->lock);
    return has;
}
