/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the configuration file by a table of keys. */
#include "config/settings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "common/trust.h"

#define FILE_MAX (64 * 1024)

/* To add a key: a member of struct settings, a row here, an item in
 * man/memctxd.conf.pod that begins with the row's help, and a commented line
 * with its default in agent/memctxd.conf; who uses it. If SIGHUP may change it,
 * agent_reload() tells whoever keeps a copy. tests/test_docs.sh compares all
 * that is written. */
static const struct settings_key keys[] = {
    {"uri", SETTINGS_TEXT, offsetof(struct settings, uri), 0, 0, false, "\"\"",
     "The libvirt connection whose domains are watched, as --connect."},
    {"domains", SETTINGS_PATTERNS, offsetof(struct settings, domains), 0, 0,
     true, "[ ]", "Which domains are watched, by name or UUID; [ ]: all."},
    {"runtime_dir", SETTINGS_TEXT, offsetof(struct settings, runtime_dir), 0, 0,
     false, "\"\"", "The agent's directory, as --runtime-dir."},
    {"log_level", SETTINGS_LEVEL, offsetof(struct settings, log_level), 0, 0,
     true, "\"info\"", "What is logged: this level and what is worse."},
    {"workers", SETTINGS_NUMBER, offsetof(struct settings, workers), 1, 64,
     false, "2", "Threads that open guest RAM."},
    {"writers", SETTINGS_NUMBER, offsetof(struct settings, writers), 1, 1024,
     false, "32", "Threads that write domain metadata, at most."},
    {"keepalive_interval", SETTINGS_NUMBER,
     offsetof(struct settings, keepalive_interval), 0, 3600, false, "5",
     "Seconds between two keepalive messages to libvirt; 0 sends none."},
    {"keepalive_count", SETTINGS_NUMBER,
     offsetof(struct settings, keepalive_count), 1, 100, false, "3",
     "How many of them may go unanswered before the connection counts as "
     "lost."},
    {"retry_first_ms", SETTINGS_NUMBER,
     offsetof(struct settings, retry_first_ms), 1, 60000, true, "50",
     "Milliseconds from the first look to the second."},
    {"retry_cap_ms", SETTINGS_NUMBER, offsetof(struct settings, retry_cap_ms),
     1, 3600000, true, "2000",
     "The delay grows to this many milliseconds and no further."},
    {"retry_growth_percent", SETTINGS_NUMBER,
     offsetof(struct settings, retry_growth_percent), 0, 1000, true, "10",
     "Growth of the delay from one look to the next, in percent."},
    {"retry_cost_factor", SETTINGS_NUMBER,
     offsetof(struct settings, retry_cost_factor), 1, 100000, true, "50",
     "A delay is at least this many times the CPU time of the look before it."},
    {"retry_credit_ms", SETTINGS_NUMBER,
     offsetof(struct settings, retry_credit_ms), 0, 60000, true, "150",
     "Milliseconds of CPU time that looks at a domain may take before they "
     "are put off."},
    {"revalidate_ms", SETTINGS_NUMBER, offsetof(struct settings, revalidate_ms),
     0, 86400000, true, "10000",
     "Milliseconds from one look at a ready domain to the next; 0: never."},
    {"hooks_dir", SETTINGS_TEXT, offsetof(struct settings, hooks_dir), 0, 0,
     false, "\"\"", "The directory of the programs that are called as hooks."},
    {"hook_timeout_ms", SETTINGS_NUMBER,
     offsetof(struct settings, hook_timeout_ms), 1, 3600000, true, "10000",
     "Milliseconds after which such a program is killed."},
    {"keep_logs", SETTINGS_NUMBER, offsetof(struct settings, keep_logs), 0,
     1000, true, "0",
     "Logs of kernels that have ended, kept for each domain; 0: none."},
    {"keep_logs_mib", SETTINGS_NUMBER, offsetof(struct settings, keep_logs_mib),
     2, 1048576, true, "64", "MiB of disk that all kept logs take at most."},
    {"metrics_file", SETTINGS_TEXT, offsetof(struct settings, metrics_file), 0,
     0, false, "\"\"",
     "A file that is kept up to date with metrics; empty: none."},
    {"metrics_kernel", SETTINGS_NUMBER,
     offsetof(struct settings, metrics_kernel), 0, 1, true, "1",
     "1: metrics tell the system and release of each kernel; 0: not."},
    {"access", SETTINGS_RULES, offsetof(struct settings, access), 0, 0, true,
     "[ ]",
     "What others than root and memctxd's own user may do on the control "
     "socket."},
    {"stub_fail_boots", SETTINGS_NUMBER,
     offsetof(struct settings, stub_fail_boots), 0, 1000000, false, "0",
     "With --stub: this many first looks fail after each start and reset of a "
     "domain."},
};

