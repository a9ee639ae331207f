/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks "show", or "wait" where there is time. */
#include "reader/await.h"

#include <string.h>

#include "base/cleanup.h"
#include "wire/clocks.h"
#include "text/jsonguard.h"

int64_t
await_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : (int64_t)clocks_now_ms() + timeout_ms;
}

/* A silent domain without a datum has a kernel that nobody ever saw run. */
static bool
will_do(json_object *reply, const char *state, bool takes_silent)
{
    return strcmp(state, "ready") == 0 ||
           (takes_silent && strcmp(state, "silent") == 0 &&
            client_text(reply, "datum") != NULL);
}

/* What a description of a domain says. */
static int
judge(json_object *reply, const char *domain, bool takes_silent,
      struct memctx_error *err)
{
    json_object *d = json_object_object_get(reply, "domain");
    const char *state = client_text(d, "state");
    const char *reason = client_text(d, "reason");
    if (state == NULL)
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd's answer tells no state of domain "
                                "'%s'",
                                domain);
    if (will_do(reply, state, takes_silent))
        return 0;
    return memctx_error_set(
        err,
        strcmp(state, "unsupported") == 0 ? MEMCTX_PERMANENT : MEMCTX_RETRY,
        "domain '%s': %s%s%s", domain, state, reason != NULL ? ": " : "",
        reason != NULL ? reason : "");
}

int
await_domain(struct client *client, const char *domain, int timeout_ms,
             bool takes_silent, struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet packet = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request =
        client_ask(timeout_ms == 0 ? "show" : "wait", domain);
    int64_t deadline_ms = await_deadline(timeout_ms);
    int got;
    client_take_silent(request, takes_silent);
    if (timeout_ms == 0)
        got = client_call(client, request, &packet, err) < 0 ? -1 : 1;
    else if (client_request(client, request, err) < 0)
        got = -1;
    else
        got = client_reply(client, deadline_ms, &packet, err);
    if (got < 0)
        return memctx_error_prefix(err, "domain '%s'", domain);
    if (got == 0)
        return memctx_error_set(
            err, MEMCTX_RETRY,
            "domain '%s': no kernel was seen to run in %d.%03d "
            "s",
            domain, timeout_ms / 1000, timeout_ms % 1000);
    return judge(packet.object, domain, takes_silent, err);
}
