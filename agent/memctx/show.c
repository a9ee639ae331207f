/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx show: the datum of a domain, as it is now. */
#include "base/cleanup.h"
#include "memctx/ask.h"
#include "memctx/print.h"

struct show_options {
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct show_options),
    OPTIONS_END,
};

static enum exit_code
run(const struct invocation *in)
{
    const struct show_options *options = in->options;
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    enum exit_code code = ask_datum(&in->common, in->words[0], &datum, NULL);
    return code != EXIT_DONE ? code : print_datum(&datum, options->json);
}

const struct command command_show = {
    .name = "show",
    .group = COMMAND_DOMAINS,
    .summary = "print the datum of a domain",
    .usage = "show DOMAIN [--json]",
    .description =
        "Print the datum of a domain that is ready or silent, as XML, with "
        "the virtual addresses of its kernel. If there is none, say in which "
        "state the domain is and why, and exit with 3, or with 1 if the "
        "domain is unsupported." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 1,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct show_options),
    .run = run,
};
