/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The header of an ELF core, read back byte by byte by what <elf.h> says. */
#include "unit.h"

#include <elf.h>

#include "base/bytes.h"
#include "export/elfcore.h"

#define LOW UINT64_C(0x80000000)
#define HIGH UINT64_C(0x100000000)
#define TEXT "OSRELEASE=6.1.0\nPAGESIZE=4096\nA=1\n"

static const struct memctx_kernel kernel = {
    .os = MEMCTX_OS_LINUX,
    .paging = MEMCTX_PAGING_X86_64_4LEVEL,
    .kcr3 = 0x1a8810000,
};

static const struct memctx_extent split[] = {{0, LOW, 0, 0},
                                             {HIGH, LOW, LOW, 0}};

static const struct memctx_elfcore_facts facts = {
    .kernel = &kernel,
    .extents = split,
    .n_extents = 2,
    .vmcoreinfo = TEXT,
    .vmcoreinfo_len = sizeof(TEXT) - 1,
};

static struct memctx_elfcore *
make(const struct memctx_elfcore_facts *from)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_elfcore *core = NULL;
    assert_done(memctx_elfcore_create(from, &core, &err), &err);
    return core;
}

static Elf64_Ehdr
file_header(const struct memctx_elfcore *core)
{
    size_t len;
    Elf64_Ehdr ret;
    memcpy(&ret, memctx_elfcore_header(core, &len), sizeof(ret));
    return ret;
}

static Elf64_Phdr
program_header(const struct memctx_elfcore *core, size_t index)
{
    size_t len;
    Elf64_Phdr ret;
    const unsigned char *bytes = memctx_elfcore_header(core, &len);
    assert_true(sizeof(Elf64_Ehdr) + (index + 1) * sizeof(ret) <= len);
    memcpy(&ret, bytes + sizeof(Elf64_Ehdr) + index * sizeof(ret), sizeof(ret));
    return ret;
}

/* The description of the note of this name, and its length; NULL: none. */
static const unsigned char *
find_note(const struct memctx_elfcore *core, const char *name, size_t *size)
{
    size_t len;
    const unsigned char *bytes = memctx_elfcore_header(core, &len);
    Elf64_Phdr notes = program_header(core, 0);
    assert_int_equal(notes.p_type, PT_NOTE);
    assert_true(notes.p_offset + notes.p_filesz <= len);
    size_t at = notes.p_offset;
    while (at < notes.p_offset + notes.p_filesz) {
        Elf64_Nhdr note;
        memcpy(&note, bytes + at, sizeof(note));
        const char *its_name = (const char *)bytes + at + sizeof(note);
        size_t desc = at + sizeof(note) + ((note.n_namesz + 3) & ~3u);
        assert_int_equal(note.n_namesz, strlen(its_name) + 1);
        *size = note.n_descsz;
        at = desc + ((note.n_descsz + 3) & ~3u);
        if (strcmp(its_name, name) == 0)
            return bytes + desc;
    }
    assert_int_equal(at, notes.p_offset + notes.p_filesz);
    return NULL;
}

static void
the_file_header_is_that_of_a_core(void **state)
{
    (void)state;
    struct memctx_elfcore *core = make(&facts);
    Elf64_Ehdr header = file_header(core);
    assert_memory_equal(header.e_ident, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(header.e_type, ET_CORE);
    assert_int_equal(header.e_machine, EM_X86_64);
    assert_int_equal(header.e_version, EV_CURRENT);
    assert_int_equal(header.e_phoff, sizeof(Elf64_Ehdr));
    assert_int_equal(header.e_ehsize, sizeof(Elf64_Ehdr));
    assert_int_equal(header.e_phentsize, sizeof(Elf64_Phdr));
    assert_int_equal(header.e_phnum, 4);
    assert_int_equal(header.e_shnum, 0);
    memctx_elfcore_destroy(core);
}

static void
every_byte_of_ram_has_its_place(void **state)
{
    (void)state;
    struct memctx_elfcore *core = make(&facts);
    size_t len;
    size_t n;
    memctx_elfcore_header(core, &len);
    const struct memctx_elfcore_piece *pieces = memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, 3);
    assert_int_equal(len % MEMCTX_PAGE_SIZE, 0);
    uint64_t offset = len;
    for (size_t i = 0; i < n; i++) {
        Elf64_Phdr header = program_header(core, i + 1);
        assert_int_equal(header.p_type, PT_LOAD);
        assert_int_equal(header.p_offset, offset);
        assert_int_equal(pieces[i].offset, offset);
        assert_int_equal(header.p_paddr, pieces[i].gpa);
        assert_int_equal(header.p_vaddr, pieces[i].gva);
        assert_int_equal(header.p_filesz, pieces[i].size);
        assert_int_equal(header.p_memsz, pieces[i].size);
        offset += pieces[i].size;
    }
    assert_int_equal(memctx_elfcore_size(core), offset);
    assert_int_equal(offset - len, 2 * LOW);
    assert_int_equal(pieces[2].gpa, HIGH);
    memctx_elfcore_destroy(core);
}

