/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Boot RAM is one line of bytes, cell behind cell; it is cut in two at the
 * split. Memory devices have their own region behind it. */
#include "qemu/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "qemu/machine.h"

/* AMD's HyperTransport hole is [1012 GiB, 1 TiB) (AMD_HT_START in QEMU's
 * hw/i386/pc.c). */
#define AMD_HOLE UINT64_C(0xfd00000000)
#define TIB (1024 * MEMCTX_GIB)

/* No guest has more: 2^52 is the most that x86 and ARM can address. */
#define RAM_MAX (UINT64_C(1) << 52)

/* A layout on its way. */
struct plan {
    const struct memctx_memconf *conf;
    struct memctx_machine machine;
    struct memctx_layout *layout;
};

static int
add_backend(struct plan *p, const char *id, uint64_t size, bool is_device,
            struct memctx_error *err)
{
    struct memctx_layout *l = p->layout;
    if (size == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the size of memory backend '%s' is not known",
                                id);
    if (size > RAM_MAX || l->n_backends == MEMCTX_BACKENDS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memory backend '%s' of %#" PRIx64
                                " bytes: more RAM than a guest can have",
                                id, size);
    for (size_t i = 0; i < l->n_backends; i++) {
        if (strcmp(l->backends[i].id, id) == 0)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "memory backend '%s' is used twice", id);
    }
    struct memctx_layout_backend *backend = &l->backends[l->n_backends++];
    snprintf(backend->id, sizeof(backend->id), "%s", id);
    backend->size = size;
    backend->is_device = is_device;
    return 0;
}

static int
by_node(const void *a, const void *b)
{
    const struct memctx_cell *x = a;
    const struct memctx_cell *y = b;
    if (x->node == y->node)
        return 0;
    return x->node < y->node ? -1 : 1;
}

/* One backend for each cell, in the order of node ids. */
static int
add_cells(struct plan *p, struct memctx_error *err)
{
    struct memctx_cell cells[MEMCTX_CELLS_MAX];
    size_t n = p->conf->n_cells;
    uint64_t total = 0;
    memcpy(cells, p->conf->cells, n * sizeof(cells[0]));
    qsort(cells, n, sizeof(cells[0]), by_node);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && cells[i].node == cells[i - 1].node)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "two NUMA cells have id %u", cells[i].node);
        if (add_backend(p, cells[i].backend, cells[i].size, false, err) < 0)
            return -1;
        total += cells[i].size;
    }
    if (total != p->conf->ram_bytes)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "NUMA cells have %#" PRIx64
                                " bytes, RAM has %#" PRIx64,
                                total, p->conf->ram_bytes);
    return 0;
}

static int
add_boot_backends(struct plan *p, struct memctx_error *err)
{
    const struct memctx_memconf *conf = p->conf;
    if (conf->ram_bytes == 0 && conf->doubt[0] != '\0')
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the size of RAM is not known: it may be in "
                                "'%s', which cannot be read here",
                                conf->doubt);
    if (conf->ram_bytes == 0 || conf->ram_bytes > RAM_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%#" PRIx64 " bytes of RAM: the size is not "
                                "known, or more than a guest can have",
                                conf->ram_bytes);
    if (conf->n_cells > 0)
        return add_cells(p, err);
    const char *id = conf->boot_backend[0] != '\0' ? conf->boot_backend
                                                   : p->machine.default_ram;
    return add_backend(p, id, conf->ram_bytes, false, err);
}

/* Append [from, from + size) of the line of boot RAM at gpa, in as many
 * extents as backends hold it. */
static void
add_boot_piece(struct memctx_layout *l, uint64_t from, uint64_t size,
               uint64_t gpa)
{
    uint64_t start = 0;
    for (size_t i = 0; i < l->n_backends && size > 0; i++) {
        uint64_t end = start + l->backends[i].size;
        if (from < end) {
            uint64_t part = memctx_min(size, end - from);
            l->extents[l->n_extents++] =
                (struct memctx_extent){gpa, part, from - start, (unsigned)i};
            gpa += part;
            from += part;
            size -= part;
        }
        start = end;
    }
}

