/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Between the guard, which knows when, and the domains, which know what. */
#include "upkeep.h"

#include <libvirt/libvirt.h>
#include <limits.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "publish/guard.h"
#include "wire/clocks.h"

struct upkeep {
    struct domains *domains;
    const struct log *log;
    struct guard *guard;
    int timer; /* libvirt's; -1: none */
};

static void
check(struct upkeep *u, const char *uuid, uint64_t now_ms)
{
    switch (domains_check(u->domains, uuid)) {
    case DOMAINS_CHECKS:
        break;
    case DOMAINS_CHECKS_LATER:
        guard_postpone(u->guard, uuid, now_ms);
        break;
    case DOMAINS_LEAVES:
        guard_forget(u->guard, uuid);
        break;
    }
}

static void
arm(struct upkeep *u, uint64_t now_ms)
{
    uint64_t next_ms = guard_next_ms(u->guard);
    int wait_ms = -1; /* for ever */
    if (next_ms != GUARD_NEVER)
        wait_ms = (int)memctx_min(memctx_max(next_ms, now_ms) - now_ms,
                                  (uint64_t)INT_MAX);
    virEventUpdateTimeout(u->timer, wait_ms);
}

/* Do what is due, and wait for what is not. */
static void
turn(struct upkeep *u)
{
    uint64_t now_ms = clocks_now_ms();
    const char *uuid;
    while ((uuid = guard_due(u->guard, now_ms)) != NULL)
        check(u, uuid, now_ms);
    while ((uuid = guard_calm(u->guard, now_ms)) != NULL)
        domains_mark_fought(u->domains, uuid, false);
    arm(u, now_ms);
}

static void
on_timer(int timer, void *opaque)
{
    (void)timer;
    turn(opaque);
}

static void
log_news(const struct upkeep *u, const char *uuid, const char *words)
{
    log_about(u->log, LOG_LEVEL_WARNING,
              &(struct log_subject){.kind = LOG_KIND_METADATA, .uuid = uuid},
              "uuid=%s somebody else changed the domain's metadata%s", uuid,
              words);
}

static void
take_finding(struct upkeep *u, const struct event *event)
{
    if (event->was_wrong)
        domains_mark_repaired(u->domains, event->uuid);
    switch (
        guard_find(u->guard, event->uuid, event->was_wrong, clocks_now_ms())) {
    case GUARD_NO_NEWS:
        break;
    case GUARD_MEDDLED:
        log_news(u, event->uuid, "; they were put right");
        break;
    case GUARD_FOUGHT:
        log_news(u, event->uuid,
                 " again and again; from now on they are put right with "
                 "growing delays");
        domains_mark_fought(u->domains, event->uuid, true);
        break;
    case GUARD_FOUGHT_AGAIN:
        domains_mark_fought(u->domains, event->uuid, true);
        break;
    }
}

/* Nobody told what was changed while libvirt was away. */
static void
hear_of_all(struct upkeep *u)
{
    uint64_t now_ms = clocks_now_ms();
    const struct member *m = u->domains->members.first;
    for (; u->domains->connections > 1 && m != NULL; m = m->next)
        guard_hear(u->guard, m->record->uuid, now_ms);
}

void
upkeep_handle(struct upkeep *u, const struct event *event)
{
    if (event->kind == EVENT_METADATA)
        guard_hear(u->guard, event->uuid, clocks_now_ms());
    else if (event->kind == EVENT_CHECKED)
        take_finding(u, event);
    else if (event->kind == EVENT_LISTED)
        hear_of_all(u);
    else if (event->what == MEMCTX_EVENT_STOP)
        guard_forget(u->guard, event->uuid);
    else
        return;
    turn(u);
}

int
upkeep_create(struct domains *domains, const struct log *log,
              struct upkeep **ret, struct memctx_error *err)
{
    struct upkeep *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *u = (struct upkeep){.domains = domains, .log = log, .timer = -1};
    u->guard = guard_create();
    u->timer = virEventAddTimeout(-1, on_timer, u, NULL);
    if (u->guard == NULL || u->timer < 0) {
        upkeep_destroy(u);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop");
    }
    *ret = u;
    return 0;
}

void
upkeep_destroy(struct upkeep *u)
{
    if (u == NULL)
        return;
    if (u->timer >= 0)
        virEventRemoveTimeout(u->timer);
    guard_destroy(u->guard);
    free(u);
}
