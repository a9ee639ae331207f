/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Shapes of getters that are followed, and code that is not. */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "guest/windows/code.h"

#define PAGE MEMCTX_PAGE_SIZE
#define CODE_GPA UINT64_C(0x100000)
#define CODE_64 UINT64_C(0xfffff80000001000)
#define CODE_32 UINT64_C(0x80001000)
#define VALUE MEMCTX_WINDOWS_GETS_VALUE
#define ADDRESS MEMCTX_WINDOWS_GETS_ADDRESS

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_view view;
    struct memctx_work work;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct guestimg_space wide = {0x10000, 4};
    const struct guestimg_space narrow = {0x20000, 3};
    guestimg_init(&f->img, 4 * MEMCTX_MIB, 4 * MEMCTX_MIB);
    f->img.free_gpa = 2 * MEMCTX_MIB;
    guestimg_map(&f->img, &wide, CODE_64, CODE_GPA, PAGE, MEMCTX_PTE_PRESENT);
    guestimg_map(&f->img, &narrow, CODE_32, CODE_GPA, PAGE, MEMCTX_PTE_PRESENT);
    f->map = guestimg_rammap(&f->img, NULL);
    charge_map(&f->map, &f->work, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

/* Put code at the end of its page, behind which nothing is mapped, and say the
 * offset that it fetches; 0: it is not understood. */
static uint16_t
offset_of(struct fixture *f, bool wide, const char *code, size_t len,
          enum memctx_windows_getter getter)
{
    uint64_t into = PAGE - len;
    uint16_t offset = 0;
    memctx_work_begin(&f->work, 100, NULL, NULL);
    memctx_view_init(&f->view, f->map,
                     wide ? MEMCTX_PAGING_X86_64_4LEVEL : MEMCTX_PAGING_X86_PAE,
                     wide ? 0x10000 : 0x20000);
    guestimg_write(&f->img, CODE_GPA + into, code, len);
    bool known = memctx_windows_code_offset(
        &f->view, (wide ? CODE_64 : CODE_32) + into, getter, &offset);
    return known ? offset : 0;
}

#define WIDE(code, getter) offset_of(f, true, code, sizeof(code) - 1, getter)
#define NARROW(code, getter) offset_of(f, false, code, sizeof(code) - 1, getter)

static void
test_plain_getters(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(WIDE("\x48\x8b\x81\x40\x04\0\0\xc3", VALUE), 0x440);
    assert_int_equal(WIDE("\x48\x8d\x81\xa8\x05\0\0\xc3", ADDRESS), 0x5a8);
    assert_int_equal(WIDE("\x48\x8b\x41\x28\xc3", VALUE), 0x28);
    assert_int_equal(WIDE("\x8b\x81\x40\x04\0\0\xc3", VALUE), 0x440);
    assert_int_equal(WIDE("\x48\x8d\x41\x70\xc3", ADDRESS), 0x70);
    assert_int_equal(NARROW("\x8b\xff\x55\x8b\xec\x8b\x45\x08\x8b\x80\xb4\0\0"
                            "\0\x5d\xc2\x04\0",
                            VALUE),
                     0xb4);
    assert_int_equal(NARROW("\x8b\xff\x55\x8b\xec\x8b\x45\x08\x05\x74\x01\0\0"
                            "\x5d\xc2\x04\0",
                            ADDRESS),
                     0x174);
    assert_int_equal(
        NARROW("\x8b\x44\x24\x04\x8b\x80\xb4\0\0\0\xc2\x04\0", VALUE), 0xb4);
    assert_int_equal(NARROW("\x55\x8b\xec\x8b\x4d\x08\x8d\x81\x6c\x01\0\0\xc9"
                            "\xc2\x04\0",
                            ADDRESS),
                     0x16c);
}

static void
test_what_stands_before_and_between(void **state)
{
    struct fixture *f = *state;
    /* endbr64; xchg ax,ax; nopl */
    assert_int_equal(WIDE("\xf3\x0f\x1e\xfa\x66\x90\x0f\x1f\x44\0\0"
                          "\x48\x8b\x81\x40\x04\0\0\xc3",
                          VALUE),
                     0x440);
    /* mov edi,edi is a nop that hotpatching wants */
    assert_int_equal(WIDE("\x8b\xff\x48\x8b\x81\x40\x04\0\0\xc3", VALUE),
                     0x440);
    /* mov rax,rcx; mov rax,[rax+440]; and with r8 and rdx in between */
    assert_int_equal(WIDE("\x48\x8b\xc1\x48\x8b\x80\x40\x04\0\0\xc3", VALUE),
                     0x440);
    assert_int_equal(WIDE("\x4c\x8b\xc1\x49\x8b\x80\x40\x04\0\0\xc3", VALUE),
                     0x440);
    assert_int_equal(WIDE("\x48\x89\xca\x48\x8b\x82\x40\x04\0\0\xc3", VALUE),
                     0x440);
    /* add rcx,400; mov rax,[rcx+40] */
    assert_int_equal(WIDE("\x48\x81\xc1\0\x04\0\0\x48\x8b\x41\x40\xc3", VALUE),
                     0x440);
    assert_int_equal(
        WIDE("\x48\x83\xe9\x08\x48\x8b\x81\x48\x04\0\0\xc3", VALUE), 0x440);
    /* The argument goes to its home and comes back. */
    assert_int_equal(WIDE("\x48\x89\x4c\x24\x08\x48\x8b\x44\x24\x08\x48\x8b"
                          "\x80\x40\x04\0\0\xc3",
                          VALUE),
                     0x440);
}

static void
test_jumps(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(WIDE("\xeb\x02\xcc\xcc\x48\x8b\x41\x28\xc3", VALUE), 0x28);
    assert_int_equal(WIDE("\xe9\x01\0\0\0\xcc\x48\x8b\x41\x28\xc3", VALUE),
                     0x28);
    /* jmp [rip+2], a pointer to the last five bytes of the page */
    assert_int_equal(WIDE("\xff\x25\x02\0\0\0\xcc\xcc\xfb\x1f\0\0\0\xf8\xff\xff"
                          "\x48\x8b\x41\x28\xc3",
                          VALUE),
                     0x28);
    assert_int_equal(NARROW("\xff\x25\xf0\x1f\0\x80\xcc\xcc\xcc\xcc\xcc"
                            "\xf5\x1f\0\x80\xcc"
                            "\x8b\x44\x24\x04\x8b\x40\x28\xc2\x04\0\x90",
                            VALUE),
                     0x28);
    assert_int_equal(WIDE("\xeb\xfe", VALUE), 0);
    assert_int_equal(WIDE("\xe9\xff\xff\xff\x7f", VALUE), 0);
}

/* What is fetched must be what was asked for. */
static void
test_value_is_no_address(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(WIDE("\x48\x8b\x81\x40\x04\0\0\xc3", ADDRESS), 0);
    assert_int_equal(WIDE("\x48\x8d\x81\x40\x04\0\0\xc3", VALUE), 0);
}

static void
test_code_that_does_more(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *what;
        const char *code;
        size_t len;
    } codes[] = {
#define C(what, code) {what, code, sizeof(code) - 1}
        C("call", "\xe8\0\0\0\0\x48\x8b\x41\x28\xc3"),
        C("a field of a field", "\x48\x8b\x41\x28\x48\x8b\x40\x10\xc3"),
        C("arithmetic on the field", "\x48\x8b\x41\x28\x48\x83\xc0\x08\xc3"),
        C("an index", "\x48\x8b\x44\x11\x28\xc3"),
        C("another argument", "\x48\x8b\x42\x28\xc3"),
        C("a global", "\x48\x8b\x05\x28\x01\0\0\xc3"),
        C("gs", "\x65\x48\x8b\x04\x25\x88\x01\0\0\xc3"),
        C("a condition", "\x48\x85\xc9\x74\x05\x48\x8b\x41\x28\xc3"),
        C("no offset", "\x48\x8b\x01\xc3"),
        C("an offset below it", "\x48\x8b\x41\xf8\xc3"),
        C("an offset far off", "\x48\x8b\x81\0\0\x10\0\xc3"),
        C("zero", "\x33\xc0\xc3"),
        C("nothing", "\xc3"),
        C("no end", "\x48\x8b\x81\x40\x04\0\0"),
        C("a cut instruction", "\x48\x8b\x81\x40"),
        C("a store", "\x48\x89\x41\x28\x48\x8b\x41\x28\xc3"),
#undef C
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(codes); i++) {
        if (offset_of(f, true, codes[i].code, codes[i].len, VALUE) != 0)
            fail_msg("understood: %s", codes[i].what);
    }
}

static void
test_as_many_instructions_as_are_followed(void **state)
{
    struct fixture *f = *state;
    char code[32];
    memset(code, 0x90, sizeof(code));
    memcpy(code + 27, "\x48\x8b\x41\x28\xc3", 5);
    assert_int_equal(offset_of(f, true, code + 5, 27, VALUE), 0x28);
    assert_int_equal(offset_of(f, true, code + 4, 28, VALUE), 0);
}

static void
test_code_that_is_not_mapped(void **state)
{
    struct fixture *f = *state;
    uint16_t offset;
    WIDE("\xc3", VALUE);
    assert_false(
        memctx_windows_code_offset(&f->view, CODE_64 + PAGE, VALUE, &offset));
    assert_false(
        memctx_windows_code_offset(&f->view, UINT64_MAX, VALUE, &offset));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_plain_getters),
        T(test_what_stands_before_and_between),
        T(test_jumps),
        T(test_value_is_no_address),
        T(test_code_that_does_more),
        T(test_as_many_instructions_as_are_followed),
        T(test_code_that_is_not_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
