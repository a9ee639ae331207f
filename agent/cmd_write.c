/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx write: ask memctxd to write to a guest, which it does only where its
 * configuration names domain and operation. */
#include "cmd.h"

#include <limits.h>
#include <stdio.h>

#include "cleanup.h"
#include "client.h"

enum exit_code
cmd_write(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet reply = {.n_fds = 0};
    MEMCTX_CLEANUP(client_cleanup_json)
    json_object *request = client_ask("write", words[0]);
    char dir[PATH_MAX];
    json_object_object_add(request, "gva", json_object_new_string(words[1]));
    json_object_object_add(request, "hex", json_object_new_string(words[2]));
    if (cmd_find_agent(options, dir, sizeof(dir), &err) < 0 ||
        client_create(dir, &client, &err) < 0 ||
        client_call(client, request, &reply, &err) < 0)
        return cmd_fail(EXIT_ERROR, "domain '%s': %s", words[0], err.message);
    if (options->json)
        puts(json_object_to_json_string_ext(
            reply.object,
            JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    return EXIT_DONE;
}
