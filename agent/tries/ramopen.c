/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A job for the workers, and what becomes of it. */
#include "tries/ramopen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

struct ramopen {
    struct executor_job job;      /* first: run() gets it */
    struct ramopen_config config; /* with copies of its texts */
    struct executor *workers;
    int fd;
    pthread_mutex_t lock; /* over the next three */
    bool busy;
    bool done;     /* ... and nobody has taken what it opened */
    bool orphaned; /* destroyed meanwhile: the worker frees it */
    /* The worker's while it is busy, then the caller's. */
    struct ram ram;
    int failed;
    struct memctx_error err;
};

static void
destroy_now(struct ramopen *o)
{
    ram_deinit(&o->ram);
    free((char *)o->config.ram_path);
    free((char *)o->config.seed);
    handed_destroy(o->config.handed);
    if (o->config.open_free != NULL)
        o->config.open_free(o->config.open_arg);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

/* The ways to RAM, the most special first. An adapter that was configured with
 * none of them has a stub. */
static int
open_ram(struct ramopen *o, struct ram *ret, struct memctx_error *err)
{
    struct ramopen_config *config = &o->config;
    if (config->open != NULL)
        return config->open(config->open_arg, ret, err);
    if (config->handed != NULL)
        return handed_open(config->handed, ret, err);
    if (!config->stub && config->ram_path != NULL)
        return ram_from_path(config->ram_path, "ram", config->low, ret, err);
    return ram_from_stub(config->seed != NULL ? config->seed : "", ret, err);
}

/* On a worker: opening may wait for libvirt or for a file system as long as it
 * likes. Meanwhile the owner may have gone; then nobody else frees the job. */
static void
run(struct executor_job *job)
{
    struct ramopen *o = (struct ramopen *)job;
    o->err = (struct memctx_error)MEMCTX_ERROR_INIT;
    o->failed = open_ram(o, &o->ram, &o->err);
    if (o->failed == 0)
        o->ram.identity = ram_identity(&o->ram);
    pthread_mutex_lock(&o->lock);
    bool orphaned = o->orphaned;
    o->busy = false;
    o->done = true;
    if (!orphaned)
        eventfd_write(o->fd, 1);
    pthread_mutex_unlock(&o->lock);
    if (orphaned)
        destroy_now(o);
}

static int
copy_texts(struct ramopen_config *config)
{
    bool has_path = config->ram_path != NULL;
    bool has_seed = config->seed != NULL;
    config->ram_path = has_path ? strdup(config->ram_path) : NULL;
    config->seed = has_seed ? strdup(config->seed) : NULL;
    return has_path != (config->ram_path != NULL) ||
                   has_seed != (config->seed != NULL)
               ? -1
               : 0;
}

/* The configuration is ours from the call on, also if the call fails: what was
 * handed in must be closed. */
static void
disown(const struct ramopen_config *config)
{
    handed_destroy(config->handed);
    if (config->open_free != NULL)
        config->open_free(config->open_arg);
}

int
ramopen_create(const struct ramopen_config *config, struct executor *workers,
               int fd, struct ramopen **ret, struct memctx_error *err)
{
    struct ramopen *o = calloc(1, sizeof(*o));
    if (o == NULL) {
        disown(config);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    pthread_mutex_init(&o->lock, NULL);
    o->config = *config;
    o->workers = workers;
    o->fd = fd;
    o->job.run = run;
    if (copy_texts(&o->config) < 0) {
        destroy_now(o);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    *ret = o;
    return 0;
}

void
ramopen_destroy(struct ramopen *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->lock);
    bool busy = o->busy;
    o->orphaned = busy;
    pthread_mutex_unlock(&o->lock);
    if (!busy)
        destroy_now(o);
}

bool
ramopen_is_repeatable(const struct ramopen *o)
{
    return o->config.open != NULL;
}

void
ramopen_start(struct ramopen *o)
{
    pthread_mutex_lock(&o->lock);
    o->busy = true;
    o->done = false;
    pthread_mutex_unlock(&o->lock);
    executor_submit(o->workers, NULL, &o->job);
}

bool
ramopen_take(struct ramopen *o, struct ram *ret, int *failed,
             struct memctx_error *err)
{
    pthread_mutex_lock(&o->lock);
    bool done = o->done;
    o->done = false;
    pthread_mutex_unlock(&o->lock);
    if (!done)
        return false;
    *ret = o->ram;
    *failed = o->failed;
    *err = o->err;
    memset(&o->ram, 0, sizeof(o->ram));
    return true;
}
