/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Runs tries on a worker and keeps what they need. The loop thread owns the
 * adapter; what a running try uses is in struct job, which nobody else touches
 * until the try has ended. */
#include "record/adapter.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "wire/clocks.h"
#include "search/layouts.h"

/* What reading 1 MiB of guest RAM costs before it was measured: 7 GiB/s. */
#define NS_PER_MIB_GUESS 140000u

/* What the first try on a guest that already runs may read: it is likely to
 * be up, and nobody wants to wait for the budget to grow. */
#define FIRST_LOOK_BYTES (256 * MEMCTX_MIB)

/* A paused guest is looked at once, as a whole: its kernel must be the only
 * one. About 2 s of CPU; guests with more data are looked at in part. */
#define PAUSED_LOOK_BYTES (16 * MEMCTX_GIB)

/* How long a kernel that stands published may take to show that it runs when
 * nobody watched it for a while. */
#define PENDING_MAX_US 10000000u

struct job {
    struct executor_job executor_job; /* first: run_job() gets it */
    struct adapter *adapter;
    /* Set by the loop before a try, read by the try. */
    bool cold;
    bool paused;
    bool reset;    /* forget what was looked at */
    bool new_boot; /* the stub's boots fail again */
    bool close;    /* close the RAM first */
    bool recheck;  /* the kernel that is known need not be seen running */
    enum adapter_try what;
    unsigned attempt;
    uint64_t budget_bytes;
    /* Kept from try to try. */
    struct ram ram;
    struct memctx_layouts *layouts; /* NULL exactly when ram.map is */
    unsigned fail_boots;
    uint64_t ns_per_mib;
    bool has_known; /* since the last reset or doubt */
    struct memctx_kernel known;
    /* Set by the try, read by the loop. */
    struct adapter_result result;
    uint64_t cost_us;
};

struct adapter {
    struct adapter_config config; /* with copies of its texts */
    struct memctx_backoff_limits limits;
    struct executor *executor;
    int fds[ADAPTER_COOKIES];
    atomic_bool cancel;
    pthread_mutex_t lock; /* over `orphaned` and the completion */
    bool orphaned;        /* destroyed while a try ran: the worker frees */
    /* The loop thread's own. */
    bool running;
    bool again;   /* start a try when this one has ended */
    bool dropped; /* nobody waits for this one's result */
    bool cold;
    bool paused;
    bool reset;
    bool new_boot;
    bool released;
    bool closing;          /* the next job closes the RAM */
    bool recheck;          /* of the next search */
    enum adapter_try next; /* the next job tries this */
    bool armed;
    unsigned attempt; /* tries since the last new boot */
    uint64_t last_cost_us;
    bool has_found;            /* in this RAM, since it was opened or reset */
    uint64_t look_since_us;    /* began the last look; 0: none since a search */
    uint64_t pending_since_us; /* 0: not pending */
    uint64_t pending_max_us;
    uint64_t patience_us;
    struct job job;
};

void
adapter_result_deinit(struct adapter_result *result)
{
    if (result->has_datum)
        memctx_datum_deinit(&result->datum);
    if (result->has_inherited)
        memctx_datum_deinit(&result->inherited);
    memctx_rammap_destroy(result->map);
    result->map = NULL;
    result->has_datum = false;
    result->has_inherited = false;
}

static void
config_deinit(struct adapter_config *config)
{
    free((char *)config->ram_path);
    free((char *)config->seed);
    handed_destroy(config->handed);
    if (config->open_free != NULL)
        config->open_free(config->open_arg);
}

