/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Feeds getopt_long() from an option table. */
#include "common/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "qemu/opt.h"

#define ROWS_MAX 32

static const struct option_row *
find_row(const struct option_row *table, const char *name, int letter)
{
    for (const struct option_row *row = table; row->name != NULL; row++) {
        if (name != NULL ? strcmp(row->name, name) == 0 : row->letter == letter)
            return row;
    }
    return NULL;
}

static int
parse_seconds(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    double seconds = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !isfinite(seconds) ||
        seconds < 0 || seconds > 1e9)
        return -1;
    *ret = (int64_t)(seconds * 1000);
    return 0;
}

static int
store(const struct option_row *row, const char *value, struct options *options,
      struct memctx_error *err)
{
    void *member = (char *)options + row->offset;
    if (row->kind == OPTION_FLAG)
        *(bool *)member = true;
    else if (row->kind == OPTION_TEXT)
        *(const char **)member = value;
    else if (row->kind == OPTION_SIZE) {
        if (!memctx_qemuopt_size(value, 1, member) || *(uint64_t *)member == 0)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "--%s wants a size such as 2G or "
                                    "0x80000000, found '%s'",
                                    row->name, value);
    } else if (parse_seconds(value, member) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--%s wants seconds, found '%s'", row->name,
                                value);
    return 0;
}

/* getopt's own tables. The leading ':' tells a missing argument from an
 * unknown option. */
static void
build_getopt(const struct option_row *table, struct option *longs, char *shorts)
{
    size_t n = 0;
    *shorts++ = ':';
    for (const struct option_row *row = table; row->name != NULL; row++) {
        bool takes = row->kind != OPTION_FLAG;
        longs[n++] = (struct option){
            row->name, takes ? required_argument : no_argument, NULL, 0};
        if (row->letter == 0)
            continue;
        *shorts++ = row->letter;
        if (takes)
            *shorts++ = ':';
    }
    longs[n] = (struct option){NULL, 0, NULL, 0};
    *shorts = '\0';
}

int
options_parse(const struct option_row *table, int argc, char **argv,
              struct options *ret, int *first_word, struct memctx_error *err)
{
    struct option longs[ROWS_MAX + 1];
    char shorts[2 * ROWS_MAX + 2];
    struct options options = OPTIONS_INIT;
    build_getopt(table, longs, shorts);
    optind = 0;
    opterr = 0;
    for (;;) {
        int index = -1;
        int c = getopt_long(argc, argv, shorts, longs, &index);
        if (c == -1)
            break;
        if (c == '?')
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "unknown option '%s'", argv[optind - 1]);
        if (c == ':')
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "option '%s' wants an argument",
                                    argv[optind - 1]);
        const struct option_row *row =
            find_row(table, index >= 0 ? longs[index].name : NULL, c);
        if (store(row, optarg, &options, err) < 0)
            return -1;
    }
    *first_word = optind;
    *ret = options;
    return 0;
}

void
options_print(const struct option_row *table)
{
    for (const struct option_row *row = table; row->name != NULL; row++) {
        char left[64];
        char letter[8] = "    ";
        if (row->letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name,
                 row->argument != NULL ? " " : "",
                 row->argument != NULL ? row->argument : "");
        printf("  %-28s %s\n", left, row->help);
    }
}
