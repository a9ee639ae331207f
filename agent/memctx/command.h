/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A command of memctx as a row of a table: how it is called, which options it
 * knows, what its help says, and what it does. A command line that does not fit
 * the row never reaches run().
 *
 * To add the command NAME:
 * 1. NAME.c in this folder: a struct with the options and their table, run(),
 *    and at the end of the file `command_NAME`, the row;
 * 2. the name of the row in command.c;
 * 3. the file in Makefile.am;
 * 4. SYNOPSIS and COMMANDS in man/memctx.pod, completion/memctx, and what
 *    options have arguments in completion/_memctx and memctx.fish, too:
 *    tests/test_docs.sh compares all with the row. */
#ifndef MEMCTX_COMMAND_H
#define MEMCTX_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/exitcode.h"
#include "common/options.h"

#define COMMAND_ARGUMENTS_MAX 3

/* Where memctx --help lists a command. */
enum command_group {
    COMMAND_DOMAINS,
    COMMAND_MEMORY,
    COMMAND_ALONE,
    COMMAND_UNLISTED,
    COMMAND_GROUPS
};

/* What the user has typed; see invocation.h. */
struct invocation;

struct command {
    const char *name;
    enum command_group group;
    const char *summary; /* one line, for memctx --help */

    /* What is typed behind "memctx": a line for each form of the command. A
     * line that begins with a blank continues the one before. */
    const char *usage;

    /* The text of memctx NAME --help, which breaks its lines. An empty line
     * ("\n\n") begins a paragraph. */
    const char *description;

    /* How `usage` calls the words behind the command, and how many there may
     * be. */
    const char *arguments[COMMAND_ARGUMENTS_MAX];
    int min_words;
    int max_words;

    /* What stands behind that many words is another program's, its options
     * too; 0: all options are the command's, up to a "--". */
    int own_words;

    /* The command's own options (NULL: has none), and the size of the struct
     * that they set. */
    const struct option_row *options;
    size_t options_size;

    /* Called with a command line that fits all of the above. If it does not
     * return EXIT_DONE, it has printed the reason on standard error. */
    enum exit_code (*run)(const struct invocation *in);
};

/* Rows that several commands have; `type` is the struct of their options. */
#define COMMAND_OPTION_JSON(type)                                        \
    {                                                                    \
        "json", 0, OPTION_FLAG, NULL, offsetof(type, json), "print JSON" \
    }
#define COMMAND_OPTION_TIMEOUT(type)                                   \
    {                                                                  \
        "timeout", 0, OPTION_SECONDS, "S", offsetof(type, timeout_ms), \
            "wait at most S seconds for the domain to be ready"        \
    }

/* The end of a description whose command takes a DOMAIN. */
#define COMMAND_ABOUT_DOMAIN                                                 \
    "\n\nDOMAIN is the id, the UUID or the name of a domain, tried in this " \
    "order."

/* What a file with RAM may be, for a description. */
#define COMMAND_ABOUT_RAM_FILE                                                \
    "The file is raw RAM, an ELF core (\"virsh dump --memory-only\", memctx " \
    "core), a kdump, LiME, or a complete dump of Windows; - is standard "     \
    "input. A guest with more than 2 or 3 GiB has the rest of its RAM above " \
    "4 GiB: of raw RAM, --low says how much is below."

/* All commands in the order of memctx --help; NULL ends the table. */
extern const struct command *const commands[];

/* The command of this name; NULL: there is none. */
const struct command *command_find(const char *name);

/* Become this program, sought in PATH. Returns only when it cannot be run,
 * which was said: EXIT_NOT_FOUND or EXIT_NOT_RUN. */
enum exit_code command_become(const char *program, char *const *words);

/* Print "error: ..." on standard error. Returns `code`. */
enum exit_code command_fail(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a command line that is wrong: names the command (NULL: none was
 * found) and where its help is. Returns EXIT_USAGE. */
enum exit_code command_misused(const struct command *command,
                               const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
