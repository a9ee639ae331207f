/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx write: ask memctxd to write to a guest, which it does only where its
 * configuration names domain and operation. */
#include "memctx/cmd.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "reader/client.h"
#include "text/jsonguard.h"

#define BYTES_MAX 192

static bool
is_hex(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len % 2 == 0 && len / 2 <= BYTES_MAX &&
           strspn(text, "0123456789abcdefABCDEF") == len;
}

static json_object *
make_request(const char *domain, uint64_t gva, const char *hex)
{
    char address[20];
    json_object *request = client_ask("write", domain);
    snprintf(address, sizeof(address), "0x%" PRIx64, gva);
    json_object_object_add(request, "gva", json_object_new_string(address));
    json_object_object_add(request, "hex", json_object_new_string(hex));
    return request;
}

enum exit_code
cmd_write(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet reply = {.n_fds = 0};
    char dir[PATH_MAX];
    uint64_t gva;
    if (!cmd_parse_address(words[1], &gva))
        return cmd_fail(EXIT_USAGE,
                        "an address such as 0xffffffff82000000 is wanted, "
                        "found '%s'",
                        words[1]);
    if (!is_hex(words[2]))
        return cmd_fail(EXIT_USAGE,
                        "1 to %d bytes are wanted, two hex digits each, found "
                        "'%.64s'",
                        BYTES_MAX, words[2]);
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = make_request(words[0], gva, words[2]);
    if (cmd_find_agent(options, dir, sizeof(dir), &err) < 0 ||
        client_create(dir, &client, &err) < 0 ||
        client_call(client, request, &reply, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    if (options->json)
        puts(json_object_to_json_string_ext(
            reply.object,
            JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    return EXIT_DONE;
}
