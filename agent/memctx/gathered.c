/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads all of it before any is used: the kernel must still be the same at the
 * end. */
#include "memctx/gathered.h"

#include "base/bytes.h"
#include "explain/btfread.h"

/* Looking through an image, and copying types. */
#define STEPS (UINT64_C(1) << 22)

void
gathered_deinit(struct gathered *gathered)
{
    memctx_btf_destroy(gathered->btf);
    memctx_symbols_free(gathered->symbols);
    *gathered = (struct gathered)GATHERED_INIT;
}

static int
read_types(struct memctx_target *target, struct gathered *ret,
           struct memctx_error *err)
{
    const struct memctx_landmarks none = {{0}};
    return memctx_btf_take(target, &none, &ret->btf, err);
}

static int
read_symbols(struct memctx_target *target, struct gathered *ret,
             struct memctx_error *err)
{
    return memctx_symbols_read(target, &ret->symbols, err);
}

/* Symbols, if they were read, say where it is. */
static int
read_banner(struct memctx_target *target, struct gathered *ret,
            struct memctx_error *err)
{
    struct memctx_symbol symbol = {.address = 0};
    if (ret->symbols != NULL)
        memctx_symbols_find(ret->symbols, "linux_banner", &symbol);
    if (memctx_banner_read(target, symbol.address, &ret->banner, err) < 0)
        return -1;
    ret->has_banner = true;
    return 0;
}

static int
read_taskfields(struct memctx_target *target, struct gathered *ret,
                struct memctx_error *err)
{
    if (memctx_taskfields_read(target, &ret->tasks, err) < 0)
        return -1;
    ret->has_tasks = true;
    return 0;
}

static int
read_base(struct memctx_target *target, struct gathered *ret,
          struct memctx_error *err)
{
    const struct memctx_kernel *kernel = target->kernel;
    struct memctx_walk walk;
    if (memctx_paging_walk(target->view.map, kernel->paging, kernel->kcr3,
                           kernel->base_gva, &walk, err) < 0)
        return -1;
    ret->base_gpa = walk.gpa;
    return 0;
}

typedef int gather_fn(struct memctx_target *target, struct gathered *ret,
                      struct memctx_error *err);

/* Each after those that it makes use of. */
static const struct {
    unsigned want;
    bool linux_only;
    gather_fn *read;
} parts[] = {
    {MEMCTX_EXPORT_TYPES, true, read_types},
    {MEMCTX_EXPORT_SYMBOLS, true, read_symbols},
    {MEMCTX_EXPORT_BANNER, true, read_banner},
    {MEMCTX_EXPORT_TASKFIELDS, true, read_taskfields},
    {MEMCTX_EXPORT_BASE, false, read_base},
};

static int
read_parts(struct memctx_target *target, unsigned needs, unsigned wants,
           struct gathered *ret, struct memctx_error *err)
{
    bool is_linux = target->kernel->os == MEMCTX_OS_LINUX;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(parts); i++) {
        if ((wants & parts[i].want) == 0 || (parts[i].linux_only && !is_linux))
            continue;
        bool needed = (needs & parts[i].want) != 0;
        if (parts[i].read(target, ret, needed ? err : NULL) < 0 && needed)
            return -1;
    }
    return 0;
}

int
gathered_read(struct explained *explained, unsigned needs, unsigned wants,
              struct gathered *ret, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, STEPS, err) < 0)
        return -1;
    int result = read_parts(&explained->target, needs, wants, ret, &why);
    return explained_end(explained, result, &why, err);
}

void
gathered_put(const struct gathered *gathered,
             struct memctx_export_subject *subject)
{
    subject->btf = gathered->btf;
    subject->symbols = gathered->symbols;
    subject->banner = gathered->has_banner ? &gathered->banner : NULL;
    subject->tasks = gathered->has_tasks ? &gathered->tasks : NULL;
    subject->base_gpa = gathered->base_gpa;
}
