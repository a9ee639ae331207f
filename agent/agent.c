/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps one record per domain, brings it its events, and ties it to libvirt's
 * event loop, the publisher and the control socket. */
#include "agent.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "record/opener.h"
#include "common/disposer.h"
#include "base/cleanup.h"
#include "control/control.h"
#include "watch/hint.h"
#include "publish/hooks.h"
#include "record/members.h"
#include "common/executor.h"
#include "publish/publish.h"
#include "watch/event.h"
#include "wire/rundir.h"
#include "common/offload.h"
#include "sandbox/spawner.h"
#include "publish/statefile.h"
#include "tries/adapter.h"
#include "watch/watch.h"

/* They have threads of their own: a flood of reads must not delay the search
 * for kernels. Reads are short, but a file system may hold one up. */
#define REQUEST_THREADS 4

/* How long the agent waits at its end for its data to be withdrawn. */
#define STOP_WAIT_MS 5000

/* ... and then for its hooks to end, which run on otherwise. */
#define HOOKS_WAIT_MS 1000

/* Clock words of kernels that are looked at are read so often. */
#define HEARTBEAT_US 250000

struct agent {
    const struct settings *settings;
    const struct log *log;
    bool stub;
    int dirfd;
    int queue_handle;
    int stop_timer; /* -1: none */
    struct queue *queue;
    struct watch *watch;
    struct adapter_means means; /* owned */
    struct publisher *publisher;
    struct offload *requests;
    struct control *control;
    struct hint *hint;
    struct spawner *spawner;
    struct hooks *hooks;
    struct record_ops ops;
    struct members members;
    unsigned connections; /* to libvirt, counted */
    enum {
        RUNNING,
        STOPPING,
        STOPPED,
        STOPPED_AT_ONCE
    } life;
};

static void
call_hooks(struct agent *agent, const struct record *record,
           enum hooks_what what)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (hooks_run(agent->hooks, record->uuid, record->name, what,
                  &record->datum, &err) < 0)
        log_line(agent->log, LOG_LEVEL_ERROR, "uuid=%s hooks not called: %s",
                 record->uuid, err.message);
}

static void
write_datum(struct agent *agent, const struct record *record,
            const struct memctx_datum *datum, bool in_metadata)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct publisher_run run = {record->uuid, record->id, &record->run};
    if (publisher_set(agent->publisher, &run, datum, in_metadata, &err) < 0)
        log_line(agent->log, LOG_LEVEL_ERROR, "uuid=%s not published: %s",
                 record->uuid, err.message);
}

/* Hooks are told once of each generation; again by an agent that is new, since
 * nobody knows what the one before could do. */
static void
on_publish(void *arg, const struct record *record,
           const struct memctx_datum *datum, bool in_metadata)
{
    struct agent *agent = arg;
    struct member *member = members_find(&agent->members, record->uuid);
    write_datum(agent, record, datum, in_metadata);
    if (member == NULL || member->announced == datum->generation)
        return;
    member->announced = datum->generation;
    call_hooks(agent, record, HOOKS_READY);
}

static void
on_withdraw(void *arg, const struct record *record)
{
    struct agent *agent = arg;
    struct member *member = members_find(&agent->members, record->uuid);
    write_datum(agent, record, NULL, false);
    if (record->has_datum)
        call_hooks(agent, record, HOOKS_LOST);
    if (member != NULL)
        member->announced = 0;
}

static void
on_changed(void *arg, const struct record *record)
{
    struct agent *agent = arg;
    struct member *member = members_find(&agent->members, record->uuid);
    if (member != NULL)
        control_changed(agent->control, member->record);
}

/* The run is over. Its metadata went with it; its file has to be removed. */
static void
forget_member(struct agent *agent, struct member *member)
{
    epoch_set(member->record->epoch, STATEPAGE_OVER);
    control_gone(agent->control, member->record);
    log_line(agent->log, LOG_LEVEL_DEBUG, "uuid=%s name=%s forgotten",
             member->record->uuid, member->record->name);
    if (member->record->has_datum)
        call_hooks(agent, member->record, HOOKS_LOST);
    publisher_forget(agent->publisher, member->record->uuid);
    members_remove(&agent->members, member);
}

/* A try found the run gone. That libvirt has not told may mean that another has
 * begun, of which it did. */
static void
on_over(void *arg, struct member *member)
{
    struct agent *agent = arg;
    forget_member(agent, member);
    watch_look_now(agent->watch);
}

