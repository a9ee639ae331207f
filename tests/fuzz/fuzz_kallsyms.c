/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel's symbol tables with any bytes in them. The input is 7 offsets of 4
 * bytes into a region of 1 MiB, one for each key, and what stands there. */
#include "fuzz.h"

#include <string.h>

#include "charged.h"
#include "cost.h"
#include "guest/linux/kallsyms.h"

#define RAM (128 * MEMCTX_MIB)
#define REGION MEMCTX_MIB
#define REGION_AT UINT64_C(0x900000) /* from _text, in the built image */

static const enum memctx_vmcoreinfo_key keys[] = {
    MEMCTX_VMCI_KALLSYMS_NAMES,
    MEMCTX_VMCI_KALLSYMS_NUM_SYMS,
    MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE,
    MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX,
    MEMCTX_VMCI_KALLSYMS_OFFSETS,
    MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE,
    MEMCTX_VMCI_STEXT};

#define HEAD (4 * MEMCTX_ARRAY_LEN(keys))

static struct memram *
ram_with_kernel(struct guestimg_kernel *kernel)
{
    static struct memram *ram;
    static struct guestimg_kernel built;
    struct guestimg img;
    if (ram == NULL) {
        built = guestimg_kernel();
        guestimg_init(&img, RAM, RAM);
        guestimg_add_kernel(&img, &built);
        ram = memram_create(&img);
        guestimg_deinit(&img);
    }
    *kernel = built;
    memram_rewind(ram);
    return ram;
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static const char *const clocks[] = {"jiffies_64", "jiffies", NULL};
    static const char *const panics[] = {"panic_cpu", NULL};
    struct memctx_kallsym symbols[] = {{.names = clocks}, {.names = panics}};
    struct guestimg_kernel built;
    struct memctx_vmcoreinfo info = {.release = "6.1.0"};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (size < HEAD)
        return;
    struct memram *ram = ram_with_kernel(&built);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        info.has |= UINT64_C(1) << keys[i];
        info.value[keys[i]] = built.text_gva + REGION_AT +
                              memctx_le32(data + 4 * i) % (4 * REGION);
    }
    memram_write(ram, built.text_gpa + REGION_AT, data + HEAD,
                 memctx_min(size - HEAD, REGION));
    struct memctx_rammap *map = memram_rammap(ram, 4 * MEMCTX_GIB);
    const struct memctx_kernel kernel = {.paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                         .kcr3 = built.root_gpa};
    struct memctx_work work;
    struct fuzz_cost cost = fuzz_cost_begin(ram, FUZZ_STEPS);
    charge_map(&map, &work, FUZZ_STEPS);
    if (memctx_linux_kallsyms_find(map, &kernel, &info, symbols, 2, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    fuzz_cost_end(&cost);
    memctx_rammap_destroy(map);
}
