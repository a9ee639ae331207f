/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx debuginfo: commands that fetch what other tools need beside a guest's
 * memory. */
#include <stdio.h>

#include "base/cleanup.h"
#include "export/debuginfo.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "text/jsonguard.h"

struct debuginfo_options {
    struct explained_from from;
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct debuginfo_options),
    EXPLAINED_OPTIONS(struct debuginfo_options),
    OPTIONS_END,
};

/* Of a domain the datum is enough: nobody opens its RAM for this. */
static enum exit_code
open_subject(const struct invocation *in, struct subject *ret)
{
    const struct debuginfo_options *options = in->options;
    const struct explained_from *from = &options->from;
    const char *domain = in->words[0]; /* NULL: none was given */
    const char *conflict =
        ramfile_conflict(&from->file, domain, from->timeout_ms);
    if (conflict != NULL)
        return command_misused(in->command, "%s", conflict);
    if (domain != NULL)
        return subject_from_datum(&in->common, domain, from->timeout_ms, ret);
    enum exit_code code = subject_open_file(&in->common, &from->file, ret);
    if (code == EXIT_DONE)
        code = subject_confine(ret, NULL);
    return code == EXIT_DONE ? subject_look(ret) : code;
}

/* As a script for a shell. */
static void
print_lines(const struct memctx_kernel *kernel,
            const struct memctx_debuginfo *ways, size_t n)
{
    printf("# %s %s%s%s\n", memctx_os_name(kernel->os), kernel->version,
           kernel->identity[0] != '\0' ? ", " : "", kernel->identity);
    for (size_t i = 0; i < n; i++) {
        const char *file = ways[i].file;
        printf("# %s: %s\n%s\n", ways[i].from,
               file[0] != '\0' ? file : "prints where the file is",
               ways[i].command);
    }
}

static json_object *
make_way(const struct memctx_debuginfo *way)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "from", json_object_new_string(way->from));
    json_object_object_add(object, "command",
                           json_object_new_string(way->command));
    if (way->file[0] != '\0')
        json_object_object_add(object, "file",
                               json_object_new_string(way->file));
    return object;
}

static void
print_object(const struct memctx_kernel *kernel,
             const struct memctx_debuginfo *ways, size_t n)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    json_object *array = json_object_new_array();
    for (size_t i = 0; i < n; i++)
        json_object_array_add(array, make_way(&ways[i]));
    json_object_object_add(object, "version",
                           json_object_new_string(kernel->version));
    if (kernel->identity[0] != '\0')
        json_object_object_add(object, "identity",
                               json_object_new_string(kernel->identity));
    json_object_object_add(object, "debuginfo", array);
    print_json(object);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct debuginfo_options *options = in->options;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    struct memctx_debuginfo ways[MEMCTX_DEBUGINFO_MAX];
    enum exit_code code = open_subject(in, &subject);
    if (code != EXIT_DONE)
        return code;
    const struct memctx_kernel *kernel = &subject.datum.kernel;
    size_t n = memctx_debuginfo_find(kernel, ways);
    if (n == 0)
        return command_fail(EXIT_NOT_THERE,
                            "%s %s has no build ID and is of no distribution "
                            "that is known here",
                            memctx_os_name(kernel->os), kernel->version);
    if (options->json)
        print_object(kernel, ways, n);
    else
        print_lines(kernel, ways, n);
    for (size_t i = 0; i < n; i++)
        memctx_debuginfo_deinit(&ways[i]);
    return EXIT_DONE;
}

const struct command command_debuginfo = {
    .name = "debuginfo",
    .group = COMMAND_DOMAINS,
    .summary = "say how to get the debugging information of a kernel",
    .usage = "debuginfo DOMAIN [--json] [--timeout S]\n"
             "debuginfo --ram FILE [--low SIZE] [--ram-format FORM] [--json]",
    .description =
        "Print commands that fetch the debugging information of a guest's "
        "kernel, which other tools need beside its memory (VMLINUX, a PDB), "
        "and where each puts it: by the package of its distribution, as far as "
        "that can be told from the name of its release, and by its build ID. "
        "Nothing is fetched." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct debuginfo_options),
    .run = run,
};
