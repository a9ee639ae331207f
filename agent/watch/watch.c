/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Connects, registers callbacks first and lists domains then, so that nothing
 * falls between; on a lost connection it does so again. Callbacks run on the
 * loop thread and only enqueue. */
#include "watch/watch.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/clocks.h"
#include "common/thread.h"

#define RECONNECT_FIRST_MS 100u
#define RECONNECT_CAP_MS 5000u
#define LIST_AGAIN_MS 1000u

enum {
    CALLBACK_LIFECYCLE,
    CALLBACK_REBOOT,
    CALLBACK_DEVICE_ADDED,
    CALLBACK_DEVICE_REMOVED,
    CALLBACK_MEMORY_SIZE,
    CALLBACKS
};

struct watch {
    const struct settings *settings;
    struct queue *queue;
    const struct log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    virConnectPtr connection; /* NULL: away */
    int callbacks[CALLBACKS]; /* libvirt 9.0 gives the first the id 0 */
    bool lost;
    bool look_now;
    bool stopping;
};

const char *
watch_last_error(void)
{
    const char *message = virGetLastErrorMessage();
    return message != NULL ? message : "no error";
}

static void
push_domain(struct watch *watch, virDomainPtr domain, enum memctx_event what,
            bool cold)
{
    struct event *event = event_create(EVENT_DOMAIN);
    const char *name = virDomainGetName(domain);
    if (event == NULL || name == NULL ||
        virDomainGetUUIDString(domain, event->uuid) < 0 ||
        (event->name = strdup(name)) == NULL) {
        event_destroy(event);
        log_line(watch->log, LOG_LEVEL_ERROR, "a domain event was lost: %s",
                 watch_last_error());
        return;
    }
    event->what = what;
    event->cold = cold;
    event->id = (int)virDomainGetID(domain);
    event_push(watch->queue, event);
}

/* A lifecycle event as an event of ours; false when it is none. */
static bool
translate(int event, int detail, enum memctx_event *what, bool *cold)
{
    *cold = false;
    switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
        *cold = detail == VIR_DOMAIN_EVENT_STARTED_BOOTED;
        *what = detail == VIR_DOMAIN_EVENT_STARTED_MIGRATED
                    ? MEMCTX_EVENT_ARRIVING
                    : MEMCTX_EVENT_START;
        return true;
    case VIR_DOMAIN_EVENT_SUSPENDED:
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
    case VIR_DOMAIN_EVENT_CRASHED: /* its CPUs stand still, whatever follows */
        *what = MEMCTX_EVENT_SUSPEND;
        return true;
    case VIR_DOMAIN_EVENT_RESUMED:
        *what = MEMCTX_EVENT_RESUME;
        return true;
    case VIR_DOMAIN_EVENT_STOPPED:
        *what = MEMCTX_EVENT_STOP;
        return true;
    default: /* DEFINED, UNDEFINED, SHUTDOWN: RAM stays as it is */
        return false;
    }
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event,
             int detail, void *opaque)
{
    (void)connection;
    enum memctx_event what;
    bool cold;
    if (translate(event, detail, &what, &cold))
        push_domain(opaque, domain, what, cold);
    return 0;
}

static void
on_reboot(virConnectPtr connection, virDomainPtr domain, void *opaque)
{
    (void)connection;
    push_domain(opaque, domain, MEMCTX_EVENT_RESET, false);
}

/* Memory devices have these aliases, or any that a user chose
 * (virDomainDeviceInfo, "ua-"). Of a DIMM that was added libvirt 9.0 tells the
 * backend's name, "memdimm0". */