const struct settings_key *
settings_keys(size_t *count)
{
    *count = MEMCTX_ARRAY_LEN(keys);
    return keys;
}

static int
store_text(const struct settings_key *key, char *value, void *member,
           struct memctx_error *err)
{
    size_t len = strlen(value);
    if (len < 2 || value[0] != '"' || value[len - 1] != '"' ||
        len - 2 >= SETTINGS_TEXT_MAX || memchr(value + 1, '"', len - 2) != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants a text in double quotes of up to %d "
                                "bytes, found: %.40s",
                                key->name, SETTINGS_TEXT_MAX - 1, value);
    memcpy(member, value + 1, len - 2);
    ((char *)member)[len - 2] = '\0';
    return 0;
}

static int
store_level(const struct settings_key *key, char *value, void *member,
            struct memctx_error *err)
{
    if (store_text(key, value, member, err) < 0)
        return -1;
    if (log_level_from_name(member) != LOG_LEVELS)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "%s is '%.20s', expected debug, info, warning or "
                            "error",
                            key->name, (const char *)member);
}

static int
store_number(const struct settings_key *key, const char *value, void *member,
             struct memctx_error *err)
{
    uint64_t number;
    if (!memctx_number_parse_decimal(value, key->max, &number) ||
        number < key->min)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants a number from %llu to %llu, found: "
                                "%.40s",
                                key->name, (unsigned long long)key->min,
                                (unsigned long long)key->max, value);
    *(uint64_t *)member = number;
    return 0;
}

static char *
trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* Cut off a comment, but not a '#' inside quotes. */
static void
cut_comment(char *line)
{
    bool quoted = false;
    for (; *line != '\0'; line++) {
        if (*line == '"')
            quoted = !quoted;
        if (*line == '#' && !quoted)
            *line = '\0';
        if (*line == '\0')
            return;
    }
}

/* The lines of a file that are left. */
struct lines {
    char *rest;
    unsigned number; /* of the line that was taken last */
};

/* The next line without comment and blanks around it; NULL: there is none. */
static char *
next_line(struct lines *lines)
{
    char *line = strsep(&lines->rest, "\n");
    if (line == NULL)
        return NULL;
    lines->number++;
    cut_comment(line);
    return trim(line);
}

/* A list of texts on its way from the file, and who takes each of them. */
struct list {
    const char *key;
    void *member;
    int (*add)(void *member, const char *text, struct memctx_error *err);
};

static int
add_rule(void *member, const char *text, struct memctx_error *err)
{
    return access_add(member, text, err);
}

static int
add_pattern(void *member, const char *text, struct memctx_error *err)
{
    return patterns_add(member, text, err);
}

/* Take the text off the beginning of *at, which stands on its first quote. */
static int
store_item(char **at, const struct list *list, struct memctx_error *err)
{
    char *end = strchr(*at + 1, '"');
    if (end == NULL || end - *at > SETTINGS_TEXT_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants texts in double quotes of up to %d "
                                "bytes, found: %.40s",
                                list->key, SETTINGS_TEXT_MAX - 1, *at);
    *end = '\0';
    if (list->add(list->member, *at + 1, err) < 0)
        return -1;
    *at = trim(end + 1);
    return 0;
}

static int
refuse_list(const struct list *list, const char *found,
            struct memctx_error *err)
{
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "%s wants a list [ \"TEXT\", ... ], found: %.40s",
                            list->key, found);
}

/* One line of a list, after the bracket: texts, each but the last followed by a
 * comma. 1: the list ends in it; 0: it goes on. */
static int
parse_items(char *at, bool *comma, const struct list *list,
            struct memctx_error *err)
{
    while (*at == '"' && *comma) {
        if (store_item(&at, list, err) < 0)
            return -1;
        *comma = *at == ',';
        if (*comma)
            at = trim(at + 1);
    }
    if (*at == '\0')
        return 0;
    return strcmp(at, "]") == 0 ? 1 : refuse_list(list, at, err);
}

static int
store_list(char *value, struct lines *lines, const struct list *list,
           struct memctx_error *err)
{
    bool comma = true;
    if (*value != '[')
        return refuse_list(list, value, err);
    int ended = parse_items(trim(value + 1), &comma, list, err);
    while (ended == 0) {
        char *line = next_line(lines);
        if (line == NULL)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "the list of %s does not end with ]",
                                    list->key);
        ended = parse_items(line, &comma, list, err);
    }
    return ended < 0 ? -1 : 0;
}

