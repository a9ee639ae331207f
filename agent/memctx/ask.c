/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The requests "show" and "wait" of memctx-control(7). */
#include "memctx/ask.h"

#include <string.h>

#include "base/cleanup.h"
#include "domain/domain.h"
#include "memctx/connect.h"
#include "text/jsonguard.h"

/* The answer to a request that waits, if it comes at once. The agent answers
 * such a request when the domain is ready, but every other request at once, and
 * in order: when the answer to "hello" comes first, the domain is not ready.
 * Returns 1; 0: not ready; -1 as client_reply(). */
static int
answer_at_once(struct client *client, struct client_packet *ret,
               struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *hello = client_ask("hello", NULL);
    if (client_request(client, hello, err) < 0)
        return -1;
    int got = client_reply(client, -1, ret, err);
    if (got == 1 && json_object_object_get_ex(ret->object, "memctx", NULL))
        return 0;
    return got;
}

/* Decode the datum in an answer, or say why there is none. */
static enum exit_code
take_datum(const char *domain, json_object *answer, struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const char *xml = client_text(answer, "datum");
    if (xml == NULL) {
        json_object *d = json_object_object_get(answer, "domain");
        const char *state = client_text(d, "state");
        const char *reason = client_text(d, "reason");
        const char *never = memctx_state_name(MEMCTX_STATE_UNSUPPORTED);
        if (state == NULL)
            state = "";
        return command_fail(
            strcmp(state, never) == 0 ? EXIT_ERROR : EXIT_NOT_THERE,
            "domain '%s': %s: %s", domain, state, reason != NULL ? reason : "");
    }
    if (memctx_datum_from_xml(xml, strlen(xml), ret, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    return EXIT_DONE;
}

static enum exit_code
take_answer(const char *domain, json_object *answer, struct memctx_datum *ret,
            char **name)
{
    enum exit_code code = take_datum(domain, answer, ret);
    if (code != EXIT_DONE || name == NULL)
        return code;
    const char *text =
        client_text(json_object_object_get(answer, "domain"), "name");
    *name = strdup(text != NULL ? text : "");
    return EXIT_DONE;
}

static enum exit_code
ask(const struct common_options *common, const char *op, const char *domain,
    int64_t timeout_ms, struct memctx_datum *ret, char **name)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet answer = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask(op, domain);
    int64_t deadline_ms = connect_deadline(timeout_ms);
    if (connect_client(common, &client, &err) < 0 ||
        client_request(client, request, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    int got = timeout_ms == 0
                  ? answer_at_once(client, &answer, &err)
                  : client_reply(client, deadline_ms, &answer, &err);
    if (got < 0)
        return command_fail(EXIT_ERROR, "domain '%s': %s", domain, err.message);
    if (got == 0)
        return command_fail(EXIT_TIMEOUT,
                            "domain '%s': no datum in the time given", domain);
    return take_answer(domain, answer.object, ret, name);
}

enum exit_code
ask_datum(const struct common_options *common, const char *domain,
          struct memctx_datum *ret, char **name)
{
    return ask(common, "show", domain, -1, ret, name);
}

enum exit_code
ask_datum_within(const struct common_options *common, const char *domain,
                 int64_t timeout_ms, struct memctx_datum *ret, char **name)
{
    return ask(common, "wait", domain, timeout_ms, ret, name);
}