/* drgn believes in physical addresses only if one of them is not 0. */
static void
ram_from_zero_is_never_one_piece(void **state)
{
    (void)state;
    struct memctx_elfcore_facts some = facts;
    some.n_extents = 1;
    struct memctx_elfcore *core = make(&some);
    size_t n;
    const struct memctx_elfcore_piece *pieces = memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, 2);
    assert_int_equal(pieces[1].gpa, MEMCTX_MIB);
    assert_int_equal(pieces[0].size + pieces[1].size, LOW);
    memctx_elfcore_destroy(core);
}

/* As a 6.1 kernel had it. */
static void
the_image_has_its_virtual_address(void **state)
{
    (void)state;
    struct memctx_kernel other = kernel;
    struct memctx_elfcore_facts some = facts;
    other.kcr3 = 0x123210000;
    other.base_gva = UINT64_C(0xffffffff9da00000);
    other.linux_facts.has_phys_base = true;
    other.linux_facts.phys_base = 0x103e00000;
    some.kernel = &other;
    struct memctx_elfcore *core = make(&some);
    size_t n;
    const struct memctx_elfcore_piece *pieces = memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, 5);
    assert_int_equal(pieces[3].gpa, 0x121800000);
    assert_int_equal(pieces[3].size, 0x123211000 - 0x121800000);
    assert_int_equal(pieces[3].gva, other.base_gva);
    assert_int_equal(program_header(core, 4).p_vaddr, other.base_gva);
    assert_int_equal(pieces[4].gpa, 0x123211000);
    for (size_t i = 0; i < n; i++)
        assert_true(i == 3 || pieces[i].gva == 0);
    memctx_elfcore_destroy(core);
    /* .data and .bss stand behind the root. */
    some.image_bytes = 0x3000000;
    core = make(&some);
    pieces = memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, 5);
    assert_int_equal(pieces[3].gpa, 0x121800000);
    assert_int_equal(pieces[3].size, 0x3000000);
    assert_int_equal(pieces[4].gva, 0);
    memctx_elfcore_destroy(core);
    some.image_bytes = UINT64_MAX; /* no image is larger than 1 GiB */
    core = make(&some);
    pieces = memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, 5);
    assert_int_equal(pieces[3].size, MEMCTX_GIB);
    memctx_elfcore_destroy(core);
    some.image_bytes = 0;
    other.kcr3 = 0x121800000; /* no image ends where it begins */
    core = make(&some);
    memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, 3);
    memctx_elfcore_destroy(core);
}

/* What the guest said of its image may be anywhere: across pieces, in no RAM,
 * beyond all addresses. */
static void
an_image_elsewhere_loses_no_ram(void **state)
{
    (void)state;
    static const uint64_t bases[] = {0x7f000000, 0xf0000000, 0x200000000,
                                     UINT64_C(0x7fffffff81000000),
                                     UINT64_C(0xfffffffffffff000)};
    struct memctx_kernel other = kernel;
    struct memctx_elfcore_facts some = facts;
    other.base_gva = UINT64_C(0xffffffff81000000);
    other.linux_facts.has_phys_base = true;
    some.kernel = &other;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bases); i++) {
        other.linux_facts.phys_base = (int64_t)(bases[i] - 0x1000000);
        other.kcr3 = bases[i] + 0x2000000;
        struct memctx_elfcore *core = make(&some);
        size_t n;
        uint64_t sum = 0;
        const struct memctx_elfcore_piece *pieces =
            memctx_elfcore_pieces(core, &n);
        for (size_t j = 0; j < n; j++)
            sum += pieces[j].size;
        assert_int_equal(sum, 2 * LOW);
        memctx_elfcore_destroy(core);
    }
}

