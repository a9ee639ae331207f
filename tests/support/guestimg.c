/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest RAM from code instead of dumps: a test says only what differs. */
#include "guestimg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/linux/image.h"
#include "guest/linux/vmcoreinfo.h"

#define LARGE_PAGE (2 * MEMCTX_MIB)

/* Where things lie in the image of a kernel, in bytes from _text. */
#define IMAGE_CODE (4 * MEMCTX_MIB) /* what is mapped as code */
#define IMAGE_ROOT UINT64_C(0x800000)
#define IMAGE_LEVEL4 UINT64_C(0x801000) /* level4_kernel_pgt, if 5 levels */
#define IMAGE_LEVEL3 UINT64_C(0x802000)
#define IMAGE_LEVEL2 UINT64_C(0x803000)
#define IMAGE_UTS UINT64_C(0x804180)
#define IMAGE_BSS UINT64_C(0xa00030)
#define IMAGE_SIZE (12 * MEMCTX_MIB)

#define LINK_TEXT UINT64_C(0xffffffff81000000)
#define DIRECT_MAP_4 UINT64_C(0xffff888000000000)
#define DIRECT_MAP_5 UINT64_C(0xff11000000000000)

static void
must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

void
guestimg_init(struct guestimg *ret, uint64_t size, uint64_t low)
{
    ret->fd = memfd_create("guestimg", MFD_CLOEXEC);
    must(ret->fd >= 0, "memfd_create");
    ret->size = size;
    ret->low = memctx_min(low, size);
    ret->base_gpa = 0;
    ret->free_gpa = MEMCTX_MIB;
    guestimg_truncate(ret, size);
}

void
guestimg_init_at(struct guestimg *ret, uint64_t size, uint64_t base_gpa)
{
    guestimg_init(ret, size, size);
    ret->base_gpa = base_gpa;
    ret->free_gpa += base_gpa;
}

void
guestimg_deinit(struct guestimg *img)
{
    close(img->fd);
    img->fd = -1;
}

int
guestimg_open(const struct guestimg *img)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", img->fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, path);
    return fd;
}

struct memctx_rammap *
guestimg_rammap(const struct guestimg *img, const struct memctx_backend_io *io)
{
    struct memctx_rammap *map;
    unsigned backend;
    must(memctx_rammap_create(&map, NULL) == 0, "memctx_rammap_create");
    must(memctx_rammap_add_backend(map, "ram", guestimg_open(img), io, &backend,
                                   NULL) == 0,
         "memctx_rammap_add_backend");
    struct memctx_extent below = {img->base_gpa, img->low, 0, backend};
    struct memctx_extent above = {4 * MEMCTX_GIB, img->size - img->low,
                                  img->low, backend};
    must(memctx_rammap_add_extent(map, &below, NULL) == 0, "low extent");
    must(above.size == 0 || memctx_rammap_add_extent(map, &above, NULL) == 0,
         "high extent");
    return map;
}

struct guestimg_faults *
guestimg_faults(void)
{
    static struct guestimg_faults faults;
    return &faults;
}

static ssize_t
read_at_faulty(const struct memctx_source *source, void *buf, size_t len_bytes,
               uint64_t offset)
{
    struct guestimg_faults *faults = guestimg_faults();
    faults->reads++;
    if (faults->fail_from != 0 && faults->reads >= faults->fail_from) {
        errno = EIO;
        return -1;
    }
    return pread(source->fd, buf, len_bytes, (off_t)offset);
}

static int
next_data_all(const struct memctx_source *source, uint64_t offset,
              uint64_t limit, uint64_t *start, uint64_t *end)
{
    (void)source;
    *start = offset;
    *end = limit;
    return 1;
}

const struct memctx_backend_io guestimg_faulty_io = {
    .read_at = read_at_faulty,
    .next_data = next_data_all,
};

