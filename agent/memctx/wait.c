/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx wait: the datum of a domain as soon as there is one, or with --follow
 * every change of state. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "memctx/ask.h"
#include "memctx/connect.h"
#include "memctx/domainline.h"
#include "memctx/print.h"
#include "text/jsonguard.h"
#include "wire/clocks.h"

#define AGAIN_MS 500 /* between two looks for the agent */

struct wait_options {
    bool follow;
    int64_t timeout_ms;
    bool json;
};

static const struct option_row option_table[] = {
    {"follow", 0, OPTION_FLAG, NULL, offsetof(struct wait_options, follow),
     "print each change of state instead of the datum"},
    {"timeout", 0, OPTION_SECONDS, "S",
     offsetof(struct wait_options, timeout_ms),
     "give up after S seconds and exit with 4"},
    COMMAND_OPTION_JSON(struct wait_options),
    OPTIONS_END,
};

/* ---- following ---------------------------------------------------------- */

/* What is followed, and until when. */
struct following {
    const struct common_options *common;
    const char *domain; /* NULL: all that the agent lets us see */
    bool as_json;
    int64_t deadline_ms;
};

/* A line for each change, which is written out at once. */
static void
print_change(json_object *domain, bool as_json)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text text = MEMCTX_TEXT_INIT;
    if (as_json) {
        print_json(domain);
    } else {
        domainline_add(&text, domain, DOMAINLINE_NAME_COLUMNS);
        fwrite(text.bytes, 1, text.len_bytes, stdout);
    }
    fflush(stdout);
}

/* Print the state of now and each change after it, until the time is over, the
 * agent leaves (*err is GONE then), or standard output is closed. */
static enum exit_code
print_changes(const struct following *f, struct client *client,
              struct memctx_error *err)
{
    while (!ferror(stdout)) {
        MEMCTX_CLEANUP(client_packet_deinit)
        struct client_packet reply = {.n_fds = 0};
        int got = client_reply(client, f->deadline_ms, &reply, err);
        if (got == 0)
            return EXIT_TIMEOUT;
        if (got < 0)
            break;
        print_change(json_object_object_get(reply.object, "domain"),
                     f->as_json);
    }
    return EXIT_ERROR;
}

static int
begin(const struct following *f, struct client **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("wait", f->domain);
    json_object_object_add(request, "follow", json_object_new_boolean(1));
    if (connect_client(f->common, &client, err) < 0 ||
        client_request(client, request, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&client);
    return 0;
}

/* The agent left, as *why says. A new one has the same socket: ask there,
 * until the time is over. What keeps it away is told once. Returns whether it
 * is there. */
static bool
begin_again(const struct following *f, const struct memctx_error *why,
            struct client **ret)
{
    struct memctx_error said = *why;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    fprintf(stderr, "warning: %s; waiting for it\n", why->message);
    while (f->deadline_ms < 0 || (int64_t)clocks_now_ms() < f->deadline_ms) {
        poll(NULL, 0, AGAIN_MS);
        if (begin(f, ret, &err) == 0)
            return true;
        if (strcmp(err.message, said.message) != 0)
            fprintf(stderr, "warning: %s\n", err.message);
        said = err;
    }
    return false;
}

/* An agent without libvirt has nothing to tell, which looks as if nothing
 * happened. */
static void
warn_if_away(const struct following *f)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(connect_cleanup_agent) struct memctx_agent *agent = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *list = NULL;
    if (connect_agent(f->common, &agent, NULL) == 0 &&
        memctx_agent_list(agent, &list, &err) < 0 && err.kind == MEMCTX_RETRY)
        fprintf(stderr, "warning: %s\n", err.message);
}

static enum exit_code
follow(const struct following *f)
{
    struct client *client;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (begin(f, &client, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    warn_if_away(f);
    for (;;) {
        err = (struct memctx_error)MEMCTX_ERROR_INIT;
        enum exit_code code = print_changes(f, client, &err);
        client_destroy(client);
        if (code == EXIT_TIMEOUT || ferror(stdout))
            return code;
        /* "gone" is also said of domains, but not to who follows them. */
        if (err.kind != MEMCTX_GONE)
            return command_fail(EXIT_ERROR, "%s", err.message);
        if (!begin_again(f, &err, &client))
            return EXIT_TIMEOUT;
    }
}

static enum exit_code
run(const struct invocation *in)
{
    const struct wait_options *options = in->options;
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    const char *domain = in->words[0]; /* NULL: none was given */
    const struct following following = {
        .common = &in->common,
        .domain = domain,
        .as_json = options->json,
        .deadline_ms = connect_deadline(options->timeout_ms),
    };
    if (options->follow)
        return follow(&following);
    if (domain == NULL)
        return command_misused(in->command,
                               "DOMAIN is missing: only --follow is for all");
    enum exit_code code = ask_datum_within(
        &in->common, domain, options->timeout_ms, false, &datum, NULL);
    return code != EXIT_DONE ? code : print_datum(&datum, options->json);
}

const struct command command_wait = {
    .name = "wait",
    .group = COMMAND_DOMAINS,
    .summary = "wait for the datum of a domain and print it",
    .usage = "wait DOMAIN [--timeout S] [--json]\n"
             "wait [DOMAIN] --follow [--timeout S] [--json]",
    .description =
        "Print the datum of a domain as soon as the domain is ready. It "
        "need not run yet. A domain that is unsupported ends the wait, and "
        "memctx exits with 1. One that is silent is told of on standard "
        "error, and memctx waits on for a kernel that runs. Without --timeout "
        "it waits for ever.\n\n"
        "With --follow print a line for the state of now and for each "
        "change after it, of one domain or of all. When the agent is "
        "restarted, the states of then are printed anew." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct wait_options),
    .run = run,
};
