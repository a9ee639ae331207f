/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Translates, and decides nothing. Callbacks only enqueue. */
#include "watch/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "datum/datum.h"
#include "watch/vir.h"

void
source_init(struct source *source, struct queue *queue, const struct log *log)
{
    *source = (struct source){.queue = queue, .log = log};
    for (unsigned i = 0; i < SOURCE_CALLBACKS; i++)
        source->callbacks[i] = -1; /* libvirt 9.0 gives the first the id 0 */
}

static void
push_domain(struct source *source, virDomainPtr domain, enum memctx_event what,
            bool cold)
{
    struct event *event = event_create(EVENT_DOMAIN);
    const char *name = virDomainGetName(domain);
    if (event == NULL || name == NULL ||
        virDomainGetUUIDString(domain, event->uuid) < 0 ||
        (event->name = strdup(name)) == NULL) {
        event_destroy(event);
        log_say(source->log, LOG_LEVEL_ERROR, LOG_KIND_UNWATCHED,
                "a domain event was lost: %s", vir_last_error());
        return;
    }
    event->what = what;
    event->cold = cold;
    event->id = (int)virDomainGetID(domain);
    event_push(source->queue, event);
}

/* Runs while most of its RAM is still to come: what is read of it may be a
 * hole, or wait for the other host. It ends with RESUMED_MIGRATED. */
