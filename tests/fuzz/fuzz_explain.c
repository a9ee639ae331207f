/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All that a kernel says of itself (talkimg.h), of which bytes were changed
 * (changes.h), as commands and libmemctx ask for it. The first byte picks what
 * is asked for. */
#include "fuzz.h"

#include <string.h>

#include "changes.h"
#include "charged.h"
#include "cost.h"
#include "explain/explain.h"
#include "talkimg.h"

#define RAM (128 * MEMCTX_MIB)

struct built {
    struct fuzz_guest guest;
    struct guestimg_kernel kernel;
};

static const struct built *
build(void)
{
    static struct built built;
    struct guestimg img;
    if (built.guest.ram != NULL) {
        memram_rewind(built.guest.ram);
        return &built;
    }
    built.kernel = guestimg_kernel();
    guestimg_init(&img, RAM, RAM);
    talkimg_add(&img, &built.kernel);
    built.guest.ram = memram_create(&img);
    guestimg_deinit(&img);
    built.guest.n_places = TALKIMG_PLACES;
    talkimg_places(&built.kernel, built.guest.places);
    built.guest.tables_gpa = built.kernel.root_gpa;
    built.guest.entry_bytes = 8;
    return &built;
}

static void
check_sentence(const char *why)
{
    for (; why != NULL && *why != '\0'; why++)
        FUZZ_MUST(*why >= ' ' && *why <= '~');
}

static void
use_processes(struct memctx_target *target)
{
    const struct memctx_process_info *process;
    struct memctx_process_list *list;
    uint64_t before = 0;
    if (memctx_explain_processes(target, &list, NULL) < 0)
        return;
    for (size_t i = 0; (process = memctx_process_list_at(list, i)) != NULL;
         i++) {
        FUZZ_MUST(i == 0 || process->pid > before);
        FUZZ_MUST(strlen(process->name) < 64);
        before = process->pid;
    }
    check_sentence(memctx_process_list_broken(list));
    memctx_process_list_free(list);
}

static void
use_modules(struct memctx_target *target)
{
    const struct memctx_module_info *module;
    struct memctx_module_list *list;
    if (memctx_explain_modules(target, &list, NULL) < 0)
        return;
    for (size_t i = 0; (module = memctx_module_list_at(list, i)) != NULL; i++) {
        FUZZ_MUST(strlen(module->name) < 64 && module->state[0] != '\0');
        for (size_t n = 0; n < module->n_users; n++)
            FUZZ_MUST(strlen(module->users[n]) < 64);
    }
    check_sentence(memctx_module_list_broken(list));
    memctx_module_list_free(list);
}

static void
use_stat(struct memctx_target *target)
{
    static const char *const keys[] = {"hostname",  "kernel",   "command_line",
                                       "mem_total", "panicked", "processes",
                                       "oopsed",    "no such"};
    struct memctx_stat *stat;
    if (memctx_explain_stat(target, &stat, NULL) < 0)
        return;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        uint64_t number;
        const char *text = memctx_stat_text(stat, keys[i]);
        FUZZ_MUST(text == NULL || strlen(text) < MEMCTX_COMMAND_LINE_MAX);
        memctx_stat_number(stat, keys[i], &number);
    }
    check_sentence(memctx_stat_broken(stat));
    memctx_stat_free(stat);
}

#define SOUGHT 32 /* symbols, about */

/* Whoever wrote it, a terminal may see it. */
static void
use_symbols(struct memctx_target *target)
{
    struct memctx_symbols *symbols;
    struct memctx_symbol symbol;
    if (memctx_explain_symbols(target, &symbols, NULL) < 0)
        return;
    size_t n = memctx_symbols_count(symbols);
    for (size_t i = 0; i < n; i++) {
        symbol = memctx_symbols_at(symbols, i);
        FUZZ_MUST(symbol.type >= ' ' && symbol.type <= '~');
        check_sentence(symbol.name);
        check_sentence(symbol.module);
        /* Each of these looks at all. */
        if (i % (n / SOUGHT + 1) != 0)
            continue;
        FUZZ_MUST(memctx_symbols_find(symbols, symbol.name, &symbol) == 0);
        FUZZ_MUST(memctx_symbols_below(symbols, symbol.address, &symbol) == 0);
    }
    memctx_symbols_find(symbols, "", &symbol);
    check_sentence(memctx_symbols_broken(symbols));
    memctx_symbols_free(symbols);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static void (*const uses[])(struct memctx_target * target) = {
        use_processes, use_modules, use_stat, use_symbols};
    const struct built *built = build();
    struct memctx_target target;
    struct memctx_work work;
    if (size == 0)
        return;
    const struct memctx_kernel kernel = {.os = MEMCTX_OS_LINUX,
                                         .kcr3 = built->kernel.root_gpa,
                                         .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                         .base_gva = built->kernel.text_gva,
                                         .size_bytes = built->kernel.end_gpa -
                                                       built->kernel.text_gpa};
    fuzz_change(&built->guest, 0, data + 1, size - 1);
    struct memctx_rammap *map = memram_rammap(built->guest.ram, 4 * MEMCTX_GIB);
    struct fuzz_cost cost = fuzz_cost_begin(built->guest.ram, FUZZ_STEPS);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &kernel, built->kernel.text,
                       built->kernel.text_len);
    uses[data[0] % MEMCTX_ARRAY_LEN(uses)](&target);
    fuzz_cost_end(&cost);
    memctx_rammap_destroy(map);
}
