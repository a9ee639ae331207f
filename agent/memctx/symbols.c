/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx symbols: the symbols of a guest's kernel, from its memory. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "explain/explain.h"
#include "explain/symbols.h"
#include "explain/symboltext.h"
#include "memctx/apart.h"
#include "memctx/explained.h"
#include "memctx/symbolline.h"

#define PIECE (256 * MEMCTX_KIB) /* printed at once */

/* So far behind a symbol an address is none of its own: code and data of
 * kernels have symbols closer together. */
#define NEAR (4 * MEMCTX_MIB)

struct symbols_options {
    struct explained_from from;
    const char *format;
    const char *at;
    bool json;
};

static const struct option_row option_table[] = {
    {"format", 0, OPTION_TEXT, "FORMAT",
     offsetof(struct symbols_options, format),
     "kallsyms (also without this) or system-map"},
    {"at", 0, OPTION_TEXT, "ADDRESS", offsetof(struct symbols_options, at),
     "print which symbol this address is in, and how far"},
    COMMAND_OPTION_JSON(struct symbols_options),
    EXPLAINED_OPTIONS(struct symbols_options),
    OPTIONS_END,
};

/* What a child has from its parent. */
struct work {
    struct explained explained;
    const struct symbolline_format *format; /* NULL: JSON */
    struct memctx_text own;                 /* lines that were read now */
    struct memctx_text out;                 /* not printed yet */
    uint64_t printed;                       /* symbols, in all */
    bool is_place; /* print no symbol but the one this is in: */
    uint64_t at;
    struct memctx_symbol nearest;       /* of those that were seen */
    char name[MEMCTX_SYMBOLS_NAME_MAX]; /* its own; "": none was */
};

static void
work_deinit(struct work *work)
{
    memctx_text_deinit(&work->own);
    memctx_text_deinit(&work->out);
    explained_deinit(&work->explained);
}

/* ---- printing ------------------------------------------------------------ */

static void
flush(struct work *work)
{
    fwrite(work->out.bytes, 1, work->out.len_bytes, stdout);
    work->out.len_bytes = 0;
}

/* Of several at the same address the first. */
static void
compare(struct work *work, const struct memctx_symbol *symbol)
{
    struct memctx_symbol *nearest = &work->nearest;
    if (symbol->address > work->at ||
        (work->name[0] != '\0' && symbol->address <= nearest->address))
        return;
    *nearest = *symbol;
    snprintf(work->name, sizeof(work->name), "%s", symbol->name);
    nearest->name = work->name;
}

static void
print_symbol(struct work *work, const struct memctx_symbol *symbol)
{
    struct memctx_text *out = &work->out;
    if (work->is_place) {
        compare(work, symbol);
        return;
    }
    if (work->format != NULL) {
        work->format->add(out, work->explained.target.kernel, symbol);
    } else {
        memctx_text_add_bytes(out, ",", work->printed > 0);
        symbolline_add_json(out, symbol);
    }
    work->printed++;
    if (out->len_bytes >= PIECE)
        flush(work);
}

/* Those of the kernel. Returns how many bytes of the lines are none. */
static size_t
print_lines(struct work *work, const struct explained_lines *lines)
{
    char name[MEMCTX_SYMBOLS_NAME_MAX];
    const char *at = lines->text;
    const char *end = at + lines->len_bytes;
    struct memctx_symbol symbol;
    if (!work->is_place && work->format != NULL && work->format->is_text) {
        fwrite(at, 1, lines->len_bytes, stdout);
        return 0;
    }
    /* If standard output takes no more, main() reports it. */
    while (!ferror(stdout) && memctx_symboltext_next(&at, end, name, &symbol))
        print_symbol(work, &symbol);
    return ferror(stdout) ? 0 : (size_t)(end - at);
}

static void
print_modules(struct work *work, const struct memctx_symbols *symbols)
{
    for (size_t i = 0; i < memctx_symbols_count(symbols); i++) {
        const struct memctx_symbol symbol = memctx_symbols_at(symbols, i);
        print_symbol(work, &symbol);
    }
}

/* As "%pS" of the kernel, without the size, which no table has. */
static enum exit_code
print_place(struct work *work)
{
    const struct memctx_symbol *nearest = &work->nearest;
    uint64_t behind = work->at - nearest->address;
    if (work->name[0] == '\0' || behind > NEAR)
        return command_fail(EXIT_NOT_THERE,
                            "no symbol of this kernel is near " MEMCTX_HEX,
                            work->at);
    if (work->format == NULL) {
        memctx_text_add(&work->out, "{\"symbols\":[");
        symbolline_add_json(&work->out, nearest);
        memctx_text_add(&work->out, "],\"offset\":\"" MEMCTX_HEX "\"}\n",
                        behind);
    } else {
        memctx_text_add(&work->out, "%s+" MEMCTX_HEX, nearest->name, behind);
        if (nearest->module[0] != '\0')
            memctx_text_add(&work->out, "\t[%s]", nearest->module);
        memctx_text_add(&work->out, "\n");
    }
    flush(work);
    return EXIT_DONE;
}

/* ---- reading ------------------------------------------------------------- */

