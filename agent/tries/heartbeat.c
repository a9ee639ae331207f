/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One thread keeps the time, has batches read, and asks for the verdict. */
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
    struct heartbeat_config config;
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
    uint64_t serial;                  /* of what it listens to; 0: nothing */
    size_t index;                     /* in the batch under way */
    struct heartbeat_subject subject; /* with references of its own */
    struct verdict_state state;
    bool has_news;
    enum heartbeat_news news;
    bool wrote; /* beside that: it is no news of the kernel's life */
    struct heartbeat_listener *next;
};

static void
silence(struct heartbeat_listener *l)
{
    memctx_rammap_destroy(memctx_steal_ptr(&l->subject.map));
    vcpus_drop(memctx_steal_ptr(&l->subject.vcpus));
    l->serial = 0;
    l->wrote = false;
}

static void
tell(struct heartbeat_listener *l, enum heartbeat_news news)
{
    l->news = news;
    l->has_news = true;
    eventfd_write(l->fd, 1);
}

static void
tell_wrote(struct heartbeat_listener *l)
{
    l->wrote = true;
    eventfd_write(l->fd, 1);
}

/* The same, and stop listening: words that cannot be read, or that belong to
 * another kernel by now, say nothing more. The record decides what to listen to
 * next. */
static void
tell_end(struct heartbeat_listener *l, enum heartbeat_news news)
{
    silence(l);
    tell(l, news);
}

static void
judge(struct heartbeat_listener *l, const struct batch_item *item,
      uint64_t now_us)
{
    const struct verdict_reading reading = {.now_us = now_us,
                                            .values = item->values,
                                            .panicked = item->panicked,
                                            .has_log = item->has_log,
                                            .log_head = item->log_head,
                                            .looked = item->looked,
                                            .has_cpu = item->has_cpu,
                                            .cpu_us = item->cpu_us};
    if (item->failed) {
        tell_end(l, HEARTBEAT_UNREAD);
        return;
    }
    switch (verdict_judge(&l->state, &l->heartbeat->config.law,
                          &l->subject.words, &reading)) {
    case VERDICT_MOVES:
        tell(l, HEARTBEAT_MOVES);
        break;
    case VERDICT_LULL:
        tell(l, HEARTBEAT_LULL);
        break;
    case VERDICT_STANDS:
        tell(l, HEARTBEAT_STANDS);
        break;
    case VERDICT_DIED:
        tell(l, HEARTBEAT_DIED);
        break;
    case VERDICT_REPLACED:
        tell_end(l, HEARTBEAT_REPLACED);
        break;
    case VERDICT_WROTE:
        tell_wrote(l);
        break;
    case VERDICT_NONE:
    case VERDICTS:
        break;
    }
}

/* Judge each listener whose words were read. The lock was free meanwhile, so
 * some have left or listen to another kernel: the serial tells. The item after
 * the last one that was read is the one at which reading hangs; those behind it
 * have had no turn, and are read the next time. */