static void
notes_hold_the_root_and_vmcoreinfo(void **state)
{
    (void)state;
    struct memctx_elfcore *core = make(&facts);
    size_t size;
    const unsigned char *note = find_note(core, "CORE", &size);
    assert_non_null(note);
    assert_int_equal(size, 336);
    note = find_note(core, "QEMU", &size);
    assert_non_null(note);
    assert_int_equal(size, 440);
    assert_int_equal(memctx_le32(note), 1);
    assert_int_equal(memctx_le32(note + 4), size);
    assert_int_equal(memctx_le64(note + 392), 0x80000011);
    assert_int_equal(memctx_le64(note + 392 + 24), kernel.kcr3);
    assert_int_equal(memctx_le64(note + 392 + 32), 0x20);
    note = find_note(core, "VMCOREINFO", &size);
    assert_non_null(note);
    assert_int_equal(size, sizeof(TEXT) - 1);
    assert_memory_equal(note, TEXT, size);
    assert_null(find_note(core, "NONE", &size));
    memctx_elfcore_destroy(core);
}

static void
machines_follow_the_paging(void **state)
{
    (void)state;
    static const struct {
        enum memctx_paging paging;
        unsigned machine;
        uint64_t cr4;
        size_t prstatus;
    } rows[] = {
        {MEMCTX_PAGING_X86_64_4LEVEL, EM_X86_64, 0x20, 336},
        {MEMCTX_PAGING_X86_64_5LEVEL, EM_X86_64, 0x1020, 336},
        {MEMCTX_PAGING_X86_PAE, EM_386, 0x20, 144},
        {MEMCTX_PAGING_X86_2LEVEL, EM_386, 0x10, 144},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_kernel other = kernel;
        struct memctx_elfcore_facts some = facts;
        other.paging = rows[i].paging;
        some.kernel = &other;
        some.vmcoreinfo = NULL;
        struct memctx_elfcore *core = make(&some);
        size_t size;
        assert_int_equal(file_header(core).e_machine, rows[i].machine);
        assert_int_equal(memctx_le64(find_note(core, "QEMU", &size) + 424),
                         rows[i].cr4);
        assert_non_null(find_note(core, "CORE", &size));
        assert_int_equal(size, rows[i].prstatus);
        assert_null(find_note(core, "VMCOREINFO", &size));
        memctx_elfcore_destroy(core);
    }
}

static void
as_many_extents_as_there_can_be_fit(void **state)
{
    (void)state;
    static struct memctx_extent many[MEMCTX_EXTENTS_MAX + 1];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(many); i++)
        many[i] = (struct memctx_extent){i * 0x400000, 0x200000, 0, 0};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_elfcore_facts some = facts;
    some.extents = many;
    some.n_extents = MEMCTX_EXTENTS_MAX;
    struct memctx_elfcore *core = make(&some);
    size_t n;
    size_t size;
    memctx_elfcore_pieces(core, &n);
    assert_int_equal(n, MEMCTX_EXTENTS_MAX + 1);
    assert_int_equal(file_header(core).e_phnum, n + 1);
    assert_non_null(find_note(core, "VMCOREINFO", &size));
    memctx_elfcore_destroy(core);
    core = NULL;
    some.n_extents++;
    assert_int_equal(memctx_elfcore_create(&some, &core, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "1025 extents");
    assert_null(core);
}

static void
what_has_no_machine_or_no_end_is_refused(void **state)
{
    (void)state;
    static const struct memctx_extent huge[] = {
        {0x1000, UINT64_C(1) << 63, 0, 0}};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_kernel other = kernel;
    struct memctx_elfcore_facts some = facts;
    struct memctx_elfcore *core = NULL;
    other.paging = MEMCTX_PAGING_UNKNOWN;
    some.kernel = &other;
    assert_int_equal(memctx_elfcore_create(&some, &core, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "machine");
    some = facts;
    some.extents = huge;
    some.n_extents = 1;
    assert_int_equal(memctx_elfcore_create(&some, &core, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "does not fit");
    assert_null(core);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_header_is_that_of_a_core),
        cmocka_unit_test(every_byte_of_ram_has_its_place),
        cmocka_unit_test(ram_from_zero_is_never_one_piece),
        cmocka_unit_test(the_image_has_its_virtual_address),
        cmocka_unit_test(an_image_elsewhere_loses_no_ram),
        cmocka_unit_test(notes_hold_the_root_and_vmcoreinfo),
        cmocka_unit_test(machines_follow_the_paging),
        cmocka_unit_test(as_many_extents_as_there_can_be_fit),
        cmocka_unit_test(what_has_no_machine_or_no_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