uint64_t
guestimg_offset(const struct guestimg *img, uint64_t gpa)
{
    if (img->base_gpa != 0) {
        must(memctx_range_in(gpa, 1, img->base_gpa, img->size),
             "a gpa of the test is no RAM");
        return gpa - img->base_gpa;
    }
    uint64_t offset =
        gpa < 4 * MEMCTX_GIB ? gpa : gpa - 4 * MEMCTX_GIB + img->low;
    must((gpa >= 4 * MEMCTX_GIB || gpa < img->low) && offset < img->size,
         "a gpa of the test is no RAM");
    return offset;
}

void
guestimg_write(const struct guestimg *img, uint64_t gpa, const void *bytes,
               size_t len_bytes)
{
    ssize_t n =
        pwrite(img->fd, bytes, len_bytes, (off_t)guestimg_offset(img, gpa));
    must(n == (ssize_t)len_bytes, "pwrite");
}

void
guestimg_write_le64(const struct guestimg *img, uint64_t gpa, uint64_t value)
{
    unsigned char raw[8];
    for (int i = 0; i < 8; i++)
        raw[i] = (unsigned char)(value >> (8 * i));
    guestimg_write(img, gpa, raw, sizeof(raw));
}

uint64_t
guestimg_read_le64(const struct guestimg *img, uint64_t gpa)
{
    unsigned char raw[8];
    ssize_t n =
        pread(img->fd, raw, sizeof(raw), (off_t)guestimg_offset(img, gpa));
    must(n == (ssize_t)sizeof(raw), "pread");
    return memctx_le64(raw);
}

void
guestimg_touch(const struct guestimg *img, uint64_t gpa, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += MEMCTX_PAGE_SIZE)
        guestimg_write(img, gpa + at, "x", 1);
}

void
guestimg_punch(const struct guestimg *img, uint64_t gpa, uint64_t size)
{
    must(fallocate(img->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                   (off_t)guestimg_offset(img, gpa), (off_t)size) == 0,
         "fallocate");
}

void
guestimg_truncate(const struct guestimg *img, uint64_t size)
{
    must(ftruncate(img->fd, (off_t)size) == 0, "ftruncate");
}

uint64_t
guestimg_blocks(const struct guestimg *img)
{
    struct stat st;
    must(fstat(img->fd, &st) == 0, "fstat");
    return (uint64_t)st.st_blocks;
}

static int
level_shift(const struct guestimg_space *space, int level)
{
    return 12 + (space->levels == 2 ? 10 : 9) * (level - 1);
}

static uint64_t
entry_gpa(const struct guestimg_space *space, uint64_t table_gpa, uint64_t gva,
          int level)
{
    uint64_t number = gva >> level_shift(space, level);
    return space->levels == 2 ? table_gpa + (number & 0x3ff) * 4
                              : table_gpa + (number & 0x1ff) * 8;
}

uint64_t
guestimg_read_entry(const struct guestimg *img,
                    const struct guestimg_space *space, uint64_t at)
{
    if (space->levels != 2)
        return guestimg_read_le64(img, at);
    return guestimg_read_le64(img, at - at % 8) >> (at % 8 * 8) & UINT32_MAX;
}

void
guestimg_write_entry(const struct guestimg *img,
                     const struct guestimg_space *space, uint64_t at,
                     uint64_t entry)
{
    unsigned char raw[8];
    for (int i = 0; i < 8; i++)
        raw[i] = (unsigned char)(entry >> (8 * i));
    guestimg_write(img, at, raw, space->levels == 2 ? 4 : 8);
}

/* The entries of a PAE root have no rights (SDM table 4-8). */
static uint64_t
table_flags(const struct guestimg_space *space, int level, uint64_t flags)
{
    if (space->levels == 3 && level == 3)
        return MEMCTX_PTE_PRESENT;
    return MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE | (flags & MEMCTX_PTE_USER);
}

