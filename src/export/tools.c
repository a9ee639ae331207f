/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tools that are told by their arguments: crash, MemProcFS, memflow. Each
 * prints what a shell can take. */
#include "export/format.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "guest/linux/vmcoreinfo.h"
#include "paging/format.h"

/* ---- crash -------------------------------------------------------------- */

/* What more it is told of a paging. */
const memctx_export_words memctx_export_crash_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "",
    [MEMCTX_PAGING_X86_64_5LEVEL] = " -m vm=5level",
    [MEMCTX_EXPORT_AARCH64] = "",
};

/* crash takes files that lie in guest-physical memory from their first byte to
 * their last (its ramdump.c), so a backing that the split cuts does not fit. */
static int
check_whole_files(const struct memctx_export_subject *subject,
                  struct memctx_error *err)
{
    for (size_t i = 0; i < subject->n_extents; i++) {
        const struct memctx_extent *e = &subject->extents[i];
        for (size_t j = 0; j < i; j++) {
            if (subject->extents[j].backend == e->backend)
                return memctx_error_set(
                    err, MEMCTX_PERMANENT,
                    "crash takes a file in one piece, and the one with "
                    "%#" PRIx64 " continues at %#" PRIx64 ": use memctx core",
                    subject->extents[j].gpa, e->gpa);
        }
        if (e->offset != 0)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "crash takes a file from its beginning, "
                                    "and %#" PRIx64 " is at %#" PRIx64
                                    " of one: use memctx core",
                                    e->gpa, e->offset);
        if (strpbrk(subject->paths[e->backend], ",@") != NULL)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "crash takes no path with a comma or an @");
    }
    return 0;
}

/* From 5.4 on the direct map is the lower half of the kernel's addresses and
 * the image is in the upper one; before it was the other way round (Linux
 * 14c127c957c1). With 52 bits the halves are those of 48. */
static bool
has_image_above(const struct memctx_kernel *kernel)
{
    unsigned bits = memctx_paging_format(kernel->paging)->va_bits;
    return (kernel->base_gva >> ((bits < 48 ? bits : 48) - 1) & 1) != 0;
}

/* Without VMCOREINFO, of which there is none beside a RAM file, crash cannot
 * tell where an aarch64 kernel's image and direct map are (its arm64.c). */
static int
add_aarch64(const struct memctx_export_subject *subject,
            struct memctx_text *text, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    struct memctx_vmcoreinfo info;
    if (subject->vmcoreinfo == NULL || !facts->has_kimage_voffset ||
        memctx_vmcoreinfo_parse(subject->vmcoreinfo, subject->vmcoreinfo_len,
                                &info, NULL) < 0 ||
        !memctx_vmcoreinfo_has(&info, MEMCTX_VMCI_PHYS_OFFSET))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "crash wants the kimage_voffset and the "
                                "PHYS_OFFSET of VMCOREINFO, which are not "
                                "known: use memctx core");
    memctx_text_add(
        text, " -m kimage_voffset=" MEMCTX_HEX " -m phys_offset=" MEMCTX_HEX,
        facts->kimage_voffset, info.value[MEMCTX_VMCI_PHYS_OFFSET]);
    if (has_image_above(kernel))
        memctx_text_add(text, " -m vabits_actual=%u",
                        memctx_paging_format(kernel->paging)->va_bits);
    return 0;
}

static void
add_x86(const struct memctx_kernel *kernel, struct memctx_text *text)
{
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    if (facts->has_phys_base)
        memctx_text_add(text, " -m phys_base=" MEMCTX_HEX,
                        (uint64_t)facts->phys_base);
    memctx_text_add(text, "%s", memctx_export_crash_words[kernel->paging]);
}

/* A RAM file that nobody runs in is no live system: crash then makes an ELF
 * header of its own, and may keep what it has read. So it must be with aarch64:
 * on another machine crash takes no live one. */
static int
add_files(const struct memctx_export_subject *subject, bool arm,
          struct memctx_text *text, struct memctx_error *err)
{
    struct memctx_text words = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *word = NULL;
    memctx_text_add(&words, "%s",
                    subject->domain != NULL && !arm ? "live:" : "");
    for (size_t i = 0; i < subject->n_extents; i++) {
        const struct memctx_extent *e = &subject->extents[i];
        memctx_text_add(&words, "%s%s@" MEMCTX_HEX, i > 0 ? "," : "",
                        subject->paths[e->backend], e->gpa);
    }
    if (memctx_text_take(&words, &word, err) < 0)
        return -1;
    memctx_text_add(text, " ");
    memctx_text_add_shell(text, word);
    memctx_text_add(text, "\n");
    return 0;
}

/* --kaslr 0 is said, too, on aarch64: it would look for one otherwise. */
int
memctx_export_crash(const struct memctx_export_subject *subject,
                    struct memctx_text *text, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    bool arm =
        memctx_paging_format(kernel->paging)->arch->elf_machine == EM_AARCH64;
    if (check_whole_files(subject, err) < 0)
        return -1;
    memctx_export_add_head(
        subject, "its vmlinux with debugging information, as an argument",
        text);
    memctx_text_add(text, "crash");
    if (facts->has_kaslr_offset && (facts->kaslr_offset != 0 || arm))
        memctx_text_add(text, " --kaslr " MEMCTX_HEX, facts->kaslr_offset);
    if (!arm)
        add_x86(kernel, text);
    else if (add_aarch64(subject, text, err) < 0)
        return -1;
    return add_files(subject, arm, text, err);
}

