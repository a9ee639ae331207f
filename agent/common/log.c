/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes log lines; keeps no state and knows no domain. */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void write_line(const struct log *log, int priority, const char *name,
                       const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void
write_line(const struct log *log, int priority, const char *name,
           const char *format, va_list args)
{
    char line[1024];
    int head = log->priorities
                   ? snprintf(line, sizeof(line), "<%d>", priority)
                   : snprintf(line, sizeof(line), "memctxd: %s: ", name);
    vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
    size_t len = strlen(line);
    for (size_t i = 0; i < len; i++) {
        if (line[i] < ' ' || line[i] > '~')
            line[i] = '?';
    }
    line[len++] = '\n';
    /* A log that cannot be written has nobody to complain to. */
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored;
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
    va_list args;
    va_start(args, format);
    write_line(log, levels[level].priority, levels[level].name, format, args);
    va_end(args);
}

void
log_audit(const struct log *log, const char *format, ...)
{
    if (log == NULL)
        return;
    va_list args;
    va_start(args, format);
    write_line(log, NOTICE, "audit", format, args);
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
