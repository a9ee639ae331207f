/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx write: ask memctxd to write to a guest, which it does only where its
 * configuration names domain and operation. */
#include "cmd.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "client.h"

static void
cleanup_json(json_object **object)
{
    json_object_put(*object);
}

static int
send_request(int fd, char **words, struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_json)
    json_object *request = json_object_new_object();
    json_object_object_add(request, "op", json_object_new_string("write"));
    json_object_object_add(request, "domain", json_object_new_string(words[0]));
    json_object_object_add(request, "gva", json_object_new_string(words[1]));
    json_object_object_add(request, "hex", json_object_new_string(words[2]));
    const char *text = json_object_to_json_string(request);
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctxd did not take the request");
    return 0;
}

enum exit_code
cmd_write(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = -1;
    MEMCTX_CLEANUP(cleanup_json) json_object *reply = NULL;
    if (client_connect(options, &fd, &err) < 0 ||
        send_request(fd, words, &err) < 0 ||
        client_reply(fd, -1, &reply, &err) < 0)
        return cmd_fail(EXIT_ERROR, "domain '%s': %s", words[0], err.message);
    if (options->json)
        puts(json_object_to_json_string_ext(
            reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    return EXIT_DONE;
}
