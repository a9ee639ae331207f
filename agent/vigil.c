/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Compares what stands at a path with what was opened there, when inotify(7)
 * tells of a change. That another file system was mounted on it nobody tells.
 */
#include "vigil.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/trouble.h"
#include "publish/statefile.h"
#include "wire/clocks.h"

#define PERIOD_MS 10000
#define TROUBLE_MS 1000
/* Who removes a directory is not to be met halfway. */
#define CHANGED_MS 500

struct vigil {
    struct vigil_means means;
    int timer;              /* libvirt's; -1: none */
    int inotify;            /* -1: there is none: only the time tells */
    int handle;             /* libvirt's, of inotify; -1: none */
    struct trouble trouble; /* making things again */
    bool in_trouble;
    struct repeats losses; /* of the directory, or what is in it */
};

/* Removed in a loop by somebody, it is made again in a loop, and told now and
 * then. */
static const struct repeats_rule losing = {
    .free = 3, .first_ms = 10000, .cap_ms = 3600000, .forget_ms = 600000};

static void
tell_loss(struct vigil *v)
{
    char more[REPEATS_WORDS_SIZE];
    if (repeats_happen(&v->losses, &losing, clocks_now_ms(), more))
        log_say(v->means.log, LOG_LEVEL_WARNING, LOG_KIND_DIRECTORY,
                "%s or something in it was removed while memctxd runs; it was "
                "made again%s",
                v->means.dir, more);
}

static void
set_trouble(struct vigil *v, const struct memctx_error *err)
{
    if (err != NULL)
        trouble_strike(&v->trouble, v->means.log, !v->in_trouble,
                       "the agent's directory is gone, and cannot be made "
                       "again: %s; trying again",
                       err->message);
    else if (v->in_trouble)
        trouble_end(&v->trouble, v->means.log,
                    "the agent's directory is there again");
    v->in_trouble = err != NULL;
}

/* 1: something was made again; 0: all is there. */
static int
refresh(struct vigil *v, struct memctx_error *err)
{
    const struct vigil_means *m = &v->means;
    bool moved = !statefile_is_in_place(m->dir, m->dirfd);
    if (moved && statefile_replace_dir(m->dir, m->dirfd, err) < 0)
        return -1;
    if (moved)
        domains_write_again(m->domains);
    int control = control_refresh(m->control, err);
    int hint = hint_refresh(m->hint, err);
    return control < 0 || hint < 0 ? -1 : moved || control > 0 || hint > 0;
}

/* Who holds the lock of the new directory is an agent like this one. */
static bool
is_taken(const struct vigil *v, const struct memctx_error *err)
{
    if (err->kind != MEMCTX_STALE)
        return false;
    log_say(v->means.log, LOG_LEVEL_ERROR, LOG_KIND_REFUSED,
            "the agent's directory was removed, and %s by now; leaving",
            err->message);
    return true;
}

/* Of the directory as it is now; again is as once. */
static void
watch_directory(struct vigil *v)
{
    if (v->inotify >= 0)
        inotify_add_watch(v->inotify, v->means.dir,
                          IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |
                              IN_MOVED_FROM | IN_ONLYDIR);
}

static void
look_at_directory(struct vigil *v)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    int made = refresh(v, &err);
    if (made < 0 && is_taken(v, &err)) {
        v->means.lost(v->means.arg);
        return;
    }
    set_trouble(v, made < 0 ? &err : NULL);
    if (made < 0)
        virEventUpdateTimeout(v->timer, TROUBLE_MS);
    if (made > 0) {
        watch_directory(v);
        tell_loss(v);
    }
}

static void
on_change(int handle, int fd, int events, void *opaque)
{
    struct vigil *v = opaque;
    _Alignas(struct inotify_event) char ignored[4096];
    (void)handle;
    (void)events;
    while (read(fd, ignored, sizeof(ignored)) > 0)
        ;
    virEventUpdateTimeout(v->timer, CHANGED_MS);
}

/* The one who is told that the directory is lost may destroy the vigil. */
static void
on_timer(int timer, void *opaque)
{
    struct vigil *v = opaque;
    domains_tell_late(v->means.domains, clocks_now_ms());
    virEventUpdateTimeout(timer, PERIOD_MS);
    look_at_directory(v);
}

int
vigil_create(const struct vigil_means *means, struct vigil **ret,
             struct memctx_error *err)
{
    struct vigil *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *v = (struct vigil){.means = *means, .handle = -1};
    trouble_init(&v->trouble, LOG_KIND_DIRECTORY, 1);
    v->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch_directory(v);
    v->timer = virEventAddTimeout(PERIOD_MS, on_timer, v, NULL);
    if (v->inotify >= 0)
        v->handle = virEventAddHandle(v->inotify, VIR_EVENT_HANDLE_READABLE,
                                      on_change, v, NULL);
    if (v->timer < 0) {
        vigil_destroy(v);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop");
    }
    *ret = v;
    return 0;
}

void
vigil_destroy(struct vigil *v)
{
    if (v == NULL)
        return;
    if (v->timer >= 0)
        virEventRemoveTimeout(v->timer);
    if (v->handle >= 0)
        virEventRemoveHandle(v->handle);
    memctx_close_fd(&v->inotify);
    trouble_deinit(&v->trouble);
    free(v);
}
