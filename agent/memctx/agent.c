/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx list, show and wait: what the agent knows. */
#include "memctx/cmd.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "reader/client.h"
#include "wire/clocks.h"
#include "domain/domain.h"
#include "text/jsonguard.h"

static const char *
text_of(json_object *object, const char *key)
{
    json_object *member;
    if (!json_object_object_get_ex(object, key, &member))
        return "";
    return json_object_get_string(member);
}

static void
print_row(json_object *domain)
{
    const char *reason = text_of(domain, "reason");
    printf(" %-5s %-20s %-12s %-4s%s%s\n", text_of(domain, "id"),
           text_of(domain, "name"), text_of(domain, "state"),
           text_of(domain, "generation")[0] != '\0'
               ? text_of(domain, "generation")
               : "-",
           reason[0] != '\0' ? " " : "", reason);
}

static int
by_id(const void *a, const void *b)
{
    json_object *x = *(json_object *const *)a;
    json_object *y = *(json_object *const *)b;
    return json_object_get_int(json_object_object_get(x, "id")) -
           json_object_get_int(json_object_object_get(y, "id"));
}

enum exit_code
cmd_list(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    (void)words;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(cmd_cleanup_agent) struct memctx_agent *agent = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    if (cmd_connect(options, &agent, &err) < 0 ||
        memctx_agent_list(agent, &text, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *all = json_tokener_parse(text);
    json_object_array_sort(all, by_id);
    if (options->json) {
        puts(json_object_to_json_string_ext(
            all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        return EXIT_DONE;
    }
    printf(" %-5s %-20s %-12s %-4s %s\n", "Id", "Name", "State", "Gen",
           "Reason");
    puts("----------------------------------------------------------------");
    for (size_t i = 0; i < json_object_array_length(all); i++)
        print_row(json_object_array_get_idx(all, i));
    return EXIT_DONE;
}

/* Decode the datum in a reply, or say why there is none. */
static enum exit_code
take_datum(const char *domain, json_object *reply, struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    json_object *d = json_object_object_get(reply, "domain");
    const char *xml = text_of(reply, "datum");
    const char *state = text_of(d, "state");
    if (xml[0] == '\0') {
        bool never =
            strcmp(state, memctx_state_name(MEMCTX_STATE_UNSUPPORTED)) == 0;
        return cmd_fail(never ? EXIT_ERROR : EXIT_NOT_THERE,
                        "domain '%s': %s: %s", domain, state,
                        text_of(d, "reason"));
    }
    if (memctx_datum_from_xml(xml, strlen(xml), ret, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    return EXIT_DONE;
}

/* client_reply(). Who gives no time is to hear what is the case now, all the
 * same: another request is answered behind that. */
static int
wait_reply(struct client *client, const struct options *options,
           int64_t deadline_ms, struct client_packet *ret,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *hello = client_ask("hello", NULL);
    if (options->timeout_ms != 0)
        return client_reply(client, deadline_ms, ret, err);
    if (client_request(client, hello, err) < 0)
        return -1;
    int got = client_reply(client, -1, ret, err);
    return got == 1 && json_object_object_get_ex(ret->object, "memctx", NULL)
               ? 0
               : got;
}

static enum exit_code
ask(const struct options *options, const char *op, const char *domain,
    int64_t deadline_ms, struct memctx_datum *ret, char **name)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet reply = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask(op, domain);
    char dir[PATH_MAX];
    if (cmd_find_agent(options, dir, sizeof(dir), &err) < 0 ||
        client_create(dir, &client, &err) < 0 ||
        client_request(client, request, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    int got = wait_reply(client, options, deadline_ms, &reply, &err);
    if (got < 0)
        return cmd_fail(EXIT_ERROR, "domain '%s': %s", domain, err.message);
    if (got == 0)
        return cmd_fail(EXIT_TIMEOUT, "domain '%s': no datum in the time given",
                        domain);
    enum exit_code code = take_datum(domain, reply.object, ret);
    if (code == EXIT_DONE && name != NULL)
        *name = strdup(
            text_of(json_object_object_get(reply.object, "domain"), "name"));
    return code;
}

static int64_t
deadline_of(const struct options *options)
{
    return options->timeout_ms < 0
               ? -1
               : (int64_t)clocks_now_ms() + options->timeout_ms;
}

enum exit_code
cmd_ask_datum(const struct options *options, const char *domain,
              struct memctx_datum *ret, char **name)
{
    return ask(options, options->timeout_ms < 0 ? "show" : "wait", domain,
               deadline_of(options), ret, name);
}

static enum exit_code
print_asked(const struct options *options, const char *op, const char *domain,
            int64_t deadline_ms)
{
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    enum exit_code code = ask(options, op, domain, deadline_ms, &datum, NULL);
    return code != EXIT_DONE ? code : cmd_print_datum(options, &datum);
}

enum exit_code
cmd_show(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    return print_asked(options, "show", words[0], -1);
}

/* One line of --follow. */
static void
print_change(const struct options *options, json_object *reply)
{
    if (options->json)
        puts(json_object_to_json_string_ext(
            json_object_object_get(reply, "domain"),
            JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        print_row(json_object_object_get(reply, "domain"));
    fflush(stdout);
}

/* What is the case now, and each change after it, until the time is over, the
 * agent leaves, or nobody reads. */
static enum exit_code
follow(const struct options *options, const char *domain, int64_t deadline_ms)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("wait", domain);
    char dir[PATH_MAX];
    json_object_object_add(request, "follow", json_object_new_boolean(1));
    if (cmd_find_agent(options, dir, sizeof(dir), &err) < 0 ||
        client_create(dir, &client, &err) < 0 ||
        client_request(client, request, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    while (!ferror(stdout)) {
        MEMCTX_CLEANUP(client_packet_deinit)
        struct client_packet reply = {.n_fds = 0};
        int got = client_reply(client, deadline_ms, &reply, &err);
        if (got < 0)
            return cmd_fail(EXIT_ERROR, "%s", err.message);
        if (got == 0)
            return EXIT_TIMEOUT;
        print_change(options, reply.object);
    }
    return EXIT_ERROR;
}

enum exit_code
cmd_wait(const struct options *options, int n_words, char **words)
{
    int64_t deadline_ms = deadline_of(options);
    if (options->follow)
        return follow(options, n_words > 0 ? words[0] : NULL, deadline_ms);
    if (n_words == 0)
        return cmd_fail(EXIT_USAGE, "wait wants a DOMAIN, or --follow");
    return print_asked(options, "wait", words[0], deadline_ms);
}
