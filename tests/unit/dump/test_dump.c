/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files with RAM in all forms that are parsed here, made byte by byte. */
#include "unit.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "dump/dump.h"

#define FILE_BYTES (64 * MEMCTX_KIB)

/* A file under construction. */
struct made {
    unsigned char bytes[FILE_BYTES];
    size_t len_bytes;
};

static void
put(struct made *file, size_t at, const void *bytes, size_t len_bytes)
{
    assert_true(memctx_range_in(at, len_bytes, 0, FILE_BYTES));
    memcpy(file->bytes + at, bytes, len_bytes);
    file->len_bytes = memctx_max(file->len_bytes, at + len_bytes);
}

static void
put32(struct made *file, size_t at, uint32_t value)
{
    put(file, at, &value, sizeof(value));
}

static void
put64(struct made *file, size_t at, uint64_t value)
{
    put(file, at, &value, sizeof(value));
}

/* The file as it stands, which the caller destroys. */
static struct memctx_rammap *
map_file(const struct made *file)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    unsigned backend;
    char path[64];
    int fd = memfd_create("dump", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file->bytes, file->len_bytes), file->len_bytes);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int read_only = open(path, O_RDONLY | O_CLOEXEC);
    close(fd);
    assert_done(memctx_rammap_create(&map, &err), &err);
    assert_done(
        memctx_rammap_add_backend(map, "ram", read_only, NULL, &backend, &err),
        &err);
    const struct memctx_extent all = {.size = file->len_bytes};
    assert_done(memctx_rammap_add_extent(map, &all, &err), &err);
    return map;
}

/* Lay it out: 0 and *ret, which the caller destroys, or -1. */
static int
lay_out(const struct made *file, enum memctx_dump_form form,
        struct memctx_rammap **ret, struct memctx_error *err)
{
    struct memctx_rammap *whole = map_file(file);
    assert_done(memctx_rammap_create_beside(whole, ret, err), err);
    int failed = memctx_dump_lay_out(form, whole, *ret, err);
    memctx_rammap_destroy(whole);
    if (failed < 0)
        memctx_rammap_destroy(*ret);
    return failed;
}

static void
assert_refused(const struct made *file, enum memctx_dump_form form,
               const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    assert_int_equal(lay_out(file, form, &map, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
}

/* Its extents are these, of backend 0. */
static void
assert_extents(const struct made *file, enum memctx_dump_form form,
               const struct memctx_extent *wanted, size_t n_wanted)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    size_t n;
    assert_done(lay_out(file, form, &map, &err), &err);
    const struct memctx_extent *e = memctx_rammap_extents(map, &n);
    assert_int_equal(n, n_wanted);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(e[i].gpa, wanted[i].gpa);
        assert_int_equal(e[i].size, wanted[i].size);
        assert_int_equal(e[i].offset, wanted[i].offset);
        assert_int_equal(e[i].backend, 0);
    }
    memctx_rammap_destroy(map);
}

/* ---- ELF ---------------------------------------------------------------- */

static void
begin_elf(struct made *file, uint16_t type, uint16_t n)
{
    const Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = type,
        .e_machine = EM_X86_64,
        .e_phoff = sizeof(header),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = n,
    };
    put(file, 0, &header, sizeof(header));
}

static void
add_load(struct made *file, unsigned index, uint64_t gva, uint64_t gpa,
         uint64_t size, uint64_t offset)
{
    const Elf64_Phdr header = {
        .p_type = PT_LOAD,
        .p_vaddr = gva,
        .p_paddr = gpa,
        .p_filesz = size,
        .p_memsz = 2 * size,
        .p_offset = offset,
    };
    put(file, sizeof(Elf64_Ehdr) + index * sizeof(header), &header,
        sizeof(header));
}

/* As QEMU writes it: memory is cut where devices are, pieces do not begin at a
 * page of the file, and firmware lies below 4 GiB. */
