/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Connects, registers callbacks first and lists domains then, so that nothing
 * falls between; on a lost connection it does so again. */
#include "watch/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "common/thread.h"
#include "watch/source.h"
#include "watch/vir.h"
#include "wire/clocks.h"

#define RECONNECT_FIRST_MS 100u
#define RECONNECT_CAP_MS 5000u
#define LIST_AGAIN_MS 1000u

struct watch {
    const struct settings *settings;
    struct queue *queue;
    const struct log *log;
    struct source source;
    pthread_t thread;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    virConnectPtr connection; /* NULL: away */
    bool lost;
    bool look_now;
    bool stopping;
};

static void
on_close(virConnectPtr connection, int reason, void *opaque)
{
    struct watch *watch = opaque;
    (void)connection;
    if (reason == VIR_CONNECT_CLOSE_REASON_CLIENT)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->lost = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static void
push_simple(struct watch *watch, enum event_kind kind)
{
    struct event *event = event_create(kind);
    if (event != NULL)
        event_push(watch->queue, event);
}

/* The test driver has no connection that could be lost: no close callback and
 * no keepalive there, which is fine. */
static void
guard_connection(struct watch *watch, virConnectPtr connection)
{
    const struct settings *s = watch->settings;
    if (virConnectRegisterCloseCallback(connection, on_close, watch, NULL) < 0)
        log_line(watch->log, LOG_LEVEL_DEBUG, "no close callback: %s",
                 vir_last_error());
    if (s->keepalive_interval > 0 &&
        virConnectSetKeepAlive(connection, (int)s->keepalive_interval,
                               (unsigned)s->keepalive_count) != 0)
        log_line(watch->log, LOG_LEVEL_DEBUG, "no keepalive on this driver");
}

/* Callbacks first, then the reference, so that closing frees at once. */
static void
close_connection(struct watch *watch, virConnectPtr connection)
{
    source_deregister(&watch->source, connection);
    virConnectUnregisterCloseCallback(connection, on_close);
    virConnectClose(connection);
}

static int
open_connection(struct watch *watch)
{
    const char *uri =
        watch->settings->uri[0] != '\0' ? watch->settings->uri : NULL;
    virConnectPtr connection = virConnectOpen(uri);
    if (connection == NULL)
        return -1;
    pthread_mutex_lock(&watch->lock);
    watch->lost = false;
    pthread_mutex_unlock(&watch->lock);
    if (source_register(&watch->source, connection) < 0) {
        close_connection(watch, connection);
        return -1;
    }
    guard_connection(watch, connection);
    pthread_mutex_lock(&watch->lock);
    watch->connection = connection;
    pthread_mutex_unlock(&watch->lock);
    push_simple(watch, EVENT_CONNECTED);
    return source_list(&watch->source, connection);
}

/* Take the connection away from everybody. */
static void
drop_connection(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    virConnectPtr connection = watch->connection;
    watch->connection = NULL;
    watch->lost = false;
    pthread_mutex_unlock(&watch->lock);
    if (connection == NULL)
        return;
    push_simple(watch, EVENT_LOST);
    close_connection(watch, connection);
}

/* What a wait ended for. */
enum wake {
    WAKE_STOP,
    WAKE_LOST,
    WAKE_HINT,
    WAKE_TIME
};

/* Wait for as long as delay_ms, 0: for ever. With `hints` a hint ends it;
 * without they wait, too. */
static enum wake
wait_for(struct watch *watch, unsigned delay_ms, bool hints)
{
    struct timespec until = clocks_deadline(delay_ms);
    enum wake wake = WAKE_TIME;
    int ended = 0;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping && !watch->lost && !(hints && watch->look_now) &&
           ended != ETIMEDOUT)
        ended = delay_ms > 0 ? pthread_cond_timedwait(&watch->changed,
                                                      &watch->lock, &until)
                             : pthread_cond_wait(&watch->changed, &watch->lock);
    if (watch->stopping)
        wake = WAKE_STOP;
    else if (watch->lost)
        wake = WAKE_LOST;
    else if (hints && watch->look_now)
        wake = WAKE_HINT;
    if (wake == WAKE_HINT)
        watch->look_now = false;
    pthread_mutex_unlock(&watch->lock);
    return wake;
}

/* While the connection holds: list again when a hint comes. */
static enum wake
stay_connected(struct watch *watch)
{
    enum wake wake = WAKE_TIME;
    while (wake != WAKE_STOP && wake != WAKE_LOST) {
        wake = wait_for(watch, 0, true);
        if (wake != WAKE_HINT)
            continue;
        source_list(&watch->source, watch->connection);
        wake = wait_for(watch, LIST_AGAIN_MS, false);
    }
    if (wake == WAKE_LOST)
        log_say(watch->log, LOG_LEVEL_WARNING, LOG_KIND_DISCONNECTED,
                "lost the connection to libvirt; trying again");
    return wake;
}

static void *
run_watch(void *arg)
{
    struct watch *watch = arg;
    char logged[256] = "";
    unsigned delay_ms = RECONNECT_FIRST_MS;
    enum wake wake = WAKE_TIME;
    while (wake != WAKE_STOP) {
        if (open_connection(watch) == 0) {
            log_say(watch->log, LOG_LEVEL_INFO, LOG_KIND_CONNECTED,
                    "connected to libvirt");
            logged[0] = '\0';
            delay_ms = RECONNECT_FIRST_MS;
            wake = stay_connected(watch);
            drop_connection(watch);
            continue;
        }
        if (strncmp(logged, vir_last_error(), sizeof(logged) - 1) != 0) {
            strncpy(logged, vir_last_error(), sizeof(logged) - 1);
            log_say(watch->log, LOG_LEVEL_WARNING, LOG_KIND_DISCONNECTED,
                    "cannot connect to libvirt: %s; trying again", logged);
        }
        drop_connection(watch);
        /* Hints come when libvirt is back, and too many when somebody floods
         * us: they shorten the wait to the first delay. */
        wake = wait_for(watch, RECONNECT_FIRST_MS, false);
        if (wake != WAKE_STOP && delay_ms > RECONNECT_FIRST_MS)
            wake = wait_for(watch, delay_ms - RECONNECT_FIRST_MS, true);
        delay_ms = (unsigned)memctx_min(2 * delay_ms, RECONNECT_CAP_MS);
    }
    return NULL;
}

int
watch_create(const struct settings *settings, struct queue *queue,
             const struct log *log, struct watch **ret,
             struct memctx_error *err)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *watch = (struct watch){.settings = settings, .queue = queue, .log = log};
    source_init(&watch->source, queue, log);
    pthread_mutex_init(&watch->lock, NULL);
    clocks_init_cond(&watch->changed);
    int failed = thread_start(&watch->thread, run_watch, watch);
    if (failed != 0) {
        free(watch);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot start a thread: %s", strerror(failed));
    }
    *ret = watch;
    return 0;
}

void
watch_destroy(struct watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

void
watch_look_now(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->look_now = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

virConnectPtr
watch_connection(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    virConnectPtr connection = watch->connection;
    if (connection != NULL)
        virConnectRef(connection);
    pthread_mutex_unlock(&watch->lock);
    return connection;
}
