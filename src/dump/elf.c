/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* ELF cores of guest memory: those of QEMU's dump-guest-memory, of memctx core,
 * of /proc/vmcore. Of a program header p_paddr is a guest-physical address; of
 * more than p_filesz bytes nothing is known. */
#include <elf.h>
#include <inttypes.h>

#include "base/bytes.h"
#include "dump/forms.h"

/* Kernels' cores have one for each range of memory, and a note. */
#define HEADERS_MAX 4096

/* Where in the two classes the fields are that are read here. */
struct layout {
    unsigned phoff;
    unsigned phentsize;
    unsigned phnum;
    unsigned shoff;
    unsigned sh_info; /* in a section header */
    unsigned size;    /* of a program header, */
    unsigned offset;  /* and in it */
    unsigned vaddr;
    unsigned paddr;
    unsigned filesz;
    bool wide;
};

static const struct layout layout_32 = {
    .phoff = offsetof(Elf32_Ehdr, e_phoff),
    .phentsize = offsetof(Elf32_Ehdr, e_phentsize),
    .phnum = offsetof(Elf32_Ehdr, e_phnum),
    .shoff = offsetof(Elf32_Ehdr, e_shoff),
    .sh_info = offsetof(Elf32_Shdr, sh_info),
    .size = sizeof(Elf32_Phdr),
    .offset = offsetof(Elf32_Phdr, p_offset),
    .vaddr = offsetof(Elf32_Phdr, p_vaddr),
    .paddr = offsetof(Elf32_Phdr, p_paddr),
    .filesz = offsetof(Elf32_Phdr, p_filesz),
};

static const struct layout layout_64 = {
    .phoff = offsetof(Elf64_Ehdr, e_phoff),
    .phentsize = offsetof(Elf64_Ehdr, e_phentsize),
    .phnum = offsetof(Elf64_Ehdr, e_phnum),
    .shoff = offsetof(Elf64_Ehdr, e_shoff),
    .sh_info = offsetof(Elf64_Shdr, sh_info),
    .size = sizeof(Elf64_Phdr),
    .offset = offsetof(Elf64_Phdr, p_offset),
    .vaddr = offsetof(Elf64_Phdr, p_vaddr),
    .paddr = offsetof(Elf64_Phdr, p_paddr),
    .filesz = offsetof(Elf64_Phdr, p_filesz),
    .wide = true,
};

static uint64_t
load(const struct layout *layout, const unsigned char *at)
{
    return layout->wide ? memctx_le64(at) : memctx_le32(at);
}

/* A dump whose machine is not ours is of no use: no search knows it. */
static const struct layout *
check_ident(const unsigned char *header, struct memctx_error *err)
{
    if (header[EI_DATA] != ELFDATA2LSB ||
        (header[EI_CLASS] != ELFCLASS32 && header[EI_CLASS] != ELFCLASS64)) {
        memctx_error_set(err, MEMCTX_PERMANENT,
                         "an ELF file of class %u and byte order %u; expected "
                         "a little-endian one of 32 or 64 bits",
                         header[EI_CLASS], header[EI_DATA]);
        return NULL;
    }
    unsigned type = memctx_le16(header + offsetof(Elf64_Ehdr, e_type));
    if (type != ET_CORE) {
        memctx_error_set(err, MEMCTX_PERMANENT,
                         "an ELF file of type %u; expected a core of guest "
                         "memory (type %u), as \"virsh dump --memory-only\" "
                         "writes it",
                         type, ET_CORE);
        return NULL;
    }
    return header[EI_CLASS] == ELFCLASS64 ? &layout_64 : &layout_32;
}

/* More than 65534 are told in the first section header (gABI). */
static int
count_headers(const struct memctx_rammap *file, const struct layout *layout,
              const unsigned char *header, uint64_t *ret,
              struct memctx_error *err)
{
    unsigned char info[4];
    *ret = memctx_le16(header + layout->phnum);
    if (*ret == PN_XNUM) {
        uint64_t at;
        if (!memctx_add(load(layout, header + layout->shoff), layout->sh_info,
                        &at) ||
            memctx_rammap_read(file, at, info, sizeof(info), err) < 0)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "an ELF core whose first section header "
                                    "is not in the file");
        *ret = memctx_le32(info);
    }
    if (*ret > HEADERS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "an ELF core with %" PRIu64
                                " program headers; expected at most %u",
                                *ret, HEADERS_MAX);
    return 0;
}

/* Of the loadable ones; of a process' core none has a physical address. */
struct loads {
    size_t n;
    bool physical;
};

static int
take_header(const struct memctx_rammap *file, const struct layout *layout,
            uint64_t at, struct loads *loads, struct memctx_dump_pieces *pieces,
            struct memctx_error *err)
{
    unsigned char header[sizeof(Elf64_Phdr)];
    if (memctx_rammap_read(file, at, header, layout->size, err) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "truncated: an ELF core whose program header "
                                "at %#" PRIx64 " is not in the file",
                                at);
    if (memctx_le32(header) != PT_LOAD)
        return 0;
    uint64_t paddr = load(layout, header + layout->paddr);
    loads->n++;
    loads->physical = loads->physical || paddr != 0 ||
                      load(layout, header + layout->vaddr) == 0;
    return memctx_dump_add_piece(
        pieces, paddr, load(layout, header + layout->filesz),
        load(layout, header + layout->offset), memctx_rammap_size(file), err);
}

int
memctx_dump_read_elf(const struct memctx_rammap *file,
                     struct memctx_dump_pieces *pieces,
                     struct memctx_error *err)
{
    unsigned char header[sizeof(Elf64_Ehdr)];
    struct loads loads = {.n = 0};
    uint64_t n;
    if (memctx_rammap_read(file, 0, header, sizeof(header), err) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "truncated: an ELF file without a header");
    const struct layout *layout = check_ident(header, err);
    if (layout == NULL || count_headers(file, layout, header, &n, err) < 0)
        return -1;
    if (memctx_le16(header + layout->phentsize) != layout->size)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "an ELF core with program headers of %u "
                                "bytes; expected %u",
                                memctx_le16(header + layout->phentsize),
                                layout->size);
    uint64_t first = load(layout, header + layout->phoff);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at;
        if (!memctx_add(first, i * layout->size, &at) ||
            take_header(file, layout, at, &loads, pieces, err) < 0)
            return -1;
    }
    if (loads.n > 0 && !loads.physical)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a core of a process, without physical "
                                "addresses; expected one of guest memory, as "
                                "\"virsh dump --memory-only\" writes it");
    return 0;
}
