/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx symbols: the symbols of a guest's kernel, from its memory. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "explain/symbols.h"
#include "memctx/apart.h"
#include "memctx/explained.h"
#include "memctx/modulesymbols.h"
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

/* What a child has from its parent. */
struct work {
    struct explained explained;
    const struct symbolline_format *format; /* NULL: JSON */
};

static void
work_deinit(struct work *work)
{
    explained_deinit(&work->explained);
}

static enum exit_code
print_all(void *arg)
{
    struct work *work = arg;
    struct explained *explained = &work->explained;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct sandbox_fd kept = {explained->cache.fd, SANDBOX_STORE};
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    enum exit_code code =
        explained_enter_linux(explained, kept.fd >= 0 ? &kept : NULL);
    if (code != EXIT_DONE)
        return code;
    if (explained_symbols(explained, &symbols, &err) < 0)
        return subject_fail(&explained->subject, &err);
    if (modulesymbols_add(explained, symbols, &err) < 0) {
        if (err.kind == MEMCTX_STALE || err.kind == MEMCTX_GONE)
            return subject_fail(&explained->subject, &err);
        fprintf(stderr, "warning: symbols of modules are missing: %s\n",
                err.message);
    }
    return print_symbols(symbols, explained->target.kernel, work->format);
}

/* As main() does it, which the child never comes back to. Who reads the
 * beginning only (head) gets no error for that. */
static enum exit_code
print_apart(void *arg)
{
    signal(SIGPIPE, SIG_IGN);
    enum exit_code code = print_all(arg);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return errno == EPIPE
               ? EXIT_ERROR
               : command_fail(EXIT_ERROR, "cannot write to standard output");
}

/* What is kept gets its name when all is done, which a sandbox forbids: a child
 * enters it then. */
static enum exit_code
print_and_keep(struct work *work)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code = EXIT_ERROR;
    if (apart_run(print_apart, work, &code, &err) != 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (code == EXIT_DONE)
        symbolcache_keep(&work->explained.cache);
    return code;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct symbols_options *options = in->options;
    MEMCTX_CLEANUP(work_deinit)
    struct work work = {.explained = EXPLAINED_INIT,
                        .format = &symbolline_formats[0]};
    struct symbolcache *cache = &work.explained.cache;
    if (options->format != NULL && options->json)
        return command_misused(in->command, "--format and --json exclude each "
                                            "other");
    if (options->format != NULL)
        work.format = symbolline_find(options->format);
    if (work.format == NULL)
        return command_misused(in->command,
                               "there is no format '%s'; there are: kallsyms, "
                               "system-map",
                               options->format);
    if (options->json)
        work.format = NULL;
    enum exit_code code = explained_open(in, &options->from, &work.explained);
    if (code != EXIT_DONE)
        return code;
    symbolcache_open(&work.explained.subject, cache);
    return cache->bytes == NULL && symbolcache_begin(cache)
               ? print_and_keep(&work)
               : print_all(&work);
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
