/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A command line of memctx, understood. Options may stand on either side of the
 * command's name. */
#ifndef MEMCTX_INVOCATION_H
#define MEMCTX_INVOCATION_H

#include "memctx/command.h"

/* The options of every command. */
struct common_options {
    const char *uri;         /* NULL: libvirt's default */
    const char *runtime_dir; /* NULL: follows from the URI */
    bool verbose;
    bool help;
    bool version;
};

extern const struct option_row common_option_table[];

struct invocation {
    const struct command *command; /* NULL: none was named */
    struct common_options common;
    void *options; /* owned; the command's struct; NULL: has none */
    int n_words;   /* behind the command's name */
    char **words;  /* a part of argv; NULL ends it */
};

void invocation_deinit(struct invocation *in);

/* Find the word that names the command: in->command. Returns 0, also if there
 * is no word; -1 with PERMANENT: no command has this name, or no command knows
 * an option before it. */
int invocation_choose(struct invocation *in, int argc, char **argv,
                      struct memctx_error *err);

/* Parse all of argv by the options of every command and of in->command, and
 * fill in the rest of *in, to which invocation_choose() has returned 0. Changes
 * the order of argv. Returns 0; or -1 with PERMANENT: the command does not know
 * an option, or cannot use its argument. *in is to be deinited also then. */
int invocation_parse(struct invocation *in, int argc, char **argv,
                     struct memctx_error *err);

/* Are there as many words as the command takes? 0, or -1 with PERMANENT. */
int invocation_check_words(const struct invocation *in,
                           struct memctx_error *err);

/* The word at `index` as an address: a number, decimal or with 0x, without a
 * suffix. 0, or -1 with PERMANENT. */
int invocation_address(const struct invocation *in, int index, uint64_t *ret,
                       struct memctx_error *err);

/* An address, or one that is so far behind a symbol of the guest's kernel. */
struct invocation_place {
    const char *symbol; /* a part of argv, not NUL-terminated; NULL: none */
    size_t symbol_len;
    uint64_t address; /* in bytes from the symbol, if there is one */
};

/* The word at `index` as SYMBOL, SYMBOL+OFFSET or an address; a number, which
 * begins with a digit, is as above. 0, or -1 with PERMANENT. */
int invocation_place(const struct invocation *in, int index,
                     struct invocation_place *ret, struct memctx_error *err);

#endif
