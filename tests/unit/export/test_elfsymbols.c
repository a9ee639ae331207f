/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols as an ELF file: each at its address, in the section that it lies in,
 * local ones first, whatever the size of a pointer. */
#include "unit.h"

#include <elf.h>

#include "base/bytes.h"
#include "export/export.h"

#define BASE UINT64_C(0xffffffff99a00000)
#define BASE_32 UINT64_C(0xc1000000)

struct fixture {
    struct memctx_symbols *symbols;
    struct memctx_banner banner;
    struct memctx_datum datum;
    struct memctx_export_subject subject;
    char *bytes; /* of the file; malloc() has aligned it */
    size_t len;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_done(memctx_symbols_create(&f->symbols, &f->err), &f->err);
    f->banner = (struct memctx_banner){BASE, "Linux version 6.1.0\n"};
    f->datum.kernel =
        (struct memctx_kernel){.os = MEMCTX_OS_LINUX,
                               .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                               .base_gva = BASE,
                               .size_bytes = 0x100000,
                               .identity = "0123456789abcdef0123"};
    f->subject = (struct memctx_export_subject){
        .datum = &f->datum, .symbols = f->symbols, .banner = &f->banner};
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_symbols_free(f->symbols);
    free(f->bytes);
    free(f);
    return 0;
}

static void
add(struct fixture *f, char type, const char *name, uint64_t address)
{
    const struct memctx_symbol symbol = {address, type, name, ""};
    assert_done(memctx_symbols_add(f->symbols, &symbol, &f->err), &f->err);
}

static void
export_elf(struct fixture *f)
{
    assert_done(memctx_export(memctx_export_find("elf"), &f->subject, &f->bytes,
                              &f->len, &f->err),
                &f->err);
    assert_memory_equal(f->bytes, ELFMAG, SELFMAG);
}

/* The section of this name, all of which is in the file. */
static const Elf64_Shdr *
section(struct fixture *f, const char *name)
{
    const Elf64_Ehdr *head = (const void *)f->bytes;
    const Elf64_Shdr *rows = (const void *)(f->bytes + head->e_shoff);
    const char *names = f->bytes + rows[head->e_shstrndx].sh_offset;
    assert_int_equal(head->e_shoff + head->e_shnum * sizeof(rows[0]), f->len);
    for (unsigned i = 0; i < head->e_shnum; i++) {
        if (strcmp(names + rows[i].sh_name, name) == 0) {
            assert_true(rows[i].sh_type == SHT_NOBITS ||
                        rows[i].sh_offset + rows[i].sh_size <= f->len);
            return &rows[i];
        }
    }
    fail_msg("no section %s", name);
    return NULL;
}

static void
assert_symbol(struct fixture *f, unsigned index, const char *name,
              uint64_t address, unsigned in, unsigned info)
{
    const Elf64_Sym *symbols =
        (const void *)(f->bytes + section(f, ".symtab")->sh_offset);
    const char *names = f->bytes + section(f, ".strtab")->sh_offset;
    assert_string_equal(names + symbols[index].st_name, name);
    assert_true(symbols[index].st_value == address);
    assert_int_equal(symbols[index].st_shndx, in);
    assert_int_equal(symbols[index].st_info, info);
}

static void
test_symbols_are_where_they_are(void **state)
{
    struct fixture *f = *state;
    add(f, 'T', "_stext", BASE);
    add(f, 't', "local", BASE + 0x10);
    add(f, 'A', "fixed_percpu_data", 0);
    add(f, 'T', "_etext", BASE + 0x1000);
    add(f, 'D', "init_task", BASE + 0x2000);
    add(f, 'd', "hidden", BASE + 0x3000);
    add(f, 'B', "_end", BASE + 0x4000);
    export_elf(f);
    const Elf64_Ehdr *head = (const void *)f->bytes;
    assert_int_equal(head->e_machine, EM_X86_64);
    assert_int_equal(head->e_type, ET_EXEC);
    assert_true(section(f, ".text")->sh_addr == BASE);
    assert_int_equal(section(f, ".text")->sh_size, 0x1000);
    assert_true(section(f, ".data")->sh_addr == BASE + 0x1000);
    assert_int_equal(section(f, ".data")->sh_size, 0x3000);
    assert_int_equal(section(f, ".symtab")->sh_size, 8 * sizeof(Elf64_Sym));
    assert_int_equal(section(f, ".symtab")->sh_info, 3);
    assert_symbol(f, 0, "", 0, SHN_UNDEF, 0);
    assert_symbol(f, 1, "local", BASE + 0x10, 1,
                  ELF64_ST_INFO(STB_LOCAL, STT_FUNC));
    assert_symbol(f, 2, "hidden", BASE + 0x3000, 2,
                  ELF64_ST_INFO(STB_LOCAL, STT_OBJECT));
    assert_symbol(f, 3, "_stext", BASE, 1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
    assert_symbol(f, 4, "fixed_percpu_data", 0, SHN_ABS,
                  ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT));
    assert_symbol(f, 6, "init_task", BASE + 0x2000, 2,
                  ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT));
}

/* By which tools know a kernel. */
static void
test_build_id_and_banner_are_there(void **state)
{
    struct fixture *f = *state;
    add(f, 'T', "_stext", BASE);
    export_elf(f);
    const unsigned char *note =
        (const void *)(f->bytes + section(f, ".note.gnu.build-id")->sh_offset);
    assert_int_equal(section(f, ".note.gnu.build-id")->sh_size, 16 + 10);
    assert_int_equal(memctx_le32(note), 4);
    assert_int_equal(memctx_le32(note + 4), 10);
    assert_int_equal(memctx_le32(note + 8), NT_GNU_BUILD_ID);
    assert_memory_equal(note + 12, "GNU\0\x01\x23\x45\x67\x89", 9);
    assert_string_equal(f->bytes + section(f, ".banner")->sh_offset,
                        "Linux version 6.1.0\n");
}

static void
test_kernel_of_32_bits(void **state)
{
    struct fixture *f = *state;
    f->datum.kernel.paging = MEMCTX_PAGING_X86_PAE;
    f->datum.kernel.base_gva = BASE_32;
    f->datum.kernel.identity[0] = '\0';
    add(f, 'T', "_stext", BASE_32);
    add(f, 't', "local", BASE_32 + 0x10);
    export_elf(f);
    const Elf32_Ehdr *head = (const void *)f->bytes;
    const Elf32_Shdr *rows = (const void *)(f->bytes + head->e_shoff);
    assert_int_equal(head->e_ident[EI_CLASS], ELFCLASS32);
    assert_int_equal(head->e_machine, EM_386);
    assert_int_equal(head->e_shoff + head->e_shnum * sizeof(rows[0]), f->len);
    const Elf32_Sym *symbols = (const void *)(f->bytes + rows[5].sh_offset);
    assert_int_equal(rows[5].sh_size, 3 * sizeof(symbols[0]));
    assert_int_equal(symbols[1].st_value, BASE_32 + 0x10);
    assert_int_equal(symbols[2].st_value, BASE_32);
    assert_int_equal(rows[3].sh_size, 0);
}

static void
test_symbols_that_are_not_known(void **state)
{
    struct fixture *f = *state;
    f->subject.symbols = NULL;
    assert_int_equal(memctx_export(memctx_export_find("elf"), &f->subject,
                                   &f->bytes, &f->len, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "elf wants");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_symbols_are_where_they_are),
        T(test_build_id_and_banner_are_there),
        T(test_kernel_of_32_bits),
        T(test_symbols_that_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