static uint64_t
device_base(const struct plan *p, uint64_t above)
{
    const struct memctx_memconf *conf = p->conf;
    uint64_t end = p->machine.low == NULL
                       ? p->machine.base + conf->ram_bytes
                       : above + (conf->ram_bytes - p->layout->low);
    return memctx_round_up(end, MEMCTX_GIB);
}

static uint64_t
device_room(const struct plan *p)
{
    const struct memctx_memconf *conf = p->conf;
    if (!p->machine.memory_devices || conf->max_memory_bytes <= conf->ram_bytes)
        return 0;
    uint64_t slots = memctx_min(conf->slots, MEMCTX_MEMDEVS_MAX);
    return memctx_min(conf->max_memory_bytes, RAM_MAX) - conf->ram_bytes +
           (p->machine.slot_room ? slots * MEMCTX_GIB : 0);
}

/* Would RAM, the room for devices, or the PCI hole behind them touch AMD's
 * hole if RAM went on at 4 GiB? (pc_max_used_gpa in QEMU's hw/i386/pc.c) */
static bool
reaches_amd_hole(const struct plan *p)
{
    uint64_t hole = p->conf->has_pci_hole64 ? p->conf->pci_hole64_bytes
                                            : p->machine.pci_hole64;
    uint64_t end = memctx_round_up(
        device_base(p, 4 * MEMCTX_GIB) + device_room(p), MEMCTX_GIB);
    return memctx_min(hole, RAM_MAX) + end - 1 >= AMD_HOLE;
}

static void
choose_above(struct plan *p, enum memctx_layout_choice choice)
{
    bool certain;
    enum memctx_vendor vendor = memctx_memconf_vendor(p->conf, &certain);
    bool moves = vendor == MEMCTX_VENDOR_AMD;
    struct memctx_layout *l = p->layout;
    l->above = 4 * MEMCTX_GIB;
    if (p->machine.moves == MEMCTX_MOVES_NEVER || !reaches_amd_hole(p) ||
        (certain && !moves))
        return;
    l->doubtful = !certain || p->machine.moves == MEMCTX_MOVES_MAYBE;
    if (l->doubtful && choice == MEMCTX_LAYOUT_OTHER)
        moves = !moves;
    if (moves)
        l->above = TIB;
}

static void
place_boot(struct plan *p, enum memctx_layout_choice choice)
{
    struct memctx_layout *l = p->layout;
    uint64_t ram = p->conf->ram_bytes;
    l->low = ram;
    if (p->machine.low != NULL)
        l->low = p->machine.low(ram, p->conf->max_ram_below_4g);
    choose_above(p, choice);
    add_boot_piece(l, 0, l->low, p->machine.base);
    add_boot_piece(l, l->low, ram - l->low, l->above);
}

/* Where a device of this size fits first from `gpa` on. Extents are sorted;
 * bounded by their number: each turn moves behind one. */
static uint64_t
first_fit(const struct memctx_layout *l, uint64_t gpa, uint64_t size,
          uint64_t align)
{
    gpa = memctx_round_up(gpa, align);
    for (size_t i = 0; i < l->n_extents; i++) {
        const struct memctx_extent *e = &l->extents[i];
        if (e->gpa < gpa + size && gpa < e->gpa + e->size)
            gpa = memctx_round_up(e->gpa + e->size, align);
    }
    return gpa;
}

static int
insert_extent(struct memctx_layout *l, const struct memctx_extent *extent,
              struct memctx_error *err)
{
    size_t at = 0;
    while (at < l->n_extents && l->extents[at].gpa < extent->gpa)
        at++;
    const struct memctx_extent *before = at > 0 ? &l->extents[at - 1] : NULL;
    if ((before != NULL && before->gpa + before->size > extent->gpa) ||
        (at < l->n_extents && extent->gpa + extent->size > l->extents[at].gpa))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memory device '%s' at gpa %#" PRIx64
                                " overlaps other RAM",
                                l->backends[extent->backend].id, extent->gpa);
    if (l->n_extents == MEMCTX_EXTENTS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d pieces of RAM",
                                MEMCTX_EXTENTS_MAX);
    memmove(&l->extents[at + 1], &l->extents[at],
            (l->n_extents - at) * sizeof(l->extents[0]));
    l->extents[at] = *extent;
    l->n_extents++;
    return 0;
}