static bool
is_postcopy(int detail)
{
#if LIBVIR_CHECK_VERSION(8, 5, 0)
    if (detail == VIR_DOMAIN_EVENT_RESUMED_POSTCOPY_FAILED)
        return true;
#endif
    return detail == VIR_DOMAIN_EVENT_RESUMED_POSTCOPY;
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
        *what = MEMCTX_EVENT_SUSPEND;
        return true;
    case VIR_DOMAIN_EVENT_CRASHED:
        *what = MEMCTX_EVENT_DIED;
        return true;
    case VIR_DOMAIN_EVENT_RESUMED:
        *what =
            is_postcopy(detail) ? MEMCTX_EVENT_ARRIVING : MEMCTX_EVENT_RESUME;
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
    /* The CPUs of a guest that panicked stand still, whatever follows. */
    if (event == VIR_DOMAIN_EVENT_CRASHED)
        push_domain(opaque, domain, MEMCTX_EVENT_SUSPEND, false);
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

/* The application's own URI says whose metadata they are; title and description
 * have none. What we write ourselves comes back here, too. */
static void
on_metadata(virConnectPtr connection, virDomainPtr domain, int type,
            const char *uri, void *opaque)
{
    struct source *source = opaque;
    (void)connection;
    if (type != VIR_DOMAIN_METADATA_ELEMENT || uri == NULL)
        return;
    bool is_datum = strcmp(uri, MEMCTX_URI) == 0;
    if (!is_datum && strcmp(uri, EVENT_CLAIM_URI) != 0)
        return;
    struct event *event =
        event_create(is_datum ? EVENT_METADATA : EVENT_CLAIM_WORD);
    if (event == NULL || virDomainGetUUIDString(domain, event->uuid) < 0) {
        event_destroy(event);
        return;
    }
    event_push(source->queue, event);
}

/* libvirt's macro casts one type of function to another, which compilers warn
 * of; a cast by way of this type says that it is meant. */
#define CALLBACK(function) VIR_DOMAIN_EVENT_CALLBACK((void (*)(void))(function))

int
source_register(struct source *source, virConnectPtr connection)
{
    static const struct {
        int event;
        virConnectDomainEventGenericCallback callback;
    } rows[SOURCE_CALLBACKS] = {
        [SOURCE_LIFECYCLE] = {VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                              CALLBACK(on_lifecycle)},
        [SOURCE_REBOOT] = {VIR_DOMAIN_EVENT_ID_REBOOT, CALLBACK(on_reboot)},
        [SOURCE_DEVICE_ADDED] = {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                                 CALLBACK(on_device)},
        [SOURCE_DEVICE_REMOVED] = {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                                   CALLBACK(on_device)},
#if LIBVIR_CHECK_VERSION(7, 9, 0)
        [SOURCE_MEMORY_SIZE] = {VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
                                CALLBACK(on_memory_size)},
#endif
        [SOURCE_METADATA] = {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                             CALLBACK(on_metadata)},
    };
    for (unsigned i = 0; i < SOURCE_CALLBACKS; i++) {
        if (rows[i].callback == NULL)
            continue;
        source->callbacks[i] = virConnectDomainEventRegisterAny(
            connection, NULL, rows[i].event, rows[i].callback, source, NULL);
        if (source->callbacks[i] < 0)
            return -1;
    }
    return 0;
}

void
source_deregister(struct source *source, virConnectPtr connection)
{
    for (unsigned i = 0; i < SOURCE_CALLBACKS; i++) {
        if (source->callbacks[i] >= 0)
            virConnectDomainEventDeregisterAny(connection,
                                               source->callbacks[i]);
        source->callbacks[i] = -1;
    }
}

static bool
is_running_in_postcopy(int state, int reason)
{
#if LIBVIR_CHECK_VERSION(8, 5, 0)
    if (state == VIR_DOMAIN_RUNNING &&
        reason == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED)
        return true;
#endif
    return state == VIR_DOMAIN_RUNNING && reason == VIR_DOMAIN_RUNNING_POSTCOPY;
}

/* A restore that leaves the guest paused says the same as a migration that
 * arrives (libvirt 9.0). Only that is still under way: libvirt refuses to tell
 * of it on this side, and knows of no job after a restore. */
static bool
has_job(virDomainPtr domain)
{
    virDomainJobInfo job;
    return virDomainGetJobInfo(domain, &job) < 0 ||
           job.type != VIR_DOMAIN_JOB_NONE;
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
    if ((state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION &&
         has_job(domain)) ||
        is_running_in_postcopy(state, reason))
        *ret = MEMCTX_EVENT_ARRIVING;
    else if (state == VIR_DOMAIN_PAUSED || state == VIR_DOMAIN_PMSUSPENDED ||
             state == VIR_DOMAIN_CRASHED)
        *ret = MEMCTX_EVENT_START_PAUSED;
    else
        *ret = MEMCTX_EVENT_START;
    return 1;
}

/* libvirt keeps what panicked if on_crash says so. */
static bool
is_crashed(virDomainPtr domain)
{
    int state;
    return virDomainGetState(domain, &state, NULL, 0) == 0 &&
           state == VIR_DOMAIN_CRASHED;
}

/* A domain may be resumed while we ask; its RESUMED is then in the queue
 * before what we have seen. So we look again behind it. -1: the list is no
 * use, since what is missing in it would be taken for stopped. */
static int
push_listed(struct source *source, virDomainPtr domain)
{
    enum memctx_event first;
    enum memctx_event second;
    int known = event_of_state(domain, &first);
    if (known <= 0)
        return known;
    push_domain(source, domain, first, false);
    if (is_crashed(domain))
        push_domain(source, domain, MEMCTX_EVENT_DIED, false);
    known = event_of_state(domain, &second);
    if (known > 0 && second != first)
        push_domain(source, domain, second, false);
    return known < 0 ? -1 : 0;
}

int
source_list(struct source *source, virConnectPtr connection)
{
    virDomainPtr *domains;
    int n = virConnectListAllDomains(connection, &domains,
                                     VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (n < 0)
        return -1;
    int failed = 0;
    for (int i = 0; i < n; i++) {
        if (failed == 0)
            failed = push_listed(source, domains[i]);
        virDomainFree(domains[i]);
    }
    free(domains);
    if (failed < 0)
        return -1;
    struct event *event = event_create(EVENT_LISTED);
    if (event != NULL)
        event_push(source->queue, event);
    return 0;
}
