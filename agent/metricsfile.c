/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One write at a time; what changes meanwhile is in the next one. */
#include "metricsfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "common/newfile.h"
#include "common/offload.h"
#include "common/trouble.h"
#include "wire/clocks.h"

#define SOON_MS 1000
#define PERIOD_MS 15000
#define PATH_MAX_BYTES 300
#define LEAVE_WAIT_MS 1000

struct metricsfile {
    struct offload_job job; /* first */
    char path[PATH_MAX_BYTES];
    char fresh[PATH_MAX_BYTES + 8]; /* beside it, until it is complete */
    const struct agent *agent;
    const struct log *log;
    struct offload *offload;
    int timer;        /* libvirt's; -1: none */
    bool soon;        /* the timer is armed for a change */
    bool busy;        /* it is being written */
    uint64_t changes; /* of the agent, up to which it was written */
    uint64_t written_ms;
    struct memctx_text text; /* the thread's while busy */
    struct memctx_error why; /* it was not written; kind OK: it was */
    struct trouble trouble;
    bool in_trouble;
};

/* Others may read it, node_exporter among them. */
static int
replace(const struct metricsfile *f, struct memctx_error *err)
{
    const struct iovec bytes = {f->text.bytes, f->text.len_bytes};
    if (newfile_put(AT_FDCWD, f->fresh, f->path, 0644, &bytes, 1) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_RETRY, "cannot write %s: %s", f->path,
                            strerror(errno));
}

static void
work(struct offload_job *job)
{
    struct metricsfile *f = (struct metricsfile *)job;
    replace(f, &f->why);
}

static void
arm(struct metricsfile *f, bool soon)
{
    uint64_t wait_ms = soon ? SOON_MS : PERIOD_MS;
    uint64_t since_ms = clocks_now_ms() - f->written_ms;
    f->soon = soon;
    if (f->timer >= 0)
        virEventUpdateTimeout(f->timer,
                              (int)(wait_ms - memctx_min(since_ms, wait_ms)));
}

static void
done(struct offload_job *job)
{
    struct metricsfile *f = (struct metricsfile *)job;
    bool failed = f->why.kind != MEMCTX_OK;
    if (failed)
        trouble_strike(&f->trouble, f->log, !f->in_trouble, "%s",
                       f->why.message);
    else if (f->in_trouble)
        trouble_end(&f->trouble, f->log, "the metrics are written again");
    f->in_trouble = failed;
    f->busy = false;
    memctx_text_deinit(&f->text);
    arm(f, false);
}

static void
on_timer(int timer, void *opaque)
{
    struct metricsfile *f = opaque;
    struct agent_view view;
    virEventUpdateTimeout(timer, -1);
    f->soon = false;
    if (f->busy)
        return;
    agent_look(f->agent, &view);
    f->changes = view.changes;
    f->written_ms = clocks_now_ms();
    f->why = (struct memctx_error)MEMCTX_ERROR_INIT;
    agent_measure(f->agent, &f->text);
    f->busy = true;
    offload_submit(f->offload, NULL, &f->job);
}

void
metricsfile_look(struct metricsfile *f)
{
    struct agent_view view;
    if (f->timer < 0 || f->busy || f->soon)
        return;
    agent_look(f->agent, &view);
    if (view.changes != f->changes)
        arm(f, true);
}

int
metricsfile_create(const char *path, const struct agent *agent,
                   const struct log *log, struct metricsfile **ret,
                   struct memctx_error *err)
{
    if (path[0] != '\0' && path[0] != '/')
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "metrics_file wants an absolute path, found "
                                "'%.100s'",
                                path);
    struct metricsfile *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *f = (struct metricsfile){.job = {.work = work, .done = done},
                              .agent = agent,
                              .log = log,
                              .timer = -1};
    trouble_init(&f->trouble, LOG_KIND_METRICS, 1);
    snprintf(f->path, sizeof(f->path), "%s", path);
    snprintf(f->fresh, sizeof(f->fresh), "%s.new", path);
    if (path[0] != '\0' && offload_create(1, &f->offload, err) == 0)
        f->timer = virEventAddTimeout(0, on_timer, f, NULL);
    if (path[0] != '\0' && f->timer < 0) {
        metricsfile_destroy(f);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop");
    }
    *ret = f;
    return 0;
}

/* What hangs in a file system keeps what it uses. */
void
metricsfile_destroy(struct metricsfile *f)
{
    if (f == NULL)
        return;
    if (f->timer >= 0)
        virEventRemoveTimeout(f->timer);
    f->timer = -1;
    offload_destroy(f->offload, LEAVE_WAIT_MS);
    if (f->busy)
        return;
    if (f->path[0] != '\0')
        unlink(f->path);
    trouble_deinit(&f->trouble);
    memctx_text_deinit(&f->text);
    free(f);
}
