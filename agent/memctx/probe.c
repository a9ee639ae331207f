/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx probe: find the kernel in a file with guest RAM. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "memctx/confine.h"
#include "memctx/exportformat.h"
#include "memctx/print.h"
#include "memctx/ramfile.h"
#include "memctx/subject.h"
#include "search/guests.h"

#define PROCESSES_MAX 16384

struct probe_options {
    struct ramfile_named from;
    const char *export;
    bool processes;
    bool json;
};

static const struct option_row option_table[] = {
    RAMFILE_OPTION_PATH(struct probe_options, from, "the file with the RAM"),
    RAMFILE_OPTIONS_LAYOUT(struct probe_options, from),
    {"processes", 0, OPTION_FLAG, NULL,
     offsetof(struct probe_options, processes),
     "list the processes, too (Windows)"},
    COMMAND_OPTION_JSON(struct probe_options),
    {"export", 0, OPTION_TEXT, "FORMAT", offsetof(struct probe_options, export),
     "print what was found as memctx export does"},
    OPTIONS_END,
};

/* They cost a guest's own time: some 30 reads each, if they are what they seem.
 */
static int
list(const struct memctx_guest_ops *guest, const struct memctx_rammap *map,
     struct memctx_datum *datum, struct memctx_error *err)
{
    struct memctx_rammap *charged;
    struct memctx_work work;
    memctx_work_begin(&work, UINT64_C(64) * PROCESSES_MAX, NULL, NULL);
    if (memctx_rammap_create_charged(map, &work, &charged, err) < 0)
        return -1;
    int failed = guest->processes(charged, &datum->kernel, datum->processes,
                                  PROCESSES_MAX, &datum->n_processes, err);
    memctx_rammap_destroy(charged);
    return failed;
}

/* Add the list of processes to the datum. A dump may be taken while the list
 * changes: as much of it as can be read is kept. */
static enum exit_code
add_processes(const char *path, const struct ram *ram,
              struct memctx_datum *datum)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_kernel *kernel = &datum->kernel;
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    if (guest->processes == NULL)
        return command_fail(EXIT_ERROR,
                            "%s: --processes lists those of Windows, and this "
                            "is %s %s",
                            path, memctx_os_name(kernel->os), kernel->version);
    datum->processes = calloc(PROCESSES_MAX, sizeof(datum->processes[0]));
    if (datum->processes == NULL)
        return command_fail(EXIT_ERROR, "out of memory");
    if (list(guest, ram->map, datum, &err) < 0)
        fprintf(stderr, "warning: the process list is not complete: %s\n",
                err.message);
    return EXIT_DONE;
}

static enum exit_code
print_probed(const struct invocation *in)
{
    const struct probe_options *options = in->options;
    const char *path = options->from.path;
    MEMCTX_CLEANUP(ramfile_deinit) struct ramfile file = {.form = 0};
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    enum exit_code code = ramfile_open(&in->common, &options->from, &file);
    if (code == EXIT_DONE)
        code = confine_to_file(&file, NULL);
    if (code == EXIT_DONE)
        code = ramfile_probe(path, &file, &datum);
    if (code == EXIT_DONE && options->processes)
        code = add_processes(path, &file.ram, &datum);
    return code != EXIT_DONE ? code : print_datum(&datum, options->json);
}

static enum exit_code
export_probed(const struct invocation *in,
              const struct memctx_export_format *format)
{
    const struct probe_options *options = in->options;
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    struct subject *subject = &explained.subject;
    enum exit_code code =
        subject_open_file(&in->common, &options->from, subject);
    if (code == EXIT_DONE)
        code = explained_enter(&explained, NULL);
    if (code == EXIT_DONE && options->processes)
        code = add_processes(options->from.path, &subject->file.ram,
                             &subject->datum);
    return code != EXIT_DONE ? code : exportformat_explain(format, &explained);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct probe_options *options = in->options;
    if (options->from.path == NULL)
        return command_misused(in->command, "--ram FILE is missing");
    if (options->export == NULL)
        return print_probed(in);
    if (options->json)
        return command_misused(in->command, "--json and --export exclude each "
                                            "other");
    const struct memctx_export_format *format =
        exportformat_find(in->command, options->export);
    if (format == NULL)
        return EXIT_USAGE;
    return export_probed(in, format);
}

const struct command command_probe = {
    .name = "probe",
    .group = COMMAND_ALONE,
    .summary = "find the kernel in a file with guest RAM",
    .usage = "probe --ram FILE [--low SIZE] [--ram-format FORM] [--processes]\n"
             "     [--json | --export FORMAT]",
    .description =
        "Look for a kernel in a file with the RAM of a guest and print its "
        "datum. If there is none, say what was looked for, and exit with "
        "3.\n\n" COMMAND_ABOUT_RAM_FILE,
    .options = option_table,
    .options_size = sizeof(struct probe_options),
    .run = run,
};
