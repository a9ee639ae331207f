/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tables, a release and a note: what the checks of proof.c ask for. */
#include "guest/linux/stub.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "guest/linux/image.h"
#include "guest/linux/vmcoreinfo.h"

#define STUB_RELEASE "0.0.0-memctx-stub"

/* Offsets of the stub's pages in its 2 MiB image, which is one large page. */
enum {
    STUB_TEXT = 0x0,
    STUB_ROOT = 0x100000,
    STUB_LEVEL3 = 0x101000,
    STUB_LEVEL2 = 0x102000,
    STUB_UTS = 0x103000,
    STUB_NOTE = 0x104000,
};

/* A stub on its way into RAM. */
struct stub {
    uint64_t image_gpa;
    memctx_stub_put_fn *put;
    void *arg;
};

static int
put(const struct stub *stub, uint64_t offset, const void *bytes, size_t len)
{
    return stub->put(stub->arg, stub->image_gpa + offset, bytes, len);
}

static int
put_entry(const struct stub *stub, uint64_t table, unsigned index,
          uint64_t entry)
{
    unsigned char raw[8];
    for (unsigned i = 0; i < sizeof(raw); i++)
        raw[i] = (unsigned char)(entry >> (8 * i));
    return put(stub, table + index * 8, raw, sizeof(raw));
}

/* Root -> level 3 -> level 2 -> one large page, at __START_KERNEL_map. */
static int
put_tables(const struct stub *stub)
{
    uint64_t image = stub->image_gpa;
    uint64_t table = MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE;
    if (put_entry(stub, STUB_ROOT, 511, (image + STUB_LEVEL3) | table) < 0 ||
        put_entry(stub, STUB_LEVEL3, 510, (image + STUB_LEVEL2) | table) < 0)
        return -1;
    return put_entry(stub, STUB_LEVEL2, 0, image | table | MEMCTX_PTE_LARGE);
}

static int
put_uts(const struct stub *stub)
{
    char uts[4 + 3 * 65] = {0};
    strcpy(uts + 4, "Linux");
    strcpy(uts + 4 + 65, "stub");
    strcpy(uts + 4 + 130, STUB_RELEASE);
    return put(stub, STUB_UTS, uts, sizeof(uts));
}

static int
put_note(const struct stub *stub)
{
    char text[512];
    uint64_t gva = MEMCTX_LINUX_IMAGE_MAP;
    int len = snprintf(
        text, sizeof(text),
        "OSRELEASE=" STUB_RELEASE "\nPAGESIZE=4096\n"
        "SYMBOL(init_uts_ns)=%" PRIx64 "\nOFFSET(uts_namespace.name)=4\n"
        "SYMBOL(swapper_pg_dir)=%" PRIx64 "\nSYMBOL(_stext)=%" PRIx64 "\n"
        "NUMBER(phys_base)=%" PRIu64 "\nNUMBER(pgtable_l5_enabled)=0\n"
        "KERNELOFFSET=0\n",
        gva + STUB_UTS, gva + STUB_ROOT, gva + STUB_TEXT, stub->image_gpa);
    unsigned char header[MEMCTX_VMCOREINFO_NOTE_HEADER] = {
        11, 0, 0, 0, (unsigned char)len, (unsigned char)(len >> 8)};
    memcpy(header + 12, "VMCOREINFO", 10);
    if (put(stub, STUB_NOTE, header, sizeof(header)) < 0)
        return -1;
    return put(stub, STUB_NOTE + sizeof(header), text, (size_t)len);
}

int
memctx_linux_stub_put(uint64_t image_gpa, memctx_stub_put_fn *put_fn, void *arg)
{
    const struct stub stub = {image_gpa, put_fn, arg};
    if (put_tables(&stub) < 0 || put_uts(&stub) < 0)
        return -1;
    return put_note(&stub);
}
