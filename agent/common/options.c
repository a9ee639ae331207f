/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Feeds getopt_long() from option tables. */
#include "common/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define ROWS_MAX 128

/* The rows of all sets in one list, and the same as getopt_long() wants it. */
struct grammar {
    size_t n;
    const struct option_row *rows[ROWS_MAX];
    void *values[ROWS_MAX]; /* for each row, the struct that it sets */
    struct option longs[ROWS_MAX + 1];
    char shorts[2 * ROWS_MAX + 3];
};

static void
add_row(struct grammar *g, const struct option_row *row, void *values)
{
    assert(g->n < ROWS_MAX);
    bool takes = row->kind != OPTION_FLAG;
    char *shorts = g->shorts + strlen(g->shorts);
    g->longs[g->n] = (struct option){
        row->name, takes ? required_argument : no_argument, NULL, 0};
    g->rows[g->n] = row;
    g->values[g->n] = values;
    g->n++;
    if (row->letter == 0)
        return;
    *shorts++ = row->letter;
    if (takes)
        *shorts++ = ':';
    *shorts = '\0';
}

/* `flags` begin getopt's list of letters: ':' tells a missing argument from an
 * unknown option, '+' before it stops at the first word. */
static void
fill_grammar(struct grammar *g, const struct option_set *sets, size_t n_sets,
             const char *flags)
{
    g->n = 0;
    strcpy(g->shorts, flags);
    for (size_t i = 0; i < n_sets; i++) {
        for (const struct option_row *row = sets[i].rows; row->name != NULL;
             row++)
            add_row(g, row, sets[i].values);
    }
    g->longs[g->n] = (struct option){NULL, 0, NULL, 0};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
}

/* Why getopt_long() does not take `word`, which it has just looked at. It has
 * said which letter it was, and 0 for a long name. */
static int
refuse(const struct grammar *g, const char *word, struct memctx_error *err)
{
    if (optopt != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "unknown option '-%c'",
                                optopt);
    const char *name = word + strlen("--");
    size_t len = strcspn(name, "=");
    size_t similar = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (strncmp(g->rows[i]->name, name, len) != 0)
            continue;
        if (g->rows[i]->name[len] == '\0')
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "option '--%s' takes no argument",
                                    g->rows[i]->name);
        similar++;
    }
    return memctx_error_set(err, MEMCTX_PERMANENT, "%s option '%s'",
                            similar > 1 ? "ambiguous" : "unknown", word);
}

static size_t
find_letter(const struct grammar *g, int letter)
{
    size_t i = 0;
    while (g->rows[i]->letter != letter)
        i++;
    return i;
}

/* Take one option from argv. Returns 1 and the index of its row; 0: no more
 * options; -1 with PERMANENT. Its argument is in getopt's `optarg`. */
static int
take_option(const struct grammar *g, int argc, char **argv, size_t *row,
            struct memctx_error *err)
{
    int index = -1;
    int c = getopt_long(argc, argv, g->shorts, g->longs, &index);
    if (c == -1)
        return 0;
    if (c == '?')
        return refuse(g, argv[optind - 1], err);
    if (c == ':')
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "option '%s' wants an argument",
                                argv[optind - 1]);
    *row = index >= 0 ? (size_t)index : find_letter(g, c);
    return 1;
}

static int
parse_size(const char *text, uint64_t *ret)
{
    uint64_t size;
    if (!memctx_number_parse_size(text, 1, &size) || size == 0)
        return -1;
    *ret = size;
    return 0;
}

static int
store(const struct option_row *row, const char *text, void *values,
      struct memctx_error *err)
{
    void *member = (char *)values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)member = text;
        return 0;
    case OPTION_SIZE:
        if (parse_size(text, member) == 0)
            return 0;
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--%s wants a size such as 2G or 0x80000000, "
                                "found '%s'",
                                row->name, text);
    case OPTION_SECONDS:
        if (memctx_number_parse_seconds(text, member))
            return 0;
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--%s wants seconds, found '%s'", row->name,
                                text);
    }
    return 0;
}

/* As if the option were not given. */
static void
store_nothing(const struct option_row *row, void *values)
{
    void *member = (char *)values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member = false;
        break;
    case OPTION_TEXT:
        *(const char **)member = NULL;
        break;
    case OPTION_SIZE:
        *(uint64_t *)member = 0;
        break;
    case OPTION_SECONDS:
        *(int64_t *)member = -1;
        break;
    }
}

int
options_parse(const struct option_set *sets, size_t n_sets, int argc,
              char **argv, int *first_word, struct memctx_error *err)
{
    struct grammar g;
    size_t row;
    int got;
    fill_grammar(&g, sets, n_sets, ":");
    for (size_t i = 0; i < g.n; i++)
        store_nothing(g.rows[i], g.values[i]);
    while ((got = take_option(&g, argc, argv, &row, err)) > 0) {
        if (store(g.rows[row], optarg, g.values[row], err) < 0)
            return -1;
    }
    if (got == 0)
        *first_word = optind;
    return got;
}

int
options_find_word(const struct option_set *sets, size_t n_sets, int argc,
                  char **argv, int *ret, struct memctx_error *err)
{
    struct grammar g;
    size_t row;
    int got;
    fill_grammar(&g, sets, n_sets, "+:");
    while ((got = take_option(&g, argc, argv, &row, err)) > 0)
        ;
    if (got == 0)
        *ret = optind;
    return got;
}

void
options_print(const struct option_row *rows)
{
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        char left[64];
        char letter[8] = "    ";
        if (row->letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name,
                 row->argument != NULL ? " " : "",
                 row->argument != NULL ? row->argument : "");
        printf("  %-22s %s\n", left, row->help);
    }
}
