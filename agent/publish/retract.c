/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An agent that only withdraws: the watch lists the domains, the publisher
 * removes what stands there, each held up by nobody but its own domain; but
 * only once it is known that no other agent vouches for it. */
#include "publish/retract.h"

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "publish/claim.h"
#include "publish/publish.h"
#include "watch/event.h"
#include "publish/statefile.h"
#include "watch/vir.h"
#include "watch/watch.h"

#define TIME_MS 8000 /* systemd leaves ExecStopPost= TimeoutStopSec=, 10 s */

struct retraction {
    struct queue *queue;
    struct watch *watch;
    struct publisher *publisher;
    struct claim *claim;
    bool listed;
    bool claimed; /* by nobody else */
    bool over;
    bool late;
};

/* It may have been settled before the list was complete. */
static void
withdraw_if_ours(struct retraction *r)
{
    enum claim_state state = claim_state(r->claim);
    if (!r->listed || r->claimed || r->over)
        return;
    r->over = state == CLAIM_TAKEN;
    r->claimed = state == CLAIM_OURS || state == CLAIM_UNASKED;
    if (!r->claimed)
        return;
    publisher_release(r->publisher);
    publisher_tell_idle(r->publisher);
}

static void
handle(struct retraction *r, const struct event *event)
{
    const struct publisher_run run = {event->uuid, event->id, NULL};
    switch (event->kind) {
    case EVENT_DOMAIN:
        publisher_set(r->publisher, &run, NULL, NULL);
        claim_see(r->claim, event->uuid);
        break;
    case EVENT_LISTED:
        r->listed = true;
        claim_listed(r->claim);
        break;
    case EVENT_CLAIM:
        withdraw_if_ours(r);
        break;
    case EVENT_IDLE:
        r->over = true;
        break;
    case EVENT_CONNECTED:
        claim_connected(r->claim);
        break;
    case EVENT_METADATA:
    case EVENT_CHECKED:
    case EVENT_CLAIM_WORD:
    case EVENT_LOST:
    case EVENT_SIGNAL:
        break;
    }
}

static void
on_queue(int id, int fd, int events, void *opaque)
{
    struct retraction *r = opaque;
    struct event *event;
    (void)id;
    (void)fd;
    (void)events;
    while ((event = event_pop(r->queue)) != NULL) {
        handle(r, event);
        event_destroy(event);
    }
}

static void
on_timer(int id, void *opaque)
{
    struct retraction *r = opaque;
    (void)id;
    r->late = true;
}

static int
run(struct retraction *r, const struct settings *settings, int dirfd,
    const struct log *log, struct memctx_error *err)
{
    if (queue_create(&r->queue, err) < 0 ||
        watch_create(settings, r->queue, log, &r->watch, err) < 0 ||
        publisher_create((unsigned)settings->writers, r->watch, dirfd, r->queue,
                         log, &r->publisher, err) < 0 ||
        claim_create(r->watch, r->queue, &CLAIM_TIMES, true, &r->claim, err) <
            0)
        return -1;
    if (virEventAddHandle(queue_fd(r->queue), VIR_EVENT_HANDLE_READABLE,
                          on_queue, r, NULL) < 0 ||
        virEventAddTimeout(TIME_MS, on_timer, r, NULL) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop: %s",
                                vir_last_error());
    while (!r->over && !r->late && virEventRunDefaultImpl() == 0)
        ;
    if (r->over && !r->claimed)
        log_say(log, LOG_LEVEL_INFO, LOG_KIND_RETRACTED,
                "nothing withdrawn: another memctxd vouches for the domains "
                "of this libvirt connection");
    if (r->over)
        return 0;
    return memctx_error_set(
        err, MEMCTX_RETRY, "not all data could be withdrawn in %d ms: %s",
        TIME_MS,
        r->listed ? "another job holds a domain" : "libvirt does not answer");
}

int
retract(const struct settings *settings, const char *dir, const struct log *log,
        struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int dirfd = -1;
    struct retraction r = {.over = false};
    if (statefile_open_dir(dir, &dirfd, err) < 0)
        return -1;
    if (statefile_lock_dir(dir, dirfd, NULL) < 0) {
        log_say(log, LOG_LEVEL_INFO, LOG_KIND_RETRACTED,
                "nothing withdrawn: the memctxd in %s vouches for its data",
                dir);
        return 0;
    }
    statefile_clean(dirfd);
    int failed = run(&r, settings, dirfd, log, err);
    /* What hangs in libvirt hangs: the process ends here. */
    if (failed == 0) {
        claim_destroy(r.claim);
        publisher_destroy(r.publisher);
        watch_destroy(r.watch);
    }
    return failed;
}
