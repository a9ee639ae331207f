/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lines on standard error, with journald's <N> priorities where nobody reads
 * along on a terminal (sd-daemon(3)); where standard error is the journal
 * itself, entries with fields. */
#ifndef MEMCTXD_LOG_H
#define MEMCTXD_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/logkind.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
    LOG_LEVELS
};

/* The journal, and how many lines it did not take in time. */
struct log_journal {
    int fd; /* of journal_connect() */
    _Atomic unsigned lost;
};

struct log {
    _Atomic enum log_level level; /* what is below is dropped; may change */
    bool priorities;              /* begin lines with <N> */
    struct log_journal *journal;  /* NULL: lines go to standard error */
};

/* What a line is of and about, for the fields of its entry. Texts may be
 * anybody's: they cannot end their fields. NULL: no such field. */
struct log_subject {
    enum log_kind kind;
    const char *domain; /* MEMCTX_DOMAIN: its name */
    const char *uuid;   /* MEMCTX_UUID */
    const char *state;  /* MEMCTX_STATE: from now on */
};

/* A text from outside on its way into a line. */
struct log_quoted {
    char text[400];
};

/* Any text (NULL: "") as one field of a line, which must hold even if a guest,
 * a client or who named a domain has chosen it: in double quotes, with a
 * backslash before quotes and backslashes, and \xNN for what is not printable
 * ASCII. Cut, with "..." behind the quotes, where it does not fit. Any thread.
 */
const char *log_quote(const char *text, struct log_quoted *to);

/* The same in place, as an argument of log_line(): it lives as long as the
 * block around the call. */
#define LOG_QUOTE(from) log_quote((from), &(struct log_quoted){.text = ""})

/* Write one line (printf-style, without newline, cut at 1000 bytes) in one
 * write(2), so that lines of several threads do not mix, or one entry of the
 * journal. A NULL log drops everything. Bytes that are not printable become
 * '?'; texts from outside are to be quoted. Without a kind, for who debugs
 * memctxd. Any thread. */
void log_line(const struct log *log, enum log_level level, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/* The same of a kind, and about a domain. */
void log_say(const struct log *log, enum log_level level, enum log_kind kind,
             const char *format, ...) __attribute__((format(printf, 4, 5)));
void log_about(const struct log *log, enum log_level level,
               const struct log_subject *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for what must be on record whatever the level is. Any thread. */
void log_audit(const struct log *log, const struct log_subject *subject,
               const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "debug", "info", "warning" or "error"; LOG_LEVELS for anything else. */
enum log_level log_level_from_name(const char *name);

#endif