void
guestimg_map(struct guestimg *img, const struct guestimg_space *space,
             uint64_t gva, uint64_t gpa, uint64_t page_size, uint64_t flags)
{
    uint64_t table_gpa = space->root_gpa;
    int level = space->levels;
    for (; UINT64_C(1) << level_shift(space, level) > page_size; level--) {
        uint64_t at = entry_gpa(space, table_gpa, gva, level);
        uint64_t entry = guestimg_read_entry(img, space, at);
        if ((entry & MEMCTX_PTE_PRESENT) == 0) {
            entry = img->free_gpa | table_flags(space, level, flags);
            img->free_gpa += MEMCTX_PAGE_SIZE;
            guestimg_write_entry(img, space, at, entry);
        }
        table_gpa = entry & MEMCTX_PTE_FRAME;
    }
    guestimg_write_entry(img, space, entry_gpa(space, table_gpa, gva, level),
                         gpa | flags | (level > 1 ? MEMCTX_PTE_LARGE : 0));
}

uint64_t
guestimg_leaf_gpa(const struct guestimg *img,
                  const struct guestimg_space *space, uint64_t gva)
{
    uint64_t table_gpa = space->root_gpa;
    for (int level = space->levels; level > 1; level--) {
        uint64_t at = entry_gpa(space, table_gpa, gva, level);
        uint64_t entry = guestimg_read_entry(img, space, at);
        if ((entry & MEMCTX_PTE_PRESENT) == 0 ||
            (level <= 3 && space->levels != 3 &&
             (entry & MEMCTX_PTE_LARGE) != 0))
            abort();
        table_gpa = entry & MEMCTX_PTE_FRAME;
    }
    return entry_gpa(space, table_gpa, gva, 1);
}

void
guestimg_map_range(struct guestimg *img, const struct guestimg_space *space,
                   uint64_t gva, uint64_t gpa, uint64_t size,
                   uint64_t page_size, uint64_t flags)
{
    for (uint64_t at = 0; at < size; at += page_size)
        guestimg_map(img, space, gva + at, gpa + at, page_size, flags);
}

void
guestimg_write_note(const struct guestimg *img, uint64_t gpa, const char *text,
                    size_t len_bytes)
{
    unsigned char note[MEMCTX_VMCOREINFO_NOTE_HEADER] = {11};
    for (int i = 0; i < 4; i++)
        note[4 + i] = (unsigned char)(len_bytes >> (8 * i));
    memcpy(note + 12, "VMCOREINFO", 10);
    guestimg_write(img, gpa, note, sizeof(note));
    guestimg_write(img, gpa + sizeof(note), text, len_bytes);
}

struct guestimg_kernel
guestimg_kernel(void)
{
    return (struct guestimg_kernel){
        .levels = 4,
        .slide = 64 * MEMCTX_MIB,
        .text_gpa = 96 * MEMCTX_MIB,
        .text_flags = MEMCTX_PTE_PRESENT,
        .release = "6.1.0-13-amd64",
        .build_id = "b0d2a7c9e1f3450617283940a1b2c3d4e5f60718",
        .uts_offset = 0,
        .bare_gpa = 48 * MEMCTX_MIB,
        .note_gpa = 48 * MEMCTX_MIB + MEMCTX_PAGE_SIZE,
        .trampoline_gpa = 0x99000,
    };
}

