/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx symbols: the symbols of a guest's kernel, from its memory. */
#include <stdio.h>

#include "base/cleanup.h"
#include "explain/symbols.h"
#include "memctx/explained.h"
#include "memctx/symbolline.h"

#define PIECE (256 * MEMCTX_KIB) /* printed at once */

struct symbols_options {
    struct explained_from from;
    const char *format;
    bool json;
};

static const struct option_row option_table[] = {
    {"format", 0, OPTION_TEXT, "FORMAT",
     offsetof(struct symbols_options, format),
     "kallsyms (also without this) or system-map"},
    COMMAND_OPTION_JSON(struct symbols_options),
    EXPLAINED_OPTIONS(struct symbols_options),
    OPTIONS_END,
};

/* ---- printing ------------------------------------------------------------ */

static bool
flush(struct memctx_text *text)
{
    fwrite(text->bytes, 1, text->len_bytes, stdout);
    text->len_bytes = 0;
    return !ferror(stdout);
}

/* `format` NULL: JSON. */
static enum exit_code
print_symbols(const struct memctx_symbols *symbols,
              const struct memctx_kernel *kernel,
              const struct symbolline_format *format)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_text_add(&text, "%s", format == NULL ? "{\"symbols\":[" : "");
    for (size_t i = 0; i < memctx_symbols_count(symbols); i++) {
        const struct memctx_symbol symbol = memctx_symbols_at(symbols, i);
        if (format != NULL) {
            format->add(&text, kernel, &symbol);
        } else {
            memctx_text_add_bytes(&text, ",", i > 0);
            symbolline_add_json(&text, &symbol);
        }
        if (text.len_bytes >= PIECE && !flush(&text))
            return EXIT_DONE; /* main() reports it */
    }
    memctx_text_add(&text, "%s", format == NULL ? "]}\n" : "");
    if (text.failed)
        return command_fail(EXIT_ERROR, "out of memory");
    flush(&text);
    return EXIT_DONE;
}

/* ---- the command --------------------------------------------------------- */

static enum exit_code
run(const struct invocation *in)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct symbols_options *options = in->options;
    const struct symbolline_format *format = &symbolline_formats[0];
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    if (options->format != NULL && options->json)
        return command_misused(in->command, "--format and --json exclude each "
                                            "other");
    if (options->format != NULL)
        format = symbolline_find(options->format);
    if (format == NULL)
        return command_misused(in->command,
                               "there is no format '%s'; there are: kallsyms, "
                               "system-map",
                               options->format);
    enum exit_code code = explained_open(in, &options->from, &explained);
    if (code == EXIT_DONE)
        code = explained_enter_linux(&explained, NULL);
    if (code != EXIT_DONE)
        return code;
    if (explained_symbols(&explained, &symbols, &err) < 0)
        return subject_fail(&explained.subject, &err);
    return print_symbols(symbols, explained.target.kernel,
                         options->json ? NULL : format);
}

const struct command command_symbols = {
    .name = "symbols",
    .group = COMMAND_MEMORY,
    .summary = "print the symbols of a guest's kernel",
    .usage = "symbols DOMAIN [--format FORMAT | --json] [--timeout S]\n"
             "symbols --ram FILE [--low SIZE] [--ram-format FORM]\n"
             "     [--format FORMAT | --json]",
    .description =
        "Print the symbols of the kernel of a Linux guest with their "
        "addresses, from the guest's memory: in the format of "
        "/proc/kallsyms, or with --format system-map as the kernel's build "
        "has them in System.map, without KASLR. A kernel that was built "
        "without CONFIG_KALLSYMS_ALL has functions only." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct symbols_options),
    .run = run,
};
