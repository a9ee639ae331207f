/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx list, show and wait: what the agent knows. */
#include "cmd.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "client.h"
#include "clocks.h"
#include "domain.h"

static void
cleanup_json(json_object **object)
{
    json_object_put(*object);
}

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

/* Collect all pages of a list into one array. */
static int
fetch_list(int fd, json_object *all, struct memctx_error *err)
{
    bool more;
    do {
        MEMCTX_CLEANUP(cleanup_json) json_object *page = NULL;
        json_object *domains;
        json_object *is_more;
        if (client_reply(fd, -1, &page, err) < 0)
            return -1;
        if (!json_object_object_get_ex(page, "domains", &domains) ||
            !json_object_is_type(domains, json_type_array))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "memctxd's answer has no domains");
        for (size_t i = 0; i < json_object_array_length(domains); i++)
            json_object_array_add(
                all, json_object_get(json_object_array_get_idx(domains, i)));
        more = json_object_object_get_ex(page, "more", &is_more) &&
               json_object_get_boolean(is_more);
    } while (more);
    return 0;
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
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = -1;
    MEMCTX_CLEANUP(cleanup_json) json_object *all = json_object_new_array();
    if (client_connect(options, &fd, &err) < 0 ||
        client_request(fd, "list", NULL, &err) < 0 ||
        fetch_list(fd, all, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
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

/* Print the datum in a reply, or say why there is none. */
static enum exit_code
print_reply(const struct options *options, const char *name, json_object *reply)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    json_object *domain = json_object_object_get(reply, "domain");
    const char *xml = text_of(reply, "datum");
    const char *state = text_of(domain, "state");
    if (xml[0] == '\0') {
        bool never =
            strcmp(state, memctx_state_name(MEMCTX_STATE_UNSUPPORTED)) == 0;
        return cmd_fail(never ? EXIT_ERROR : EXIT_NOT_THERE,
                        "domain '%s': %s: %s", name, state,
                        text_of(domain, "reason"));
    }
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    if (memctx_datum_from_xml(xml, strlen(xml), &datum, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    return cmd_print_datum(options, &datum);
}

static enum exit_code
ask(const struct options *options, const char *op, const char *domain,
    int64_t deadline_ms)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = -1;
    MEMCTX_CLEANUP(cleanup_json) json_object *reply = NULL;
    if (client_connect(options, &fd, &err) < 0 ||
        client_request(fd, op, domain, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    int got = client_reply(fd, deadline_ms, &reply, &err);
    if (got < 0)
        return cmd_fail(EXIT_ERROR, "domain '%s': %s", domain, err.message);
    if (got == 0)
        return cmd_fail(EXIT_TIMEOUT, "domain '%s': no datum in the time given",
                        domain);
    return print_reply(options, domain, reply);
}

enum exit_code
cmd_show(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    return ask(options, "show", words[0], -1);
}

enum exit_code
cmd_wait(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    return ask(options, "wait", words[0],
               options->timeout_ms < 0
                   ? -1
                   : (int64_t)clocks_now_ms() + options->timeout_ms);
}
