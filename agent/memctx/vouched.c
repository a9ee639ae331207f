/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation "show", and the datum in domain XML beside its answer. */
#include "memctx/vouched.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "memctx/connect.h"
#include "text/jsonguard.h"

int
vouched_ask(const struct common_options *common,
            const struct memctx_domxml *facts, json_object **ret,
            struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet answer = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("show", facts->uuid);
    client_take_silent(request, true);
    if (connect_client(common, &client, err) < 0 ||
        client_call(client, request, &answer, err) < 0)
        return -1;
    *ret = json_object_get(answer.object);
    return 0;
}

/* The generation that the agent has in the metadata, and its datum. A kernel
 * that it has not counted, because nobody saw it run, is in no metadata. 0:
 * there is to be none. */
static unsigned
take_vouched(json_object *answer, struct memctx_datum *ret)
{
    const char *xml = client_text(answer, "datum");
    if (xml == NULL || memctx_datum_from_xml(xml, strlen(xml), ret, NULL) < 0)
        return 0;
    return ret->generation;
}

#define CURE                                                           \
    "; find out who else writes this domain's metadata: memctxd puts " \
    "its own back, and says so in its log"

static int
differ(const struct memctx_domxml *facts, unsigned vouched,
       struct memctx_error *err)
{
    if (!facts->has_datum)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctxd vouches for generation %u, and the "
                                "metadata have no datum" CURE,
                                vouched);
    if (vouched == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the metadata have a datum of generation %u, "
                                "and memctxd vouches for none" CURE,
                                facts->datum.generation);
    if (facts->datum.generation != vouched)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the metadata have generation %u, and memctxd "
                                "vouches for %u" CURE,
                                facts->datum.generation, vouched);
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "the datum of generation %u in the metadata is "
                            "another than memctxd's" CURE,
                            vouched);
}

/* In these states what stands in the metadata is not vouched for, and left
 * alone for the moment. */
static bool
is_undecided(const char *state)
{
    return strcmp(state, "stale") == 0 || strcmp(state, "unknown") == 0;
}

int
vouched_compare(const struct memctx_domxml *facts, json_object *answer,
                char *said, size_t size, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    const char *state =
        client_text(json_object_object_get(answer, "domain"), "state");
    unsigned vouched = take_vouched(answer, &datum);
    if (state == NULL || is_undecided(state)) {
        snprintf(said, size, "not compared: memctxd calls the domain %s",
                 state != NULL ? state : "nothing");
        return 0;
    }
    bool same = vouched == 0
                    ? !facts->has_datum
                    : facts->has_datum && facts->datum.generation == vouched &&
                          memctx_datum_is_equal(&facts->datum, &datum);
    if (!same)
        return differ(facts, vouched, err);
    if (vouched == 0)
        snprintf(said, size, "there is none, and the domain is %s", state);
    else
        snprintf(said, size, "generation %u, for which memctxd vouches",
                 vouched);
    return 0;
}
