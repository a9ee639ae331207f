/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A value is a job of the executor, with the domain's UUID for its key: of one
 * domain one is written at a time and one waits, the latest. What a value that
 * is superseded had still to write, its successor writes. Withdrawals go first,
 * and one thread has nothing else to do.
 *
 * As long as another agent may vouch for these domains, values are held: what
 * stands in the metadata and in its files is not ours to change. */
#include "publish/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/uuid.h"
#include "common/executor.h"
#include "common/trouble.h"
#include "publish/metadata.h"
#include "publish/statefile.h"

/* From one try to the next, which is twice as long, up to the cap. */
#define RETRY_FIRST_MS 200u
#define RETRY_CAP_MS 3200u

struct publisher {
    pthread_mutex_t lock; /* over `first`, and over what a value does with its
                             domain's file */
    struct value *first;  /* of all that are not written yet */
    struct watch *watch;
    struct queue *queue;
    const struct log *log;
    int dirfd;
    struct executor *executor;
    struct trouble files;    /* that cannot be written */
    struct trouble metadata; /* the same */
    atomic_bool left_files;  /* the directory is not ours any more */
    bool released;
    struct value *held; /* in their order */
    struct value **last_held;
};

/* What one run of a domain gets. */
struct value {
    struct executor_job job; /* first */
    struct publisher *publisher;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    int id; /* -1: the run is over */
    struct statefile_run counted;
    struct value *before; /* among all, as after */
    struct value *after;
    char *metadata;      /* NULL: remove */
    char *file;          /* NULL: remove */
    bool write_metadata; /* is still to be done, */
    bool write_file;     /* and so is this, but not */
    bool is_withdrawn;   /* when a later value has removed the file, */
    bool write_count;    /* and this */
    bool in_trouble;     /* writing files */
    unsigned delay_ms;   /* to the next try */
    bool is_news;        /* it was set, not only to be checked */
    bool is_check;       /* who asked for a check waits for its result */
    bool was_wrong;      /* something else stood in the metadata */
    bool failed;         /* writing metadata, and that was logged */
    struct value *next;  /* held */
};

/* Lock held. */
static void
link_value(struct publisher *p, struct value *v)
{
    v->after = p->first;
    if (v->after != NULL)
        v->after->before = v;
    p->first = v;
}

static void
unlink_value(struct publisher *p, const struct value *v)
{
    if (v->after != NULL)
        v->after->before = v->before;
    if (v->before != NULL)
        v->before->after = v->after;
    else
        p->first = v->after;
}

static void
end_trouble(struct value *v)
{
    const struct publisher *p = v->publisher;
    if (v->in_trouble)
        trouble_end(&v->publisher->files, p->log,
                    "all files of the agent's directory are written again");
    v->in_trouble = false;
}

/* What meets one domain meets all, at each try. */
static void
tell_trouble(struct value *v, const struct memctx_error *err)
{
    const struct publisher *p = v->publisher;
    trouble_strike(&v->publisher->files, p->log, !v->in_trouble,
                   "uuid=%s %s; trying again", v->uuid, err->message);
    v->in_trouble = true;
}

static void
value_destroy(struct value *value)
{
    if (value == NULL)
        return;
    pthread_mutex_lock(&value->publisher->lock);
    unlink_value(value->publisher, value);
    pthread_mutex_unlock(&value->publisher->lock);
    end_trouble(value);
    free(value->metadata);
    free(value->file);
    free(value);
}

/* A generation is counted before anybody can see it, and a reset before its
 * datum is gone: an agent that is killed here and now is followed by one that
 * counts on rightly. */
static void
count(struct value *v)
{
    const struct publisher *p = v->publisher;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (!v->write_count)
        return;
    v->write_count = statefile_count(p->dirfd, v->uuid, &v->counted, &err) < 0;
    if (v->write_count)
        tell_trouble(v, &err);
}

/* Told once for all tries of one value. That libvirt is away is logged by who
 * watches it. How often there is a check is up to whoever changes metadata. */
static void
log_failure(struct value *v, const struct memctx_error *err)
{
    struct publisher *p = v->publisher;
    const char *hope = err->kind == MEMCTX_PERMANENT ? "" : "; trying again";
    if (v->failed || err->kind == MEMCTX_GONE)
        return;
    if (v->is_news)
        trouble_strike(&p->metadata, p->log, false,
                       "uuid=%s metadata not written: %s%s", v->uuid,
                       LOG_QUOTE(err->message), hope);
    else
        log_line(p->log, LOG_LEVEL_DEBUG, "uuid=%s metadata not written: %s%s",
                 v->uuid, LOG_QUOTE(err->message), hope);
    v->failed = true;
}

