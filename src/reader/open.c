/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens a domain's RAM, again and again while the kernel changes meanwhile. */
#include "reader/open.h"

#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "reader/await.h"
#include "reader/openreply.h"
#include "text/jsonguard.h"
#include "wire/clocks.h"

#define AGAIN_MS 20 /* between two tries */

/* Ask for the RAM of a domain that is, or was a moment ago, ready or, for a
 * lease that takes such a one, silent. */
static int
ask(struct lease *lease, const char *domain, struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet packet = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("open", domain);
    client_take_silent(request, lease->validity.takes_silent);
    if (client_call(lease->client, request, &packet, err) < 0 ||
        openreply_receive(lease, &packet, err) < 0)
        return memctx_error_prefix(err, "domain '%s'", domain);
    if (tables_create(lease->map, &lease->failure, &lease->tables, err) < 0)
        return -1;
    return validity_check(&lease->validity, clocks_us(CLOCK_MONOTONIC), err);
}

static int
try_once(const char *dir, const char *domain, int timeout_ms, bool takes_silent,
         struct lease **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(lease_cleanup)
    struct lease *lease = calloc(1, sizeof(*lease));
    if (lease == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    lease->validity.takes_silent = takes_silent;
    if (memctx_rammap_create(&lease->map, err) < 0 ||
        client_create(dir, &lease->client, err) < 0 ||
        await_domain(lease->client, domain, timeout_ms, takes_silent, err) <
            0 ||
        ask(lease, domain, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&lease);
    return 0;
}

/* What is left of a deadline, at least 0; -1: no limit. */
static int
left_ms(int64_t deadline_ms)
{
    int64_t now = (int64_t)clocks_now_ms();
    if (deadline_ms < 0)
        return -1;
    return deadline_ms > now ? (int)(deadline_ms - now) : 0;
}

int
open_lease(const char *dir, const char *domain, int timeout_ms,
           bool takes_silent, struct lease **ret, struct memctx_error *err)
{
    const struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
    int64_t deadline_ms = await_deadline(timeout_ms);
    /* Bounded by the deadline, which is what the caller wanted. */
    for (int left = timeout_ms;; left = left_ms(deadline_ms)) {
        struct memctx_error why = MEMCTX_ERROR_INIT;
        if (try_once(dir, domain, left, takes_silent, ret, &why) == 0)
            return 0;
        if (why.kind == MEMCTX_STALE) /* it changed while we opened it */
            why.kind = MEMCTX_RETRY;
        if (why.kind != MEMCTX_RETRY || left_ms(deadline_ms) == 0)
            return memctx_error_pass(err, &why);
        nanosleep(&pause, NULL);
    }
}
