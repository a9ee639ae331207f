/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Compares what the manager was told last with how the agent is. What could not
 * be sent is sent later. */
#include "systemd.h"

#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "domain/domain.h"
#include "wire/clocks.h"

/* From one status to the next, at least. */
#define STATUS_MS 1000

#define LIBVIRT_WAIT_MS 5000

struct systemd {
    const struct notify *notify;
    const struct agent *agent;
    int watchdog; /* libvirt's timers; -1: none */
    int patience; /* with libvirt, that is not there */
    int status;
    bool waited;      /* for libvirt, long enough */
    bool ready;       /* was told, */
    bool stopping;    /* and so was this */
    bool armed;       /* the status follows */
    uint64_t changes; /* of the agent, up to which its status was told */
    uint64_t told_ms;
};

/* The status in words, as "3 domains: 2 ready, 1 waiting". */
static void
describe(const struct systemd *s, bool is_complete, char *to, size_t size)
{
    unsigned states[MEMCTX_STATES];
    unsigned n = agent_count(s->agent, states);
    int len =
        snprintf(to, size, "%s%u domain%s",
                 is_complete ? "" : "libvirt is away; ", n, n == 1 ? "" : "s");
    const char *separator = ": ";
    for (unsigned i = 0; i < MEMCTX_STATES && len < (int)size; i++) {
        if (states[i] == 0)
            continue;
        len += snprintf(to + len, size - (size_t)len, "%s%u %s", separator,
                        states[i], memctx_state_name((enum memctx_state)i));
        separator = ", ";
    }
}

static void
arm(struct systemd *s)
{
    uint64_t since_ms = clocks_now_ms() - s->told_ms;
    if (s->armed)
        return;
    s->armed = true;
    virEventUpdateTimeout(s->status,
                          (int)(STATUS_MS - memctx_min(since_ms, STATUS_MS)));
}

/* What is ready says so with its first status. */
static void
tell(struct systemd *s)
{
    char words[256];
    struct agent_view view;
    agent_look(s->agent, &view);
    describe(s, view.is_complete, words, sizeof(words));
    s->told_ms = clocks_now_ms();
    s->changes = view.changes;
    if (notify_send(s->notify, "READY=1\nSTATUS=%s", words) < 0)
        arm(s);
    else
        s->ready = true;
}

static void
on_status(int timer, void *opaque)
{
    struct systemd *s = opaque;
    virEventUpdateTimeout(timer, -1);
    s->armed = false;
    if (!s->stopping)
        tell(s);
}

static void
on_watchdog(int timer, void *opaque)
{
    const struct systemd *s = opaque;
    (void)timer;
    notify_send(s->notify, "WATCHDOG=1");
}

static void
on_patience(int timer, void *opaque)
{
    struct systemd *s = opaque;
    virEventUpdateTimeout(timer, -1);
    s->waited = true;
}

void
systemd_look(struct systemd *s)
{
    struct agent_view view;
    if (s->notify->fd < 0 || s->stopping)
        return;
    agent_look(s->agent, &view);
    if (view.is_stopping) {
        s->stopping = true;
        notify_send(s->notify, "STOPPING=1\nSTATUS=withdrawing all data");
    } else if (!s->ready && !s->armed && (view.is_connected || s->waited)) {
        tell(s);
    } else if (s->ready && view.changes != s->changes) {
        arm(s);
    }
}

/* READY=1 ends it. By the time the manager knows it from one that was sent
 * before. */
void
systemd_reloading(struct systemd *s)
{
    if (s->ready)
        notify_send(s->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                    clocks_us(CLOCK_MONOTONIC));
}

void
systemd_reloaded(struct systemd *s)
{
    if (s->ready)
        tell(s);
}

static int
add_timers(struct systemd *s)
{
    uint64_t feed_ms = s->notify->watchdog_us / 2000;
    s->status = virEventAddTimeout(-1, on_status, s, NULL);
    s->patience = virEventAddTimeout(LIBVIRT_WAIT_MS, on_patience, s, NULL);
    if (s->notify->watchdog_us > 0)
        s->watchdog =
            virEventAddTimeout((int)memctx_min(memctx_max(feed_ms, 1), INT_MAX),
                               on_watchdog, s, NULL);
    return s->status < 0 || s->patience < 0 ||
                   (s->notify->watchdog_us > 0 && s->watchdog < 0)
               ? -1
               : 0;
}

int
systemd_create(const struct notify *notify, const struct agent *agent,
               struct systemd **ret, struct memctx_error *err)
{
    struct systemd *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *s = (struct systemd){.notify = notify,
                          .agent = agent,
                          .watchdog = -1,
                          .patience = -1,
                          .status = -1};
    if (notify->fd >= 0 && add_timers(s) < 0) {
        systemd_destroy(s);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop");
    }
    *ret = s;
    return 0;
}

void
systemd_destroy(struct systemd *s)
{
    if (s == NULL)
        return;
    const int timers[] = {s->watchdog, s->patience, s->status};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(timers); i++) {
        if (timers[i] >= 0)
            virEventRemoveTimeout(timers[i]);
    }
    free(s);
}
