/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lines on standard error, with journald's <N> priorities where nobody reads
 * along on a terminal (sd-daemon(3)). */
#ifndef MEMCTXD_LOG_H
#define MEMCTXD_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
    LOG_LEVELS
};

struct log {
    _Atomic enum log_level level; /* what is below is dropped; may change */
    bool priorities;              /* begin lines with <N> */
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
 * write(2), so that lines of several threads do not mix. A NULL log drops
 * everything. Bytes that are not printable become '?'; texts from outside are
 * to be quoted. Any thread. */
void log_line(const struct log *log, enum log_level level, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/* The same for what must be on record whatever the level is. Any thread. */
void log_audit(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "debug", "info", "warning" or "error"; LOG_LEVELS for anything else. */
enum log_level log_level_from_name(const char *name);

#endif