static void
test_elf(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    const struct memctx_extent wanted[] = {
        {0, 0xa00, 0x480, 0},
        {0xc00, 0x2400, 0xe80, 0},
        {0xfffff000, 0x1000, 0x3280, 0},
        {0x100000000, 0x1000, 0x4280, 0},
    };
    begin_elf(&file, ET_CORE, 6);
    const Elf64_Phdr note = {.p_type = PT_NOTE, .p_filesz = 0x100};
    put(&file, sizeof(Elf64_Ehdr), &note, sizeof(note));
    add_load(&file, 1, 0, 0, 0xa00, 0x480);
    add_load(&file, 2, 0xc00, 0xc00, 0x400, 0xe80);
    add_load(&file, 3, 0x1000, 0x1000, 0x2000, 0x1280); /* goes on */
    add_load(&file, 4, 0, 0x100000000, 0x1000, 0x4280);
    add_load(&file, 5, 0, 0xfffff000, 0x1000, 0x3280);
    put(&file, 0x527f, "", 1);
    assert_extents(&file, MEMCTX_DUMP_ELF, wanted, MEMCTX_ARRAY_LEN(wanted));
    assert_done(lay_out(&file, MEMCTX_DUMP_ELF, &map, &err), &err);
    assert_int_equal(memctx_dump_low(map), 0x3000);
    memctx_rammap_destroy(map);
}

/* /proc/vmcore has the image of the kernel twice. */
static void
test_elf_with_memory_twice(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    const struct memctx_extent wanted[] = {{0x1000, 0x3000, 0x2000, 0},
                                           {0x4000, 0x1000, 0x7000, 0}};
    begin_elf(&file, ET_CORE, 3);
    add_load(&file, 0, 0xffffffff81000000, 0x2000, 0x1000, 0x1000);
    add_load(&file, 1, 0, 0x1000, 0x3000, 0x2000);
    add_load(&file, 2, 0, 0x3000, 0x2000, 0x6000);
    put(&file, 0x7fff, "", 1);
    assert_extents(&file, MEMCTX_DUMP_ELF, wanted, MEMCTX_ARRAY_LEN(wanted));
}

static void
test_elf_of_32_bits(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    const struct memctx_extent wanted[] = {{0x1000, 0x1000, 0x800, 0}};
    const Elf32_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_phoff = 0x100,
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 1,
    };
    const Elf32_Phdr load = {
        .p_type = PT_LOAD,
        .p_paddr = 0x1000,
        .p_filesz = 0x1000,
        .p_offset = 0x800,
    };
    put(&file, 0, &header, sizeof(header));
    put(&file, 0x100, &load, sizeof(load));
    put(&file, 0x17ff, "", 1);
    assert_extents(&file, MEMCTX_DUMP_ELF, wanted, MEMCTX_ARRAY_LEN(wanted));
}

/* More program headers than e_phnum can tell. */
static void
test_elf_of_many_headers(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    const struct memctx_extent wanted[] = {{0x1000, 0x1000, 0x4000, 0}};
    const uint64_t shoff = 0x3000;
    begin_elf(&file, ET_CORE, PN_XNUM);
    put64(&file, offsetof(Elf64_Ehdr, e_shoff), shoff);
    put32(&file, shoff + offsetof(Elf64_Shdr, sh_info), 3);
    add_load(&file, 2, 0, 0x1000, 0x1000, 0x4000);
    put(&file, 0x4fff, "", 1);
    assert_extents(&file, MEMCTX_DUMP_ELF, wanted, MEMCTX_ARRAY_LEN(wanted));
    put32(&file, shoff + offsetof(Elf64_Shdr, sh_info), UINT32_MAX);
    assert_refused(&file, MEMCTX_DUMP_ELF, "4294967295 program headers");
    put64(&file, offsetof(Elf64_Ehdr, e_shoff), UINT64_MAX - 4);
    assert_refused(&file, MEMCTX_DUMP_ELF, "first section header");
}

