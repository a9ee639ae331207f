/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A few pages that look like a Linux to the bootstrap, so that everything
 * around it can run without a guest. No kernel's bytes are used. */
#include "backing/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "guest/linux/image.h"
#include "guest/linux/vmcoreinfo.h"

#define STUB_RAM (64 * MEMCTX_MIB)
#define STUB_RELEASE "0.0.0-memctx-stub"
#define LARGE_PAGE (2 * MEMCTX_MIB)

/* Offsets of the stub's pages in its 2 MiB image, which is one large page. */
enum {
    STUB_TEXT = 0x0,
    STUB_ROOT = 0x100000,
    STUB_LEVEL3 = 0x101000,
    STUB_LEVEL2 = 0x102000,
    STUB_UTS = 0x103000,
    STUB_NOTE = 0x104000,
};

static int
put(int fd, uint64_t gpa, const void *bytes, size_t len)
{
    return pwrite(fd, bytes, len, (off_t)gpa) == (ssize_t)len ? 0 : -1;
}

static int
put_entry(int fd, uint64_t table_gpa, unsigned index, uint64_t entry)
{
    unsigned char raw[8];
    for (unsigned i = 0; i < sizeof(raw); i++)
        raw[i] = (unsigned char)(entry >> (8 * i));
    return put(fd, table_gpa + index * 8, raw, sizeof(raw));
}

/* Root -> level 3 -> level 2 -> one large page, at __START_KERNEL_map. */
static int
put_tables(int fd, uint64_t image)
{
    uint64_t table = MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE;
    if (put_entry(fd, image + STUB_ROOT, 511, (image + STUB_LEVEL3) | table) <
            0 ||
        put_entry(fd, image + STUB_LEVEL3, 510, (image + STUB_LEVEL2) | table) <
            0)
        return -1;
    return put_entry(fd, image + STUB_LEVEL2, 0,
                     image | table | MEMCTX_PTE_LARGE);
}

static int
put_uts(int fd, uint64_t image)
{
    char uts[4 + 3 * 65] = {0};
    strcpy(uts + 4, "Linux");
    strcpy(uts + 4 + 65, "stub");
    strcpy(uts + 4 + 130, STUB_RELEASE);
    return put(fd, image + STUB_UTS, uts, sizeof(uts));
}

static int
put_note(int fd, uint64_t image)
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
        gva + STUB_UTS, gva + STUB_ROOT, gva + STUB_TEXT, image);
    unsigned char header[MEMCTX_VMCOREINFO_NOTE_HEADER] = {
        11, 0, 0, 0, (unsigned char)len, (unsigned char)(len >> 8)};
    memcpy(header + 12, "VMCOREINFO", 10);
    if (put(fd, image + STUB_NOTE, header, sizeof(header)) < 0)
        return -1;
    return put(fd, image + STUB_NOTE + sizeof(header), text, (size_t)len);
}

/* 2 MiB aligned, between 2 MiB and STUB_RAM - 2 MiB, from the seed. */
static uint64_t
place_image(const char *seed)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *seed != '\0'; seed++)
        hash = (hash ^ (unsigned char)*seed) * 16777619u;
    return (1 + hash % (STUB_RAM / LARGE_PAGE - 2)) * LARGE_PAGE;
}

int
ram_from_stub(const char *seed, struct ram *ret, struct memctx_error *err)
{
    uint64_t image = place_image(seed);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = memfd_create("memctx-stub", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)STUB_RAM) < 0 ||
        put_tables(fd, image) < 0 || put_uts(fd, image) < 0 ||
        put_note(fd, image) < 0 ||
        fcntl(fd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "cannot make stub RAM: %s",
                                strerror(errno));
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (ram_from_path(path, "stub", 0, ret, err) < 0)
        return -1;
    ret->synthetic = true;
    return 0;
}
