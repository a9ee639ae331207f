/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lays out an ELF core and builds its header. */
#include "export/elfcore.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "guest/linux/image.h"
#include "paging/format.h"

/* Where extents are cut besides their ends: see cuts_of(). */
#define CUTS 3
#define PIECES_MAX (MEMCTX_EXTENTS_MAX + CUTS)

struct memctx_elfcore {
    unsigned char *header; /* owned */
    size_t header_len;
    size_t used; /* of the header so far */
    uint64_t size;
    size_t n_pieces;
    struct memctx_elfcore_piece pieces[PIECES_MAX];
};

/* What is in the notes of a machine. */
struct machine {
    uint16_t elf_machine;
    uint32_t prstatus_size; /* of struct elf_prstatus */
    bool has_qemu_note;
};

#define CR0_PAGING UINT64_C(0x80000011) /* PG, ET, PE */
#define CR4_PSE UINT64_C(0x10)
#define CR4_PAE UINT64_C(0x20)
#define CR4_LA57 UINT64_C(0x1000)

static const struct machine machines[] = {
    {EM_X86_64, 336, true},
    {EM_386, 144, true},
    {EM_AARCH64, 392, false},
};

static const struct machine *
find_machine(enum memctx_paging paging)
{
    if (paging == MEMCTX_PAGING_UNKNOWN)
        return NULL;
    uint16_t wanted = memctx_paging_format(paging)->arch->elf_machine;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(machines); i++) {
        if (machines[i].elf_machine == wanted)
            return &machines[i];
    }
    return NULL;
}

/* ---- bytes of the header ------------------------------------------------ */

/* The header was allocated as large as all that is put there. */
static void
put(struct memctx_elfcore *core, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(core->header + core->used, bytes, len);
    core->used += len;
}

static void
put_number(struct memctx_elfcore *core, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)(value >> 8 * i);
        put(core, &byte, 1);
    }
}

static size_t
padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

/* The header of a note; what follows is `len` bytes, padded. */
static void
put_note(struct memctx_elfcore *core, const char *name, uint32_t type,
         size_t len)
{
    size_t name_len = strlen(name) + 1;
    put_number(core, name_len, 4);
    put_number(core, len, 4);
    put_number(core, type, 4);
    put(core, name, name_len);
    core->used += padded(name_len) - name_len;
}

static size_t
note_size(const char *name, size_t len)
{
    return 12 + padded(strlen(name) + 1) + padded(len);
}

/* ---- notes -------------------------------------------------------------- */

/* QEMU's QEMUCPUState (target/i386/arch_dump.c): version, size, 18 registers,
 * 10 segments of 24 bytes, CR0 to CR4, kernel_gs_base. */
#define QEMU_NOTE_SIZE 440u
#define QEMU_NOTE_CR (8u + 18 * 8 + 10 * 24)

/* By what a processor of x86 knows the format of its page tables. */
static uint64_t
cr4_of(enum memctx_paging paging)
{
    const struct memctx_paging_format *format = memctx_paging_format(paging);
    if (format->entry_bytes == 4)
        return CR4_PSE;
    return format->levels == 5 ? CR4_PAE | CR4_LA57 : CR4_PAE;
}

static void
put_qemu_note(struct memctx_elfcore *core, const struct memctx_kernel *kernel)
{
    put_note(core, "QEMU", 0, QEMU_NOTE_SIZE);
    size_t start = core->used;
    put_number(core, 1, 4);
    put_number(core, QEMU_NOTE_SIZE, 4);
    core->used = start + QEMU_NOTE_CR;
    put_number(core, CR0_PAGING, 8);
    put_number(core, 0, 8);
    put_number(core, 0, 8);
    put_number(core, kernel->kcr3, 8);
    put_number(core, cr4_of(kernel->paging), 8);
    core->used = start + QEMU_NOTE_SIZE;
}

static void
put_notes(struct memctx_elfcore *core, const struct memctx_elfcore_facts *facts,
          const struct machine *machine)
{
    put_note(core, "CORE", NT_PRSTATUS, machine->prstatus_size);
    core->used += padded(machine->prstatus_size);
    if (machine->has_qemu_note)
        put_qemu_note(core, facts->kernel);
    if (facts->vmcoreinfo == NULL)
        return;
    put_note(core, "VMCOREINFO", 0, facts->vmcoreinfo_len);
    put(core, facts->vmcoreinfo, facts->vmcoreinfo_len);
    core->used += padded(facts->vmcoreinfo_len) - facts->vmcoreinfo_len;
}