static void
test_elf_that_is_wrong(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    put(&file, 0, "\177ELF", 4);
    assert_refused(&file, MEMCTX_DUMP_ELF, "truncated: an ELF file without");
    begin_elf(&file, ET_EXEC, 0);
    assert_refused(&file, MEMCTX_DUMP_ELF, "type 2; expected a core");
    begin_elf(&file, ET_CORE, 0);
    assert_refused(&file, MEMCTX_DUMP_ELF, "holds no memory");
    begin_elf(&file, ET_CORE, 1);
    assert_refused(&file, MEMCTX_DUMP_ELF, "program header at 0x40");
    add_load(&file, 0, 0, 0, 0x2000, 0x1000);
    put(&file, 0x1fff, "", 1);
    assert_refused(&file, MEMCTX_DUMP_ELF, "truncated: memory at 0 takes");
    add_load(&file, 0, 0, UINT64_MAX - 0xfff, 0x1000, 0x1000);
    assert_refused(&file, MEMCTX_DUMP_ELF, "no machine has any there");
    add_load(&file, 0, 0, 0, 0x1000, UINT64_MAX - 0x7ff);
    assert_refused(&file, MEMCTX_DUMP_ELF, "truncated");
    add_load(&file, 0, 0x400000, 0, 0x1000, 0x1000);
    assert_refused(&file, MEMCTX_DUMP_ELF, "core of a process");
    put64(&file, offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 8);
    assert_refused(&file, MEMCTX_DUMP_ELF, "truncated");
    file.bytes[EI_DATA] = ELFDATA2MSB;
    assert_refused(&file, MEMCTX_DUMP_ELF, "little-endian");
}

/* ---- LiME --------------------------------------------------------------- */

static size_t
add_lime(struct made *file, size_t at, uint64_t first, uint64_t last)
{
    put32(file, at, 0x4c694d45);
    put32(file, at + 4, 1);
    put64(file, at + 8, first);
    put64(file, at + 16, last);
    put64(file, at + 24, 0);
    return at + 32;
}

/* Ranges as in /proc/iomem: they end where they like. */
static void
test_lime(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    const struct memctx_extent wanted[] = {{0x1000, 0xc00, 32, 0},
                                           {0x100000, 0x2000, 0xc40, 0}};
    add_lime(&file, 0, 0x1000, 0x1bff);
    add_lime(&file, 0xc20, 0x100000, 0x101fff);
    put(&file, 0xc40 + 0x1fff, "", 1);
    assert_extents(&file, MEMCTX_DUMP_LIME, wanted, MEMCTX_ARRAY_LEN(wanted));
}

static void
test_lime_that_is_wrong(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    add_lime(&file, 0, 0x1000, 0x1fff);
    assert_refused(&file, MEMCTX_DUMP_LIME, "truncated: memory at 0x1000");
    put(&file, 32 + 0xfff, "", 1);
    put(&file, 32 + 0x1000, "EMiL", 4);
    assert_refused(&file, MEMCTX_DUMP_LIME, "header at 0x1020 is not whole");
    add_lime(&file, 32 + 0x1000, 0x3000, 0x2fff);
    assert_refused(&file, MEMCTX_DUMP_LIME, "no header of LiME at 0x1020");
    add_lime(&file, 32 + 0x1000, 0, UINT64_MAX);
    assert_refused(&file, MEMCTX_DUMP_LIME, "no header of LiME at 0x1020");
    put32(&file, 4, 2);
    assert_refused(&file, MEMCTX_DUMP_LIME, "version 2");
}

/* ---- Windows ------------------------------------------------------------ */

static void
test_windows(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    const struct memctx_extent wanted[] = {{0x1000, 0x2000, 0x2000, 0},
                                           {0x100000000, 0x1000, 0x4000, 0}};
    put(&file, 0, "PAGEDU64", 8);
    put32(&file, 0x88, 2);
    put64(&file, 0x98, 1);
    put64(&file, 0xa0, 2);
    put64(&file, 0xa8, 0x100000);
    put64(&file, 0xb0, 1);
    put32(&file, 0xf98, 1);
    put(&file, 0x4fff, "", 1);
    assert_extents(&file, MEMCTX_DUMP_WINDOWS, wanted,
                   MEMCTX_ARRAY_LEN(wanted));
    put64(&file, 0xa8, UINT64_MAX);
    assert_refused(&file, MEMCTX_DUMP_WINDOWS, "run 1 lies beyond");
    put32(&file, 0x88, 43);
    assert_refused(&file, MEMCTX_DUMP_WINDOWS, "43 runs");
    put32(&file, 0xf98, 5);
    assert_refused(&file, MEMCTX_DUMP_WINDOWS, "type 5");
    file.len_bytes = 0x1fff;
    assert_refused(&file, MEMCTX_DUMP_WINDOWS, "without its header");
}