/* libvirt drops the metadata of a run that is over. */
static void
write_metadata(struct value *v)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (v->id < 0 || !v->write_metadata ||
        metadata_write(v->publisher->watch, v->uuid, v->id, v->metadata,
                       &v->was_wrong, &err) == 0) {
        v->write_metadata = false;
        v->failed = false;
        return;
    }
    v->was_wrong = true;
    log_failure(v, &err);
    v->write_metadata = err.kind != MEMCTX_PERMANENT;
}

/* Lock held. */
static int
change_file(const struct value *v, struct memctx_error *err)
{
    int dirfd = v->publisher->dirfd;
    if (v->id < 0)
        statefile_forget(dirfd, v->uuid);
    else if (v->file == NULL)
        statefile_remove(dirfd, v->uuid);
    else if (!v->is_withdrawn)
        return statefile_write(dirfd, v->uuid, v->file, err);
    return 0;
}

static void
write_file(struct value *v)
{
    struct publisher *p = v->publisher;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (!v->write_file)
        return;
    pthread_mutex_lock(&p->lock);
    int result = change_file(v, &err);
    pthread_mutex_unlock(&p->lock);
    if (result < 0)
        tell_trouble(v, &err);
    v->write_file = result < 0;
}

/* What a value itself had to change was nobody else's doing. */
static void
tell_checked(const struct value *v)
{
    struct event *event = event_create(EVENT_CHECKED);
    if (event == NULL)
        return;
    snprintf(event->uuid, sizeof(event->uuid), "%s", v->uuid);
    event->was_wrong = v->was_wrong && !v->is_news;
    event_push(v->publisher->queue, event);
}

/* libvirt makes who withdraws wait for 30 s while a guest resets itself all the
 * time; then it is to be asked again soon. */
static unsigned
next_delay(const struct value *v)
{
    if (v->delay_ms == 0 || (v->metadata == NULL && v->failed))
        return RETRY_FIRST_MS;
    return (unsigned)memctx_min(2 * v->delay_ms, RETRY_CAP_MS);
}

/* The file is there only while the metadata are: a withdrawal, which another
 * job of the domain may hold up in libvirt, goes to the file first. */
static void
write_value(struct executor_job *job)
{
    struct value *v = (struct value *)job;
    if (atomic_load(&v->publisher->left_files))
        v->write_count = v->write_file = false;
    count(v);
    if (v->file == NULL)
        write_file(v);
    write_metadata(v);
    write_file(v);
    if (!v->write_count && !v->write_file)
        end_trouble(v);
    if (v->write_metadata || v->write_file || v->write_count) {
        v->delay_ms = next_delay(v);
        executor_retry(v->publisher->executor, job, v->delay_ms);
        return;
    }
    if (v->is_check)
        tell_checked(v);
    value_destroy(v);
}

/* So that it does not seem to be over. */
static void
pass_trouble(struct value *v, struct value *later)
{
    if (later->in_trouble)
        return;
    later->in_trouble = v->in_trouble;
    v->in_trouble = false;
}

/* A domain that is left out has no count, and keeps the one it had. */
static void
pass_count(const struct value *v, struct value *later)
{
    if (!v->write_count || later->id < 0 || later->write_count)
        return;
    later->counted = v->counted;
    later->write_count = true;
}

/* A later value takes the place of this one. */
static void
drop_value(struct executor_job *job, struct executor_job *next)
{
    struct value *v = (struct value *)job;
    struct value *later = (struct value *)next;
    if (later != NULL) {
        later->write_file = later->write_file || v->write_file;
        later->is_news = later->is_news || v->is_news;
        later->is_check = later->is_check || v->is_check;
        later->failed = later->failed || v->failed;
        later->delay_ms = v->delay_ms;
        pass_count(v, later);
        pass_trouble(v, later);
    }
    value_destroy(v);
}

int
publisher_create(unsigned max_threads, struct watch *watch, int dirfd,
                 struct queue *queue, const struct log *log,
                 struct publisher **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct publisher *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *p = (struct publisher){
        .watch = watch, .queue = queue, .log = log, .dirfd = dirfd};
    if (executor_create(max_threads, 1, &p->executor, err) < 0)
        return -1;
    executor_keep_spare(p->executor);
    pthread_mutex_init(&p->lock, NULL);
    trouble_init(&p->files, LOG_KIND_UNPUBLISHED, 1);
    trouble_init(&p->metadata, LOG_KIND_UNPUBLISHED, 4);
    p->last_held = &p->held;
    *ret = memctx_steal_ptr(&p);
    return 0;
}