static int
store(const struct settings_key *key, char *value, struct lines *lines,
      struct settings *settings, struct memctx_error *err)
{
    void *member = (char *)settings + key->offset;
    struct list list = {key->name, member, add_rule};
    switch (key->type) {
    case SETTINGS_TEXT:
        return store_text(key, value, member, err);
    case SETTINGS_LEVEL:
        return store_level(key, value, member, err);
    case SETTINGS_NUMBER:
        return store_number(key, value, member, err);
    case SETTINGS_PATTERNS:
        list.add = add_pattern;
        break;
    case SETTINGS_RULES:
        break;
    }
    return store_list(value, lines, &list, err);
}

void
settings_init(struct settings *settings)
{
    *settings = (struct settings){.prober = LIBEXECDIR "/memctxd/memctx-prober",
                                  .patience = 1};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        char value[SETTINGS_TEXT_MAX];
        struct lines none = {.rest = NULL};
        snprintf(value, sizeof(value), "%s", keys[i].default_value);
        int failed = store(&keys[i], value, &none, settings, NULL);
        assert(failed == 0);
        (void)failed;
    }
}

static const struct settings_key *
find_key(const char *name)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

static int
parse_line(char *line, struct lines *lines, struct settings *settings,
           struct memctx_error *err)
{
    if (*line == '\0')
        return 0;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "expected key = value, found: %.40s", line);
    *equals = '\0';
    const char *name = trim(line);
    const struct settings_key *key = find_key(name);
    if (key == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT, "unknown key '%.40s'",
                                name);
    return store(key, trim(equals + 1), lines, settings, err);
}

int
settings_parse(const char *text, const char *name, struct settings *settings,
               struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *copy = strdup(text);
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    struct lines lines = {.rest = copy};
    char *line;
    while ((line = next_line(&lines)) != NULL) {
        if (parse_line(line, &lines, settings, err) < 0)
            return memctx_error_prefix(err, "%s:%u", name, lines.number);
    }
    if (settings->retry_cap_ms < settings->retry_first_ms)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s: retry_cap_ms is below retry_first_ms",
                                name);
    return 0;
}

/* Whoever can write it decides whose memory is read by whom. A pipe is whose it
 * is. */
static int
check_file(FILE *file, const char *path, struct memctx_error *err)
{
    struct stat st;
    if (fstat(fileno(file), &st) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot read %s: %s",
                                path, strerror(errno));
    return S_ISREG(st.st_mode)
               ? trust_check(&st, TRUST_OURS_OR_ROOTS, path, err)
               : 0;
}

int
settings_read(const char *path, struct settings *settings,
              struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = calloc(1, FILE_MAX + 1);
    MEMCTX_CLEANUP(memctx_cleanup_file) FILE *file = fopen(path, "re");
    if (text == NULL || file == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot read %s: %s",
                                path, strerror(errno));
    if (trust_check_link(path, err) < 0 || check_file(file, path, err) < 0)
        return -1;
    size_t len = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file) || len > FILE_MAX || strlen(text) != len)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s: not a text file of up to %d bytes", path,
                                FILE_MAX);
    return settings_parse(text, path, settings, err);
}

static size_t
size_of(const struct settings_key *key)
{
    switch (key->type) {
    case SETTINGS_TEXT:
    case SETTINGS_LEVEL:
        return SETTINGS_TEXT_MAX;
    case SETTINGS_NUMBER:
        return sizeof(uint64_t);
    case SETTINGS_RULES:
        return sizeof(struct access);
    case SETTINGS_PATTERNS:
        return sizeof(struct patterns);
    }
    return 0;
}

/* Texts may have anything behind their ends. */
static bool
is_equal(const struct settings_key *key, const void *a, const void *b)
{
    bool text = key->type == SETTINGS_TEXT || key->type == SETTINGS_LEVEL;
    return text ? strcmp(a, b) == 0 : memcmp(a, b, size_of(key)) == 0;
}

void
settings_reload(struct settings *to, const struct settings *from, char *fixed,
                size_t size)
{
    fixed[0] = '\0';
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        char *mine = (char *)to + keys[i].offset;
        const char *theirs = (const char *)from + keys[i].offset;
        size_t len = strlen(fixed);
        if (keys[i].reloads)
            memcpy(mine, theirs, size_of(&keys[i]));
        else if (!is_equal(&keys[i], mine, theirs))
            snprintf(fixed + len, size - len, "%s%s", len > 0 ? ", " : "",
                     keys[i].name);
    }
}

struct memctx_backoff_limits
settings_backoff(const struct settings *settings)
{
    return (struct memctx_backoff_limits){
        .first_us = settings->retry_first_ms * 1000,
        .cap_us = settings->retry_cap_ms * 1000,
        .growth_percent = (unsigned)settings->retry_growth_percent,
        .cost_factor = (unsigned)settings->retry_cost_factor,
        .credit_us = settings->retry_credit_ms * 1000,
    };
}