static bool
may_be_memory(const char *alias)
{
    static const char *const prefixes[] = {"dimm",       "nvdimm", "virtiomem",
                                           "virtiopmem", "ua-",    "mem"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(prefixes); i++) {
        if (strncmp(alias, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* Serves device-added and device-removed alike. */
static void
on_device(virConnectPtr connection, virDomainPtr domain, const char *alias,
          void *opaque)
{
    (void)connection;
    if (may_be_memory(alias))
        push_domain(opaque, domain, MEMCTX_EVENT_LAYOUT, false);
}

#if LIBVIR_CHECK_VERSION(7, 9, 0)
/* A virtio-mem device has more or less of its memory plugged in. */
static void
on_memory_size(virConnectPtr connection, virDomainPtr domain, const char *alias,
               unsigned long long size, void *opaque)
{
    (void)connection;
    (void)alias;
    (void)size;
    push_domain(opaque, domain, MEMCTX_EVENT_LAYOUT, false);
}
#endif

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

/* libvirt's macro casts one type of function to another, which compilers warn
 * of; a cast by way of this type says that it is meant. */
#define CALLBACK(function) VIR_DOMAIN_EVENT_CALLBACK((void (*)(void))(function))

/* Every registration is checked: an agent that hears nothing looks healthy. */
static int
register_callbacks(struct watch *watch, virConnectPtr connection)
{
    static const struct {
        int event;
        virConnectDomainEventGenericCallback callback;
    } rows[CALLBACKS] = {
        [CALLBACK_LIFECYCLE] = {VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                CALLBACK(on_lifecycle)},
        [CALLBACK_REBOOT] = {VIR_DOMAIN_EVENT_ID_REBOOT, CALLBACK(on_reboot)},
        [CALLBACK_DEVICE_ADDED] = {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                                   CALLBACK(on_device)},
        [CALLBACK_DEVICE_REMOVED] = {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                                     CALLBACK(on_device)},
#if LIBVIR_CHECK_VERSION(7, 9, 0)
        [CALLBACK_MEMORY_SIZE] = {VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
                                  CALLBACK(on_memory_size)},
#endif
    };
    for (unsigned i = 0; i < CALLBACKS; i++) {
        if (rows[i].callback == NULL)
            continue;
        watch->callbacks[i] = virConnectDomainEventRegisterAny(
            connection, NULL, rows[i].event, rows[i].callback, watch, NULL);
        if (watch->callbacks[i] < 0)
            return -1;
    }
    /* The test driver has no connection that could be lost: no close callback
     * and no keepalive there, which is fine. */
    if (virConnectRegisterCloseCallback(connection, on_close, watch, NULL) < 0)
        log_line(watch->log, LOG_LEVEL_DEBUG, "no close callback: %s",
                 watch_last_error());
    const struct settings *s = watch->settings;
    if (s->keepalive_interval > 0 &&
        virConnectSetKeepAlive(connection, (int)s->keepalive_interval,
                               (unsigned)s->keepalive_count) != 0)
        log_line(watch->log, LOG_LEVEL_DEBUG, "no keepalive on this driver");
    return 0;
}

/* The event that says how a listed domain is: 1; 0: it vanished meanwhile;
 * -1: libvirt did not answer. */
static int
event_of_state(virDomainPtr domain, enum memctx_event *ret)
{
    int state;
    int reason;
    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? 0 : -1;
    if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION)
        *ret = MEMCTX_EVENT_ARRIVING;
    else if (state == VIR_DOMAIN_PAUSED || state == VIR_DOMAIN_PMSUSPENDED ||
             state == VIR_DOMAIN_CRASHED)
        *ret = MEMCTX_EVENT_START_PAUSED;
    else
        *ret = MEMCTX_EVENT_START;
    return 1;
}

/* A domain may be resumed while we ask; its RESUMED is then in the queue
 * before what we have seen. So we look again behind it. -1: the list is no
 * use, since what is missing in it would be taken for stopped. */
static int
push_listed(struct watch *watch, virDomainPtr domain)
{
    enum memctx_event first;
    enum memctx_event second;
    int known = event_of_state(domain, &first);
    if (known <= 0)
        return known;
    push_domain(watch, domain, first, false);
    known = event_of_state(domain, &second);
    if (known > 0 && second != first)
        push_domain(watch, domain, second, false);
    return known < 0 ? -1 : 0;
}

static int
list_domains(struct watch *watch, virConnectPtr connection)
{
    virDomainPtr *domains;
    int n = virConnectListAllDomains(connection, &domains,
                                     VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (n < 0)
        return -1;
    int failed = 0;
    for (int i = 0; i < n; i++) {
        if (failed == 0)
            failed = push_listed(watch, domains[i]);
        virDomainFree(domains[i]);
    }
    free(domains);
    if (failed < 0)
        return -1;
    push_simple(watch, EVENT_LISTED);
    return 0;
}

/* Callbacks first, then the reference, so that closing frees at once. */
static void
close_connection(struct watch *watch, virConnectPtr connection)
{
    for (unsigned i = 0; i < CALLBACKS; i++) {
        if (watch->callbacks[i] >= 0)
            virConnectDomainEventDeregisterAny(connection, watch->callbacks[i]);
        watch->callbacks[i] = -1;
    }
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
    if (register_callbacks(watch, connection) < 0) {
        close_connection(watch, connection);
        return -1;
    }
    pthread_mutex_lock(&watch->lock);
    watch->connection = connection;
    pthread_mutex_unlock(&watch->lock);
    push_simple(watch, EVENT_CONNECTED);
    return list_domains(watch, connection);
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
        list_domains(watch, watch->connection);
        wake = wait_for(watch, LIST_AGAIN_MS, false);
    }
    if (wake == WAKE_LOST)
        log_line(watch->log, LOG_LEVEL_WARNING,
                 "lost the connection to libvirt; trying again");
    return wake;
}

static void *
run_watch(void *arg)
{
    struct watch *watch = arg;
    char told[256] = "";
    unsigned delay_ms = RECONNECT_FIRST_MS;
    enum wake wake = WAKE_TIME;
    while (wake != WAKE_STOP) {
        if (open_connection(watch) == 0) {
            log_line(watch->log, LOG_LEVEL_INFO, "connected to libvirt");
            told[0] = '\0';
            delay_ms = RECONNECT_FIRST_MS;
            wake = stay_connected(watch);
            drop_connection(watch);
            continue;
        }
        if (strncmp(told, watch_last_error(), sizeof(told) - 1) != 0) {
            strncpy(told, watch_last_error(), sizeof(told) - 1);
            log_line(watch->log, LOG_LEVEL_WARNING,
                     "cannot connect to libvirt: %s; trying again", told);
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
    for (unsigned i = 0; i < CALLBACKS; i++)
        watch->callbacks[i] = -1;
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