static struct value *
take_held(struct publisher *p)
{
    struct value *v = p->held;
    if (v != NULL)
        p->held = v->next;
    if (p->held == NULL)
        p->last_held = &p->held;
    return v;
}

static void
drop_held(struct publisher *p)
{
    struct value *v;
    while ((v = take_held(p)) != NULL)
        value_destroy(v);
}

void
publisher_release(struct publisher *p)
{
    struct value *v;
    p->released = true;
    while ((v = take_held(p)) != NULL)
        executor_submit(p->executor, v->uuid, &v->job);
}

void
publisher_destroy(struct publisher *p)
{
    if (p == NULL)
        return;
    drop_held(p);
    executor_destroy(p->executor, EXECUTOR_DROP, EXECUTOR_NO_LIMIT);
    trouble_deinit(&p->files);
    trouble_deinit(&p->metadata);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* What is no longer true must not wait for a thread, of which all may hang, nor
 * for a value of this domain that libvirt holds up. */
static void
withdraw_file(struct publisher *p, const char *uuid)
{
    if (!p->released || atomic_load(&p->left_files))
        return;
    pthread_mutex_lock(&p->lock);
    for (struct value *v = p->first; v != NULL; v = v->after)
        v->is_withdrawn = v->is_withdrawn || strcmp(v->uuid, uuid) == 0;
    statefile_remove(p->dirfd, uuid);
    pthread_mutex_unlock(&p->lock);
}

static struct value *
value_create(struct publisher *p, const struct publisher_run *run, bool is_news)
{
    struct value *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return NULL;
    v->job = (struct executor_job){.run = write_value, .drop = drop_value};
    v->publisher = p;
    snprintf(v->uuid, sizeof(v->uuid), "%s", run->uuid);
    v->id = run->id;
    if (run->counted != NULL)
        v->counted = *run->counted;
    v->write_metadata = true;
    v->write_file = is_news;
    v->write_count = is_news && v->id >= 0 && v->counted.generation > 0;
    v->is_news = is_news;
    v->is_check = !is_news;
    pthread_mutex_lock(&p->lock);
    link_value(p, v);
    pthread_mutex_unlock(&p->lock);
    return v;
}

static void
write_or_hold(struct publisher *p, struct value *v)
{
    if (p->released) {
        executor_submit(p->executor, v->uuid, &v->job);
        return;
    }
    *p->last_held = v;
    p->last_held = &v->next;
}

static int
submit(struct publisher *p, const struct publisher_run *run,
       const struct memctx_datum *datum, bool is_news, struct memctx_error *err)
{
    struct value *v = value_create(p, run, is_news);
    if (v == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (datum != NULL &&
        (memctx_datum_to_xml(datum, MEMCTX_PUBLIC, &v->metadata, err) < 0 ||
         memctx_datum_to_xml(datum, MEMCTX_PRIVATE, &v->file, err) < 0)) {
        value_destroy(v);
        return -1;
    }
    v->job.urgent = datum == NULL && is_news;
    write_or_hold(p, v);
    return 0;
}

int
publisher_set(struct publisher *p, const struct publisher_run *run,
              const struct memctx_datum *datum, struct memctx_error *err)
{
    if (datum == NULL)
        withdraw_file(p, run->uuid);
    return submit(p, run, datum, true, err);
}

int
publisher_check(struct publisher *p, const struct publisher_run *run,
                const struct memctx_datum *datum, struct memctx_error *err)
{
    return submit(p, run, datum, false, err);
}

void
publisher_forget(struct publisher *p, const char *uuid)
{
    const struct publisher_run over = {.uuid = uuid, .id = -1};
    struct value *v = value_create(p, &over, true);
    withdraw_file(p, uuid);
    if (v != NULL)
        write_or_hold(p, v);
}

void
publisher_leave_files(struct publisher *p)
{
    atomic_store(&p->left_files, true);
}

static void
push_idle(void *arg)
{
    struct publisher *p = arg;
    struct event *event = event_create(EVENT_IDLE);
    if (event != NULL)
        event_push(p->queue, event);
}

void
publisher_tell_idle(struct publisher *p)
{
    drop_held(p);
    executor_when_idle(p->executor, push_idle, p);
}
