/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds formats and prints them. */
#include "memctx/exportformat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "memctx/gathered.h"

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

enum exit_code
exportformat_explain(const struct memctx_export_format *format,
                     struct explained *explained)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct subject *subject = &explained->subject;
    MEMCTX_CLEANUP(gathered_deinit) struct gathered gathered = GATHERED_INIT;
    if (memctx_export_check_kernel(format, &subject->datum.kernel, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (gathered_read(explained, memctx_export_needs(format),
                      memctx_export_wants(format), &gathered, &err) < 0)
        return subject_fail(subject, &err);
    gathered_put(&gathered, &subject->facts);
    return exportformat_print(format, &subject->facts);
}
