/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The header of an ELF core of guest-physical memory, and where in the file
 * which memory is. Pure: it reads no memory.
 *
 * The file is ELF64, little-endian, of type ET_CORE, as QEMU's
 * dump-guest-memory makes it without paging: p_paddr is a guest-physical
 * address, p_vaddr is 0. Only a Linux kernel's image (x86-64), from its
 * beginning to its _end, has its p_vaddr, as in /proc/vmcore: drgn up to 0.0.22
 * needs it to begin walking, and gdb reads nothing else. Notes: NT_PRSTATUS of
 * one CPU, all zero; on x86 a "QEMU" note with CR0, CR3 and CR4 of the kernel's
 * page tables and nothing else; VMCOREINFO where there is one. */
#ifndef MEMCTX_ELFCORE_H
#define MEMCTX_ELFCORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "ram/rammap.h"

/* What the core is made of; all of it is the caller's. */
struct memctx_elfcore_facts {
    const struct memctx_kernel *kernel;
    const struct memctx_extent *extents; /* in order of gpa */
    size_t n_extents;
    uint64_t image_bytes;   /* of memctx_linux_image_bytes(); 0: not known, and
                               its root table is taken for the end */
    const char *vmcoreinfo; /* NULL: there is none */
    size_t vmcoreinfo_len;  /* bytes */
};

/* [offset, offset + size) of the file is guest memory from gpa on. */
struct memctx_elfcore_piece {
    uint64_t offset;
    uint64_t gpa;
    uint64_t size;
    uint64_t gva; /* p_vaddr */
};

struct memctx_elfcore;

/* 0 and *ret, which the caller destroys; or -1 with PERMANENT: no ELF machine
 * for this paging, more than MEMCTX_EXTENTS_MAX extents, or a size that does
 * not fit; EXHAUSTED: out of memory. */
int memctx_elfcore_create(const struct memctx_elfcore_facts *facts,
                          struct memctx_elfcore **ret,
                          struct memctx_error *err);
void memctx_elfcore_destroy(struct memctx_elfcore *core); /* NULL is fine */
void memctx_elfcore_cleanup(struct memctx_elfcore **core);

/* What the file begins with; a multiple of a page. */
const unsigned char *memctx_elfcore_header(const struct memctx_elfcore *core,
                                           size_t *len_bytes);

/* Size of the file in bytes. */
uint64_t memctx_elfcore_size(const struct memctx_elfcore *core);

/* The memory behind the header, in order of offset and of gpa, without a gap
 * in the file. */
const struct memctx_elfcore_piece *memctx_elfcore_pieces(
    const struct memctx_elfcore *core, size_t *count);

#endif