static size_t
notes_size(const struct memctx_elfcore_facts *facts,
           const struct machine *machine)
{
    size_t size = note_size("CORE", machine->prstatus_size);
    if (machine->has_qemu_note)
        size += note_size("QEMU", QEMU_NOTE_SIZE);
    if (facts->vmcoreinfo != NULL)
        size += note_size("VMCOREINFO", facts->vmcoreinfo_len);
    return size;
}

/* ---- headers ------------------------------------------------------------ */

static void
put_file_header(struct memctx_elfcore *core, const struct machine *machine)
{
    static const unsigned char ident[EI_NIDENT] = {
        ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
    };
    put(core, ident, sizeof(ident));
    put_number(core, ET_CORE, 2);
    put_number(core, machine->elf_machine, 2);
    put_number(core, EV_CURRENT, 4);
    put_number(core, 0, 8);                  /* e_entry */
    put_number(core, sizeof(Elf64_Ehdr), 8); /* e_phoff */
    put_number(core, 0, 8);                  /* e_shoff */
    put_number(core, 0, 4);                  /* e_flags */
    put_number(core, sizeof(Elf64_Ehdr), 2);
    put_number(core, sizeof(Elf64_Phdr), 2);
    put_number(core, core->n_pieces + 1, 2);
    put_number(core, 0, 6); /* no section headers */
}

static void
put_program_header(struct memctx_elfcore *core, uint32_t type,
                   const struct memctx_elfcore_piece *piece)
{
    put_number(core, type, 4);
    put_number(core, 0, 4); /* p_flags */
    put_number(core, piece->offset, 8);
    put_number(core, piece->gva, 8);
    put_number(core, piece->gpa, 8);
    put_number(core, piece->size, 8);
    put_number(core, type == PT_LOAD ? piece->size : 0, 8);
    put_number(core, 0, 8); /* p_align */
}

