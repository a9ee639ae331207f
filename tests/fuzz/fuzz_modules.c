/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Modules of which bytes were changed (changes.h), and their symbols. The first
 * byte picks the age of the kernel. */
#include "fuzz.h"

#include <string.h>

#include "charged.h"
#include "cost.h"
#include "explain/modules.h"
#include "explguest.h"
#include "moduleimg.h"

#define MODULES 4u
#define AGES 3u

static struct memctx_btf *
types_of(unsigned age)
{
    static struct memctx_btf *made[AGES];
    static struct btfimg img;
    if (made[age] == NULL) {
        btfimg_init(&img);
        moduleimg_types(&img, (enum moduleimg_age)age);
        made[age] = btfimg_open(&img);
    }
    return made[age];
}

static void
build(const struct explimg *x)
{
    char name[16];
    moduleimg_init(x);
    for (unsigned i = 0; i < MODULES; i++) {
        snprintf(name, sizeof(name), "module%u", i);
        moduleimg_add(x, i, name);
    }
    moduleimg_use(x, 0, 1, 0);
    moduleimg_use(x, 1, 2, 0);
    moduleimg_use(x, 2, 3, 1);
}

static int
take(void *arg, const struct memctx_module_symbol *symbol,
     struct memctx_error *err)
{
    (void)arg;
    (void)err;
    FUZZ_MUST(symbol->name[0] != '\0' && strlen(symbol->name) < 512);
    return 0;
}

static void
check(struct memctx_target *target, const struct memctx_modules *modules)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (size_t i = 0; i < modules->n; i++) {
        const struct memctx_module *module = &modules->module[i];
        FUZZ_MUST(module->state < MEMCTX_MODULE_STATES);
        FUZZ_MUST(strlen(module->name) < MEMCTX_MODULE_NAME_MAX);
        FUZZ_MUST(module->first_user + module->n_users <= modules->n_users);
        FUZZ_MUST(memctx_modules_find(modules, module->gva) != NULL);
        if (memctx_module_symbols(target, modules, module, take, NULL, &err) <
            0)
            FUZZ_MUST(err.kind == MEMCTX_RETRY || err.kind == MEMCTX_PERMANENT);
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static struct explguest kept;
    struct memctx_target target;
    struct memctx_modules modules;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_work work;
    if (size == 0)
        return;
    explguest_rewind(&kept, build);
    fuzz_change(&kept.guest, 0, data + 1, size - 1);
    struct memctx_rammap *map = memram_rammap(kept.guest.ram, 4 * MEMCTX_GIB);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &kept.x.kernel, NULL, 0);
    struct fuzz_cost cost = fuzz_cost_begin(kept.guest.ram, FUZZ_STEPS);
    if (memctx_modules_read(&target, types_of(data[0] % AGES),
                            moduleimg_head(&kept.x), &modules, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    check(&target, &modules);
    fuzz_cost_end(&cost);
    memctx_modules_deinit(&modules);
    memctx_rammap_destroy(map);
}