static void
judge_all(struct heartbeat *h, struct batch *b, size_t n_read)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    for (struct heartbeat_listener *l = h->first; l != NULL; l = l->next) {
        if (l->serial == 0 || l->index > n_read)
            continue;
        if (l->index == n_read)
            tell_end(l, HEARTBEAT_UNREAD);
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

/* CPUs are looked up once each time that words stand. */
static struct batch_item
make_item(const struct heartbeat_listener *l, uint64_t now_us)
{
    const struct heartbeat_subject *s = &l->subject;
    return (struct batch_item){
        .serial = l->serial,
        .map = s->map != NULL ? memctx_rammap_share(s->map) : NULL,
        .words = s->words,
        .vcpus = vcpus_share(s->vcpus),
        .synthetic = s->synthetic,
        .wants_cpu =
            verdict_wants_cpu(&l->state, &l->heartbeat->config.law, now_us),
        .anew = !l->state.has_cpu};
}

/* NULL: no memory, so nothing is heard this time. */
static struct batch *
make_batch(struct heartbeat *h)
{
    struct batch *b = batch_create(count_listening(h));
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    size_t n = 0;
    for (struct heartbeat_listener *l = b != NULL ? h->first : NULL; l != NULL;
         l = l->next) {
        if (l->serial == 0)
            continue;
        l->index = n++;
        *batch_item(b, l->index) = make_item(l, now_us);
    }
    return b;
}

/* A read may hang (FUSE, NFS, swap), and the loop thread must never wait for
 * that in heartbeat_listen() and its like: so the lock is free while the batch
 * is read. */
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
        /* Taken before the batch is read: a slow one does not stretch the
         * period, by which the verdicts measure. */
        struct timespec next =
            clocks_deadline(memctx_max(h->config.period_us / 1000, 1));
        /* An agent without ready guests does not wake up at all. */
        if (count_listening(h) == 0) {
            pthread_cond_wait(&h->changed, &h->lock);
            continue;
        }
        beat(h);
        /* A new listener does not begin a beat of its own: all are read in one
         * batch, however many guests begin at once. */
        while (!h->stopping &&
               pthread_cond_timedwait(&h->changed, &h->lock, &next) == 0)
            ;
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

int
heartbeat_create(const struct heartbeat_config *config, struct heartbeat **ret,
                 struct memctx_error *err)
{
    struct heartbeat *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    h->config = *config;
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
heartbeat_listen(struct heartbeat_listener *l,
                 const struct heartbeat_subject *subject)
{
    struct heartbeat *h = l->heartbeat;
    pthread_mutex_lock(&h->lock);
    silence(l);
    l->serial = ++h->serial;
    l->index = SIZE_MAX; /* not in the batch under way */
    l->subject = *subject;
    if (subject->map != NULL)
        l->subject.map = memctx_rammap_share(subject->map);
    else
        l->subject.words.n = 0;
    l->subject.vcpus = vcpus_share(subject->vcpus);
    verdict_begin(&l->state, clocks_us(CLOCK_MONOTONIC));
    l->has_news = false;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void
heartbeat_stop(struct heartbeat_listener *l)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    silence(l);
    l->has_news = false;
    pthread_mutex_unlock(&l->heartbeat->lock);
}

bool
heartbeat_take(struct heartbeat_listener *l, enum heartbeat_news *ret)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    bool has = l->has_news || l->wrote;
    /* One word at a time: that the log grew waits for the next call. */
    if (has)
        *ret = l->has_news ? l->news : HEARTBEAT_WROTE;
    l->wrote = l->wrote && l->has_news;
    l->has_news = false;
    pthread_mutex_unlock(&l->heartbeat->lock);
    return has;
}

void
heartbeat_unread(struct heartbeat_listener *l)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    verdict_unread(&l->state, clocks_us(CLOCK_MONOTONIC));
    pthread_mutex_unlock(&l->heartbeat->lock);
}

bool
heartbeat_words(struct heartbeat_listener *l, struct memctx_words *ret)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    bool has = l->serial != 0 && l->subject.words.n > 0;
    if (has)
        *ret = l->subject.words;
    pthread_mutex_unlock(&l->heartbeat->lock);
    return has;
}

uint64_t
heartbeat_age_us(struct heartbeat_listener *l)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    pthread_mutex_lock(&l->heartbeat->lock);
    uint64_t age_us =
        l->serial == 0 ? 0 : now_us - memctx_min(l->state.since_us, now_us);
    pthread_mutex_unlock(&l->heartbeat->lock);
    return age_us;
}

bool
heartbeat_cpu_us(struct heartbeat_listener *l, uint64_t *ret)
{
    pthread_mutex_lock(&l->heartbeat->lock);
    bool has = l->serial != 0 && l->state.has_cpu;
    if (has)
        *ret = l->state.cpu_us;
    pthread_mutex_unlock(&l->heartbeat->lock);
    return has;
}