static struct adapter_look
look_of(const struct agent *agent)
{
    struct adapter_look look = ADAPTER_LOOK_DEFAULTS;
    look.period_us = agent->settings->revalidate_ms * 1000;
    return look;
}

static int
create_record(struct agent *agent, const struct event *event,
              struct record **ret, struct memctx_error *err)
{
    struct adapter_config config = {
        .ram = {.stub = agent->stub, .seed = event->uuid},
        .fail_boots =
            agent->stub ? (unsigned)agent->settings->stub_fail_boots : 0,
        .look = look_of(agent),
        .limits = settings_backoff(agent->settings),
    };
    struct adapter *adapter;
    const struct opener_target target = {agent->watch, agent->dirfd,
                                         event->uuid, event->id, agent->stub};
    if (opener_configure(&target, &config.ram, err) < 0 ||
        adapter_create(&config, &agent->means, &adapter, err) < 0)
        return -1;
    return record_create(event->uuid, event->name, event->id, adapter,
                         &agent->ops, agent->log, ret, err);
}

static struct member *
add_member(struct agent *agent, const struct event *event)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct record *record;
    if (create_record(agent, event, &record, &err) < 0) {
        log_line(agent->log, LOG_LEVEL_ERROR, "uuid=%s cannot be watched: %s",
                 event->uuid, err.message);
        return NULL;
    }
    struct member *member = members_add(&agent->members, record);
    if (member == NULL)
        log_line(agent->log, LOG_LEVEL_ERROR,
                 "uuid=%s cannot be watched: the event loop is full",
                 event->uuid);
    return member;
}

/* A record that goes on where another one is, with RAM that was handed in. */
static int
create_attached(struct agent *agent, const struct record *old,
                struct handed *handed, struct record **ret,
                struct memctx_error *err)
{
    const struct adapter_config config = {
        .ram = {.handed = handed},
        .look = look_of(agent),
        .limits = settings_backoff(agent->settings),
    };
    struct adapter *adapter;
    if (adapter_create(&config, &agent->means, &adapter, err) < 0 ||
        record_create(old->uuid, old->name, old->id, adapter, &agent->ops,
                      agent->log, ret, err) < 0)
        return -1;
    (*ret)->connection = old->connection;
    (*ret)->boot = old->boot;
    (*ret)->run.generation = old->run.generation;
    return 0;
}

/* Whatever was known of the domain came from other RAM: it is withdrawn. */
static int
on_attach(void *arg, struct record *old, struct handed *handed,
          struct record **ret, struct memctx_error *err)
{
    struct agent *agent = arg;
    struct record *record;
    bool paused = record_is_paused(old);
    if (agent->life != RUNNING || old->phase == MEMCTX_PHASE_AWAY) {
        handed_destroy(handed);
        return memctx_error_set(err, MEMCTX_RETRY, "libvirt is away");
    }
    if (create_attached(agent, old, handed, &record, err) < 0)
        return -1;
    log_line(agent->log, LOG_LEVEL_INFO, "uuid=%s name=%s RAM was handed in",
             old->uuid, old->name);
    record_withdraw(old);
    members_remove(&agent->members, members_find(&agent->members, old->uuid));
    if (members_add(&agent->members, record) == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "the event loop is full");
    record_handle(
        record, paused ? MEMCTX_EVENT_START_PAUSED : MEMCTX_EVENT_START, false);
    *ret = record;
    return 0;
}

/* Of a run before the one that we know: a list of domains may be older than an
 * event that overtook it. libvirt counts ids up, but from the beginning when
 * it was restarted. */
static bool
is_late(const struct agent *agent, const struct record *record,
        const struct event *event)
{
    return event->id >= 0 && event->id < record->id &&
           record->connection == agent->connections;
}

/* STOPPED comes with the id -1 from some drivers, so only a start can tell
 * that a run was replaced by another while we were not told. */
static bool
is_other_run(const struct record *record, const struct event *event)
{
    return event->id >= 0 && event->id != record->id;
}

/* What could never work was so for a QEMU that may have been replaced while
 * libvirt was away, under the same id. */
static bool
is_worth_another_look(const struct agent *agent, const struct record *record)
{
    return record_state(record) == MEMCTX_STATE_UNSUPPORTED &&
           record->connection != agent->connections;
}

