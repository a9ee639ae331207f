/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One slot per domain with the latest value; threads take slots in turn. A
 * slot is with one thread at a time, which keeps its writes in order. */
#include "publish/publish.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/uuid.h"
#include "wire/clocks.h"
#include "common/thread.h"
#include "publish/statefile.h"

#define RETRY_MS 200u

/* What is to be done for one domain. */
struct slot {
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    int id; /* -1: the run is over */
    struct statefile_run counted;
    bool pending; /* `value` has not been written */
    bool failed;  /* the last write failed, and that was told */
    bool busy;    /* a thread is writing an earlier value */
    bool write_metadata;
    bool write_file;
    char *metadata; /* NULL: remove; owned */
    char *file;     /* NULL: remove; owned */
    uint64_t not_before_ms;
    struct slot *next;
};

struct publisher {
    struct watch *watch;
    struct queue *queue;
    const struct log *log;
    int dirfd;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    struct slot *slots;
    bool stopping;
    bool tell_idle;
    unsigned n_idle;    /* threads that wait for work */
    unsigned n_threads; /* started so far, */
    unsigned max_threads;
    pthread_t threads[];
};

static void
free_texts(struct slot *slot)
{
    free(slot->metadata);
    free(slot->file);
    slot->metadata = NULL;
    slot->file = NULL;
}

/* A domain that is gone, or is another run by now, needs nothing written. */
static bool
is_gone(virDomainPtr domain, int id)
{
    int code = virGetLastErrorCode();
    return domain == NULL ? code == VIR_ERR_NO_DOMAIN
                          : (int)virDomainGetID(domain) != id;
}

/* LIVE only: what is written to the configuration would be wrong at the next
 * boot. */
static int
set_metadata(virDomainPtr domain, const char *text)
{
    return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, text,
                                MEMCTX_KEY, MEMCTX_URI, VIR_DOMAIN_AFFECT_LIVE);
}

/* libvirt finds a domain by its UUID only after it has waited for other jobs:
 * if it was restarted meanwhile, the datum went to the next run. */
static void
take_back_from_next_run(virConnectPtr connection, const struct slot *slot)
{
    MEMCTX_CLEANUP(watch_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, slot->uuid);
    if (domain != NULL && slot->metadata != NULL && is_gone(domain, slot->id))
        set_metadata(domain, NULL);
}

/* What trying again cannot cure. */
static bool
is_hopeless(int code)
{
    return code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID ||
           code == VIR_ERR_NO_DOMAIN_METADATA ||
           code == VIR_ERR_OPERATION_DENIED || code == VIR_ERR_ACCESS_DENIED;
}

/* A removal of nothing would be an event for every listener. */
static bool
has_nothing(virDomainPtr domain)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                      MEMCTX_URI, VIR_DOMAIN_AFFECT_LIVE);
    return text == NULL && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA;
}

/* 0: written, or not needed any more. */
static int
write_metadata(struct publisher *p, const struct slot *slot)
{
    MEMCTX_CLEANUP(watch_cleanup_connection)
    virConnectPtr connection = watch_connection(p->watch);
    if (slot->id < 0)
        return 0;
    if (connection == NULL)
        return -1;
    MEMCTX_CLEANUP(watch_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, slot->uuid);
    if (domain == NULL || is_gone(domain, slot->id))
        return is_gone(domain, slot->id) ? 0 : -1;
    if (slot->metadata == NULL && has_nothing(domain))
        return 0;
    if (set_metadata(domain, slot->metadata) == 0) {
        take_back_from_next_run(connection, slot);
        return 0;
    }
    bool hopeless = is_hopeless(virGetLastErrorCode());
    if (!slot->failed)
        log_line(p->log, LOG_LEVEL_WARNING,
                 "uuid=%s metadata not written: %s%s", slot->uuid,
                 watch_last_error(), hopeless ? "" : "; trying again");
    return hopeless ? 0 : -1;
}

static int
write_file(struct publisher *p, const struct slot *slot)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (slot->id < 0) {
        statefile_forget(p->dirfd, slot->uuid);
        return 0;
    }
    if (slot->file == NULL) {
        statefile_remove(p->dirfd, slot->uuid);
        return 0;
    }
    if (statefile_write(p->dirfd, slot->uuid, slot->file, &err) == 0)
        return 0;
    log_line(p->log, LOG_LEVEL_WARNING, "uuid=%s %s", slot->uuid, err.message);
    return -1;
}

