/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes a command line apart in two passes. Which options it may have depends
 * on the command, and where the command stands on which options before it take
 * an argument: so the first pass looks for the command by the options of all,
 * and the second one parses by its own. */
#include "memctx/invocation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define COMMANDS_MAX 31

const struct option_row common_option_table[] = {
    {"connect", 'c', OPTION_TEXT, "URI", offsetof(struct common_options, uri),
     "ask the agent of this libvirt connection"},
    {"runtime-dir", 0, OPTION_TEXT, "DIR",
     offsetof(struct common_options, runtime_dir),
     "ask the agent that runs in this directory"},
    {"verbose", 'v', OPTION_FLAG, NULL,
     offsetof(struct common_options, verbose),
     "show each step of a search in --ram FILE"},
    {"help", 'h', OPTION_FLAG, NULL, offsetof(struct common_options, help),
     "print help, of the command if there is one"},
    {"version", 'V', OPTION_FLAG, NULL,
     offsetof(struct common_options, version), "print the version"},
    OPTIONS_END,
};

void
invocation_deinit(struct invocation *in)
{
    free(in->options);
    *in = (struct invocation){.command = NULL};
}

int
invocation_choose(struct invocation *in, int argc, char **argv,
                  struct memctx_error *err)
{
    struct option_set sets[COMMANDS_MAX + 1] = {{common_option_table, NULL}};
    size_t n = 1;
    int word;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        assert(n <= COMMANDS_MAX);
        if ((*c)->options != NULL)
            sets[n++].rows = (*c)->options;
    }
    if (options_find_word(sets, n, argc, argv, &word, err) < 0)
        return -1;
    if (word == argc)
        return 0;
    in->command = command_find(argv[word]);
    if (in->command == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT, "unknown command '%s'",
                                argv[word]);
    return 0;
}

/* Where the command's last own word stands, from which on argv is another
 * program's; argc: there are less. */
static int
find_last_own(const struct invocation *in, const struct option_set *sets,
              size_t n, int argc, char **argv, int *ret,
              struct memctx_error *err)
{
    int at = 0;
    int word;
    for (int i = 0; i <= in->command->own_words && at < argc; i++) {
        if (options_find_word(sets, n, argc - at, argv + at, &word, err) < 0)
            return -1;
        at += word;
    }
    *ret = at;
    return 0;
}

int
invocation_parse(struct invocation *in, int argc, char **argv,
                 struct memctx_error *err)
{
    struct option_set sets[2] = {{common_option_table, &in->common}};
    size_t n = 1;
    int word;
    if (in->command != NULL && in->command->options != NULL) {
        in->options = calloc(1, in->command->options_size);
        if (in->options == NULL)
            return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
        sets[n++] = (struct option_set){in->command->options, in->options};
    }
    int last = argc;
    if (in->command != NULL && in->command->own_words > 0 &&
        find_last_own(in, sets, n, argc, argv, &last, err) < 0)
        return -1;
    int own = last < argc ? last + 1 : argc;
    if (options_parse(sets, n, own, argv, &word, err) < 0)
        return -1;
    if (in->command != NULL)
        word++;
    in->n_words = argc - word;
    in->words = argv + word;
    return 0;
}

int
invocation_check_words(const struct invocation *in, struct memctx_error *err)
{
    const struct command *command = in->command;
    if (in->n_words < command->min_words)
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s is missing",
                                command->arguments[in->n_words]);
    if (in->n_words > command->max_words)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "unexpected argument '%s'",
                                in->words[command->max_words]);
    return 0;
}

int
invocation_address(const struct invocation *in, int index, uint64_t *ret,
                   struct memctx_error *err)
{
    const char *text = in->words[index];
    if (memctx_number_parse(text, UINT64_MAX, ret))
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "%s is an address such as 0xffffffff81000000, "
                            "found '%s'",
                            in->command->arguments[index], text);
}

int
invocation_place(const struct invocation *in, int index,
                 struct invocation_place *ret, struct memctx_error *err)
{
    const char *text = in->words[index];
    const char *plus = strrchr(text, '+');
    struct invocation_place place = {.symbol = text};
    if (strchr("0123456789-+", text[0]) != NULL) {
        place.symbol = NULL;
        if (invocation_address(in, index, &place.address, err) < 0)
            return -1;
    } else if (plus != NULL &&
               !memctx_number_parse(plus + 1, UINT64_MAX, &place.address)) {
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "'%s' is no number behind a symbol: expected "
                                "SYMBOL+0x10",
                                plus + 1);
    }
    place.symbol_len = plus != NULL ? (size_t)(plus - text) : strlen(text);
    *ret = place;
    return 0;
}