static void
handle_domain(struct agent *agent, const struct event *event)
{
    struct member *member = members_find(&agent->members, event->uuid);
    if (member != NULL && is_late(agent, member->record, event))
        return;
    if (event->what == MEMCTX_EVENT_STOP) {
        /* A stop of an earlier run that comes late is not this run's. */
        if (member != NULL && !is_other_run(member->record, event))
            forget_member(agent, member);
        return;
    }
    if (member != NULL && (is_other_run(member->record, event) ||
                           is_worth_another_look(agent, member->record))) {
        forget_member(agent, member);
        member = NULL;
    }
    if (agent->life != RUNNING)
        return;
    if (member == NULL)
        member = add_member(agent, event);
    if (member == NULL)
        return;
    member->record->connection = agent->connections;
    if (record_handle(member->record, event->what, event->cold))
        forget_member(agent, member);
}

static bool
is_member(const char *uuid, void *arg)
{
    const struct agent *agent = arg;
    return members_find(&agent->members, uuid) != NULL;
}

/* What this connection has not spoken of, neither by an event nor in its list,
 * ended while libvirt was away, or before this agent was there. */
static void
handle_listed(struct agent *agent)
{
    statefile_forget_others(agent->dirfd, is_member, agent);
    struct member *next;
    for (struct member *m = agent->members.first; m != NULL; m = next) {
        next = m->next;
        if (m->record->connection != agent->connections)
            forget_member(agent, m);
    }
}

static void
handle_lost(struct agent *agent)
{
    for (struct member *m = agent->members.first; m != NULL; m = m->next)
        record_handle(m->record, MEMCTX_EVENT_AWAY, false);
}

static void
handle_event(struct agent *agent, const struct event *event)
{
    switch (event->kind) {
    case EVENT_CONNECTED:
        agent->connections++;
        break;
    case EVENT_DOMAIN:
        handle_domain(agent, event);
        break;
    case EVENT_LISTED:
        handle_listed(agent);
        break;
    case EVENT_LOST:
        handle_lost(agent);
        break;
    case EVENT_IDLE:
        if (agent->life == STOPPING)
            agent->life = STOPPED;
        break;
    case EVENT_SIGNAL:
        agent_stop(agent);
        break;
    }
}

static void
on_queue(int id, int fd, int events, void *opaque)
{
    struct agent *agent = opaque;
    struct event *event;
    (void)id;
    (void)fd;
    (void)events;
    while ((event = event_pop(agent->queue)) != NULL) {
        handle_event(agent, event);
        event_destroy(event);
    }
}

/* Two agents in one directory would withdraw each other's data. */
static int
open_directory(struct agent *agent, const char *dir, struct memctx_error *err)
{
    if (statefile_open_dir(dir, &agent->dirfd, err) < 0)
        return -1;
    if (flock(agent->dirfd, LOCK_EX | LOCK_NB) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "another memctxd uses %s", dir);
    statefile_clean(agent->dirfd);
    return 0;
}

static int
open_hooks(struct agent *agent, struct memctx_error *err)
{
    const struct settings *s = agent->settings;
    char dir[PATH_MAX];
    if (s->hooks_dir[0] != '\0')
        snprintf(dir, sizeof(dir), "%s", s->hooks_dir);
    else if (rundir_hooks_for_uri(s->uri, dir, sizeof(dir)) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no directory of hooks: set XDG_CONFIG_HOME "
                                "or hooks_dir in the configuration");
    return hooks_create(dir, s->hook_timeout_ms, agent->spawner, agent->log,
                        &agent->hooks, err);
}

/* As many guests are searched at a time as there are CPUs. */
static int
start_tries(struct agent *agent, struct memctx_error *err)
{
    long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const struct tries_config config = {
        .spawner = agent->spawner,
        .program = agent->settings->prober,
        .places = n_cpus > 0 ? (unsigned)n_cpus : 1,
        .live_max = TRIES_LIVE_MAX,
        .limits = TRIES_LIMITS,
    };
    if (tries_create(&config, &agent->means.tries, err) < 0)
        return -1;
    return heartbeat_create(HEARTBEAT_US, &agent->means.heartbeat, err);
}

