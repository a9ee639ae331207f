/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps symbols in two arrays that grow: one of addresses, one of texts. */
#include "explain/symbols.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/kallsymsfind.h"
#include "guest/linux/kallsyms.h"

/* More than any kernel has: about 2^18 symbols with 25 bytes each. */
#define SYMBOLS_MAX (2 * MEMCTX_KALLSYMS_MAX)
#define TEXTS_MAX (32 * MEMCTX_MIB)

/* A symbol; its texts are offsets into those of all. */
struct entry {
    uint64_t address;
    uint32_t text; /* the type letter and the name */
    uint32_t module;
};

struct memctx_symbols {
    struct entry *entries; /* owned, grows */
    size_t n;
    size_t size;
    char *texts; /* owned, grows; begins with an empty one */
    size_t texts_len;
    size_t texts_size;
    struct memctx_error broken; /* why some are missing */
};

/* ---- arrays -------------------------------------------------------------- */

int
memctx_symbols_create(struct memctx_symbols **ret, struct memctx_error *err)
{
    struct memctx_symbols *symbols = calloc(1, sizeof(*symbols));
    char *texts = calloc(1, MEMCTX_PAGE_SIZE);
    if (symbols == NULL || texts == NULL) {
        free(symbols);
        free(texts);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    symbols->texts = texts;
    symbols->texts_len = 1;
    symbols->texts_size = MEMCTX_PAGE_SIZE;
    *ret = symbols;
    return 0;
}

void
memctx_symbols_free(struct memctx_symbols *symbols)
{
    if (symbols == NULL)
        return;
    free(symbols->entries);
    free(symbols->texts);
    free(symbols);
}

void
memctx_symbols_cleanup(struct memctx_symbols **symbols)
{
    memctx_symbols_free(*symbols);
}

/* Room for `more` items behind the `used` ones of an array. */
static int
make_room(void **array, size_t *size, size_t used, size_t more, size_t item,
          struct memctx_error *err)
{
    if (used + more <= *size)
        return 0;
    size_t wanted = (size_t)memctx_max(2 * (uint64_t)*size, used + more);
    void *grown = realloc(*array, wanted * item);
    if (grown == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *array = grown;
    *size = wanted;
    return 0;
}

/* Copy a letter (NUL: none) and a text behind the others. */
static int
add_text(struct memctx_symbols *symbols, char letter, const char *text,
         uint32_t *ret, struct memctx_error *err)
{
    size_t len = strlen(text) + (letter != '\0') + 1;
    if (symbols->texts_len + len > TEXTS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "more than %u MiB of symbols",
                                (unsigned)(TEXTS_MAX / MEMCTX_MIB));
    if (make_room((void **)&symbols->texts, &symbols->texts_size,
                  symbols->texts_len, len, 1, err) < 0)
        return -1;
    char *to = symbols->texts + symbols->texts_len;
    if (letter != '\0')
        to[0] = letter;
    memcpy(to + (letter != '\0'), text, strlen(text) + 1);
    memctx_error_make_printable(to);
    *ret = (uint32_t)symbols->texts_len;
    symbols->texts_len += len;
    return 0;
}

/* Symbols of one module stand behind one another. */
static int
add_module(struct memctx_symbols *symbols, const char *module, uint32_t *ret,
           struct memctx_error *err)
{
    uint32_t last =
        symbols->n > 0 ? symbols->entries[symbols->n - 1].module : 0;
    *ret = strcmp(symbols->texts + last, module) == 0 ? last : 0;
    return *ret != 0 || module[0] == '\0'
               ? 0
               : add_text(symbols, '\0', module, ret, err);
}

int
memctx_symbols_add(struct memctx_symbols *symbols,
                   const struct memctx_symbol *symbol, struct memctx_error *err)
{
    struct entry entry = {.address = symbol->address};
    char type = symbol->type != '\0' ? symbol->type : '?';
    if (symbols->n == SYMBOLS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY, "more than %u symbols",
                                SYMBOLS_MAX);
    if (add_module(symbols, symbol->module, &entry.module, err) < 0 ||
        add_text(symbols, type, symbol->name, &entry.text, err) < 0 ||
        make_room((void **)&symbols->entries, &symbols->size, symbols->n, 1,
                  sizeof(entry), err) < 0)
        return -1;
    symbols->entries[symbols->n++] = entry;
    return 0;
}

size_t
memctx_symbols_count(const struct memctx_symbols *symbols)
{
    return symbols->n;
}

struct memctx_symbol
memctx_symbols_at(const struct memctx_symbols *symbols, size_t index)
{
    const struct entry *entry = &symbols->entries[index];
    const char *text = symbols->texts + entry->text;
    return (struct memctx_symbol){entry->address, text[0], text + 1,
                                  symbols->texts + entry->module};
}

int
memctx_symbols_find(const struct memctx_symbols *symbols, const char *name,
                    struct memctx_symbol *ret)
{
    for (size_t i = 0; i < symbols->n; i++) {
        const char *text = symbols->texts + symbols->entries[i].text;
        if (strcmp(text + 1, name) == 0) {
            *ret = memctx_symbols_at(symbols, i);
            return 0;
        }
    }
    return -1;
}

int
memctx_symbols_below(const struct memctx_symbols *symbols, uint64_t address,
                     struct memctx_symbol *ret)
{
    const struct entry *best = NULL;
    for (size_t i = 0; i < symbols->n; i++) {
        const struct entry *e = &symbols->entries[i];
        if (e->address <= address &&
            (best == NULL || e->address > best->address))
            best = e;
    }
    if (best == NULL)
        return -1;
    *ret = memctx_symbols_at(symbols, (size_t)(best - symbols->entries));
    return 0;
}

void
memctx_symbols_break(struct memctx_symbols *symbols,
                     const struct memctx_error *why)
{
    symbols->broken = *why;
}

const char *
memctx_symbols_broken(const struct memctx_symbols *symbols)
{
    return symbols->broken.kind == MEMCTX_OK ? NULL : symbols->broken.message;
}

/* ---- the kernel's own ---------------------------------------------------- */

#define STEXT "_stext"
#define NO_STEXT "%" PRIu32 " kernel symbols, but no " STEXT

static int
find_tables(const struct memctx_target *target,
            struct memctx_kallsyms_tables *ret, struct memctx_error *err)
{
    struct memctx_vmcoreinfo info;
    if (memctx_vmcoreinfo_parse(target->note, target->note_len, &info, NULL) ==
            0 &&
        memctx_kallsyms_tables(&info, ret, NULL) == 0)
        return 0;
    return memctx_kallsyms_locate(target, ret, err);
}

/* Names alone; *stext is the index of _stext. */
static int
read_names(struct memctx_symbols *symbols, struct memctx_kallsyms *from,
           uint32_t *stext, struct memctx_error *err)
{
    char text[MEMCTX_KALLSYMS_TEXT_MAX];
    bool found = false;
    int got;
    /* Bounded: there are at most MEMCTX_KALLSYMS_MAX. */
    while ((got = memctx_kallsyms_next(from, text, err)) > 0) {
        const struct memctx_symbol symbol = {
            .type = text[0],
            .name = text[0] != '\0' ? text + 1 : "",
            .module = "",
        };
        if (!found && strcmp(symbol.name, STEXT) == 0) {
            *stext = (uint32_t)symbols->n;
            found = true;
        }
        if (memctx_symbols_add(symbols, &symbol, err) < 0)
            return -1;
    }
    if (got == 0 && !found)
        return memctx_error_set(err, MEMCTX_RETRY, NO_STEXT, from->n);
    return got;
}

static int
read_addresses(struct memctx_symbols *symbols,
               const struct memctx_kallsyms *from, struct memctx_error *err)
{
    uint64_t addresses[256];
    for (size_t i = 0; i < symbols->n; i += MEMCTX_ARRAY_LEN(addresses)) {
        uint32_t part =
            (uint32_t)memctx_min(MEMCTX_ARRAY_LEN(addresses), symbols->n - i);
        if (memctx_kallsyms_addresses(from, (uint32_t)i, part, addresses, err) <
            0)
            return -1;
        for (uint32_t n = 0; n < part; n++)
            symbols->entries[i + n].address = addresses[n];
    }
    return 0;
}

static int
open_tables(const struct memctx_target *target, struct memctx_kallsyms *ret,
            struct memctx_error *err)
{
    struct memctx_kallsyms_tables tables;
    return find_tables(target, &tables, err) < 0
               ? -1
               : memctx_kallsyms_init(ret, target->view.map, target->kernel,
                                      &tables, err);
}

int
memctx_symbols_read(const struct memctx_target *target,
                    struct memctx_symbols **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    struct memctx_kallsyms from;
    uint32_t stext = 0;
    if (open_tables(target, &from, err) < 0 ||
        memctx_symbols_create(&symbols, err) < 0 ||
        read_names(symbols, &from, &stext, err) < 0 ||
        memctx_kallsyms_learn(&from, stext, err) < 0 ||
        read_addresses(symbols, &from, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&symbols);
    return 0;
}

/* ---- some of them -------------------------------------------------------- */

#define NOWHERE UINT32_MAX

/* Where in the table the names are that are looked for; the last one is
 * _stext. */
struct hunt {
    const char *const *names;
    size_t n;
    uint32_t at[MEMCTX_SYMBOLS_WANTED + 1];
};

static void
match(struct hunt *hunt, const char *name, uint32_t index)
{
    if (hunt->at[hunt->n] == NOWHERE && strcmp(name, STEXT) == 0)
        hunt->at[hunt->n] = index;
    for (size_t i = 0; i < hunt->n; i++) {
        /* One character first: hardly any name gets further. */
        if (name[0] == hunt->names[i][0] && hunt->at[i] == NOWHERE &&
            strcmp(name, hunt->names[i]) == 0)
            hunt->at[i] = index;
    }
}

static int
look_through(struct hunt *hunt, struct memctx_kallsyms *from,
             struct memctx_error *err)
{
    char text[MEMCTX_KALLSYMS_TEXT_MAX];
    int got;
    for (size_t i = 0; i <= hunt->n; i++)
        hunt->at[i] = NOWHERE;
    /* Bounded: there are at most MEMCTX_KALLSYMS_MAX. */
    for (uint32_t i = 0; (got = memctx_kallsyms_next(from, text, err)) > 0; i++)
        match(hunt, text[0] != '\0' ? text + 1 : "", i);
    return got;
}

int
memctx_symbols_locate(const struct memctx_target *target,
                      const char *const *names, size_t n, uint64_t *gva,
                      struct memctx_error *err)
{
    struct hunt hunt = {.names = names, .n = n};
    struct memctx_kallsyms from;
    assert(n <= MEMCTX_SYMBOLS_WANTED);
    if (open_tables(target, &from, err) < 0 ||
        look_through(&hunt, &from, err) < 0)
        return -1;
    if (hunt.at[n] == NOWHERE)
        return memctx_error_set(err, MEMCTX_RETRY, NO_STEXT, from.n);
    if (memctx_kallsyms_learn(&from, hunt.at[n], err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        gva[i] = 0;
        if (hunt.at[i] != NOWHERE &&
            memctx_kallsyms_addresses(&from, hunt.at[i], 1, &gva[i], err) < 0)
            return -1;
    }
    return 0;
}