static void add_line(struct guestimg_kernel *k, const char *key,
                     const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
add_line(struct guestimg_kernel *k, const char *key, const char *format, ...)
{
    char value[160];
    size_t key_len = strlen(key);
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    if (k->without != NULL && strcmp(k->without, key) == 0)
        return;
    bool falsify = k->falsify != NULL &&
                   strncmp(k->falsify, key, key_len) == 0 &&
                   k->falsify[key_len] == '=';
    if (falsify)
        snprintf(value, sizeof(value), "%s", k->falsify + key_len + 1);
    k->text_len +=
        (size_t)snprintf(k->text + k->text_len, sizeof(k->text) - k->text_len,
                         "%s=%s\n", key, value);
    must(k->text_len < sizeof(k->text), "VMCOREINFO of the test is too long");
}

/* The order of kernel/vmcore_info.c and arch/x86/kernel/vmcore_info_64.c. */
static void
write_text(struct guestimg_kernel *k)
{
    uint64_t uts_gva = k->text_gva + IMAGE_UTS;
    k->text_len = 0;
    add_line(k, "OSRELEASE", "%s", k->release);
    if (k->build_id != NULL)
        add_line(k, "BUILD-ID", "%s", k->build_id);
    add_line(k, "PAGESIZE", "4096");
    add_line(k, "SYMBOL(init_uts_ns)", "%" PRIx64, uts_gva);
    add_line(k, "OFFSET(uts_namespace.name)", "%u", k->uts_offset);
    add_line(k, "SYMBOL(swapper_pg_dir)", "%" PRIx64, k->root_gva);
    add_line(k, "SYMBOL(_stext)", "%" PRIx64, k->text_gva);
    add_line(k, "SIZE(list_head)", "16");
    add_line(k, "NUMBER(phys_base)", "%" PRId64, k->phys_base);
    add_line(k, "SYMBOL(init_top_pgt)", "%" PRIx64, k->root_gva);
    add_line(k, "NUMBER(pgtable_l5_enabled)", "%d", k->levels == 5);
    add_line(k, "KERNELOFFSET", "%" PRIx64, k->slide);
    add_line(k, "NUMBER(KERNEL_IMAGE_SIZE)", "1073741824");
    add_line(k, "NUMBER(sme_mask)", "0");
    if (k->more == NULL)
        return;
    k->text_len += (size_t)snprintf(
        k->text + k->text_len, sizeof(k->text) - k->text_len, "%s", k->more);
    must(k->text_len < sizeof(k->text), "VMCOREINFO of the test is too long");
}

/* level3_kernel_pgt[510] -> level2_kernel_pgt, which maps the image in order;
 * entry 511 of the root leads there, through one table more with 5 levels. */
static void
write_image_tables(const struct guestimg *img, const struct guestimg_kernel *k)
{
    const uint64_t table = MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE;
    uint64_t top = k->text_gpa + IMAGE_LEVEL3;
    guestimg_write_le64(img, top + 510 * 8,
                        (k->text_gpa + IMAGE_LEVEL2) | table);
    if (k->levels == 5) {
        guestimg_write_le64(img, k->text_gpa + IMAGE_LEVEL4 + 511 * 8,
                            top | table);
        top = k->text_gpa + IMAGE_LEVEL4;
    }
    guestimg_write_le64(img, k->root_gpa + 511 * 8, top | table);
    if (k->trampoline_gpa != 0)
        guestimg_write_le64(img, k->trampoline_gpa + 511 * 8, top | table);
    for (uint64_t at = 0; at < IMAGE_SIZE; at += LARGE_PAGE) {
        uint64_t flags = at < IMAGE_CODE ? k->text_flags
                                         : MEMCTX_PTE_PRESENT |
                                               MEMCTX_PTE_WRITE | MEMCTX_PTE_NX;
        guestimg_write_le64(img,
                            k->text_gpa + IMAGE_LEVEL2 +
                                ((k->text_gva + at) >> 21 & 0x1ff) * 8,
                            (k->text_gpa + at) | flags | MEMCTX_PTE_LARGE);
    }
}

/* RAM that begins at a multiple of 1 GiB, and nothing behind it, as Linux does
 * it. */
static void
map_directly(struct guestimg *img, const struct guestimg_kernel *k,
             uint64_t gpa, uint64_t size)
{
    const struct guestimg_space space = {k->root_gpa, k->levels};
    uint64_t gva = gpa + (k->levels == 5 ? DIRECT_MAP_5 : DIRECT_MAP_4);
    uint64_t flags = MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE | MEMCTX_PTE_NX;
    uint64_t huge = size - size % MEMCTX_GIB;
    guestimg_map_range(img, &space, gva, gpa, huge, MEMCTX_GIB, flags);
    guestimg_map_range(img, &space, gva + huge, gpa + huge, size - huge,
                       LARGE_PAGE, flags);
}

static void
write_direct_map(struct guestimg *img, const struct guestimg_kernel *k)
{
    map_directly(img, k, 0, img->low);
    map_directly(img, k, 4 * MEMCTX_GIB, img->size - img->low);
}

/* struct new_utsname: sysname, nodename, release, version, ... of 65 bytes. */
static void
write_uts(const struct guestimg *img, const struct guestimg_kernel *k)
{
    char uts[6 * 65] = "Linux";
    strcpy(uts + 65, "guest");
    snprintf(uts + 2 * 65, 65, "%s",
             k->uts_release != NULL ? k->uts_release : k->release);
    strcpy(uts + 3 * 65, "#1 SMP");
    guestimg_write(img, k->uts_gpa + k->uts_offset, uts, sizeof(uts));
}

/* What kernel/vmcore_info.c keeps in .bss. */
static void
write_pointers(const struct guestimg *img, const struct guestimg_kernel *k)
{
    uint64_t offset = k->levels == 5 ? DIRECT_MAP_5 : DIRECT_MAP_4;
    if (k->note_gpa != 0)
        guestimg_write_le64(img, k->bss_gpa, offset + k->note_gpa);
    guestimg_write_le64(img, k->bss_gpa + 8, k->text_len);
    if (k->bare_gpa != 0)
        guestimg_write_le64(img, k->bss_gpa + 16, offset + k->bare_gpa);
}

void
guestimg_add_kernel(struct guestimg *img, struct guestimg_kernel *k)
{
    k->text_gva = LINK_TEXT + k->slide;
    k->phys_base =
        (int64_t)(k->text_gpa - (k->text_gva - MEMCTX_LINUX_IMAGE_MAP));
    k->root_gpa = k->text_gpa + IMAGE_ROOT;
    k->root_gva = k->text_gva + IMAGE_ROOT;
    k->uts_gpa = k->text_gpa + IMAGE_UTS;
    k->end_gpa = k->text_gpa + IMAGE_SIZE;
    k->bss_gpa = k->text_gpa + IMAGE_BSS;
    write_image_tables(img, k);
    write_direct_map(img, k);
    write_uts(img, k);
    write_text(k);
    write_pointers(img, k);
    guestimg_touch(img, k->text_gpa, MEMCTX_PAGE_SIZE);
    if (k->bare_gpa != 0)
        guestimg_write(img, k->bare_gpa, k->text, k->text_len);
    if (k->note_gpa != 0)
        guestimg_write_note(img, k->note_gpa, k->text, k->text_len);
}

void
guestimg_write_i386(const struct guestimg *img, uint32_t page_offset)
{
    char text[512];
    char uts[6 * 65] = "Linux";
    int len = snprintf(text, sizeof(text),
                       "OSRELEASE=" GUESTIMG_I386_RELEASE "\nPAGESIZE=4096\n"
                       "SYMBOL(init_uts_ns)=%x\nOFFSET(uts_namespace.name)=0\n"
                       "SYMBOL(swapper_pg_dir)=%x\nSYMBOL(_stext)=%x\n",
                       (unsigned)GUESTIMG_I386_UTS + page_offset,
                       (unsigned)GUESTIMG_I386_ROOT + page_offset,
                       (unsigned)GUESTIMG_I386_TEXT + page_offset);
    strcpy(uts + 2 * 65, GUESTIMG_I386_RELEASE);
    guestimg_write(img, GUESTIMG_I386_UTS, uts, sizeof(uts));
    guestimg_write_note(img, GUESTIMG_I386_NOTE, text, (size_t)len);
}

/* All RAM, in large pages. */
void
guestimg_map_i386(struct guestimg *img, enum memctx_paging paging,
                  uint32_t page_offset)
{
    bool is_pae = paging == MEMCTX_PAGING_X86_PAE;
    struct guestimg_space space = {GUESTIMG_I386_ROOT, is_pae ? 3 : 2};
    guestimg_map_range(img, &space, page_offset, 0, img->low,
                       (is_pae ? 2 : 4) * MEMCTX_MIB,
                       MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE);
}