/* A generation is counted before anybody can see it, and a reset before its
 * datum is gone: an agent that is killed here and now is followed by one that
 * counts on rightly. */
static void
count(struct publisher *p, const struct slot *slot)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (slot->id >= 0 && slot->counted.generation > 0 &&
        statefile_count(p->dirfd, slot->uuid, &slot->counted, &err) < 0)
        log_line(p->log, LOG_LEVEL_WARNING, "uuid=%s %s", slot->uuid,
                 err.message);
}

/* The next slot to work on; NULL: none now, *wait_ms until one may be (0: no
 * end in sight). Lock held. */
static struct slot *
pick_slot(struct publisher *p, uint64_t *wait_ms)
{
    uint64_t now = clocks_now_ms();
    *wait_ms = 0;
    for (struct slot *s = p->slots; s != NULL; s = s->next) {
        if (!s->pending || s->busy)
            continue;
        if (s->not_before_ms <= now)
            return s;
        if (*wait_ms == 0 || s->not_before_ms - now < *wait_ms)
            *wait_ms = s->not_before_ms - now;
    }
    return NULL;
}

static bool
is_idle(const struct publisher *p)
{
    for (const struct slot *s = p->slots; s != NULL; s = s->next) {
        if (s->pending || s->busy)
            return false;
    }
    return true;
}

static void
tell_idle(struct publisher *p)
{
    if (!p->tell_idle || !is_idle(p))
        return;
    struct event *event = event_create(EVENT_IDLE);
    if (event != NULL)
        event_push(p->queue, event);
    p->tell_idle = false;
}

static void
remove_slot(struct publisher *p, struct slot *slot)
{
    struct slot **at = &p->slots;
    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    free_texts(slot);
    free(slot);
}

/* Put back what could not be written, unless a later value has come. */
static void
finish(struct publisher *p, struct slot *slot, struct slot *work,
       bool metadata_failed, bool file_failed)
{
    slot->busy = false;
    slot->failed = metadata_failed;
    if ((metadata_failed || file_failed) && !slot->pending) {
        slot->pending = true;
        slot->metadata = memctx_steal_ptr(&work->metadata);
        slot->file = memctx_steal_ptr(&work->file);
        slot->id = work->id;
        slot->counted = work->counted;
    }
    if (metadata_failed || file_failed) {
        slot->write_metadata = slot->write_metadata || metadata_failed;
        slot->write_file = slot->write_file || file_failed;
        slot->not_before_ms = clocks_now_ms() + RETRY_MS;
    } else if (!slot->pending && work->file == NULL)
        remove_slot(p, slot);
    free_texts(work);
}

/* Write one slot's value. Lock held, but not while writing. The file is there
 * only while the metadata are: a withdrawal, which another job of the domain
 * may hold up in libvirt, goes to the file first. */
static void
work_on(struct publisher *p, struct slot *slot)
{
    struct slot work = *slot;
    slot->metadata = NULL;
    slot->file = NULL;
    slot->pending = false;
    slot->write_metadata = false;
    slot->write_file = false;
    pthread_mutex_unlock(&p->lock);
    count(p, &work);
    bool removal = work.file == NULL;
    bool file_failed = removal && work.write_file && write_file(p, &work) < 0;
    bool metadata_failed = work.write_metadata && write_metadata(p, &work) < 0;
    if (!removal)
        file_failed = work.write_file && write_file(p, &work) < 0;
    pthread_mutex_lock(&p->lock);
    finish(p, slot, &work, metadata_failed, file_failed);
    tell_idle(p);
    pthread_cond_broadcast(&p->changed);
}

