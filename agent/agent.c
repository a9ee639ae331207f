/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Starts the agent's parts, brings them their events, and ends them in order.
 * What becomes of domains is domains.c's. */
#include "agent.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/disposer.h"
#include "common/executor.h"
#include "common/offload.h"
#include "domains.h"
#include "publish/claim.h"
#include "publish/statefile.h"
#include "sandbox/spawner.h"
#include "upkeep.h"
#include "vigil.h"
#include "watch/event.h"
#include "watch/hint.h"
#include "watch/vir.h"
#include "wire/rundir.h"

/* They have threads of their own: a flood of reads must not delay the search
 * for kernels. Reads are short, but a file system may hold one up. */
#define REQUEST_THREADS 4

/* How long the agent waits at its end for its data to be withdrawn. */
#define STOP_WAIT_MS 5000

/* ... and then for its hooks to end, which run on otherwise. */
#define HOOKS_WAIT_MS 1000

/* ... and for a program that its file system does not let start. */
#define SPAWNER_WAIT_MS 1000

struct agent {
    const struct settings *settings;
    const struct log *log;
    struct queue *queue; /* events */
    int queue_handle;    /* -1: none */
    int stop_timer;      /* -1: none */
    struct spawner *spawner;
    struct offload *requests;
    struct hint *hint;
    struct domains_means means; /* owned, from dirfd on */
    struct domains domains;
    struct upkeep *upkeep;
    struct vigil *vigil;
    struct claim *claim;
    bool evicted; /* another agent has this one's directory */
    enum {
        RUNNING,
        STOPPING,
        STOPPED,
        STOPPED_AT_ONCE,
        REFUSED, /* another agent vouches for this connection's domains */
    } life;
};

/* Until it is known that nobody else vouches for the domains of this connection
 * nothing is published; and nothing, if somebody does. */
static void
take_claim(struct agent *agent)
{
    enum claim_state state = claim_state(agent->claim);
    if (agent->life != RUNNING || state == CLAIM_ASKING)
        return;
    if (state != CLAIM_TAKEN) {
        domains_vouch(&agent->domains);
        return;
    }
    log_say(agent->log, LOG_LEVEL_ERROR, LOG_KIND_REFUSED,
            "another memctxd vouches for the domains of this libvirt "
            "connection; leaving them to it");
    agent->life = REFUSED;
}

static void
handle_domain(struct agent *agent, const struct event *event)
{
    if (event->what == MEMCTX_EVENT_START ||
        event->what == MEMCTX_EVENT_START_PAUSED)
        claim_see(agent->claim, event->uuid);
    domains_handle(&agent->domains, event);
    upkeep_handle(agent->upkeep, event);
}

