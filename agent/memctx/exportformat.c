/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds formats and prints them. */
#include "memctx/exportformat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/btfread.h"

/* Looking through an image, and copying types. */
#define STEPS (UINT64_C(1) << 22)

const struct memctx_export_format *
exportformat_find(const struct command *command, const char *name)
{
    char names[160];
    const struct memctx_export_format *format = memctx_export_find(name);
    if (format != NULL)
        return format;
    memctx_export_names(names, sizeof(names));
    command_misused(command, "there is no format '%s'; there are: %s", name,
                    names);
    return NULL;
}

static int
write_out(void *arg, const void *bytes, size_t len_bytes,
          struct memctx_error *err)
{
    (void)arg;
    if (fwrite(bytes, 1, len_bytes, stdout) == len_bytes)
        return 0;
    return memctx_error_set(err, MEMCTX_GONE, "standard output: %s",
                            strerror(errno));
}

enum exit_code
exportformat_print(const struct memctx_export_format *format,
                   const struct memctx_export_subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_sink sink = {write_out, NULL};
    if (memctx_export_to(format, subject, &sink, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    return EXIT_DONE;
}

/* What the guest's kernel says of itself. */
struct said {
    struct memctx_btf *btf;
    struct memctx_symbols *symbols;
    struct memctx_banner banner;
};

static void
said_deinit(struct said *said)
{
    memctx_btf_destroy(said->btf);
    memctx_symbols_free(said->symbols);
}

static int
read_said(struct memctx_target *target, bool wants_symbols, struct said *ret,
          struct memctx_error *err)
{
    const struct memctx_landmarks none = {{0}};
    struct memctx_symbol banner = {.address = 0};
    if (memctx_btf_take(target, &none, &ret->btf, err) < 0)
        return -1;
    if (!wants_symbols)
        return 0;
    if (memctx_symbols_read(target, &ret->symbols, err) < 0)
        return -1;
    memctx_symbols_find(ret->symbols, "linux_banner", &banner);
    return memctx_banner_read(target, banner.address, &ret->banner, err);
}

/* All of it is copied before anything is printed: the kernel must still be the
 * same at the end. */
static int
copy_said(struct explained *explained, bool wants_symbols, struct said *ret,
          struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, STEPS, err) < 0)
        return -1;
    int result = read_said(&explained->target, wants_symbols, ret, &why);
    return explained_end(explained, result, &why, err);
}

enum exit_code
exportformat_explain(const struct memctx_export_format *format,
                     struct explained *explained)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_export_subject *facts = &explained->subject.facts;
    bool wants_symbols = memctx_export_wants_symbols(format);
    MEMCTX_CLEANUP(said_deinit) struct said said = {.btf = NULL};
    enum exit_code code = explained_enter_linux(explained, NULL);
    if (code != EXIT_DONE)
        return code;
    if (copy_said(explained, wants_symbols, &said, &err) < 0)
        return subject_fail(&explained->subject, &err);
    facts->btf = said.btf;
    facts->symbols = said.symbols;
    facts->banner = wants_symbols ? &said.banner : NULL;
    return exportformat_print(format, facts);
}
