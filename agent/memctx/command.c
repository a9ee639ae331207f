/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of commands, and how they report errors. */
#include "memctx/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_boots;
extern const struct command command_check;
extern const struct command command_core;
extern const struct command command_debuginfo;
extern const struct command command_dmesg;
extern const struct command command_exec;
extern const struct command command_export;
extern const struct command command_gdb;
extern const struct command command_help;
extern const struct command command_layout;
extern const struct command command_list;
extern const struct command command_lsmod;
extern const struct command command_metrics;
extern const struct command command_probe;
extern const struct command command_ps;
extern const struct command command_read;
extern const struct command command_run;
extern const struct command command_show;
extern const struct command command_stat;
extern const struct command command_symbols;
extern const struct command command_wait;
extern const struct command command_write;

const struct command *const commands[] = {
    &command_list,
    &command_show,
    &command_wait,
    &command_export,
    &command_debuginfo,
    &command_read,
    &command_write,
    &command_exec,
    &command_run,
    &command_core,
    &command_gdb,
    &command_dmesg,
    &command_boots,
    &command_symbols,
    &command_ps,
    &command_lsmod,
    &command_stat,
    &command_check,
    &command_layout,
    &command_probe,
    &command_metrics,
    &command_help,
    NULL,
};

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = commands; *c != NULL; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}

enum exit_code
command_fail(enum exit_code code, const char *format, ...)
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
command_become(const char *program, char *const *words)
{
    execvp(program, words);
    int why = errno;
    command_fail(EXIT_ERROR, "cannot run %s: %s", words[0], strerror(why));
    return why == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

enum exit_code
command_misused(const struct command *command, const char *format, ...)
{
    const char *name = command != NULL ? command->name : "";
    va_list args;
    va_start(args, format);
    fprintf(stderr, "error: %s%s", name, command != NULL ? ": " : "");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nTry 'memctx %s%s--help'.\n", name,
            command != NULL ? " " : "");
    va_end(args);
    return EXIT_USAGE;
}