static uint64_t
address_of(const struct explained_lines *lines, const char *name)
{
    uint64_t gva;
    return memctx_symboltext_find(lines->text, lines->len_bytes, name, &gva)
               ? gva
               : 0;
}

/* Most names are not looked for if there is no module. */
static int
add_modules(struct memctx_target *target, const struct explained_lines *lines,
            struct memctx_symbols *ret, struct memctx_error *err)
{
    struct memctx_landmarks landmarks = {
        .gva = {[MEMCTX_AT_MODULES] = address_of(lines, "modules")}};
    int has = memctx_explain_has_modules(target,
                                         landmarks.gva[MEMCTX_AT_MODULES], err);
    if (has <= 0)
        return has;
    landmarks.gva[MEMCTX_AT_START_BTF] = address_of(lines, "__start_BTF");
    landmarks.gva[MEMCTX_AT_STOP_BTF] = address_of(lines, "__stop_BTF");
    return memctx_explain_module_symbols(target, &landmarks, ret, err);
}

/* 0, or -1 with those that were found up to then. */
static int
read_modules(struct explained *explained, const struct explained_lines *lines,
             struct memctx_symbols *ret, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, MEMCTX_EXPLAIN_STEPS, err) < 0)
        return -1;
    int result = add_modules(&explained->target, lines, ret, &why);
    return explained_end(explained, result, &why, err);
}

/* The kernel's as lines, and the modules'. */
static int
read_all(struct work *work, struct explained_lines *lines,
         struct memctx_symbols *modules, struct memctx_error *err)
{
    struct explained *explained = &work->explained;
    if (explained_symbols(explained, &work->own, lines, err) < 0)
        return -1;
    if (read_modules(explained, lines, modules, err) == 0)
        return 0;
    if (err->kind == MEMCTX_STALE || err->kind == MEMCTX_GONE)
        return -1;
    fprintf(stderr, "warning: symbols of modules are missing: %s\n",
            err->message);
    return 0;
}

static enum exit_code
print_these(struct work *work, const struct explained_lines *lines,
            const struct memctx_symbols *modules)
{
    bool is_json = work->format == NULL && !work->is_place;
    memctx_text_add(&work->out, "%s", is_json ? "{\"symbols\":[" : "");
    size_t bad = print_lines(work, lines);
    print_modules(work, modules);
    memctx_text_add(&work->out, "%s", is_json ? "]}\n" : "");
    flush(work);
    if (work->out.failed)
        return command_fail(EXIT_ERROR, "out of memory");
    if (bad > 0)
        return command_fail(EXIT_ERROR, "%s is damaged; remove it",
                            work->explained.cache.path);
    return work->is_place ? print_place(work) : EXIT_DONE;
}

static enum exit_code
print_all(void *arg)
{
    struct work *work = arg;
    struct explained *explained = &work->explained;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct sandbox_fd kept = {explained->cache.fd, SANDBOX_STORE};
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *modules = NULL;
    struct explained_lines lines;
    enum exit_code code =
        explained_enter_linux(explained, kept.fd >= 0 ? &kept : NULL);
    if (code != EXIT_DONE)
        return code;
    if (memctx_symbols_create(&modules, &err) < 0 ||
        read_all(work, &lines, modules, &err) < 0)
        return subject_fail(&explained->subject, &err);
    return print_these(work, &lines, modules);
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
    if (apart_run(print_apart, work, &code, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (code == EXIT_DONE)
        symbolcache_keep(&work->explained.cache);
    return code;
}

/* What the options want printed. */
static int
choose_output(const struct symbols_options *options, struct work *work,
              struct memctx_error *err)
{
    if (options->format != NULL && (options->json || options->at != NULL))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--format excludes --json and --at");
    if (options->format != NULL)
        work->format = symbolline_find(options->format);
    if (work->format == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "there is no format '%s'; there are: kallsyms, "
                                "system-map",
                                options->format);
    if (options->json)
        work->format = NULL;
    work->is_place = options->at != NULL;
    if (work->is_place &&
        !memctx_number_parse(options->at, UINT64_MAX, &work->at))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--at takes an address such as "
                                "0xffffffff81000000, found '%s'",
                                options->at);
    return 0;
}

static enum exit_code
run(const struct invocation *in)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct symbols_options *options = in->options;
    MEMCTX_CLEANUP(work_deinit)
    struct work work = {.explained = EXPLAINED_INIT,
                        .format = &symbolline_formats[0]};
    struct symbolcache *cache = &work.explained.cache;
    if (choose_output(options, &work, &err) < 0)
        return command_misused(in->command, "%s", err.message);
    enum exit_code code = explained_open(in, &options->from, &work.explained);
    if (code != EXIT_DONE)
        return code;
    symbolcache_open(&work.explained.subject, cache);
    return cache->text == NULL && symbolcache_begin(cache)
               ? print_and_keep(&work)
               : print_all(&work);
}

const struct command command_symbols = {
    .name = "symbols",
    .group = COMMAND_MEMORY,
    .summary = "print the symbols of a guest's kernel",
    .usage = "symbols DOMAIN [--format FORMAT | [--at ADDRESS] [--json]]\n"
             "     [--timeout S]\n"
             "symbols --ram FILE [--low SIZE] [--ram-format FORM]\n"
             "     [--format FORMAT | [--at ADDRESS] [--json]]",
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
