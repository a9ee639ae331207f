/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds formats and prints them. */
#include "memctx/exportformat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/btfread.h"

/* Looking through an image, and copying types. */
#define STEPS (UINT64_C(1) << 20)

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

/* The types as they stand in the guest. */
static int
copy_types(struct explained *explained, struct memctx_btf **ret,
           struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    const struct memctx_landmarks landmarks = {{0}};
    if (explained_begin(explained, STEPS, err) < 0)
        return -1;
    int result = memctx_btf_take(&explained->target, &landmarks, ret, &why);
    return explained_end(explained, result, &why, err);
}

enum exit_code
exportformat_explain(const struct memctx_export_format *format,
                     struct explained *explained)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_btf *btf = NULL;
    enum exit_code code = explained_enter_linux(explained, NULL);
    if (code != EXIT_DONE)
        return code;
    if (copy_types(explained, &btf, &err) < 0) {
        code = subject_fail(&explained->subject, &err);
    } else {
        explained->subject.facts.btf = btf;
        code = exportformat_print(format, &explained->subject.facts);
    }
    memctx_btf_destroy(btf);
    return code;
}