static void
handle_event(struct agent *agent, const struct event *event)
{
    switch (event->kind) {
    case EVENT_CONNECTED:
        claim_connected(agent->claim);
        domains_connected(&agent->domains);
        break;
    case EVENT_DOMAIN:
        handle_domain(agent, event);
        break;
    case EVENT_LISTED:
        claim_listed(agent->claim);
        domains_listed(&agent->domains);
        upkeep_handle(agent->upkeep, event);
        break;
    case EVENT_METADATA:
    case EVENT_CHECKED:
        upkeep_handle(agent->upkeep, event);
        break;
    case EVENT_CLAIM:
        take_claim(agent);
        break;
    case EVENT_CLAIM_WORD:
        claim_hear(agent->claim, event->uuid);
        break;
    case EVENT_LOST:
        domains_lost(&agent->domains);
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
    if (statefile_open_dir(dir, &agent->means.dirfd, err) < 0)
        return -1;
    if (statefile_lock_dir(dir, agent->means.dirfd, err) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "another memctxd uses %s", dir);
    statefile_clean(agent->means.dirfd);
    return 0;
}

/* Who named a directory wants its hooks called. */
static void
check_hooks(const struct agent *agent, const char *dir)
{
    struct stat st;
    int failed = stat(dir, &st);
    if (failed < 0 || !S_ISDIR(st.st_mode))
        log_say(agent->log, LOG_LEVEL_WARNING, LOG_KIND_HOOK_FAILED,
                "no hooks are called: hooks_dir is %s: %s", LOG_QUOTE(dir),
                strerror(failed < 0 ? errno : ENOTDIR));
}

static int
open_hooks(struct agent *agent, struct memctx_error *err)
{
    const struct settings *s = agent->settings;
    char dir[PATH_MAX];
    if (s->hooks_dir[0] != '\0') {
        snprintf(dir, sizeof(dir), "%s", s->hooks_dir);
        check_hooks(agent, dir);
    } else if (rundir_hooks_for_uri(s->uri, dir, sizeof(dir), err) < 0)
        return -1;
    return hooks_create(dir, s->hook_timeout_ms, agent->spawner, agent->log,
                        &agent->means.hooks, err);
}

/* As many guests are searched at a time as there are CPUs. */
static int
start_tries(struct agent *agent, struct memctx_error *err)
{
    static const struct heartbeat_config heartbeat = HEARTBEAT_DEFAULTS;
    long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct tries_config config = {
        .spawner = agent->spawner,
        .program = agent->settings->prober,
        .places = n_cpus > 0 ? (unsigned)n_cpus : 1,
        .live_max = TRIES_LIVE_MAX,
        .limits = TRIES_LIMITS,
    };
    for (size_t i = 0; i < TRIES_LANES; i++)
        config.limits[i].wall_us *= agent->settings->patience;
    if (tries_create(&config, &agent->means.adapters.tries, err) < 0)
        return -1;
    return heartbeat_create(&heartbeat, &agent->means.adapters.heartbeat, err);
}

/* Threads and processes that work for the loop, and are given nothing yet. */
static int
start_workers(struct agent *agent, struct memctx_error *err)
{
    struct adapter_means *adapters = &agent->means.adapters;
    if (disposer_create(&adapters->disposer, err) < 0 ||
        executor_create((unsigned)agent->settings->workers, 0,
                        &adapters->workers, err) < 0 ||
        start_tries(agent, err) < 0)
        return -1;
    return offload_create(REQUEST_THREADS, &agent->requests, err);
}

static int
open_lastlogs(struct agent *agent, struct memctx_error *err)
{
    const struct settings *s = agent->settings;
    char dir[PATH_MAX];
    struct lastlogs_means means = {.tries = agent->means.adapters.tries,
                                   .settings = s,
                                   .log = agent->log,
                                   .dir = dir};
    if (rundir_boots_for_uri(s->uri, s->runtime_dir, dir, sizeof(dir), err) < 0)
        return -1;
    return lastlogs_create(&means, &agent->means.lastlogs, err);
}

static int
open_control(struct agent *agent, const char *dir, struct memctx_error *err)
{
    const struct service service = {
        .records = &agent->domains.members.records,
        .is_complete = &agent->domains.is_complete,
        .access = &agent->settings->access,
        .domains = &agent->settings->domains,
        .requests = agent->requests,
        .tries = agent->means.adapters.tries,
        .log = agent->log,
        .metrics_kernel = &agent->settings->metrics_kernel,
        .started_s = (int64_t)time(NULL),
        .attach = domains_attach,
        .attach_arg = &agent->domains,
    };
    return control_create(dir, &service, &agent->means.control, err);
}

static int
open_queue(struct agent *agent, struct memctx_error *err)
{
    if (queue_create(&agent->queue, err) < 0)
        return -1;
    agent->queue_handle =
        virEventAddHandle(queue_fd(agent->queue), VIR_EVENT_HANDLE_READABLE,
                          on_queue, agent, NULL);
    if (agent->queue_handle >= 0)
        return 0;
    return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop: %s",
                            vir_last_error());
}

/* Who follows libvirt, and who writes to it. */
static int
start_libvirt(struct agent *agent, const char *dir, struct memctx_error *err)
{
    const struct settings *s = agent->settings;
    struct domains_means *means = &agent->means;
    if (watch_create(s, agent->queue, agent->log, &means->watch, err) < 0 ||
        hint_create(dir, means->watch, &agent->hint, err) < 0)
        return -1;
    if (publisher_create((unsigned)s->writers, means->watch, means->dirfd,
                         agent->queue, agent->log, &means->publisher, err) < 0)
        return -1;
    if (claim_create(means->watch, agent->queue, &CLAIM_TIMES, false,
                     &agent->claim, err) < 0)
        return -1;
    return upkeep_create(&agent->domains, agent->log, &agent->upkeep, err);
}

static void
on_directory_lost(void *arg)
{
    struct agent *agent = arg;
    agent->evicted = true;
    publisher_leave_files(agent->means.publisher);
    agent_stop(agent);
}

static int
start_vigil(struct agent *agent, const char *dir, struct memctx_error *err)
{
    const struct vigil_means means = {
        .dir = dir,
        .dirfd = agent->means.dirfd,
        .domains = &agent->domains,
        .control = agent->means.control,
        .hint = agent->hint,
        .log = agent->log,
        .lost = on_directory_lost,
        .arg = agent,
    };
    return vigil_create(&means, &agent->vigil, err);
}

/* In this order: each uses some of those before it, and the spawner comes
 * before all other threads. */
static int
start_parts(struct agent *agent, const char *dir, struct memctx_error *err)
{
    if (open_directory(agent, dir, err) < 0 ||
        spawner_create_guarded(&agent->spawner, err) < 0 ||
        open_hooks(agent, err) < 0 || open_queue(agent, err) < 0 ||
        start_workers(agent, err) < 0 || open_lastlogs(agent, err) < 0 ||
        open_control(agent, dir, err) < 0)
        return -1;
    if (start_libvirt(agent, dir, err) < 0)
        return -1;
    return start_vigil(agent, dir, err);
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
    agent->queue_handle = -1;
    agent->stop_timer = -1;
    agent->means = (struct domains_means){
        .settings = settings, .log = log, .stub = stub, .dirfd = -1};
    domains_init(&agent->domains, &agent->means);
    if (start_parts(agent, dir, err) < 0) {
        agent_destroy(agent);
        return -1;
    }
    *ret = agent;
    return 0;
}

