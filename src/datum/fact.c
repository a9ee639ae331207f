/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How each type of facts is kept in memory and spelled. Knows neither XML nor
 * JSON, and no fact by its name. */
#include "datum/fact.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

/* ---- members ------------------------------------------------------------ */

static const void *
member_of(const struct memctx_fact *fact, const void *from)
{
    return (const char *)from + fact->offset;
}

/* An unsigned number of any size; configure refuses a big-endian host. */
static uint64_t
load(const struct memctx_fact *fact, const void *from)
{
    uint64_t number = 0;
    assert(fact->size_bytes <= sizeof(number));
    memcpy(&number, member_of(fact, from), fact->size_bytes);
    return number;
}

static void
store(const struct memctx_fact *fact, uint64_t number, void *to)
{
    assert(fact->size_bytes <= sizeof(number));
    memcpy((char *)to + fact->offset, &number, fact->size_bytes);
}

static bool
is_text(const struct memctx_fact *fact)
{
    return fact->type == MEMCTX_FACT_TEXT || fact->type == MEMCTX_FACT_NAMES;
}

static bool
is_known(const struct memctx_fact *fact, const void *from)
{
    if (fact->has != 0)
        return *(const bool *)((const char *)from + fact->has);
    if (is_text(fact))
        return *(const char *)member_of(fact, from) != '\0';
    return load(fact, from) != 0;
}

/* ---- types -------------------------------------------------------------- */

static bool
print_hex(const struct memctx_fact *fact, const void *from, char *text)
{
    memctx_number_print_hex(load(fact, from), text);
    return true;
}

static bool
parse_number(const struct memctx_fact *fact, const char *text, void *to)
{
    uint64_t number;
    uint64_t max = UINT64_MAX >> 8 * (sizeof(uint64_t) - fact->size_bytes);
    if (!memctx_number_parse(text, max, &number))
        return false;
    store(fact, number, to);
    return true;
}

static bool
print_signed(const struct memctx_fact *fact, const void *from, char *text)
{
    memctx_number_print_signed((int64_t)load(fact, from), text);
    return true;
}

static bool
parse_signed(const struct memctx_fact *fact, const char *text, void *to)
{
    uint64_t number;
    if (!memctx_number_parse_signed(text, &number))
        return false;
    store(fact, number, to);
    return true;
}

static bool
print_count(const struct memctx_fact *fact, const void *from, char *text)
{
    snprintf(text, MEMCTX_FACT_MAX, "%" PRIu64, load(fact, from));
    return true;
}

static bool
print_text(const struct memctx_fact *fact, const void *from, char *text)
{
    snprintf(text, MEMCTX_FACT_MAX, "%s", (const char *)member_of(fact, from));
    return true;
}

static bool
parse_text(const struct memctx_fact *fact, const char *text, void *to)
{
    size_t len = strlen(text);
    if (len >= fact->size_bytes)
        return false;
    memcpy((char *)to + fact->offset, text, len + 1);
    return true;
}

/* A constant; NULL for none. */
static bool
print_name(const char *name, char *text)
{
    snprintf(text, MEMCTX_FACT_MAX, "%s", name != NULL ? name : "");
    return true;
}

static bool
print_word(const struct memctx_fact *fact, const void *from, char *text)
{
    return print_name(fact->words[load(fact, from)], text);
}

static bool
parse_word(const struct memctx_fact *fact, const char *text, void *to)
{
    for (unsigned i = 1; fact->words[i] != NULL; i++) {
        if (strcmp(text, fact->words[i]) == 0) {
            store(fact, i, to);
            return true;
        }
    }
    if (fact->otherwise == 0 || text[0] == '\0')
        return false;
    store(fact, fact->otherwise, to);
    return true;
}

static bool
print_os(const struct memctx_fact *fact, const void *from, char *text)
{
    return print_name(memctx_os_name((enum memctx_os)load(fact, from)), text);
}

static bool
parse_os(const struct memctx_fact *fact, const char *text, void *to)
{
    enum memctx_os os = memctx_os_from_name(text);
    if (os == MEMCTX_OS_UNKNOWN)
        return false;
    store(fact, os, to);
    return true;
}

static bool
print_paging(const struct memctx_fact *fact, const void *from, char *text)
{
    return print_name(memctx_paging_name((enum memctx_paging)load(fact, from)),
                      text);
}