static int
build_header(struct memctx_elfcore *core,
             const struct memctx_elfcore_facts *facts,
             const struct machine *machine, struct memctx_error *err)
{
    core->header = calloc(1, core->header_len);
    if (core->header == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    put_file_header(core, machine);
    const struct memctx_elfcore_piece notes = {
        .offset =
            sizeof(Elf64_Ehdr) + (core->n_pieces + 1) * sizeof(Elf64_Phdr),
        .size = notes_size(facts, machine),
    };
    put_program_header(core, PT_NOTE, &notes);
    for (size_t i = 0; i < core->n_pieces; i++)
        put_program_header(core, PT_LOAD, &core->pieces[i]);
    put_notes(core, facts, machine);
    return 0;
}

/* ---- layout ------------------------------------------------------------- */

/* A Linux kernel's image begins at base_gva and is linear (x86-64: arch/x86/
 * include/asm/page_64.h, __phys_addr); its root table lies in it. False: it is
 * not known where. */
static bool
find_image(const struct memctx_elfcore_facts *from,
           struct memctx_elfcore_piece *ret)
{
    const struct memctx_kernel *kernel = from->kernel;
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    uint64_t gpa =
        kernel->base_gva - MEMCTX_LINUX_IMAGE_MAP + (uint64_t)facts->phys_base;
    if (kernel->os != MEMCTX_OS_LINUX || !facts->has_phys_base ||
        kernel->base_gva < MEMCTX_LINUX_IMAGE_MAP ||
        gpa % MEMCTX_PAGE_SIZE != 0 || kernel->kcr3 <= gpa ||
        kernel->kcr3 - gpa > MEMCTX_LINUX_IMAGE_MAP_SIZE)
        return false;
    ret->gpa = gpa;
    ret->size =
        memctx_max(memctx_min(from->image_bytes, MEMCTX_LINUX_IMAGE_MAP_SIZE),
                   kernel->kcr3 - gpa + MEMCTX_PAGE_SIZE);
    ret->gva = kernel->base_gva;
    return true;
}

/* drgn takes a core whose p_paddr are all 0 for one without physical
 * addresses; so RAM that begins at 0 is cut where a PC's first MiB ends, as
 * QEMU's own dumps are. The image has ends of its own. */
static void
cuts_of(const struct memctx_elfcore_piece *image, uint64_t cuts[CUTS])
{
    cuts[0] = MEMCTX_MIB;
    cuts[1] = image->gpa;
    cuts[2] = image->gpa + image->size;
}

/* The end of the piece that begins at gpa in an extent that ends at `end`. */
static uint64_t
next_cut(uint64_t gpa, uint64_t end, const uint64_t cuts[CUTS])
{
    for (size_t i = 0; i < CUTS; i++) {
        if (cuts[i] > gpa && cuts[i] < end)
            end = cuts[i];
    }
    return end;
}

static void
cut_into_pieces(struct memctx_elfcore *core,
                const struct memctx_elfcore_facts *facts)
{
    struct memctx_elfcore_piece image = {.size = 0};
    uint64_t cuts[CUTS];
    bool has_image = find_image(facts, &image);
    cuts_of(&image, cuts);
    for (size_t i = 0; i < facts->n_extents; i++) {
        uint64_t gpa = facts->extents[i].gpa;
        uint64_t end = gpa + facts->extents[i].size;
        while (gpa < end) { /* each turn passes a cut, or ends it */
            uint64_t cut = next_cut(gpa, end, cuts);
            bool in_image = has_image && memctx_range_in(gpa, cut - gpa,
                                                         image.gpa, image.size);
            core->pieces[core->n_pieces++] = (struct memctx_elfcore_piece){
                .gpa = gpa,
                .size = cut - gpa,
                .gva = in_image ? image.gva + (gpa - image.gpa) : 0,
            };
            gpa = cut;
        }
    }
}

static int
place_pieces(struct memctx_elfcore *core,
             const struct memctx_elfcore_facts *facts,
             const struct machine *machine, struct memctx_error *err)
{
    size_t len = sizeof(Elf64_Ehdr) +
                 (core->n_pieces + 1) * sizeof(Elf64_Phdr) +
                 notes_size(facts, machine);
    core->header_len =
        (len + MEMCTX_PAGE_SIZE - 1) / MEMCTX_PAGE_SIZE * MEMCTX_PAGE_SIZE;
    core->size = core->header_len;
    for (size_t i = 0; i < core->n_pieces; i++) {
        core->pieces[i].offset = core->size;
        if (!memctx_add(core->size, core->pieces[i].size, &core->size) ||
            core->size > INT64_MAX)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "RAM does not fit a file");
    }
    return 0;
}

void
memctx_elfcore_cleanup(struct memctx_elfcore **core)
{
    memctx_elfcore_destroy(*core);
}

int
memctx_elfcore_create(const struct memctx_elfcore_facts *facts,
                      struct memctx_elfcore **ret, struct memctx_error *err)
{
    const struct machine *machine = find_machine(facts->kernel->paging);
    if (machine == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no ELF machine for this kernel's paging");
    if (facts->n_extents > MEMCTX_EXTENTS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%zu extents, at most %u fit an ELF core",
                                facts->n_extents, MEMCTX_EXTENTS_MAX);
    MEMCTX_CLEANUP(memctx_elfcore_cleanup)
    struct memctx_elfcore *core = calloc(1, sizeof(*core));
    if (core == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    cut_into_pieces(core, facts);
    if (place_pieces(core, facts, machine, err) < 0 ||
        build_header(core, facts, machine, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&core);
    return 0;
}

void
memctx_elfcore_destroy(struct memctx_elfcore *core)
{
    if (core == NULL)
        return;
    free(core->header);
    free(core);
}

const unsigned char *
memctx_elfcore_header(const struct memctx_elfcore *core, size_t *len_bytes)
{
    *len_bytes = core->header_len;
    return core->header;
}

uint64_t
memctx_elfcore_size(const struct memctx_elfcore *core)
{
    return core->size;
}

const struct memctx_elfcore_piece *
memctx_elfcore_pieces(const struct memctx_elfcore *core, size_t *count)
{
    *count = core->n_pieces;
    return core->pieces;
}
