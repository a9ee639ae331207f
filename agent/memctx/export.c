/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx export: what is known of a domain, as another tool wants it. */
#include "base/cleanup.h"
#include "memctx/exportformat.h"
#include "memctx/subject.h"

struct export_options {
    const char *format;
    const char *ram;
    int64_t timeout_ms;
};

static const struct option_row option_table[] = {
    {"format", 0, OPTION_TEXT, "FORMAT",
     offsetof(struct export_options, format), "for which tool"},
    {"ram", 0, OPTION_TEXT, "FILE", offsetof(struct export_options, ram),
     "the file with the domain's RAM, for the tool to open"},
    COMMAND_OPTION_TIMEOUT(struct export_options),
    OPTIONS_END,
};

/* A format without RAM: that is not opened. */
static enum exit_code
export_datum(const struct invocation *in,
             const struct memctx_export_format *format)
{
    const struct export_options *options = in->options;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    enum exit_code code = subject_from_datum(&in->common, in->words[0],
                                             options->timeout_ms, &subject);
    return code != EXIT_DONE ? code
                             : exportformat_print(format, &subject.facts);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct export_options *options = in->options;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    if (options->format == NULL)
        return command_misused(in->command, "--format FORMAT is missing");
    const struct memctx_export_format *format =
        exportformat_find(in->command, options->format);
    if (format == NULL)
        return EXIT_USAGE;
    if (!memctx_export_wants_ram(format))
        return export_datum(in, format);
    enum exit_code code = subject_open_domain(
        &in->common, in->words[0], options->timeout_ms, options->ram, &subject);
    if (code == EXIT_DONE)
        code = subject_confine(&subject, NULL);
    if (code == EXIT_DONE)
        code = subject_look(&subject);
    return code != EXIT_DONE ? code
                             : exportformat_print(format, &subject.facts);
}

const struct command command_export = {
    .name = "export",
    .group = COMMAND_DOMAINS,
    .summary = "print the datum in the format of another tool",
    .usage = "export DOMAIN --format FORMAT [--ram FILE] [--timeout S]",
    .description =
        "Print what is known of a ready domain in a format that another "
        "tool reads: drgn, crash, volatility3, memprocfs, memflow, libvmi, "
        "vmcoreinfo, shell, json or xml. TOOLS in memctx(1) says how each "
        "is used.\n\n"
        "Some formats name files with the RAM. Below memctx exec of the "
        "same domain these are known; elsewhere give --ram, or use memctx "
        "core." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 1,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct export_options),
    .run = run,
};