static void
destroy_now(struct adapter *a)
{
    memctx_layouts_destroy(a->job.layouts);
    ram_deinit(&a->job.ram);
    adapter_result_deinit(&a->job.result);
    config_deinit(&a->config);
    for (unsigned i = 0; i < ADAPTER_COOKIES; i++) {
        if (a->fds[i] >= 0)
            close(a->fds[i]);
    }
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void
destroy_what(void *a)
{
    destroy_now(a);
}

/* Open the RAM in whichever way the configuration says; worker. */
static int
open_ram(struct adapter *a, struct ram *ret, struct memctx_error *err)
{
    struct adapter_config *config = &a->config;
    if (config->open != NULL)
        return config->open(config->open_arg, ret, err);
    if (config->handed != NULL)
        return handed_open(config->handed, ret, err);
    if (!config->stub && config->ram_path != NULL)
        return ram_from_path(config->ram_path, "ram", config->low, ret, err);
    return ram_from_stub(config->seed != NULL ? config->seed : "", ret, err);
}

/* Forget the RAM and what was seen in it. */
static void
close_now(struct job *job)
{
    memctx_layouts_destroy(job->layouts);
    job->layouts = NULL;
    ram_deinit(&job->ram);
}

/* RAM that opened is of no use without the means to search it. */
static int
open_now(struct job *job, struct memctx_error *err)
{
    ram_deinit(&job->ram);
    if (open_ram(job->adapter, &job->ram, err) < 0)
        return -1;
    const struct memctx_rammap *const maps[MEMCTX_LAYOUTS_MAX] = {
        job->ram.map, job->ram.other};
    size_t n = job->ram.other != NULL ? 2 : 1;
    if (memctx_layouts_create(maps, n, &job->layouts, err) == 0)
        return 0;
    memctx_rammap_destroy(memctx_steal_ptr(&job->ram.map));
    memctx_rammap_destroy(memctx_steal_ptr(&job->ram.other));
    return -1;
}

static int
prepare_ram(struct job *job, struct memctx_error *err)
{
    int failed = 0;
    if (job->ram.map == NULL) {
        failed = open_now(job, err);
        job->result.opened = job->ram.map != NULL;
    }
    job->result.run = job->ram.run;
    job->result.has_inherited = job->ram.has_inherited;
    job->result.inherited = job->ram.inherited;
    job->ram.has_inherited = false;
    if (failed < 0)
        return -1;
    if (job->reset)
        memctx_layouts_new_boot(job->layouts);
    job->has_known = job->has_known && !job->reset;
    if (job->new_boot)
        job->fail_boots = job->adapter->config.fail_boots;
    job->reset = false;
    job->new_boot = false;
    return 0;
}

static int
keep_datum(struct job *job, const struct memctx_layouts_result *result,
           struct memctx_error *err)
{
    struct memctx_datum *datum = &job->result.datum;
    const struct memctx_bootstrap_result *found = &result->found;
    struct memctx_rammap *map =
        result->layout == 0 ? job->ram.map : job->ram.other;
    /* What is doubtful is where RAM goes on, never how much is below. */
    if (memctx_datum_init(datum, &found->kernel, map, job->ram.low, err) < 0)
        return -1;
    datum->layout = result->proof;
    datum->attempts = job->attempt;
    datum->candidates = found->candidates;
    datum->live = found->alive ? MEMCTX_LIVE_YES : MEMCTX_LIVE_UNASKED;
    job->result.has_datum = true;
    if (job->what == ADAPTER_SEARCH) {
        job->result.map = memctx_rammap_share(map);
        job->result.identity = ram_identity(&job->ram);
    }
    return 0;
}

static int
search_or_look(struct job *job, struct memctx_layouts_result *found,
               struct memctx_error *err)
{
    bool search = job->what == ADAPTER_SEARCH;
    const struct memctx_bootstrap_request request = {
        .now_us = clocks_us(CLOCK_MONOTONIC),
        .budget_bytes = job->budget_bytes,
        .cold = (job->cold && search) || job->ram.synthetic,
        .paused = job->paused,
        .known = job->recheck && job->has_known ? &job->known : NULL,
        .cancel = &job->adapter->cancel,
    };
    if (search)
        return memctx_layouts_try(job->layouts, &request, found, err);
    return memctx_layouts_look(job->layouts, &request,
                               job->what == ADAPTER_LOOK_AGAIN, found, err);
}

/* The bootstrap itself; fills job->result but for its event. */
static int
bootstrap(struct job *job, struct memctx_error *err)
{
    struct memctx_layouts_result result = {.layout = 0};
    const struct memctx_bootstrap_result *found = &result.found;
    if (prepare_ram(job, err) < 0)
        return -1;
    if (job->fail_boots > 0) {
        job->fail_boots--;
        return memctx_error_set(err, MEMCTX_RETRY,
                                "this boot was told to fail (fail_boots)");
    }
    uint64_t before_us = clocks_us(CLOCK_THREAD_CPUTIME_ID);
    int failed = search_or_look(job, &result, err);
    uint64_t spent_us = clocks_us(CLOCK_THREAD_CPUTIME_ID) - before_us;
    if (found->bytes_read >= MEMCTX_MIB)
        job->ns_per_mib = spent_us * 1000 / (found->bytes_read / MEMCTX_MIB);
    if ((failed == 0 || found->pending) && keep_datum(job, &result, err) < 0)
        return -1;
    if (failed == 0 && job->what == ADAPTER_SEARCH) {
        job->known = found->kernel;
        job->has_known = true;
    }
    return failed;
}

static enum memctx_event
event_of(const struct job *job, const struct memctx_error *err)
{
    switch (err->kind) {
    case MEMCTX_OK:
        return job->what == ADAPTER_SEARCH ? MEMCTX_EVENT_FOUND
                                           : MEMCTX_EVENT_CONFIRMED;
    case MEMCTX_PERMANENT:
        return MEMCTX_EVENT_NEVER;
    case MEMCTX_GONE:
        return MEMCTX_EVENT_GONE;
    case MEMCTX_RETRY:
    case MEMCTX_BUG:
    case MEMCTX_STALE:     /* never a try's */
    case MEMCTX_EXHAUSTED: /* it may pass */
    case MEMCTX_ERROR_KINDS:
        break;
    }
    return job->result.has_datum ? MEMCTX_EVENT_PENDING : MEMCTX_EVENT_RETRY;
}

static void
run_try(struct job *job)
{
    uint64_t before_us = clocks_us(CLOCK_THREAD_CPUTIME_ID);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (bootstrap(job, &err) == 0)
        err.kind = MEMCTX_OK;
    job->result.event = event_of(job, &err);
    job->result.why = err;
    job->result.attempt = job->attempt;
    job->cost_us = clocks_us(CLOCK_THREAD_CPUTIME_ID) - before_us;
}

static void
run_job(struct executor_job *executor_job)
{
    struct job *job = (struct job *)executor_job;
    struct adapter *a = job->adapter;
    if (job->close)
        close_now(job);
    if (job->what != ADAPTER_NO_TRY)
        run_try(job);
    pthread_mutex_lock(&a->lock);
    bool orphaned = a->orphaned;
    if (!orphaned)
        eventfd_write(a->fds[ADAPTER_DONE], 1);
    pthread_mutex_unlock(&a->lock);
    if (orphaned)
        destroy_now(a);
}

static int
copy_config(struct adapter *a, const struct adapter_config *config)
{
    a->config = *config;
    a->config.ram_path = NULL;
    a->config.seed = NULL;
    if (config->ram_path != NULL)
        a->config.ram_path = strdup(config->ram_path);
    if (config->seed != NULL)
        a->config.seed = strdup(config->seed);
    return (config->ram_path != NULL) != (a->config.ram_path != NULL) ||
                   (config->seed != NULL) != (a->config.seed != NULL)
               ? -1
               : 0;
}

int
adapter_create(const struct adapter_config *config, struct executor *executor,
               const struct memctx_backoff_limits *limits, struct adapter **ret,
               struct memctx_error *err)
{
    struct adapter *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        struct adapter_config owned = *config;
        owned.ram_path = NULL;
        owned.seed = NULL;
        config_deinit(&owned);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    pthread_mutex_init(&a->lock, NULL);
    a->executor = executor;
    a->limits = *limits;
    a->job.executor_job.run = run_job;
    a->job.adapter = a;
    a->job.fail_boots = config->fail_boots;
    a->job.ns_per_mib = NS_PER_MIB_GUESS;
    a->patience_us = config->look.patience_us;
    a->fds[ADAPTER_DONE] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    a->fds[ADAPTER_TIMER] =
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (copy_config(a, config) < 0 || a->fds[ADAPTER_DONE] < 0 ||
        a->fds[ADAPTER_TIMER] < 0) {
        destroy_now(a);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no memory or descriptors for another domain");
    }
    *ret = a;
    return 0;
}

void
adapter_destroy(struct adapter *a)
{
    if (a == NULL)
        return;
    atomic_store(&a->cancel, true);
    pthread_mutex_lock(&a->lock);
    bool running = a->running;
    /* A job that has written its completion is over, though nobody read it. */
    eventfd_t ended;
    if (running && eventfd_read(a->fds[ADAPTER_DONE], &ended) == 0)
        running = false;
    a->orphaned = running;
    pthread_mutex_unlock(&a->lock);
    if (running)
        return;
    if (a->config.disposer != NULL)
        disposer_take(a->config.disposer, destroy_what, a);
    else
        destroy_now(a);
}

int
adapter_fd(const struct adapter *a, enum adapter_cookie cookie)
{
    return a->fds[cookie];
}

static uint64_t
budget_of(const struct adapter *a)
{
    if (a->paused)
        return PAUSED_LOOK_BYTES;
    if (a->attempt == 1 && !a->cold && !a->reset && !a->has_found)
        return FIRST_LOOK_BYTES;
    return memctx_backoff_budget(&a->limits, a->attempt, a->job.ns_per_mib);
}

/* Nothing runs: hand the job over. */
static void
submit(struct adapter *a)
{
    a->attempt += a->next == ADAPTER_SEARCH;
    a->job.cold = a->cold;
    a->job.paused = a->paused;
    a->job.close = a->released || a->closing;
    a->job.what = a->released ? ADAPTER_NO_TRY : a->next;
    a->closing = false;
    if (a->job.what == ADAPTER_SEARCH) {
        a->job.recheck = a->recheck;
        a->recheck = false;
    }
    a->next = ADAPTER_NO_TRY;
    a->job.attempt = a->attempt;
    a->job.budget_bytes = budget_of(a);
    a->job.reset = a->job.reset || a->reset;
    a->job.new_boot = a->job.new_boot || a->new_boot;
    a->reset = false;
    a->new_boot = false;
    atomic_store(&a->cancel, false);
    a->running = true;
    a->again = false;
    a->dropped = false;
    executor_submit(a->executor, NULL, &a->job.executor_job);
}

static void
disarm(struct adapter *a)
{
    static const struct itimerspec never = {.it_value = {0, 0}};
    timerfd_settime(a->fds[ADAPTER_TIMER], 0, &never, NULL);
    a->armed = false;
}

/* Hand a job over as soon as the one under way, if any, has left. */
static void
submit_soon(struct adapter *a)
{
    disarm(a);
    if (!a->running) {
        submit(a);
        return;
    }
    atomic_store(&a->cancel, true);
    a->dropped = true;
    a->again = true;
}

void
adapter_kick(struct adapter *a, enum adapter_try what)
{
    a->next = what;
    if (what == ADAPTER_LOOK)
        a->look_since_us = clocks_us(CLOCK_MONOTONIC);
    submit_soon(a);
}

void
adapter_abandon(struct adapter *a)
{
    disarm(a);
    a->next = ADAPTER_NO_TRY;
    a->again = a->closing;
    if (!a->running)
        return;
    atomic_store(&a->cancel, true);
    a->dropped = true;
}

/* The period goes from the beginning of one look to that of the next, so that
 * the time for a kexec to be noticed does not grow by what a look takes. */
static uint64_t
delay_to_look(const struct adapter *a)
{
    uint64_t period_us = a->config.look.period_us;
    uint64_t since_us = clocks_us(CLOCK_MONOTONIC) - a->look_since_us;
    if (a->look_since_us == 0)
        return period_us;
    return period_us - memctx_min(since_us, period_us / 2);
}

static uint64_t
delay_of(const struct adapter *a, enum adapter_delay delay)
{
    switch (delay) {
    case ADAPTER_TO_LOOK:
        return delay_to_look(a);
    case ADAPTER_TO_AGAIN:
        return memctx_max(a->config.look.again_us, 1);
    case ADAPTER_BACKOFF:
    case ADAPTER_DELAYS:
        break;
    }
    return memctx_backoff_delay(&a->limits, a->attempt, a->last_cost_us);
}

uint64_t
adapter_arm(struct adapter *a, enum adapter_delay delay)
{
    uint64_t delay_us = delay_of(a, delay);
    struct itimerspec once = {
        .it_value = {.tv_sec = (time_t)(delay_us / 1000000),
                     .tv_nsec = (long)(delay_us % 1000000 * 1000)}};
    timerfd_settime(a->fds[ADAPTER_TIMER], 0, &once, NULL);
    a->armed = delay_us > 0;
    return delay_us;
}

void
adapter_be_patient(struct adapter *a)
{
    a->patience_us = memctx_min(2 * a->patience_us, PENDING_MAX_US);
}

void
adapter_new_boot(struct adapter *a)
{
    a->cold = false;
    a->reset = true;
    a->new_boot = true;
    a->attempt = 0;
    a->last_cost_us = 0;
    a->pending_since_us = 0;
}

/* Close the RAM; the next try opens it anew and is a first one. */
static void
close_ram(struct adapter *a)
{
    a->attempt = 0;
    a->pending_since_us = 0;
    if (a->config.open == NULL || a->released)
        return;
    a->closing = true;
    submit_soon(a);
}

void
adapter_doubt(struct adapter *a)
{
    a->cold = false;
    a->reset = true;
    a->has_found = false;
    close_ram(a);
}

void
adapter_reopen(struct adapter *a)
{
    a->recheck = true;
    close_ram(a);
}

void
adapter_set_cold(struct adapter *a)
{
    a->cold = true;
}

void
adapter_set_paused(struct adapter *a, bool paused)
{
    /* A paused guest cannot show that it runs: that time does not count. */
    if (paused)
        a->pending_since_us = 0;
    a->paused = paused;
}

void
adapter_release(struct adapter *a)
{
    a->released = true;
    submit_soon(a);
}

bool
adapter_is_armed(const struct adapter *a)
{
    return a->armed;
}

/* A kernel that stands published is believed for a while, then withdrawn. */
static void
limit_pending(struct adapter *a, struct adapter_result *result)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    if (result->event != MEMCTX_EVENT_PENDING) {
        a->pending_since_us = 0;
        return;
    }
    if (a->pending_since_us == 0) {
        a->pending_since_us = now_us;
        a->pending_max_us =
            a->job.what == ADAPTER_LOOK ? a->patience_us : PENDING_MAX_US;
    }
    if (now_us - a->pending_since_us > a->pending_max_us)
        result->event = MEMCTX_EVENT_RETRY;
}