/* ---- MemProcFS ---------------------------------------------------------- */

/* What its -memmap-str holds (vmm.h: szMemMapStr), with the NUL, and its
 * -device (vmmdll_core.c). */
#define MEMMAP_MAX 2048
#define DEVICE_MAX 260

const memctx_export_words memctx_export_memprocfs_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "x64",
    [MEMCTX_PAGING_X86_PAE] = "x86pae",
    [MEMCTX_PAGING_X86_2LEVEL] = "x86",
};

/* An offset of 0 means "as the address" unless the top bit is set
 * (leechcore.h: LC_MEMMAP_FORCE_OFFSET). Comments would break its parser, and
 * so would an address that begins with two zeros. */
static void
add_memmap(const struct memctx_export_subject *subject,
           struct memctx_text *text)
{
    for (size_t i = 0; i < subject->n_extents; i++) {
        const struct memctx_extent *e = &subject->extents[i];
        memctx_text_add(text, "%s%" PRIx64 " %" PRIx64, i > 0 ? "\n" : "",
                        e->gpa, e->gpa + e->size - 1);
        if (e->offset != e->gpa)
            memctx_text_add(text, " %" PRIx64,
                            e->offset != 0 ? e->offset : UINT64_C(1) << 63);
    }
}

int
memctx_export_memprocfs(const struct memctx_export_subject *subject,
                        struct memctx_text *text, struct memctx_error *err)
{
    struct memctx_text words = MEMCTX_TEXT_INIT;
    enum memctx_paging paging = subject->datum->kernel.paging;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *map = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *device = NULL;
    if (!memctx_export_is_one_file(subject))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "MemProcFS takes one file, and this RAM is in "
                                "several: use memctx core");
    const char *path = subject->paths[subject->extents[0].backend];
    if (strpbrk(path, ",;=") != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "MemProcFS takes no path with , ; or =");
    memctx_text_add(&words, "file://file=%s%s", path,
                    subject->domain != NULL ? ",volatile=1" : "");
    if (memctx_text_take(&words, &device, err) < 0)
        return -1;
    add_memmap(subject, &words);
    if (memctx_text_take(&words, &map, err) < 0)
        return -1;
    if (strlen(map) >= MEMMAP_MAX || strlen(device) >= DEVICE_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "MemProcFS takes a path of %d and a map of "
                                "%d bytes: use memctx core",
                                DEVICE_MAX, MEMMAP_MAX);
    memctx_export_add_head(subject,
                           subject->datum->kernel.os == MEMCTX_OS_WINDOWS
                               ? "-mount DIR; symbols of this PDB, for some of "
                                 "what it shows"
                               : "-mount DIR; it shows memory of a Linux only",
                           text);
    memctx_text_add(text, "memprocfs -device ");
    memctx_text_add_shell(text, device);
    memctx_text_add(text, " -memmap-str ");
    memctx_text_add_shell(text, map);
    memctx_text_add(text, " -dtb " MEMCTX_HEX " -arch %s\n",
                    subject->datum->kernel.kcr3,
                    memctx_export_memprocfs_words[paging]);
    return 0;
}

/* ---- memflow ------------------------------------------------------------ */

const memctx_export_words memctx_export_memflow_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "x64",
    [MEMCTX_PAGING_X86_PAE] = "x32_pae",
    [MEMCTX_PAGING_X86_2LEVEL] = "x32",
};

/* Its words are plugin:target:arguments, split at colons outside of quotes.
 * Numbers of win32 are hex without 0x: any other is passed over in silence, and
 * so is the root unless architecture and hint stand beside it. */
int
memctx_export_memflow(const struct memctx_export_subject *subject,
                      struct memctx_text *text, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    const char *path = subject->paths[subject->extents[0].backend];
    if (!memctx_export_is_flat(subject))
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "memflow's rawmem takes one file in which every offset is the "
            "address, and this RAM is laid out otherwise: what does are "
            "volatility3, memprocfs (of one file), and memctx core");
    if (strpbrk(path, ":\"'`\\") != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memflow takes no path with a colon, a quote "
                                "or a backslash");
    struct memctx_text words = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *connector = NULL;
    memctx_text_add(&words, "rawmem:%s:base=0x0", path);
    if (memctx_text_take(&words, &connector, err) < 0)
        return -1;
    memctx_export_add_head(subject, "its plugins rawmem and win32", text);
    memctx_text_add(text, "MEMFLOW_CONNECTOR=");
    memctx_text_add_shell(text, connector);
    memctx_text_add(text,
                    "\nMEMFLOW_OS='win32::arch=%s,dtb=%" PRIx64
                    ",kernel_hint=%" PRIx64 "'\n",
                    memctx_export_memflow_words[kernel->paging], kernel->kcr3,
                    kernel->base_gva);
    return 0;
}
