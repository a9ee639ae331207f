/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx write: ask memctxd to write to a guest, which it does only where its
 * configuration names domain and operation. */

#include "base/cleanup.h"
#include "base/number.h"
#include "memctx/connect.h"
#include "memctx/print.h"
#include "text/jsonguard.h"
#include "wire/protocol.h"

struct write_options {
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct write_options),
    OPTIONS_END,
};

static json_object *
make_request(const char *domain, uint64_t gva, const char *hex)
{
    json_object *request = client_ask("write", domain);
    json_object_object_add(request, "gva", memctx_json_hex(gva));
    json_object_object_add(request, "hex", json_object_new_string(hex));
    return request;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct write_options *options = in->options;
    const char *domain = in->words[0];
    const char *hex = in->words[2];
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet reply = {.n_fds = 0};
    unsigned char bytes[CONTROL_WRITE_MAX];
    size_t n;
    uint64_t gva;
    if (invocation_address(in, 1, &gva, &err) < 0)
        return command_misused(in->command, "%s", err.message);
    if (!memctx_number_parse_bytes(hex, bytes, sizeof(bytes), &n))
        return command_misused(in->command,
                               "HEX is 1 to %d bytes of two hex digits each, "
                               "found '%.64s'",
                               CONTROL_WRITE_MAX, hex);
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = make_request(domain, gva, hex);
    if (connect_client(&in->common, &client, &err) < 0 ||
        client_call(client, request, &reply, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (options->json)
        print_json(reply.object);
    return EXIT_DONE;
}

const struct command command_write = {
    .name = "write",
    .group = COMMAND_MEMORY,
    .summary = "change guest memory, if the agent's configuration allows it",
    .usage = "write DOMAIN ADDRESS HEX [--json]",
    .description =
        "Write the bytes HEX, two hex digits each and at most 192 bytes, to "
        "the virtual address ADDRESS of the guest's kernel: all of them or "
        "none. memctxd refuses unless its configuration allows it for this "
        "domain; see memctxd.conf(5)." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN", "ADDRESS", "HEX"},
    .min_words = 3,
    .max_words = 3,
    .options = option_table,
    .options_size = sizeof(struct write_options),
    .run = run,
};
