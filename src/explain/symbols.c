/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps symbols in two arrays that grow: one of addresses, one of texts. */
#include "explain/symbols.h"

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
memctx_symbols_destroy(struct memctx_symbols *symbols)
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
    memctx_symbols_destroy(*symbols);
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

bool
memctx_symbols_find(const struct memctx_symbols *symbols, const char *name,
                    struct memctx_symbol *ret)
{
    for (size_t i = 0; i < symbols->n; i++) {
        const char *text = symbols->texts + symbols->entries[i].text;
        if (strcmp(text + 1, name) == 0) {
            *ret = memctx_symbols_at(symbols, i);
            return true;
        }
    }
    return false;
}

bool
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
    if (best != NULL)
        *ret = memctx_symbols_at(symbols, (size_t)(best - symbols->entries));
    return best != NULL;
}

/* ---- as bytes ------------------------------------------------------------ */

/* How many symbols (8 bytes) and bytes of text (8); for each symbol its address
 * (8), text (4) and module (4); the texts. Little-endian. */
#define HEAD 16u
#define ENTRY 16u

static void
put_le64(struct memctx_text *text, uint64_t value)
{
    uint64_t raw = htole64(value);
    memctx_text_add_bytes(text, &raw, sizeof(raw));
}

void
memctx_symbols_encode(const struct memctx_symbols *symbols,
                      struct memctx_text *ret)
{
    put_le64(ret, symbols->n);
    put_le64(ret, symbols->texts_len);
    for (size_t i = 0; i < symbols->n; i++) {
        const struct entry *e = &symbols->entries[i];
        put_le64(ret, e->address);
        put_le64(ret, e->text | (uint64_t)e->module << 32);
    }
    memctx_text_add_bytes(ret, symbols->texts, symbols->texts_len);
}

/* They begin with an empty one, end with a NUL, and a terminal may see them. */
static bool
are_texts(const unsigned char *texts, size_t len)
{
    bool good = len > 0 && texts[0] == '\0' && texts[len - 1] == '\0';
    /* Without a way out, so that many bytes are compared at once. */
    for (size_t i = 0; i < len; i++)
        good &= ((texts[i] >= ' ') & (texts[i] <= '~')) | (texts[i] == '\0');
    return good;
}

static int
take_entry(struct memctx_symbols *symbols, const unsigned char *raw,
           struct memctx_error *err)
{
    const struct entry entry = {memctx_le64(raw), memctx_le32(raw + 8),
                                memctx_le32(raw + 12)};
    if (entry.text >= symbols->texts_len ||
        symbols->texts[entry.text] == '\0' ||
        entry.module >= symbols->texts_len)
        return memctx_error_set(err, MEMCTX_PERMANENT, "symbol %zu has no name",
                                symbols->n);
    symbols->entries[symbols->n++] = entry;
    return 0;
}

int
memctx_symbols_decode(const unsigned char *bytes, size_t len_bytes,
                      struct memctx_symbols **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    uint64_t n = len_bytes >= HEAD ? memctx_le64(bytes) : UINT64_MAX;
    uint64_t texts_len = len_bytes >= HEAD ? memctx_le64(bytes + 8) : 0;
    if (n > SYMBOLS_MAX || texts_len > TEXTS_MAX ||
        len_bytes != HEAD + n * ENTRY + texts_len ||
        !are_texts(bytes + HEAD + n * ENTRY, (size_t)texts_len))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%zu bytes that are no symbols", len_bytes);
    if (memctx_symbols_create(&symbols, err) < 0 ||
        make_room((void **)&symbols->texts, &symbols->texts_size, 0,
                  (size_t)texts_len, 1, err) < 0 ||
        make_room((void **)&symbols->entries, &symbols->size, 0, (size_t)n,
                  sizeof(struct entry), err) < 0)
        return -1;
    memcpy(symbols->texts, bytes + HEAD + n * ENTRY, (size_t)texts_len);
    symbols->texts_len = (size_t)texts_len;
    for (uint64_t i = 0; i < n; i++) {
        if (take_entry(symbols, bytes + HEAD + i * ENTRY, err) < 0)
            return -1;
    }
    *ret = memctx_steal_ptr(&symbols);
    return 0;
}

/* ---- the kernel's own ---------------------------------------------------- */

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
        if (!found && strcmp(symbol.name, "_stext") == 0) {
            *stext = (uint32_t)symbols->n;
            found = true;
        }
        if (memctx_symbols_add(symbols, &symbol, err) < 0)
            return -1;
    }
    if (got == 0 && !found)
        return memctx_error_set(
            err, MEMCTX_RETRY, "%zu kernel symbols, but no _stext", symbols->n);
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

int
memctx_symbols_read(const struct memctx_target *target,
                    struct memctx_symbols **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    struct memctx_kallsyms_tables tables;
    struct memctx_kallsyms from;
    uint32_t stext = 0;
    if (find_tables(target, &tables, err) < 0 ||
        memctx_kallsyms_init(&from, target->view.map, target->kernel, &tables,
                             err) < 0 ||
        memctx_symbols_create(&symbols, err) < 0 ||
        read_names(symbols, &from, &stext, err) < 0 ||
        memctx_kallsyms_learn(&from, stext, err) < 0 ||
        read_addresses(symbols, &from, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&symbols);
    return 0;
}
