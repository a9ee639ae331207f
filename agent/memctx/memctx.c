/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx, the command line. It does not link libvirt: probe needs none, most
 * about domains is asked of the agent, and livexml.c loads it for the rest. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/cmd.h"

static const struct option_row option_table[] = {
    {"connect", 'c', OPTION_TEXT, "URI", offsetof(struct options, uri),
     "the agent of this libvirt connection"},
    {"runtime-dir", 0, OPTION_TEXT, "DIR",
     offsetof(struct options, runtime_dir), "the agent's directory"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct options, json),
     "print JSON"},
    {"timeout", 0, OPTION_SECONDS, "S", offsetof(struct options, timeout_ms),
     "wait, read, exec, ...: give up after S seconds"},
    {"follow", 0, OPTION_FLAG, NULL, offsetof(struct options, follow),
     "wait: print a line for each change, for ever"},
    {"physical", 0, OPTION_FLAG, NULL, offsetof(struct options, physical),
     "read: ADDRESS is guest-physical"},
    {"raw", 0, OPTION_FLAG, NULL, offsetof(struct options, raw),
     "read: bytes as they are, no hex dump"},
    {"ram", 0, OPTION_TEXT, "FILE", offsetof(struct options, ram),
     "probe, core, export: a raw guest RAM file"},
    {"low", 0, OPTION_SIZE, "SIZE", offsetof(struct options, low),
     "probe, core: RAM below 4 GiB, the rest is above"},
    {"export", 0, OPTION_TEXT, "FORMAT", offsetof(struct options, export),
     "probe: print in a tool's words, as export does"},
    {"format", 0, OPTION_TEXT, "FORMAT", offsetof(struct options, format),
     "export: for which tool"},
    {"output", 'o', OPTION_TEXT, "FILE", offsetof(struct options, output),
     "core: write it to a file"},
    {"mount", 0, OPTION_TEXT, "DIR", offsetof(struct options, mount),
     "core: show it as DIR/core, live and without a copy"},
    {"xml", 0, OPTION_TEXT, "FILE", offsetof(struct options, xml),
     "layout: live domain XML"},
    {"cmdline", 0, OPTION_TEXT, "FILE", offsetof(struct options, cmdline),
     "layout: QEMU's arguments, as in /proc/PID/cmdline"},
    {"processes", 0, OPTION_FLAG, NULL, offsetof(struct options, processes),
     "probe: list the processes, too (Windows)"},
    {"help", 'h', OPTION_FLAG, NULL, offsetof(struct options, help),
     "print this help"},
    {"version", 'V', OPTION_FLAG, NULL, offsetof(struct options, version),
     "print the version"},
    OPTIONS_END,
};

static const struct {
    const char *name;
    const char *synopsis;
    int min_words;
    int max_words;
    cmd_fn *run;
    const char *help;
} commands[] = {
    {"list", "list", 0, 0, cmd_list, "domains, their state and why"},
    {"show", "show DOMAIN", 1, 1, cmd_show, "the datum of a domain"},
    {"wait", "wait DOMAIN [--timeout S]", 0, 1, cmd_wait,
     "show, as soon as there is a datum"},
    {"read", "read DOMAIN ADDRESS [LENGTH]", 2, 3, cmd_read,
     "guest memory as a hex dump"},
    {"exec", "exec DOMAIN -- COMMAND...", 2, INT_MAX, cmd_exec,
     "run a command that gets RAM and datum"},
    {"check", "check DOMAIN", 1, 1, cmd_check,
     "can memctxd read it? what would cure it?"},
    {"layout", "layout DOMAIN | --xml FILE", 0, 1, cmd_layout,
     "where QEMU put a guest's RAM"},
    {"probe", "probe --ram FILE [--low SIZE]", 0, 0, cmd_probe,
     "find the kernel in a raw RAM file"},
    {"export", "export DOMAIN --format FORMAT", 1, 1, cmd_export,
     "the datum in the words of a tool"},
    {"core", "core DOMAIN|--ram FILE -o FILE", 0, 1, cmd_core,
     "guest memory as an ELF core"},
    {"write", "write DOMAIN GVA HEX", 3, 3, cmd_write,
     "change a guest's memory, if the agent may"},
};

enum exit_code
cmd_fail(enum exit_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

enum exit_code
cmd_print_datum(const struct options *options, const struct memctx_datum *datum)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    int failed = options->json
                     ? memctx_datum_to_json(datum, &text, &err)
                     : memctx_datum_to_xml(datum, MEMCTX_PRIVATE, &text, &err);
    if (failed < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    puts(text);
    return EXIT_DONE;
}

static void
print_help(void)
{
    puts("Usage: memctx [OPTION]... COMMAND [ARGUMENT]...\n\nCommands:");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(commands); i++)
        printf("  %-30s %s\n", commands[i].synopsis, commands[i].help);
    puts("\nOptions:");
    options_print(option_table);
    puts("\nDOMAIN is a name, UUID or id.");
}

static enum exit_code
run_command(const struct options *options, int n_words, char **words)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(commands); i++) {
        if (strcmp(words[0], commands[i].name) != 0)
            continue;
        if (n_words - 1 < commands[i].min_words ||
            n_words - 1 > commands[i].max_words)
            return cmd_fail(EXIT_USAGE, "usage: memctx %s",
                            commands[i].synopsis);
        return commands[i].run(options, n_words - 1, words + 1);
    }
    return cmd_fail(EXIT_USAGE, "unknown command '%s'; see memctx --help",
                    words[0]);
}

/* What did not reach standard output (a full disk) is an error, too. */
static enum exit_code
flush(enum exit_code code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return cmd_fail(EXIT_ERROR, "cannot write to standard output");
}

int
main(int argc, char **argv)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct options options;
    const struct option_set set = {option_table, &options};
    int first;
    if (options_parse(&set, 1, argc, argv, &first, &err) < 0)
        return (int)cmd_fail(EXIT_USAGE, "%s; see memctx --help", err.message);
    if (options.help) {
        print_help();
        return (int)flush(EXIT_DONE);
    }
    if (options.version) {
        puts("memctx " PACKAGE_VERSION);
        return (int)flush(EXIT_DONE);
    }
    if (first == argc)
        return (int)cmd_fail(EXIT_USAGE, "no command; see memctx --help");
    return (int)flush(run_command(&options, argc - first, argv + first));
}