static bool
parse_paging(const struct memctx_fact *fact, const char *text, void *to)
{
    enum memctx_paging paging = memctx_paging_from_name(text);
    if (paging == MEMCTX_PAGING_UNKNOWN)
        return false;
    store(fact, paging, to);
    return true;
}

static bool
print_time(const struct memctx_fact *fact, const void *from, char *text)
{
    return memctx_datum_windows_time(load(fact, from), text);
}

static const struct {
    bool (*print)(const struct memctx_fact *fact, const void *from, char *text);
    bool (*parse)(const struct memctx_fact *fact, const char *text, void *to);
    const char *wanted;
} types[] = {
    [MEMCTX_FACT_HEX] = {print_hex, parse_number, "a number"},
    [MEMCTX_FACT_SIGNED] = {print_signed, parse_signed, "a number"},
    [MEMCTX_FACT_COUNT] = {print_count, parse_number, "a number"},
    [MEMCTX_FACT_TEXT] = {print_text, parse_text, "a shorter text"},
    [MEMCTX_FACT_NAMES] = {print_text, parse_text, "a shorter text"},
    [MEMCTX_FACT_WORD] = {print_word, parse_word, "another word"},
    [MEMCTX_FACT_OS] = {print_os, parse_os, "a system that is known"},
    [MEMCTX_FACT_PAGING] = {print_paging, parse_paging,
                            "a paging that is known"},
    [MEMCTX_FACT_TIME] = {print_time, NULL, "nothing"},
};
static_assert(MEMCTX_ARRAY_LEN(types) == MEMCTX_FACT_TYPES,
              "every type of facts is spelled");

/* ---- what others ask ---------------------------------------------------- */

bool
memctx_fact_applies(const struct memctx_fact *fact,
                    const struct memctx_datum *datum,
                    enum memctx_audience audience)
{
    bool private = audience == MEMCTX_PRIVATE && datum->kernel.base_gva != 0;
    return (!fact->is_private || private) &&
           (fact->os == MEMCTX_OS_UNKNOWN || fact->os == datum->kernel.os);
}

bool
memctx_fact_print(const struct memctx_fact *fact, const void *from,
                  char ret[MEMCTX_FACT_MAX])
{
    return (fact->duty != MEMCTX_FACT_OPTIONAL || is_known(fact, from)) &&
           types[fact->type].print(fact, from, ret);
}

uint64_t
memctx_fact_count(const struct memctx_fact *fact, const void *from)
{
    return load(fact, from);
}

bool
memctx_fact_parse(const struct memctx_fact *fact, const char *text, void *to)
{
    if (!types[fact->type].parse(fact, text, to))
        return false;
    if (fact->has != 0)
        *(bool *)((char *)to + fact->has) = true;
    return true;
}

const char *
memctx_fact_wanted(const struct memctx_fact *fact)
{
    return types[fact->type].wanted;
}

const char *
memctx_fact_text(const struct memctx_fact *fact,
                 const struct memctx_datum *datum, char text[MEMCTX_FACT_MAX])
{
    bool told = memctx_fact_applies(fact, datum, MEMCTX_PRIVATE) &&
                memctx_fact_print(fact, datum, text) && text[0] != '\0';
    return told ? text : NULL;
}

const void *
memctx_fact_items(const struct memctx_fact *fact,
                  const struct memctx_datum *datum, size_t *n)
{
    const void *items;
    memcpy(&items, member_of(fact, datum), sizeof(items));
    memcpy(n, (const char *)datum + fact->list->count, sizeof(*n));
    return items;
}

void *
memctx_fact_make_items(const struct memctx_fact *fact,
                       struct memctx_datum *datum, size_t n)
{
    void *items = calloc(n, fact->list->item_bytes);
    if (items == NULL)
        return NULL;
    memcpy((char *)datum + fact->offset, &items, sizeof(items));
    memcpy((char *)datum + fact->list->count, &n, sizeof(n));
    return items;
}

const char *
memctx_fact_step(const char *path, char name[MEMCTX_FACT_NAME_MAX])
{
    size_t len = strcspn(path, "/");
    if (path[len] == '\0')
        return NULL;
    assert(len < MEMCTX_FACT_NAME_MAX);
    memcpy(name, path, len);
    name[len] = '\0';
    return path + len + 1;
}
