/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel in a file that holds the RAM of a guest. Needs neither libvirt nor
 * the agent. */
#ifndef MEMCTX_RAMFILE_H
#define MEMCTX_RAMFILE_H

#include "backing/ram.h"
#include "common/exitcode.h"
#include "datum/datum.h"
#include "dump/dump.h"
#include "memctx/kdump.h"
#include "memctx/trail.h"

struct common_options;

/* What is typed of such a file: members of a command's options. */
struct ramfile_named {
    const char *path; /* "-": standard input */
    uint64_t low;     /* 0: nothing was said */
    const char *form; /* NULL: as the file begins */
};

/* Rows for them; `type` is the struct of the options, `member` the one above.
 */
#define RAMFILE_OPTION_PATH(type, member, help)                          \
    {                                                                    \
        "ram", 0, OPTION_TEXT, "FILE", offsetof(type, member.path), help \
    }
#define RAMFILE_OPTIONS_LAYOUT(type, member)                               \
    {"low",                                                                \
     0,                                                                    \
     OPTION_SIZE,                                                          \
     "SIZE",                                                               \
     offsetof(type, member.low),                                           \
     "of raw RAM, SIZE is below 4 GiB and the rest above"},                \
    {                                                                      \
        "ram-format", 0, OPTION_TEXT, "FORM", offsetof(type, member.form), \
            "its form: raw, elf, lime, windows, kdump or flat"             \
    }

/* Do they go with a domain (NULL: none was named), and with the time to wait
 * for it (less than 0: nothing was said)? NULL: they do; else why not. */
const char *ramfile_conflict(const struct ramfile_named *named,
                             const char *domain, int64_t timeout_ms);

struct ramfile {
    struct ram ram;
    enum memctx_dump_form form;
    uint64_t low;        /* as it was named */
    struct kdump *kdump; /* owned; NULL: it takes none */
    bool is_copy;        /* of what has no path at which it could be read */
    struct trail trail;  /* of the search for a kernel */
};

void ramfile_deinit(struct ramfile *file);

/* Both return an exit code; if it is not EXIT_DONE, the reason has been
 * printed. */

/* Open the file: raw RAM (of which the first `low` bytes are RAM from 0 on and
 * the rest RAM from 4 GiB on; 0: in one piece), or a dump, which says itself
 * where its RAM is. No byte of RAM is looked at, but for the mark that tells
 * the form. What comes from a pipe is copied to a file without a name first.
 * *ret is the caller's to deinit. */
enum exit_code ramfile_open(const struct common_options *common,
                            const struct ramfile_named *named,
                            struct ramfile *ret);

/* Look for a kernel in all of the RAM, which came from this file. Where raw RAM
 * is split, or begins, the kernel tells; the file's RAM is changed accordingly,
 * and a warning printed where nobody tells, or --low was wrong. To be called in
 * a sandbox: nothing is opened. *ret is the caller's to deinit. */
enum exit_code ramfile_probe(const char *path, struct ramfile *file,
                             struct memctx_datum *ret);

#endif
