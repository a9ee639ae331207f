/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* struct memctx_agent: a directory, and a connection for what is asked of the
 * agent itself. */
#include "reader/memctx_agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "reader/await.h"
#include "text/jsonguard.h"

struct memctx_agent {
    char dir[AGENT_DIR_MAX];
    struct client *client; /* NULL: to be connected again */
};

const char *
agent_dir(const struct memctx_agent *agent)
{
    return agent->dir;
}

/* The connection is made anew where the last request left it unusable, or the
 * agent has been restarted. */
static int
connected(struct memctx_agent *agent, struct memctx_error *err)
{
    if (agent->client != NULL && client_is_left(agent->client))
        client_destroy(memctx_steal_ptr(&agent->client));
    return agent->client != NULL
               ? 0
               : client_create(agent->dir, &agent->client, err);
}

static int
failed(struct memctx_agent *agent)
{
    client_destroy(memctx_steal_ptr(&agent->client));
    return -1;
}

int
memctx_agent_connect(const char *where, struct memctx_agent **ret,
                     struct memctx_error *err)
{
    struct memctx_agent *agent = calloc(1, sizeof(*agent));
    if (agent == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (client_find(where, agent->dir, sizeof(agent->dir), err) < 0 ||
        connected(agent, err) < 0) {
        memctx_agent_disconnect(agent);
        return -1;
    }
    *ret = agent;
    return 0;
}

void
memctx_agent_disconnect(struct memctx_agent *agent)
{
    if (agent == NULL)
        return;
    client_destroy(agent->client);
    free(agent);
}

/* One packet of a list. Without "more" it is the last. */
static int
add_page(struct client *client, json_object *all, bool *more,
         struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet page = {.n_fds = 0};
    json_object *domains;
    int got = client_reply(client, await_deadline(30000), &page, err);
    if (got <= 0)
        return got < 0 ? -1
                       : memctx_error_set(err, MEMCTX_GONE,
                                          "memctxd does not answer");
    if (!json_object_object_get_ex(page.object, "domains", &domains) ||
        !json_object_is_type(domains, json_type_array))
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd's answer has no domains");
    for (size_t i = 0; i < json_object_array_length(domains); i++)
        json_object_array_add(
            all, json_object_get(json_object_array_get_idx(domains, i)));
    *more =
        json_object_get_boolean(json_object_object_get(page.object, "more"));
    return 0;
}

/* Bounded: a list that goes on has domains in each packet, and libvirt has a
 * limit of its own. */
#define PAGES_MAX 100000u

static int
fetch_list(struct client *client, json_object *all, struct memctx_error *err)
{
    bool more = true;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("list", NULL);
    if (client_request(client, request, err) < 0)
        return -1;
    for (unsigned i = 0; more && i < PAGES_MAX; i++) {
        if (add_page(client, all, &more, err) < 0)
            return -1;
    }
    return 0;
}

int
memctx_agent_list(struct memctx_agent *agent, char **ret,
                  struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *all = json_object_new_array();
    if (connected(agent, err) < 0)
        return -1;
    if (fetch_list(agent->client, all, err) < 0)
        return failed(agent);
    const char *text = json_object_to_json_string_ext(
        all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *ret = copy;
    return 0;
}

int
memctx_agent_wait(struct memctx_agent *agent, const char *domain,
                  int timeout_ms, struct memctx_error *err)
{
    if (connected(agent, err) < 0)
        return -1;
    return await_domain(agent->client, domain, timeout_ms, false, err) < 0
               ? failed(agent)
               : 0;
}
