/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What all commands have in common that let a guest explain itself: which guest
 * is meant, a sandbox, and the guest's memory as src/explain reads it.
 *
 * A command opens the guest, enters the sandbox, and then parses as often as it
 * likes: explained_begin(), functions of src/explain on ->target,
 * explained_end(). It believes and prints nothing before that has returned 0.
 */
#ifndef MEMCTX_EXPLAINED_H
#define MEMCTX_EXPLAINED_H

#include "explain/target.h"
#include "memctx/command.h"
#include "memctx/invocation.h"
#include "memctx/subject.h"
#include "memctx/symbolcache.h"
#include "text/text.h"

/* The options that say which guest is meant, DOMAIN aside. */
struct explained_from {
    struct ramfile_named file; /* path NULL: a domain is meant */
    int64_t timeout_ms;
};

/* Their rows, in a table of options of `type`, whose member `from` they set. */
#define EXPLAINED_OPTIONS(type)                                             \
    RAMFILE_OPTION_PATH(type, from.file,                                    \
                        "take a file with guest RAM instead of a domain"),  \
        RAMFILE_OPTIONS_LAYOUT(type, from.file),                            \
    {                                                                       \
        "timeout", 0, OPTION_SECONDS, "S", offsetof(type, from.timeout_ms), \
            "wait at most S seconds for the domain to be ready"             \
    }

/* 64 KiB. Initialise with EXPLAINED_INIT. */
struct explained {
    struct subject subject;
    struct memctx_work work;   /* what is left of a command's budget */
    struct memctx_rammap *map; /* the subject's, charged to it; owned */
    struct memctx_target target;
    struct symbolcache cache; /* of its symbols */
};

#define EXPLAINED_INIT                                      \
    {                                                       \
        .subject = SUBJECT_INIT, .cache = SYMBOLCACHE_INIT, \
    }

void explained_deinit(struct explained *explained);

/* The functions below return an exit code; if it is not EXIT_DONE, the reason
 * has been printed. *ret is the caller's to deinit. */

/* Open the guest that the command line names: its first word, or --ram. The
 * command's table has those of the options above that it takes. No byte of the
 * guest is read. */
enum exit_code explained_open(const struct invocation *in,
                              const struct explained_from *from,
                              struct explained *ret);

/* Enter a sandbox, in which `result` (NULL: none) stays open, and look for the
 * kernel. ->target is for Linux. *explained must not be moved from now on. */
enum exit_code explained_enter(struct explained *explained,
                               const struct sandbox_fd *result);

/* The same, and refuse other systems. */
enum exit_code explained_enter_linux(struct explained *explained,
                                     const struct sandbox_fd *result);

/* Open the guest that the command line names, and enter, both as above, with
 * nothing left open beside it. */
enum exit_code explained_open_linux(const struct invocation *in,
                                    const struct explained_from *from,
                                    struct explained *ret);

/* Begin to parse the guest as it is now, with so many steps of work. 0, or -1
 * with STALE, RETRY or GONE: its kernel is not known to run any more. */
int explained_begin(struct explained *explained, uint64_t steps,
                    struct memctx_error *err);

/* What came of it: `result` is less than 0 if it failed, and *why then says
 * why. Returns it, or -1 as above or as *why. */
int explained_end(const struct explained *explained, int result,
                  const struct memctx_error *why, struct memctx_error *err);

/* All symbols of its kernel, which is a Linux, as lines (symboltext.h). Who has
 * opened ->cache gets those that were kept there; they are written there if it
 * was begun. `own` (the caller's to deinit) has the lines if they were read
 * now. 0, or -1 as above or as memctx_symbols_read(). */
struct explained_lines {
    const char *text;
    size_t len_bytes;
};
int explained_symbols(struct explained *explained, struct memctx_text *own,
                      struct explained_lines *ret, struct memctx_error *err);

/* The address of a place in its kernel. Of a symbol it must be a Linux, and
 * explained_enter_linux() have been called. 0, or -1 as above; also PERMANENT:
 * there is no such symbol, or the address would be beyond the last. */
int explained_resolve(struct explained *explained,
                      const struct invocation_place *place, uint64_t *ret,
                      struct memctx_error *err);

#endif