static bool
is_alive(const struct agent *agent)
{
    return agent->life == RUNNING || agent->life == STOPPING;
}

bool
agent_turn(struct agent *agent)
{
    if (is_alive(agent) && virEventRunDefaultImpl() < 0)
        log_say(agent->log, LOG_LEVEL_ERROR, LOG_KIND_FAULT, "event loop: %s",
                vir_last_error());
    return is_alive(agent);
}

void
agent_look(const struct agent *agent, struct agent_view *ret)
{
    *ret = (struct agent_view){
        .is_connected = agent->domains.connections > 0,
        .is_complete = agent->domains.is_complete,
        .is_stopping = agent->life != RUNNING,
        .changes = agent->domains.changes,
    };
}

unsigned
agent_count(const struct agent *agent, unsigned ret[MEMCTX_STATES])
{
    unsigned n = 0;
    memset(ret, 0, MEMCTX_STATES * sizeof(ret[0]));
    for (const struct record *r = agent->domains.members.records; r != NULL;
         r = r->next) {
        ret[record_state(r)]++;
        n++;
    }
    return n;
}

bool
agent_was_refused(const struct agent *agent)
{
    return agent->life == REFUSED;
}

bool
agent_was_evicted(const struct agent *agent)
{
    return agent->evicted;
}

void
agent_reload(struct agent *agent)
{
    if (agent->life != RUNNING)
        return;
    hooks_set_timeout(agent->means.hooks, agent->settings->hook_timeout_ms);
    control_reload(agent->means.control);
    domains_reload(&agent->domains);
}

void
agent_measure(const struct agent *agent, struct memctx_text *text)
{
    control_measure(agent->means.control, text);
}

struct queue *
agent_queue(struct agent *agent)
{
    return agent->queue;
}

static int
stop_wait_ms(const struct agent *agent)
{
    return STOP_WAIT_MS * (int)agent->settings->patience;
}

static void
on_stop_timer(int id, void *opaque)
{
    struct agent *agent = opaque;
    (void)id;
    log_say(agent->log, LOG_LEVEL_WARNING, LOG_KIND_CUT_SHORT,
            "not all data could be withdrawn in %d ms; leaving",
            stop_wait_ms(agent));
    agent->life = STOPPED_AT_ONCE;
}

void
agent_stop(struct agent *agent)
{
    if (agent->life != RUNNING) {
        agent->life = STOPPED_AT_ONCE;
        return;
    }
    log_say(agent->log, LOG_LEVEL_INFO, LOG_KIND_STOPPING,
            "stopping: withdrawing all data");
    agent->life = STOPPING;
    vigil_destroy(agent->vigil);
    agent->vigil = NULL;
    domains_withdraw(&agent->domains);
    agent->stop_timer =
        virEventAddTimeout(stop_wait_ms(agent), on_stop_timer, agent, NULL);
    publisher_tell_idle(agent->means.publisher);
}

/* Those who ask go before those who are asked. */
static void
end_parts(struct agent *agent)
{
    struct domains_means *means = &agent->means;
    vigil_destroy(agent->vigil);
    upkeep_destroy(agent->upkeep);
    domains_deinit(&agent->domains);
    offload_destroy(agent->requests, EXECUTOR_NO_LIMIT);
    control_destroy(means->control);
    hint_destroy(agent->hint);
    claim_destroy(agent->claim);
    publisher_destroy(means->publisher);
    /* What was published in these files until now, another one vouches for. */
    if (agent->life == REFUSED)
        statefile_clean(means->dirfd);
    bool hooks_ended = hooks_destroy(means->hooks, HOOKS_WAIT_MS);
    executor_destroy(means->adapters.workers, EXECUTOR_DRAIN,
                     EXECUTOR_NO_LIMIT);
    lastlogs_destroy(means->lastlogs);
    tries_destroy(means->adapters.tries);
    heartbeat_destroy(means->adapters.heartbeat);
    if (hooks_ended)
        spawner_destroy(agent->spawner, SPAWNER_WAIT_MS);
    watch_destroy(means->watch);
    if (agent->queue_handle >= 0)
        virEventRemoveHandle(agent->queue_handle);
    event_queue_destroy(agent->queue);
    disposer_destroy(means->adapters.disposer);
    memctx_close_fd(&means->dirfd);
}

void
agent_destroy(struct agent *agent)
{
    if (agent == NULL)
        return;
    if (agent->stop_timer >= 0)
        virEventRemoveTimeout(agent->stop_timer);
    if (agent->life == STOPPED_AT_ONCE) {
        /* Threads may hang in libvirt: only what others see is removed. */
        control_destroy(agent->means.control);
        hint_destroy(agent->hint);
        return;
    }
    end_parts(agent);
    free(agent);
}
