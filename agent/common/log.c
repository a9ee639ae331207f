/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes log lines; keeps no state and knows no domain. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "common/journal.h"

static const struct {
    const char *name;
    int priority; /* syslog(3) */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", 7},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_ERROR] = {"error", 3},
};
_Static_assert(sizeof(levels) / sizeof(levels[0]) == LOG_LEVELS,
               "every level has a name");

#define NOTICE 5 /* syslog(3) */

/* A line on its way. */
struct line {
    int priority;
    const char *name;                  /* of its level */
    const struct log_subject *subject; /* NULL: of no kind */
    char text[1000];
};

static void
write_stderr(const struct log *log, const struct line *line)
{
    char bytes[sizeof(line->text) + 32];
    int len = log->priorities
                  ? snprintf(bytes, sizeof(bytes), "<%d>%s\n", line->priority,
                             line->text)
                  : snprintf(bytes, sizeof(bytes), "memctxd: %s: %s\n",
                             line->name, line->text);
    /* A log that cannot be written has nobody to complain to. */
    ssize_t ignored = write(STDERR_FILENO, bytes, (size_t)len);
    (void)ignored;
}

static int
send_entry(const struct log_journal *journal, const struct line *line)
{
    static const struct log_subject none = {.kind = LOG_NO_KIND};
    const struct log_subject *s = line->subject != NULL ? line->subject : &none;
    const struct log_kind_row *row = log_kind_row(s->kind);
    char priority[4];
    snprintf(priority, sizeof(priority), "%d", line->priority);
    const struct journal_field fields[] = {
        {"MESSAGE", line->text},
        {"PRIORITY", priority},
        {"SYSLOG_IDENTIFIER", "memctxd"},
        {"MESSAGE_ID", row != NULL ? row->id : NULL},
        {"MEMCTX_DOMAIN", s->domain},
        {"MEMCTX_UUID", s->uuid},
        {"MEMCTX_STATE", s->state},
    };
    _Static_assert(sizeof(fields) / sizeof(fields[0]) <= JOURNAL_FIELDS_MAX,
                   "an entry takes them all");
    return journal_send(journal->fd, fields, MEMCTX_ARRAY_LEN(fields));
}

/* The journal is behind, or was. What it does not take at once is lost, and
 * counted: the loop must not stand still with it. */
static void
tell_lost(struct log_journal *journal)
{
    const struct log_subject subject = {.kind = LOG_KIND_JOURNAL};
    struct line line = {levels[LOG_LEVEL_WARNING].priority,
                        levels[LOG_LEVEL_WARNING].name, &subject, ""};
    unsigned lost = atomic_exchange(&journal->lost, 0);
    if (lost == 0)
        return;
    snprintf(line.text, sizeof(line.text),
             "%u lines were lost: the journal did not take them in time", lost);
    if (send_entry(journal, &line) < 0)
        atomic_fetch_add(&journal->lost, lost);
}

/* Where the journal is not there any more, or takes no such entry, standard
 * error is. */
static void
write_journal(const struct log *log, const struct line *line)
{
    tell_lost(log->journal);
    if (send_entry(log->journal, line) == 0)
        return;
    if (errno == EAGAIN || errno == ENOBUFS)
        atomic_fetch_add(&log->journal->lost, 1);
    else
        write_stderr(log, line);
}

static void write_line(const struct log *log, struct line *line,
                       const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void
write_line(const struct log *log, struct line *line, const char *format,
           va_list args)
{
    vsnprintf(line->text, sizeof(line->text), format, args);
    for (char *c = line->text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
    if (log->journal != NULL)
        write_journal(log, line);
    else
        write_stderr(log, line);
}

static struct line
line_of(enum log_level level, const struct log_subject *subject)
{
    return (struct line){levels[level].priority, levels[level].name, subject,
                         ""};
}

/* One byte of a text as it stands inside quotes. Returns its length. */
static int
quote_byte(unsigned char byte, char to[8])
{
    if (byte == '"' || byte == '\\')
        return snprintf(to, 8, "\\%c", byte);
    if (byte >= ' ' && byte <= '~')
        return snprintf(to, 8, "%c", byte);
    return snprintf(to, 8, "\\x%02x", byte);
}

const char *
log_quote(const char *text, struct log_quoted *to)
{
    static const char cut[] = "\"...";
    size_t room = sizeof(to->text) - sizeof(cut);
    size_t len = 0;
    to->text[len++] = '"';
    for (; text != NULL && *text != '\0'; text++) {
        char byte[8];
        size_t n = (size_t)quote_byte((unsigned char)*text, byte);
        if (len + n > room) {
            memcpy(to->text + len, cut, sizeof(cut));
            return to->text;
        }
        memcpy(to->text + len, byte, n);
        len += n;
    }
    memcpy(to->text + len, "\"", 2);
    return to->text;
}

void
log_line(const struct log *log, enum log_level level, const char *format, ...)
{
    if (log == NULL || level < log->level)
        return;
    struct line line = line_of(level, NULL);
    va_list args;
    va_start(args, format);
    write_line(log, &line, format, args);
    va_end(args);
}

void
log_say(const struct log *log, enum log_level level, enum log_kind kind,
        const char *format, ...)
{
    if (log == NULL || level < log->level)
        return;
    const struct log_subject subject = {.kind = kind};
    struct line line = line_of(level, &subject);
    va_list args;
    va_start(args, format);
    write_line(log, &line, format, args);
    va_end(args);
}

void
log_about(const struct log *log, enum log_level level,
          const struct log_subject *subject, const char *format, ...)
{
    if (log == NULL || level < log->level)
        return;
    struct line line = line_of(level, subject);
    va_list args;
    va_start(args, format);
    write_line(log, &line, format, args);
    va_end(args);
}

void
log_audit(const struct log *log, const struct log_subject *subject,
          const char *format, ...)
{
    if (log == NULL)
        return;
    struct line line = {NOTICE, "audit", subject, ""};
    va_list args;
    va_start(args, format);
    write_line(log, &line, format, args);
    va_end(args);
}

enum log_level
log_level_from_name(const char *name)
{
    for (unsigned i = 0; i < LOG_LEVELS; i++) {
        if (strcmp(name, levels[i].name) == 0)
            return (enum log_level)i;
    }
    return LOG_LEVELS;
}
