/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx export: what is known of a domain, as another tool wants it. */
#include "base/cleanup.h"
#include "memctx/exportformat.h"
#include "memctx/subject.h"

struct export_options {
    const char *format;
    struct explained_from from;
};

static const struct option_row option_table[] = {
    {"format", 0, OPTION_TEXT, "FORMAT",
     offsetof(struct export_options, format), "for which tool"},
    RAMFILE_OPTION_PATH(struct export_options, from.file,
                        "the file with the RAM, for the tool to open"),
    RAMFILE_OPTIONS_LAYOUT(struct export_options, from.file),
    {"timeout", 0, OPTION_SECONDS, "S",
     offsetof(struct export_options, from.timeout_ms),
     "wait at most S seconds for the domain to be ready"},
    OPTIONS_END,
};

/* A format without RAM: that is not opened. */
static enum exit_code
export_datum(const struct invocation *in,
             const struct memctx_export_format *format)
{
    const struct export_options *options = in->options;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    enum exit_code code = subject_from_datum(
        &in->common, in->words[0], options->from.timeout_ms, &subject);
    return code != EXIT_DONE ? code
                             : exportformat_print(format, &subject.facts);
}

static enum exit_code
open_guest(const struct invocation *in, struct subject *ret)
{
    const struct export_options *options = in->options;
    const struct explained_from *from = &options->from;
    return in->words[0] == NULL
               ? subject_open_file(&in->common, &from->file, ret)
               : subject_open_domain(&in->common, in->words[0],
                                     from->timeout_ms, from->file.path, ret);
}

/* A format that wants to know where RAM is, or what is in it. */
static enum exit_code
export_ram(const struct invocation *in,
           const struct memctx_export_format *format)
{
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    enum exit_code code = open_guest(in, &explained.subject);
    if (code == EXIT_DONE)
        code = explained_enter(&explained, NULL);
    return code != EXIT_DONE ? code : exportformat_explain(format, &explained);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct export_options *options = in->options;
    if (options->format == NULL)
        return command_misused(in->command, "--format FORMAT is missing");
    const struct memctx_export_format *format =
        exportformat_find(in->command, options->format);
    if (format == NULL)
        return EXIT_USAGE;
    if (in->words[0] == NULL && options->from.file.path == NULL)
        return command_misused(in->command,
                               "either DOMAIN or --ram FILE is wanted");
    if (in->words[0] != NULL &&
        (options->from.file.low != 0 || options->from.file.form != NULL))
        return command_misused(in->command, "--low and --ram-format go without "
                                            "DOMAIN only");
    return in->words[0] == NULL || memctx_export_wants(format) != 0
               ? export_ram(in, format)
               : export_datum(in, format);
}

const struct command command_export = {
    .name = "export",
    .group = COMMAND_DOMAINS,
    .summary = "print the datum in the format of another tool",
    .usage = "export DOMAIN --format FORMAT [--ram FILE] [--timeout S]\n"
             "export --ram FILE --format FORMAT [--low SIZE]\n"
             "     [--ram-format FORM]",
    .description =
        "Print what is known of a ready domain, or of a file with guest RAM, in "
        "a format that another tool reads: drgn, crash, volatility3, memprocfs, "
        "memflow, libvmi, vmcoreinfo, shell, json or xml. TOOLS in memctx(1) "
        "says how each is used.\n\n"
        "btf are the types of a Linux kernel, which it keeps in its RAM: the "
        "bytes of /sys/kernel/btf/vmlinux in the guest. isf is a symbol table of "
        "Volatility 3 for this very kernel. elf are its symbols, at the "
        "addresses where they are now, as a file for gdb.\n\n"
        "Some formats name files with the RAM. Below memctx exec of the "
        "same domain these are known; elsewhere give --ram, or use memctx "
        "core." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 0,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct export_options),
    .run = run,
};
