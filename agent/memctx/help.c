/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx help, and the option --help. */
#include "memctx/help.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "memctx/invocation.h"

#define COLUMNS 79

static const char *const group_names[] = {
    [COMMAND_DOMAINS] = "Domains",
    [COMMAND_MEMORY] = "Guest memory",
    [COMMAND_ALONE] = "Without the agent",
    [COMMAND_UNLISTED] = "",
};
static_assert(sizeof(group_names) / sizeof(group_names[0]) == COMMAND_GROUPS,
              "each group has a name");

static void
print_group(enum command_group group)
{
    printf("\n%s:\n", group_names[group]);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        if ((*c)->group == group)
            printf("  %-9s %s\n", (*c)->name, (*c)->summary);
    }
}

static void
print_overview(void)
{
    puts("Usage: memctx [OPTION]... COMMAND [ARGUMENT]...");
    for (enum command_group group = 0; group < COMMAND_UNLISTED; group++)
        print_group(group);
    puts("\nOptions of every command:");
    options_print(common_option_table);
}

/* The lines of `usage`, each behind what they have in common. */
static void
print_usage(const char *usage)
{
    const char *before = "Usage: memctx ";
    while (*usage != '\0') {
        int len = (int)strcspn(usage, "\n");
        printf("%s%.*s\n", usage[0] == ' ' ? "              " : before, len,
               usage);
        before = "       memctx ";
        usage += len;
        usage += strspn(usage, "\n");
    }
}

/* Print a text and break its lines where they become too long. */
static void
print_text(const char *text)
{
    int column = 0;
    while (*text != '\0') {
        int len = (int)strcspn(text, " \n");
        if (column > 0 && column + 1 + len > COLUMNS) {
            putchar('\n');
            column = 0;
        }
        column += printf("%s%.*s", column > 0 ? " " : "", len, text);
        text += len;
        for (; *text == ' ' || *text == '\n'; text++) {
            if (*text == '\n') {
                putchar('\n');
                column = 0;
            }
        }
    }
    putchar('\n');
}

static void
print_command(const struct command *command)
{
    print_usage(command->usage);
    putchar('\n');
    print_text(command->description);
    /* Those of every command are not repeated: a screen has 24 lines. */
    if (command->options != NULL) {
        puts("\nOptions, beside those in memctx --help:");
        options_print(command->options);
    } else {
        puts("\nmemctx --help has the options of every command.");
    }
}

enum exit_code
help_print(const struct command *command)
{
    if (command != NULL)
        print_command(command);
    else
        print_overview();
    return EXIT_DONE;
}

static enum exit_code
run(const struct invocation *in)
{
    if (in->n_words == 0)
        return help_print(NULL);
    const struct command *command = command_find(in->words[0]);
    if (command == NULL)
        return command_misused(NULL, "unknown command '%s'", in->words[0]);
    return help_print(command);
}

const struct command command_help = {
    .name = "help",
    .group = COMMAND_UNLISTED,
    .summary = "print the help of a command",
    .usage = "help [COMMAND]",
    .description =
        "Print what a command does and which options it has, or without "
        "COMMAND which commands there are.",
    .arguments = {"COMMAND"},
    .max_words = 1,
    .run = run,
};