static void
test_windows_of_32_bits(void **state)
{
    (void)state;
    struct made file = {.len_bytes = 0};
    const struct memctx_extent wanted[] = {{0x1000, 0x2000, 0x1000, 0}};
    put(&file, 0, "PAGEDUMP", 8);
    put32(&file, 0x64, 1);
    put32(&file, 0x6c, 1);
    put32(&file, 0x70, 2);
    put32(&file, 0xf88, 1);
    put(&file, 0x2fff, "", 1);
    assert_extents(&file, MEMCTX_DUMP_WINDOWS, wanted, 1);
}

/* ---- which one ---------------------------------------------------------- */

static void
test_recognises_forms(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        enum memctx_dump_form form;
    } cases[] = {
        {"\177ELF\2\1\1", MEMCTX_DUMP_ELF},  {"EMiL", MEMCTX_DUMP_LIME},
        {"PAGEDU64", MEMCTX_DUMP_WINDOWS},   {"PAGEDUMP", MEMCTX_DUMP_WINDOWS},
        {"KDUMP   ", MEMCTX_DUMP_KDUMP},     {"DISKDUMP", MEMCTX_DUMP_KDUMP},
        {"makedumpfile", MEMCTX_DUMP_FLAT},  {"", MEMCTX_DUMP_RAW},
        {"\123\377\0\360", MEMCTX_DUMP_RAW}, {"KDUMP", MEMCTX_DUMP_RAW},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        enum memctx_dump_form form = MEMCTX_DUMP_FORMS;
        unsigned char head[MEMCTX_DUMP_HEAD_BYTES] = {0};
        memcpy(head, cases[i].head, strlen(cases[i].head));
        assert_done(memctx_dump_recognise(head, sizeof(head), &form, &err),
                    &err);
        assert_int_equal(form, cases[i].form);
    }
}

/* What cannot be read is told by its name, with what helps. */
static void
test_names_what_it_cannot_read(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        const char *words;
    } cases[] = {
        {"\037\213\010", "gunzip"},
        {"\3757zXZ", "unxz"},
        {"\050\265\057\375", "unzstd"},
        {"QFI\373", "disk image"},
        {"LibvirtQemudSave", "virsh restore"},
        {"LibvirtQemudPart", "has begun and not ended"},
        {"QEVM", "virsh dump --memory-only"},
        {"LVMA", "avml-convert"},
        {"\322\276\322\276", ".vmem"},
        {"hibr", "Hibr2Bin"},
        {"MDMP", "minidump"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        enum memctx_dump_form form;
        unsigned char head[MEMCTX_DUMP_HEAD_BYTES] = {0};
        memcpy(head, cases[i].head, strlen(cases[i].head));
        assert_int_equal(memctx_dump_recognise(head, sizeof(head), &form, &err),
                         -1);
        assert_error(&err, MEMCTX_PERMANENT, cases[i].words);
    }
}

/* A mark that is cut off is none. */
static void
test_short_files_are_raw(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum memctx_dump_form form = MEMCTX_DUMP_FORMS;
    const unsigned char head[] = {'P', 'A', 'G', 'E', 'D', 'U', '6', '4'};
    assert_done(memctx_dump_recognise(head, sizeof(head) - 1, &form, &err),
                &err);
    assert_int_equal(form, MEMCTX_DUMP_RAW);
    assert_done(memctx_dump_recognise(head, 0, &form, &err), &err);
    assert_int_equal(form, MEMCTX_DUMP_RAW);
}

static void
test_names_of_forms(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMCTX_DUMP_FORMS; i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        enum memctx_dump_form form = MEMCTX_DUMP_FORMS;
        assert_done(
            memctx_dump_form_parse(memctx_dump_form_name(i), &form, &err),
            &err);
        assert_int_equal(form, i);
    }
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum memctx_dump_form form;
    assert_int_equal(memctx_dump_form_parse("vmdk", &form, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "raw, elf, lime");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_elf_with_memory_twice),
        cmocka_unit_test(test_elf_of_32_bits),
        cmocka_unit_test(test_elf_of_many_headers),
        cmocka_unit_test(test_elf_that_is_wrong),
        cmocka_unit_test(test_lime),
        cmocka_unit_test(test_lime_that_is_wrong),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_windows_of_32_bits),
        cmocka_unit_test(test_recognises_forms),
        cmocka_unit_test(test_names_what_it_cannot_read),
        cmocka_unit_test(test_short_files_are_raw),
        cmocka_unit_test(test_names_of_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
