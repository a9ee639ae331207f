/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds jiffies_64 by its name or, where there are no names, words that look
 * like it where it should be. */
#include "guest/linux/clock.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "guest/linux/kallsyms.h"
#include "guest/linux/note.h"
#include "guest/linux/root.h"

/* jiffies_64 begins one, but on kernels for one CPU (kernel/time/timer.c). */
#define CACHE_LINE 64u

#define CHUNK (64 * MEMCTX_KIB)
#define HZ_MAX 1000u
#define JIFFIES_MIN (UINT64_C(0x100000000) - 300 * HZ_MAX)
#define JIFFIES_MAX (JIFFIES_MIN + (UINT64_C(1) << 37)) /* 4 years at 1000 */

/* Up for less than 50 days at 1000. Two words of 32 bits often look like a
 * clock that has run for longer: they come last. */
#define JIFFIES_YOUNG (UINT64_C(1) << 33)

/* Where to look for jiffies_64 if it has no name. */
struct field {
    uint64_t gpa;   /* the first chunk has it */
    uint64_t end;   /* no chunk begins below */
    uint32_t below; /* so many chunks below that one, */
    uint32_t above; /* and so many from it on upwards */
    uint32_t align; /* of the word, in bytes */
};

/* x86-64: near the root, which is in .data, too. On i386 the root is in .bss,
 * and .data, which ends before all that the kernel frees after it came up, is
 * up to 2.3 MiB below (Debian's 5.10 and 6.1). */
static struct field
field_around(const struct memctx_kernel *kernel)
{
    bool i386 = kernel->paging == MEMCTX_PAGING_X86_PAE ||
                kernel->paging == MEMCTX_PAGING_X86_2LEVEL;
    return (struct field){kernel->kcr3, 0, i386 ? 64 : 8, 8, 8};
}

/* aarch64 without a note, which would tell where init_uts_ns is. */
static struct field
field_above(uint64_t root_gpa)
{
    return (struct field){root_gpa, 0, 0, 384, 64};
}

/* aarch64: the root is in .rodata. jiffies_64 is at the beginning of .data,
 * among what is aligned to cache lines (RW_DATA in
 * include/asm-generic/vmlinux.lds.h), so below init_uts_ns: 57 KiB on 5.10,
 * 2.4 MiB on 6.1. Between the root and .data is .init only. */
static struct field
field_below(uint64_t uts_gpa, uint64_t root_gpa)
{
    return (struct field){uts_gpa, root_gpa - root_gpa % CHUNK, 256, 1, 64};
}

/* Where the n-th chunk is: the first, the one below, the one above, the second
 * below, ... False when it is not all RAM, or too far. */
static bool
locate_chunk(const struct memctx_rammap *map, const struct field *field,
             uint32_t n, uint64_t *gpa)
{
    bool below = n % 2 == 1;
    uint32_t nth = (n + 1) / 2;
    uint64_t distance = nth * CHUNK;
    uint64_t base = field->gpa - field->gpa % CHUNK;
    if (below ? base < distance || nth > field->below : nth >= field->above)
        return false;
    *gpa = below ? base - distance : base + distance;
    return *gpa >= field->end && memctx_rammap_contains(map, *gpa, CHUNK);
}

static bool
is_jiffies(uint64_t value)
{
    return value >= JIFFIES_MIN && value < JIFFIES_MAX;
}

/* Clocks on their way: young ones grow from the beginning of the array, old
 * ones from its end. Where they meet the old one farthest from the first chunk
 * goes.
 */
struct haul {
    struct memctx_clocks *clocks;
    size_t n_young;
    size_t n_old;
};

static bool
is_full(const struct haul *c)
{
    return c->n_young + c->n_old == MEMCTX_CLOCKS_MAX;
}

static void
keep_young(struct haul *c, const struct memctx_clock *clock)
{
    if (is_full(c) && c->n_old == 0)
        return;
    if (is_full(c))
        c->n_old--;
    c->clocks->clock[c->n_young++] = *clock;
}

static void
keep_old(struct haul *c, const struct memctx_clock *clock)
{
    if (!is_full(c))
        c->clocks->clock[MEMCTX_CLOCKS_MAX - ++c->n_old] = *clock;
}

static void
collect(struct haul *c, const unsigned char *bytes, uint64_t gpa,
        uint32_t align)
{
    for (uint32_t i = 0; i < CHUNK; i += align) {
        struct memctx_clock clock = {gpa + i, memctx_le64(bytes + i)};
        if (clock.value >= JIFFIES_MIN && clock.value < JIFFIES_YOUNG)
            keep_young(c, &clock);
        else if (is_jiffies(clock.value))
            keep_old(c, &clock);
    }
}

/* The old ones behind the young, those nearest to the first chunk first. */
static void
join(const struct haul *c)
{
    struct memctx_clock *end = &c->clocks->clock[MEMCTX_CLOCKS_MAX];
    for (size_t i = 0; i < c->n_old / 2; i++) {
        struct memctx_clock saved = *(end - c->n_old + i);
        *(end - c->n_old + i) = *(end - 1 - i);
        *(end - 1 - i) = saved;
    }
    memmove(&c->clocks->clock[c->n_young], end - c->n_old,
            c->n_old * sizeof(*end));
    c->clocks->n = c->n_young + c->n_old;
}

