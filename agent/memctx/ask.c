/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The requests "show" and "wait" of memctx-control(7). */
#include "memctx/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "domain/domain.h"
#include "memctx/connect.h"
#include "memctx/silence.h"
#include "text/jsonguard.h"

/* How a request for a datum goes. */
struct question {
    const struct common_options *common;
    const char *domain;
    struct client *client;
    bool waits;
    int64_t timeout_ms; /* of a wait; 0: none, -1: for ever */
    int64_t deadline_ms;
};

/* The answer to a request that waits, if it comes at once. The agent answers
 * such a request when there is a datum, but every other request at once, and in
 * order: when the answer to "hello" comes first, there is none. Returns 1; 0:
 * there is none; -1 as client_reply(). */
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

/* Send it, and wait for the answer: as client_reply(). */
static int
exchange(const struct question *q, bool takes_silent, bool must_run,
         struct client_packet *answer, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask(q->waits ? "wait" : "show", q->domain);
    client_take_silent(request, takes_silent);
    if (must_run)
        json_object_object_add(request, "running", json_object_new_boolean(1));
    if (client_request(q->client, request, err) < 0)
        return -1;
    return q->waits && q->timeout_ms == 0
               ? answer_at_once(q->client, answer, err)
               : client_reply(q->client, q->deadline_ms, answer, err);
}

/* Ask, and wait for the answer. A silent domain is an answer if it is taken.
 * Who mistyped a name, or is early, is told that there is no such domain yet.
 */
static enum exit_code
put_question(const struct question *q, bool takes_silent,
             struct client_packet *answer)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    bool must_run = q->waits && q->timeout_ms != 0;
    int got = exchange(q, takes_silent, must_run, answer, &err);
    if (must_run && got < 0 &&
        (err.kind == MEMCTX_GONE || err.kind == MEMCTX_RETRY)) {
        fprintf(stderr, "warning: %s; waiting for it\n", err.message);
        got = exchange(q, takes_silent, false, answer, &err);
    }
    if (got < 0)
        return command_fail(EXIT_ERROR, "domain '%s': %s", q->domain,
                            err.message);
    if (got == 0)
        return command_fail(
            EXIT_TIMEOUT, "domain '%s': no datum in the time given", q->domain);
    return EXIT_DONE;
}

/* Who waits for a kernel that runs is told if there is one that does not. */
static enum exit_code
wait_on(const struct question *q, struct client_packet *answer)
{
    silence_warn(json_object_object_get(answer->object, "domain"),
                 "; waiting for one that runs");
    if (q->timeout_ms == 0)
        return command_fail(
            EXIT_TIMEOUT, "domain '%s': no datum in the time given", q->domain);
    client_packet_deinit(answer);
    return put_question(q, false, answer);
}

static enum exit_code
ask(struct question *q, bool takes_silent, struct memctx_datum *ret,
    char **name)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet answer = {.n_fds = 0};
    q->deadline_ms = connect_deadline(q->timeout_ms);
    if (connect_client(q->common, &client, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    q->client = client;
    enum exit_code code = put_question(q, true, &answer);
    json_object *domain = json_object_object_get(answer.object, "domain");
    if (code == EXIT_DONE && !takes_silent && silence_is(domain))
        code = wait_on(q, &answer);
    if (code == EXIT_DONE)
        code = take_answer(q->domain, answer.object, ret, name);
    if (code == EXIT_DONE)
        silence_warn(json_object_object_get(answer.object, "domain"), "");
    return code;
}

enum exit_code
ask_datum(const struct common_options *common, const char *domain,
          struct memctx_datum *ret, char **name)
{
    struct question q = {.common = common, .domain = domain, .timeout_ms = -1};
    return ask(&q, true, ret, name);
}

enum exit_code
ask_datum_within(const struct common_options *common, const char *domain,
                 int64_t timeout_ms, bool takes_silent,
                 struct memctx_datum *ret, char **name)
{
    struct question q = {.common = common,
                         .domain = domain,
                         .waits = true,
                         .timeout_ms = timeout_ms};
    return ask(&q, takes_silent, ret, name);
}