static void
wait_for_change(struct publisher *p, uint64_t wait_ms)
{
    if (wait_ms == 0) {
        pthread_cond_wait(&p->changed, &p->lock);
        return;
    }
    struct timespec until = clocks_deadline(wait_ms);
    pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

static void
wait_changed(struct publisher *p, uint64_t wait_ms)
{
    p->n_idle++;
    wait_for_change(p, wait_ms);
    p->n_idle--;
}

static void *run_thread(void *arg);

/* A domain that holds up its writer must hold up nobody else: whenever there
 * is work and no thread free for it, one more is started, and kept. Lock held.
 */
static void
start_thread(struct publisher *p)
{
    if (p->n_threads < p->max_threads &&
        thread_start(&p->threads[p->n_threads], run_thread, p) == 0)
        p->n_threads++;
}

static void *
run_thread(void *arg)
{
    struct publisher *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        uint64_t wait_ms;
        struct slot *slot = pick_slot(p, &wait_ms);
        if (slot == NULL) {
            wait_changed(p, wait_ms);
            continue;
        }
        slot->busy = true;
        if (p->n_idle == 0 && pick_slot(p, &wait_ms) != NULL)
            start_thread(p);
        work_on(p, slot);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int
publisher_create(unsigned max_threads, struct watch *watch, int dirfd,
                 struct queue *queue, const struct log *log,
                 struct publisher **ret, struct memctx_error *err)
{
    struct publisher *p =
        calloc(1, sizeof(*p) + max_threads * sizeof(p->threads[0]));
    if (p == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    p->watch = watch;
    p->queue = queue;
    p->log = log;
    p->dirfd = dirfd;
    p->max_threads = max_threads;
    pthread_mutex_init(&p->lock, NULL);
    clocks_init_cond(&p->changed);
    pthread_mutex_lock(&p->lock);
    start_thread(p);
    pthread_mutex_unlock(&p->lock);
    if (p->n_threads == 0) {
        publisher_destroy(p);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "cannot start a thread");
    }
    *ret = p;
    return 0;
}

void
publisher_destroy(struct publisher *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    while (p->slots != NULL)
        remove_slot(p, p->slots);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* The slot of a domain, made if need be. Lock held. */
static struct slot *
need_slot(struct publisher *p, const char *uuid)
{
    for (struct slot *s = p->slots; s != NULL; s = s->next) {
        if (strcmp(s->uuid, uuid) == 0)
            return s;
    }
    struct slot *slot = calloc(1, sizeof(*slot));
    if (slot == NULL)
        return NULL;
    strncpy(slot->uuid, uuid, sizeof(slot->uuid) - 1);
    slot->next = p->slots;
    p->slots = slot;
    return slot;
}

/* A value that a run gets. */
struct value {
    bool metadata;       /* to be written to the metadata, too */
    char *metadata_text; /* NULL: remove */
    char *file_text;     /* NULL: remove */
};

/* Owns both texts. */
static int
put_value(struct publisher *p, const struct publisher_run *run,
          const struct value *value)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = need_slot(p, run->uuid);
    if (slot == NULL) {
        pthread_mutex_unlock(&p->lock);
        free(value->metadata_text);
        free(value->file_text);
        return -1;
    }
    free_texts(slot);
    slot->metadata = value->metadata_text;
    slot->file = value->file_text;
    slot->id = run->id;
    slot->counted = run->counted != NULL
                        ? *run->counted
                        : (struct statefile_run){.instance = 0};
    slot->pending = true;
    /* An earlier value that nobody has written yet is still to be replaced. */
    slot->write_metadata = slot->write_metadata || value->metadata;
    slot->write_file = true;
    slot->not_before_ms = 0;
    if (p->n_idle == 0)
        start_thread(p);
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

int
publisher_set(struct publisher *p, const struct publisher_run *run,
              const struct memctx_datum *datum, bool stands,
              struct memctx_error *err)
{
    struct value value = {.metadata = !stands};
    if (datum != NULL && (memctx_datum_to_xml(datum, MEMCTX_PUBLIC,
                                              &value.metadata_text, err) < 0 ||
                          memctx_datum_to_xml(datum, MEMCTX_PRIVATE,
                                              &value.file_text, err) < 0)) {
        free(value.metadata_text);
        return -1;
    }
    if (put_value(p, run, &value) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return 0;
}

void
publisher_forget(struct publisher *p, const char *uuid)
{
    const struct publisher_run over = {.uuid = uuid, .id = -1};
    put_value(p, &over, &(struct value){.metadata = false});
}

void
publisher_tell_idle(struct publisher *p)
{
    pthread_mutex_lock(&p->lock);
    p->tell_idle = true;
    tell_idle(p);
    pthread_mutex_unlock(&p->lock);
}
