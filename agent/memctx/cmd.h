/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The sub-commands of memctx. */
#ifndef MEMCTX_CMD_H
#define MEMCTX_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "backing/ram.h"
#include "common/exitcode.h"
#include "common/options.h"
#include "datum/datum.h"

/* Everything that any option sets. Parsed once, passed as const. */
struct options {
    const char *uri;         /* NULL: libvirt's default */
    const char *runtime_dir; /* NULL: from the URI */
    const char *ram;
    uint64_t low;
    const char *export;  /* probe: a format */
    const char *format;  /* export: the same */
    const char *output;  /* core: a file */
    const char *mount;   /* core: a directory */
    const char *xml;     /* layout: domain XML */
    const char *cmdline; /* layout: QEMU's arguments */
    int64_t timeout_ms;  /* -1: none */
    bool json;
    bool processes;
    bool physical; /* read: the address is guest-physical */
    bool raw;      /* read: bytes as they are */
    bool follow;   /* wait: go on for ever */
    bool help;
    bool version;
};

/* Each gets its words (without its own name) and returns an exit code; it has
 * said on standard error what went wrong. */
typedef enum exit_code cmd_fn(const struct options *options, int n_words,
                              char **words);

enum exit_code cmd_list(const struct options *options, int n_words,
                        char **words);
enum exit_code cmd_show(const struct options *options, int n_words,
                        char **words);
enum exit_code cmd_wait(const struct options *options, int n_words,
                        char **words);
enum exit_code cmd_check(const struct options *options, int n_words,
                         char **words);
enum exit_code cmd_layout(const struct options *options, int n_words,
                          char **words);
enum exit_code cmd_probe(const struct options *options, int n_words,
                         char **words);
enum exit_code cmd_write(const struct options *options, int n_words,
                         char **words);
enum exit_code cmd_export(const struct options *options, int n_words,
                          char **words);
enum exit_code cmd_core(const struct options *options, int n_words,
                        char **words);

/* Open the file of --ram, which stays open, and find the kernel in it. */
enum exit_code cmd_probe_file(const struct options *options, struct ram *ram,
                              struct memctx_datum *ret);

/* probe --export */
enum exit_code cmd_export_file(const struct options *options);

enum exit_code cmd_read(const struct options *options, int n_words,
                        char **words);
enum exit_code cmd_exec(const struct options *options, int n_words,
                        char **words);

/* The directory of the agent that the options name. -1 with PERMANENT. */
int cmd_find_agent(const struct options *options, char *dir, size_t size,
                   struct memctx_error *err);

/* Connect to it; as memctx_agent_connect(). */
int cmd_connect(const struct options *options, struct memctx_agent **ret,
                struct memctx_error *err);

/* Open a domain, waiting as long as --timeout says, which without it is not at
 * all. On failure it has said why, and *code is what to exit with. */
int cmd_open(const struct options *options, const char *domain,
             struct memctx_reader **ret, enum exit_code *code);

/* An address: a number without suffix, decimal or with 0x. */
bool cmd_parse_address(const char *text, uint64_t *ret);

/* The datum of a domain, waiting as long as --timeout says, which without it is
 * not at all, and its name (the caller's to free(); NULL: out of memory). It
 * takes the right to show or to wait, no more. An exit code; not 0: it has been
 * said why. */
enum exit_code cmd_ask_datum(const struct options *options, const char *domain,
                             struct memctx_datum *ret, char **name);

void cmd_cleanup_agent(struct memctx_agent **agent);
void cmd_cleanup_reader(struct memctx_reader **reader);

/* "error: ..." on standard error; returns `code`. */
enum exit_code cmd_fail(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print as XML or JSON, for authorised readers. */
enum exit_code cmd_print_datum(const struct options *options,
                               const struct memctx_datum *datum);

#endif