static int
start_parts(struct agent *agent, const char *dir, struct memctx_error *err)
{
    const struct settings *s = agent->settings;
    if (open_directory(agent, dir, err) < 0 ||
        spawner_create(&agent->spawner, err) < 0 ||
        open_hooks(agent, err) < 0 || queue_create(&agent->queue, err) < 0 ||
        disposer_create(&agent->means.disposer, err) < 0 ||
        executor_create((unsigned)s->workers, 0, &agent->means.workers, err) <
            0 ||
        start_tries(agent, err) < 0 ||
        offload_create(REQUEST_THREADS, &agent->requests, err) < 0)
        return -1;
    const struct service service = {.records = &agent->members.records,
                                    .access = &s->access,
                                    .requests = agent->requests,
                                    .log = agent->log,
                                    .attach = on_attach,
                                    .attach_arg = agent};
    if (control_create(dir, &service, &agent->control, err) < 0)
        return -1;
    agent->queue_handle =
        virEventAddHandle(queue_fd(agent->queue), VIR_EVENT_HANDLE_READABLE,
                          on_queue, agent, NULL);
    if (agent->queue_handle < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop: %s",
                                watch_last_error());
    if (watch_create(s, agent->queue, agent->log, &agent->watch, err) < 0 ||
        hint_create(dir, agent->watch, &agent->hint, err) < 0)
        return -1;
    return publisher_create((unsigned)s->writers, agent->watch, agent->dirfd,
                            agent->queue, agent->log, &agent->publisher, err);
}

int
agent_create(const struct settings *settings, const char *dir, bool stub,
             const struct log *log, struct agent **ret,
             struct memctx_error *err)
{
    struct agent *agent = calloc(1, sizeof(*agent));
    if (agent == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    agent->settings = settings;
    agent->log = log;
    agent->stub = stub;
    agent->dirfd = -1;
    agent->queue_handle = -1;
    agent->stop_timer = -1;
    agent->ops =
        (struct record_ops){on_publish, on_withdraw, on_changed, agent};
    agent->members = (struct members){.over = on_over, .arg = agent};
    if (start_parts(agent, dir, err) < 0) {
        agent_destroy(agent);
        return -1;
    }
    *ret = agent;
    return 0;
}

bool
agent_turn(struct agent *agent)
{
    if (agent->life == RUNNING || agent->life == STOPPING) {
        if (virEventRunDefaultImpl() < 0)
            log_line(agent->log, LOG_LEVEL_ERROR, "event loop: %s",
                     watch_last_error());
    }
    return agent->life == RUNNING || agent->life == STOPPING;
}

struct queue *
agent_queue(struct agent *agent)
{
    return agent->queue;
}

static void
on_stop_timer(int id, void *opaque)
{
    struct agent *agent = opaque;
    (void)id;
    log_line(agent->log, LOG_LEVEL_WARNING,
             "not all data could be withdrawn in %d ms; leaving", STOP_WAIT_MS);
    agent->life = STOPPED_AT_ONCE;
}

void
agent_stop(struct agent *agent)
{
    if (agent->life != RUNNING) {
        agent->life = STOPPED_AT_ONCE;
        return;
    }
    log_line(agent->log, LOG_LEVEL_INFO, "stopping: withdrawing all data");
    agent->life = STOPPING;
    for (struct member *m = agent->members.first; m != NULL; m = m->next) {
        adapter_drop(m->record->adapter);
        record_withdraw(m->record);
    }
    agent->stop_timer =
        virEventAddTimeout(STOP_WAIT_MS, on_stop_timer, agent, NULL);
    publisher_tell_idle(agent->publisher);
}

void
agent_destroy(struct agent *agent)
{
    if (agent == NULL)
        return;
    if (agent->life == STOPPED_AT_ONCE) {
        control_destroy(agent->control);
        hint_destroy(agent->hint);
        return;
    }
    if (agent->stop_timer >= 0)
        virEventRemoveTimeout(agent->stop_timer);
    while (agent->members.first != NULL)
        members_remove(&agent->members, agent->members.first);
    offload_destroy(agent->requests);
    control_destroy(agent->control);
    hint_destroy(agent->hint);
    publisher_destroy(agent->publisher);
    bool hooks_ended = hooks_destroy(agent->hooks, HOOKS_WAIT_MS);
    executor_destroy(agent->means.workers, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
    tries_destroy(agent->means.tries);
    heartbeat_destroy(agent->means.heartbeat);
    if (hooks_ended)
        spawner_destroy(agent->spawner);
    watch_destroy(agent->watch);
    if (agent->queue_handle >= 0)
        virEventRemoveHandle(agent->queue_handle);
    event_queue_destroy(agent->queue);
    disposer_destroy(agent->means.disposer);
    memctx_close_fd(&agent->dirfd);
    free(agent);
}
