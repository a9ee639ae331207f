/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds formats and prints them. */
#include "memctx/exportformat.h"

#include <stdio.h>

#include "base/cleanup.h"

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

enum exit_code
exportformat_print(const struct memctx_export_format *format,
                   const struct memctx_export_subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    size_t len;
    if (memctx_export(format, subject, &text, &len, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    fwrite(text, 1, len, stdout);
    return EXIT_DONE;
}
