/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads and writes heads by one table of their lines. */
#include "boots/bootlog.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/number.h"

static const char first_line[] =
    "# memctxd: the log of a kernel that has ended";

static const char *const end_names[] = {
    [BOOTLOG_STOOD] = "stood",       [BOOTLOG_SILENT] = "silent",
    [BOOTLOG_PANIC] = "panic",       [BOOTLOG_RESET] = "reset",
    [BOOTLOG_REPLACED] = "replaced", [BOOTLOG_STOPPED] = "stopped",
};
static_assert(MEMCTX_ARRAY_LEN(end_names) == BOOTLOG_ENDS,
              "every end has a name");

/* A line of the head: "# KEY: VALUE". A text of size 0 is a number. */
struct row {
    const char *key;
    size_t offset;
    size_t size;
};

#define TEXT(member)                                       \
    {                                                      \
#member, offsetof(struct bootlog, member),         \
            sizeof(((const struct bootlog *)NULL)->member) \
    }
#define NUMBER(member)                               \
    {                                                \
#member, offsetof(struct bootlog, member), 0 \
    }

static const struct row rows[] = {
    TEXT(domain), TEXT(uuid), NUMBER(run),     NUMBER(generation), TEXT(kernel),
    TEXT(ended),  TEXT(end),  NUMBER(records), TEXT(missing),
};

const char *
bootlog_end_name(enum bootlog_end end)
{
    return end < BOOTLOG_ENDS ? end_names[end] : "?";
}

void
bootlog_name(const struct bootlog *log, char name[BOOTLOG_NAME_SIZE])
{
    snprintf(name, BOOTLOG_NAME_SIZE, "%s.%" PRIx64 ".%" PRIu64 ".log",
             log->uuid, log->run, log->generation);
}

bool
bootlog_is_name(const char *name)
{
    const char *at = name + strspn(name, "0123456789abcdef-");
    uint64_t ignored;
    return at - name == MEMCTX_UUID_TEXT_LEN && *at++ == '.' &&
           memctx_number_take(&at, 16, UINT64_MAX, &ignored) && *at++ == '.' &&
           memctx_number_take(&at, 10, UINT64_MAX, &ignored) &&
           strcmp(at, ".log") == 0;
}

void
bootlog_add_head(struct memctx_text *text, const struct bootlog *log)
{
    memctx_text_add(text, "%s\n", first_line);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        const char *member = (const char *)log + rows[i].offset;
        memctx_text_add(text, "# %s: ", rows[i].key);
        if (rows[i].size > 0)
            memctx_text_add_terminal(text, member, strlen(member));
        else
            memctx_text_add(text, "%" PRIu64, *(const uint64_t *)member);
        memctx_text_add(text, "\n");
    }
    memctx_text_add(text, "#\n");
}

/* The value of a line, if it has this key; NULL: it has not. */
static const char *
value_of(const char *line, const char *key)
{
    size_t len = strlen(key);
    bool is = strncmp(line, "# ", 2) == 0 && strncmp(line + 2, key, len) == 0 &&
              strncmp(line + 2 + len, ": ", 2) == 0;
    return is ? line + 2 + len + 2 : NULL;
}

/* What nobody knows is passed over: a later memctxd may have written it. */
static bool
take_line(const char *line, struct bootlog *to)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        const char *value = value_of(line, rows[i].key);
        char *member = (char *)to + rows[i].offset;
        if (value == NULL)
            continue;
        if (rows[i].size == 0)
            return memctx_number_parse_decimal(value, UINT64_MAX,
                                               (uint64_t *)member);
        size_t len = strlen(value);
        if (len >= rows[i].size)
            return false;
        memcpy(member, value, len + 1);
        memctx_error_make_printable(member);
        return true;
    }
    return line[0] == '#';
}

/* One line after the other of `text`, which it changes. True: the head has
 * ended, *rest is what follows. */
static bool
take_lines(char *text, struct bootlog *to, char **rest)
{
    bool first = true;
    /* Bounded: each turn passes a newline. */
    for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        *end = '\0';
        *rest = end + 1;
        if (!first && strcmp(text, "#") == 0)
            return true;
        if (first ? strcmp(text, first_line) != 0 : !take_line(text, to))
            return false;
        first = false;
    }
    return false;
}

int
bootlog_parse(const char *bytes, size_t len_bytes, struct bootlog *ret,
              size_t *head_bytes, struct memctx_error *err)
{
    char text[BOOTLOG_HEAD_MAX + 1];
    struct bootlog log = {.run = 0};
    size_t len = (size_t)memctx_min(len_bytes, BOOTLOG_HEAD_MAX);
    char *rest = text;
    memcpy(text, bytes, len);
    text[len] = '\0';
    if (!take_lines(text, &log, &rest))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "this is no log that memctxd has kept");
    *ret = log;
    *head_bytes = (size_t)(rest - text);
    return 0;
}