static bool
dispatch_done(struct adapter *a, struct adapter_result *ret)
{
    eventfd_t count;
    if (eventfd_read(a->fds[ADAPTER_DONE], &count) < 0)
        return false;
    struct adapter_result result = a->job.result;
    memset(&a->job.result, 0, sizeof(a->job.result));
    a->running = false;
    a->last_cost_us = a->job.cost_us;
    bool wanted = !a->dropped && !a->released && a->job.what != ADAPTER_NO_TRY;
    /* An inherited datum is told once; a dropped try must not lose it. */
    if (!wanted && result.has_inherited && !a->job.ram.has_inherited) {
        a->job.ram.inherited = result.inherited;
        a->job.ram.has_inherited = true;
        result.has_inherited = false;
    }
    /* Before another job closes the RAM: it takes a while to be freed, which
     * the loop must not do. */
    if (!wanted)
        adapter_result_deinit(&result);
    if (a->again)
        submit(a);
    if (!wanted)
        return false;
    limit_pending(a, &result);
    /* From here on RAM has held a kernel, which a kexec may replace. */
    if (result.event == MEMCTX_EVENT_FOUND) {
        a->attempt = 0;
        a->cold = false;
        a->has_found = true;
        a->look_since_us = 0;
    }
    *ret = result;
    return true;
}

bool
adapter_dispatch(struct adapter *a, enum adapter_cookie cookie,
                 struct adapter_result *ret)
{
    if (cookie == ADAPTER_DONE)
        return dispatch_done(a, ret);
    uint64_t expirations;
    if (read(a->fds[ADAPTER_TIMER], &expirations, sizeof(expirations)) < 0)
        return false;
    a->armed = false;
    *ret = (struct adapter_result){.event = MEMCTX_EVENT_TIMER};
    return true;
}
