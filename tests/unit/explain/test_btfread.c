/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* BTF is copied out of a kernel's image, wherever it lies there. */
#include "unit.h"

#include "btfimg.h"
#include "charged.h"
#include "explain/btfread.h"
#include "guestimg.h"

#define RAM (128 * MEMCTX_MIB)
#define AT UINT64_C(0x90fff8) /* from _text: across pages */
#define CHUNK (64 * MEMCTX_KIB)

struct fixture {
    struct guestimg img;
    struct guestimg_kernel built;
    struct memctx_kernel kernel;
    struct memctx_rammap *map;
    struct memctx_target target;
    unsigned char *bytes;
    size_t len;
    struct memctx_error err;
};

static void
make_btf(struct fixture *f)
{
    struct btfimg *types = calloc(1, sizeof(*types));
    char name[16];
    btfimg_init(types);
    for (unsigned i = 0; i < 400; i++) {
        snprintf(name, sizeof(name), "type%u", i);
        btfimg_int(types, name, 4);
    }
    f->bytes = btfimg_bytes(types, &f->len);
    free(types);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->built = guestimg_kernel();
    guestimg_add_kernel(&f->img, &f->built);
    f->kernel = (struct memctx_kernel){.os = MEMCTX_OS_LINUX,
                                       .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                       .kcr3 = f->built.root_gpa,
                                       .base_gva = f->built.text_gva,
                                       .size_bytes = f->built.end_gpa -
                                                     f->built.text_gpa};
    f->map = guestimg_rammap(&f->img, NULL);
    memctx_target_init(&f->target, f->map, &f->kernel, NULL, 0);
    make_btf(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    free(f->bytes);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    free(f);
    return 0;
}

static void
put(struct fixture *f, uint64_t at, const void *bytes, size_t len)
{
    guestimg_write(&f->img, f->built.text_gpa + at, bytes, len);
}

static void
assert_found(struct fixture *f, uint64_t at)
{
    uint64_t start_gva;
    uint64_t stop_gva;
    struct memctx_btf *btf;
    size_t len;
    assert_done(memctx_btf_search(&f->target, &start_gva, &stop_gva, &f->err),
                &f->err);
    assert_int_equal(start_gva, f->built.text_gva + at);
    assert_int_equal(stop_gva - start_gva, f->len);
    assert_done(memctx_btf_read(&f->target, start_gva, stop_gva, &btf, &f->err),
                &f->err);
    assert_memory_equal(memctx_btf_bytes(btf, &len), f->bytes, f->len);
    assert_int_equal(len, f->len);
    memctx_btf_destroy(btf);
}

static void
test_btf_anywhere_in_the_image(void **state)
{
    struct fixture *f = *state;
    static const uint64_t places[] = {0, AT, 9 * MEMCTX_MIB + CHUNK - 1,
                                      9 * MEMCTX_MIB + CHUNK - 3};
    static const unsigned char zeros[8];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++) {
        put(f, places[i], f->bytes, f->len);
        memctx_target_refresh(&f->target);
        assert_found(f, places[i]);
        put(f, places[i], zeros, sizeof(zeros));
    }
}

/* The same bytes as an operand, or as what is left of another. */
static void
test_the_longest_counts(void **state)
{
    struct fixture *f = *state;
    unsigned char shorter[8192];
    memcpy(shorter, f->bytes, sizeof(shorter));
    shorter[20] = 1; /* of its names there is one byte */
    shorter[21] = 0;
    put(f, 0x1000, f->bytes, 20); /* no length behind it */
    put(f, AT, f->bytes, f->len);
    put(f, 0xb00000, shorter, sizeof(shorter));
    assert_found(f, AT);
}

static void
test_kernel_without_btf(void **state)
{
    struct fixture *f = *state;
    uint64_t start_gva = 1;
    uint64_t stop_gva;
    assert_int_equal(
        memctx_btf_search(&f->target, &start_gva, &stop_gva, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "CONFIG_DEBUG_INFO_BTF");
    assert_int_equal(start_gva, 1);
}

static void
test_symbols_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    uint64_t gva = f->built.text_gva + AT;
    const struct {
        uint64_t start_gva;
        uint64_t stop_gva;
        const char *words;
    } rows[] = {
        {gva, gva, "BTF from"},
        {gva, gva - 1, "BTF from"},
        {gva, gva + MEMCTX_BTF_BYTES_MAX + 1, "BTF from"},
        {0, UINT64_MAX, "BTF from"},
        {0x1000, 0x2000, "BTF: "},
        {gva, gva + 4096, "no header"},
    };
    struct memctx_btf *btf = NULL;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        assert_int_equal(memctx_btf_read(&f->target, rows[i].start_gva,
                                         rows[i].stop_gva, &btf, &f->err),
                         -1);
        assert_error(&f->err, MEMCTX_RETRY, rows[i].words);
    }
    assert_null(btf);
}

static void
test_a_search_is_paid_for(void **state)
{
    struct fixture *f = *state;
    struct memctx_work work;
    uint64_t start_gva;
    uint64_t stop_gva;
    put(f, AT, f->bytes, f->len);
    charge_map(&f->map, &work, 100);
    memctx_target_init(&f->target, f->map, &f->kernel, NULL, 0);
    assert_int_equal(
        memctx_btf_search(&f->target, &start_gva, &stop_gva, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_btf_anywhere_in_the_image), T(test_the_longest_counts),
        T(test_kernel_without_btf),        T(test_symbols_that_lead_nowhere),
        T(test_a_search_is_paid_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