/* kernel/panic.c: the number of the CPU that panics, PANIC_CPU_INVALID before
 * (include/linux/panic.h, since 4.5; an atomic_t, so 32 bits). */
#define PANIC_CPU_INVALID UINT32_MAX
#define PANIC_CPU_MAX 8192u /* NR_CPUS is at most that */

/* Where `symbol` is in RAM, and its first `size` bytes. */
static int
read_symbol(const struct memctx_rammap *map, const struct memctx_kernel *kernel,
            const struct memctx_kallsym *symbol, uint64_t *gpa, void *raw,
            size_t size, struct memctx_error *err)
{
    struct memctx_walk walk;
    if (!symbol->found)
        return memctx_error_set(err, MEMCTX_RETRY, "no kernel symbol %s",
                                symbol->names[0]);
    if (memctx_paging_walk(map, kernel->paging, kernel->kcr3, symbol->gva,
                           &walk, err) < 0)
        return -1;
    *gpa = walk.gpa;
    return memctx_rammap_read(map, walk.gpa, raw, size, err);
}

/* 0: the kernel does not say. */
static uint64_t
find_panic_word(const struct memctx_rammap *map,
                const struct memctx_kernel *kernel,
                const struct memctx_kallsym *symbol)
{
    unsigned char raw[4];
    uint64_t gpa;
    if (read_symbol(map, kernel, symbol, &gpa, raw, sizeof(raw), NULL) < 0)
        return 0;
    uint32_t cpu = memctx_le32(raw);
    bool good = cpu == PANIC_CPU_INVALID || cpu < PANIC_CPU_MAX;
    return good && gpa % 4 == 0 ? gpa : 0;
}

/* By the symbol table of the kernel itself. jiffies and jiffies_64 are one on
 * 64 bits (arch/x86/kernel/vmlinux.lds.S, and that of arm64). */
static int
find_by_name(const struct memctx_rammap *map,
             const struct memctx_kernel *kernel,
             const struct memctx_vmcoreinfo *info, struct memctx_clocks *ret,
             struct memctx_error *err)
{
    static const char *const clocks[] = {"jiffies_64", "jiffies", NULL};
    static const char *const panics[] = {"panic_cpu", NULL};
    struct memctx_kallsym symbols[] = {{.names = clocks}, {.names = panics}};
    struct memctx_clock *clock = &ret->clock[0];
    unsigned char raw[8];
    if (memctx_linux_kallsyms_find(map, kernel, info, symbols,
                                   MEMCTX_ARRAY_LEN(symbols), err) < 0 ||
        read_symbol(map, kernel, &symbols[0], &clock->gpa, raw, sizeof(raw),
                    err) < 0)
        return -1;
    clock->value = memctx_le64(raw);
    if (symbols[0].gva % 8 != 0 || !is_jiffies(clock->value))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "jiffies at gva %#" PRIx64 " is %#" PRIx64,
                                symbols[0].gva, clock->value);
    ret->n = 1;
    ret->panic_gpa = find_panic_word(map, kernel, &symbols[1]);
    return 0;
}

/* By their values. */
static int
find_by_value(const struct memctx_rammap *map, const struct field *field,
              struct memctx_clocks *ret, struct memctx_error *err)
{
    unsigned char chunk[CHUNK];
    struct haul found = {.clocks = ret};
    uint32_t n_chunks = 2 * (uint32_t)memctx_max(field->below, field->above);
    for (uint32_t n = 0; n <= n_chunks; n++) {
        uint64_t gpa;
        if (!locate_chunk(map, field, n, &gpa))
            continue;
        if (memctx_rammap_read(map, gpa, chunk, CHUNK, err) < 0)
            return -1;
        collect(&found, chunk, gpa, field->align);
    }
    join(&found);
    return 0;
}

int
memctx_linux_clocks(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel,
                    struct memctx_clocks *ret, struct memctx_error *err)
{
    struct memctx_vmcoreinfo info;
    struct field field = field_around(kernel);
    struct memctx_walk uts;
    bool is_note;
    size_t size;
    ret->per_second = HZ_MAX;
    ret->least = JIFFIES_MIN;
    ret->panic_gpa = 0;
    ret->likely_align = CACHE_LINE;
    ret->n = 0;
    /* A kernel that was found by its shape has no note. */
    bool has_note = memctx_linux_note_read(map, kernel->clue_gpa, &info,
                                           &is_note, &size, NULL) == 0;
    if (has_note && find_by_name(map, kernel, &info, ret, NULL) == 0)
        return 0;
    if (has_note && memctx_linux_is_aarch64(&info)) {
        if (memctx_paging_walk(map, kernel->paging, kernel->kcr3,
                               info.value[MEMCTX_VMCI_UTS], &uts, err) < 0)
            return memctx_error_prefix(err, "init_uts_ns");
        field = field_below(uts.gpa, kernel->kcr3);
    }
    if (!has_note && kernel->linux_facts.has_kimage_voffset)
        field = field_above(kernel->kcr3);
    return find_by_value(map, &field, ret, err);
}
