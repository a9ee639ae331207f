/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The rules of each machine family, as a table. Sources: QEMU's
 * hw/i386/pc_piix.c, pc_q35.c, pc.c and microvm.c, hw/arm/virt.c,
 * hw/riscv/virt.c; compared with info mtree of QEMU 5.2, 7.2 and 10.0. */
#include "qemu/machine.h"

#include <limits.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

#define LIMIT_OF_PC UINT64_C(0xe0000000)

/* Where no QEMU is there to ask, search/split.c has the outcome of these rules.
 * pc-i440fx-2.0 and later align the split to 1 GiB when RAM reaches it. */
static uint64_t
low_of_pc(uint64_t ram, uint64_t max4)
{
    uint64_t limit = max4 != 0 ? max4 : LIMIT_OF_PC;
    if (ram >= limit)
        limit = memctx_min(limit, UINT64_C(0xc0000000));
    return memctx_min(ram, limit);
}

static uint64_t
low_of_old_pc(uint64_t ram, uint64_t max4)
{
    return memctx_min(ram, max4 != 0 ? max4 : LIMIT_OF_PC);
}

/* max-ram-below-4g can only lower it. */
static uint64_t
low_of_q35(uint64_t ram, uint64_t max4)
{
    uint64_t limit = ram >= UINT64_C(0xb0000000) ? UINT64_C(0x80000000)
                                                 : UINT64_C(0xb0000000);
    if (max4 != 0)
        limit = memctx_min(limit, max4);
    return memctx_min(ram, limit);
}

static uint64_t
low_of_microvm(uint64_t ram, uint64_t max4)
{
    (void)max4;
    return memctx_min(ram, UINT64_C(0xc0000000));
}

#define PC(low_, hole_, moves_)                                         \
    {                                                                   \
        .default_ram = "pc.ram", .low = (low_), .memory_devices = true, \
        .aligns_devices = true, .slot_room = true,                      \
        .pci_hole64 = (hole_)*MEMCTX_GIB, .moves = (moves_)             \
    }
#define OLD_PC                                        \
    {                                                 \
        .default_ram = "pc.ram", .low = low_of_old_pc \
    }
#define ARM                                                               \
    {                                                                     \
        .default_ram = "mach-virt.ram", .base = MEMCTX_GIB,               \
        .memory_devices = true, .aligns_devices = true, .slot_room = true \
    }

/* First match counts. A name that ends in '-' or '.' is a prefix of many.
 * Proxmox adds "+pve0" and the like to any name, which its QEMU cuts off. */
static const struct family {
    enum memctx_arch arch;
    const char *name;
    struct memctx_machine machine;
} families[] = {
    {MEMCTX_ARCH_X86, "", PC(low_of_pc, 2, MEMCTX_MOVES)},
    {MEMCTX_ARCH_X86, "pc", PC(low_of_pc, 2, MEMCTX_MOVES)},
    {MEMCTX_ARCH_X86, "q35", PC(low_of_q35, 32, MEMCTX_MOVES)},
    {MEMCTX_ARCH_X86, "pc-q35-", PC(low_of_q35, 32, MEMCTX_MOVES_MAYBE)},
    {MEMCTX_ARCH_X86, "pc-i440fx-1.", OLD_PC},
    {MEMCTX_ARCH_X86, "pc-i440fx-", PC(low_of_pc, 2, MEMCTX_MOVES_MAYBE)},
    {MEMCTX_ARCH_X86, "pc-1.", OLD_PC},
    {MEMCTX_ARCH_X86, "pc-0.", OLD_PC},
    {MEMCTX_ARCH_X86,
     "isapc",
     {.default_ram = "pc.ram", .low = low_of_old_pc, .moves = MEMCTX_MOVES}},
    {MEMCTX_ARCH_X86,
     "microvm",
     {.default_ram = "microvm.ram", .low = low_of_microvm}},
    {MEMCTX_ARCH_ARM, "virt", ARM},
    {MEMCTX_ARCH_ARM, "virt-", ARM},
    {MEMCTX_ARCH_RISCV,
     "virt",
     {.default_ram = "riscv_virt_board.ram", .base = 2 * MEMCTX_GIB}},
    {MEMCTX_ARCH_RISCV,
     "virt-",
     {.default_ram = "riscv_virt_board.ram", .base = 2 * MEMCTX_GIB}},
};

static bool
is_name(const char *name, const char *machine)
{
    size_t len = strlen(name);
    bool prefix = len > 0 && (name[len - 1] == '-' || name[len - 1] == '.');
    if (strncmp(machine, name, len) != 0)
        return false;
    return prefix || machine[len] == '\0' || (len > 0 && machine[len] == '+');
}

/* What changed with the version that is the last part of upstream's names;
 * distributions' ("pc-q35-rhel9.4.0", "pc-i440fx-jammy") do not tell it. */
static void
apply_version(const char *name, struct memctx_machine *machine)
{
    uint64_t major;
    uint64_t minor;
    const char *last = strrchr(name, '-');
    if (last == NULL)
        return;
    last++;
    if (!memctx_number_take(&last, 10, UINT_MAX, &major) || *last != '.')
        return;
    last++;
    if (!memctx_number_take(&last, 10, UINT_MAX, &minor))
        return;
    unsigned version = memctx_min(major, 9999) * 1000 + memctx_min(minor, 999);
    if (machine->moves == MEMCTX_MOVES_MAYBE)
        machine->moves = version >= 7001 ? MEMCTX_MOVES : MEMCTX_MOVES_NEVER;
    /* enforce_aligned_dimm came with 2.2. */
    if (machine->base == 0 && version < 2002) {
        machine->aligns_devices = false;
        machine->slot_room = false;
    }
}

bool
memctx_machine_find(enum memctx_arch arch, const char *name,
                    struct memctx_machine *ret)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(families); i++) {
        const struct family *family = &families[i];
        bool any = arch == MEMCTX_ARCH_UNKNOWN;
        if ((any ? name[0] == '\0' : family->arch != arch) ||
            !is_name(family->name, name))
            continue;
        *ret = family->machine;
        apply_version(name, ret);
        return true;
    }
    return false;
}