/* What its backend is aligned to. Domain XML does not tell it, and has sizes
 * of 2 MiB multiples only; NVDIMMs are files. */
static uint64_t
alignment(const struct memctx_memdev *device)
{
    uint64_t align = device->align;
    bool power = align != 0 && (align & (align - 1)) == 0;
    if (power && align <= TIB)
        return align;
    return device->model == MEMCTX_MEMDEV_NVDIMM ? MEMCTX_PAGE_SIZE
                                                 : 2 * MEMCTX_MIB;
}

/* How much of it the guest sees: not the label of an NVDIMM, nor what is left
 * of it behind the last multiple of the alignment (QEMU's hw/mem/nvdimm.c). */
static uint64_t
visible_size(const struct memctx_memdev *device)
{
    uint64_t size = device->size - memctx_min(device->size, device->label_size);
    if (device->model == MEMCTX_MEMDEV_NVDIMM)
        size -= size % alignment(device);
    return size;
}

static int
place_device(struct plan *p, const struct memctx_memdev *device,
             struct memctx_error *err)
{
    struct memctx_layout *l = p->layout;
    if (!device->has_gpa && !p->machine.memory_devices)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "where machine type '%.40s' puts memory device "
                                "'%s' is not known",
                                p->conf->machine, device->id);
    if (add_backend(p, device->backend, device->size, true, err) < 0)
        return -1;
    uint64_t align =
        p->machine.aligns_devices ? alignment(device) : MEMCTX_PAGE_SIZE;
    uint64_t size = visible_size(device);
    uint64_t gpa = device->gpa;
    if (!device->has_gpa)
        gpa = first_fit(l, device_base(p, l->above), size, align);
    uint64_t end;
    if (size == 0 || !memctx_add(gpa, size, &end) || end > RAM_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memory device '%s' at gpa %#" PRIx64
                                " is empty, or beyond what a guest can address",
                                device->id, gpa);
    struct memctx_extent extent = {gpa, size, 0, (unsigned)l->n_backends - 1};
    return insert_extent(l, &extent, err);
}

/* Those that have a place of their own, or those that have none. */
static int
place_devices(struct plan *p, bool have_gpa, struct memctx_error *err)
{
    const struct memctx_memconf *conf = p->conf;
    for (size_t i = 0; i < conf->n_memdevs; i++) {
        if (conf->memdevs[i].has_gpa == have_gpa &&
            place_device(p, &conf->memdevs[i], err) < 0)
            return -1;
    }
    return 0;
}

static int
compute(struct plan *p, enum memctx_layout_choice choice,
        struct memctx_error *err)
{
    const struct memctx_memconf *conf = p->conf;
    if (!memctx_machine_find(conf->arch, conf->machine, &p->machine))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the RAM layout of machine type '%.40s' is not "
                                "known; pc, q35, isapc, microvm, and virt of "
                                "ARM and RISC-V are",
                                conf->machine);
    if (add_boot_backends(p, err) < 0)
        return -1;
    place_boot(p, choice);
    /* QEMU put devices without a place where the others left room, in whichever
     * order they came. */
    if (place_devices(p, true, err) < 0)
        return -1;
    return place_devices(p, false, err);
}

int
memctx_layout_compute(const struct memctx_memconf *conf,
                      enum memctx_layout_choice choice,
                      struct memctx_layout *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_layout *layout = calloc(1, sizeof(*layout));
    if (layout == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    struct plan plan = {.conf = conf, .layout = layout};
    if (compute(&plan, choice, err) < 0)
        return -1;
    *ret = *layout;
    return 0;
}
