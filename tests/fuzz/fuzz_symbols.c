/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All symbols of a kernel whose tables nobody names, so that they are found by
 * what they hold, with any bytes in them. The input is changes (changes.h). */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "changes.h"
#include "charged.h"
#include "cost.h"
#include "explain/symbols.h"
#include "tableimg.h"

#define RAM (128 * MEMCTX_MIB)
#define TABLES UINT64_C(0x400000) /* from _text */
#define IMAGE (6 * MEMCTX_MIB)

struct built {
    struct fuzz_guest guest;
    struct guestimg_kernel kernel;
};

static void
add_places(struct built *built, const struct tableimg *tables)
{
    const size_t at[] = {
        tables->offsets,      tables->base,        tables->num_syms,
        tables->names,        tables->last_name,   tables->markers,
        tables->markers + 40, tables->token_table, tables->token_table + 0x60,
        tables->token_index};
    built->guest.n_places = MEMCTX_ARRAY_LEN(at);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(at); i++)
        built->guest.places[i] = built->kernel.text_gpa + TABLES + at[i];
}

static const struct built *
build(void)
{
    static struct built built;
    static struct tableimg tables;
    struct guestimg img;
    if (built.guest.ram != NULL) {
        memram_rewind(built.guest.ram);
        return &built;
    }
    built.kernel = guestimg_kernel();
    guestimg_init(&img, RAM, RAM);
    guestimg_add_kernel(&img, &built.kernel);
    tableimg_init(&tables, built.kernel.text_gva);
    guestimg_write(&img, built.kernel.text_gpa + TABLES, tables.bytes,
                   tables.used);
    built.guest.ram = memram_create(&img);
    guestimg_deinit(&img);
    add_places(&built, &tables);
    built.guest.tables_gpa = built.kernel.root_gpa;
    built.guest.entry_bytes = 8;
    return &built;
}

/* Whoever wrote it, a terminal may see it. */
static void
check(const struct memctx_symbols *symbols)
{
    for (size_t i = 0; i < memctx_symbols_count(symbols); i++) {
        struct memctx_symbol symbol = memctx_symbols_at(symbols, i);
        FUZZ_MUST(symbol.type > ' ' - 1 && symbol.type <= '~');
        for (const char *c = symbol.name; *c != '\0'; c++)
            FUZZ_MUST(*c >= ' ' && *c <= '~');
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    const struct built *built = build();
    const struct memctx_kernel kernel = {.kcr3 = built->kernel.root_gpa,
                                         .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                         .base_gva = built->kernel.text_gva,
                                         .size_bytes = IMAGE};
    struct memctx_symbols *symbols = NULL;
    struct memctx_target target;
    struct memctx_work work;
    char note[128];
    snprintf(note, sizeof(note),
             "OSRELEASE=5.10.0\nSYMBOL(_stext)=%" PRIx64 "\n",
             built->kernel.text_gva);
    fuzz_change(&built->guest, 0, data, size);
    struct memctx_rammap *map = memram_rammap(built->guest.ram, 4 * MEMCTX_GIB);
    struct fuzz_cost cost = fuzz_cost_begin(built->guest.ram, FUZZ_STEPS);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &kernel, note, strlen(note));
    if (memctx_symbols_read(&target, &symbols, NULL) == 0)
        check(symbols);
    fuzz_cost_end(&cost);
    memctx_symbols_free(symbols);
    memctx_rammap_destroy(map);
}
