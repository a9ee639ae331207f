/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx export, and memctx probe --export: what is known, in a tool's own
 * words. */
#include "memctx/cmd.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "memctx/subject.h"

/* The format, or NULL when it has been said that there is none. */
static const struct memctx_export_format *
find_format(const char *name)
{
    char names[160];
    const struct memctx_export_format *format = memctx_export_find(name);
    if (format != NULL)
        return format;
    memctx_export_names(names, sizeof(names));
    cmd_fail(EXIT_USAGE, "there is no format '%s'; there are: %s", name, names);
    return NULL;
}

static enum exit_code
print_export(const struct memctx_export_format *format,
             const struct subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    size_t len;
    if (memctx_export(format, &subject->facts, &text, &len, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    fwrite(text, 1, len, stdout);
    return EXIT_DONE;
}

enum exit_code
cmd_export_file(const struct options *options)
{
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    const struct memctx_export_format *format = find_format(options->export);
    if (format == NULL)
        return EXIT_USAGE;
    enum exit_code code = subject_from_file(options, &subject);
    return code != EXIT_DONE ? code : print_export(format, &subject);
}

enum exit_code
cmd_export(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    if (options->format == NULL)
        return cmd_fail(EXIT_USAGE, "export wants --format FORMAT");
    const struct memctx_export_format *format = find_format(options->format);
    if (format == NULL)
        return EXIT_USAGE;
    enum exit_code code = memctx_export_wants_ram(format)
                              ? subject_from_domain(options, words[0], &subject)
                              : subject_from_datum(options, words[0], &subject);
    return code != EXIT_DONE ? code : print_export(format, &subject);
}
