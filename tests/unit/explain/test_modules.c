/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Modules and their symbols are listed as they are; what lies, ends. */
#include "unit.h"

#include "charged.h"
#include "explain/modules.h"
#include "moduleimg.h"

struct fixture {
    struct explimg x;
    struct memctx_btf *btf;
    struct memctx_rammap *map;
    struct memctx_target target;
    struct memctx_modules modules;
    struct memctx_error err;
};

static void
set_types(struct fixture *f, enum moduleimg_age age)
{
    struct btfimg *types = calloc(1, sizeof(*types));
    btfimg_init(types);
    moduleimg_types(types, age);
    memctx_btf_destroy(f->btf);
    f->btf = btfimg_open(types);
    free(types);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    explimg_init(&f->x);
    moduleimg_init(&f->x);
    set_types(f, MODULEIMG_NEW);
    f->map = explimg_rammap(&f->x);
    memctx_target_init(&f->target, f->map, &f->x.kernel, NULL, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_modules_deinit(&f->modules);
    memctx_btf_destroy(f->btf);
    memctx_rammap_destroy(f->map);
    explimg_deinit(&f->x);
    free(f);
    return 0;
}

static int
list(struct fixture *f)
{
    memctx_modules_deinit(&f->modules);
    memctx_target_refresh(&f->target);
    f->err = (struct memctx_error)MEMCTX_ERROR_INIT;
    return memctx_modules_read(&f->target, f->btf, moduleimg_head(&f->x),
                               &f->modules, &f->err);
}

/* ---- modules ------------------------------------------------------------- */

static void
check_module(struct fixture *f, enum moduleimg_age age)
{
    set_types(f, age);
    moduleimg_add(&f->x, 0, "dummy");
    assert_done(list(f), &f->err);
    assert_int_equal(f->modules.n, 1);
    const struct memctx_module *module = &f->modules.module[0];
    assert_string_equal(module->name, "dummy");
    assert_int_equal(module->gva, moduleimg_gva(&f->x, 0));
    assert_int_equal(module->base, UINT64_C(0xffffffffc0000000));
    assert_int_equal(module->size_bytes, 0x3000);
    assert_int_equal(module->state, MEMCTX_MODULE_LIVE);
    assert_int_equal(module->has_refcount, age != MODULEIMG_BARE);
    assert_int_equal(module->refcount, 0);
    assert_int_equal(module->n_users, 0);
}

static void
test_a_module_as_it_is(void **state)
{
    check_module(*state, MODULEIMG_NEW);
}

static void
test_a_module_of_before_6_4(void **state)
{
    check_module(*state, MODULEIMG_OLD);
}

static void
test_a_kernel_that_unloads_nothing(void **state)
{
    check_module(*state, MODULEIMG_BARE);
}

static void
test_no_module(void **state)
{
    struct fixture *f = *state;
    assert_done(list(f), &f->err);
    assert_int_equal(f->modules.n, 0);
}

static void
test_users_and_states(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"Live", "Loading", "Unloading"};
    moduleimg_add(&f->x, 0, "used");
    moduleimg_add(&f->x, 1, "first");
    moduleimg_add(&f->x, 2, "second");
    moduleimg_add(&f->x, 3, "unformed");
    moduleimg_use(&f->x, 0, 1, 0);
    moduleimg_use(&f->x, 1, 2, 0);
    moduleimg_use(&f->x, 2, 2, 1);
    explimg_le32(&f->x, moduleimg_gva(&f->x, 0) + MODULEIMG_REFCOUNT, 3);
    for (unsigned i = 1; i < 4; i++)
        explimg_le32(&f->x, moduleimg_gva(&f->x, i) + MODULEIMG_STATE, i);
    assert_done(list(f), &f->err);
    assert_int_equal(f->modules.n, 3);
    const struct memctx_module *module = f->modules.module;
    assert_int_equal(module[0].refcount, 2);
    assert_int_equal(module[0].n_users, 2);
    assert_ptr_equal(
        memctx_modules_find(&f->modules,
                            f->modules.user[module[0].first_user + 1]),
        &module[2]);
    assert_int_equal(module[1].n_users, 1);
    assert_int_equal(module[2].n_users, 0);
    assert_null(memctx_modules_find(&f->modules, 1));
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(memctx_module_state_name(module[i].state),
                            names[i]);
}

/* ---- symbols ------------------------------------------------------------- */

struct taken {
    unsigned n;
    unsigned max;
    char text[256];
};

static int
take(void *arg, const struct memctx_module_symbol *symbol,
     struct memctx_error *err)
{
    struct taken *taken = arg;
    size_t used = strlen(taken->text);
    if (taken->n == taken->max)
        return memctx_error_set(err, MEMCTX_GONE, "enough");
    taken->n++;
    snprintf(taken->text + used, sizeof(taken->text) - used, "%llx %c %s\n",
             (unsigned long long)symbol->gva, symbol->type, symbol->name);
    return 0;
}

static int
take_symbols(struct fixture *f, struct taken *taken)
{
    assert_done(list(f), &f->err);
    return memctx_module_symbols(&f->target, &f->modules, &f->modules.module[0],
                                 take, taken, &f->err);
}

static void
test_symbols_of_a_module(void **state)
{
    struct fixture *f = *state;
    struct taken taken = {.max = 9};
    moduleimg_add(&f->x, 0, "dummy");
    assert_done(take_symbols(f, &taken), &f->err);
    assert_string_equal(taken.text, "ffffffffc0000010 t dummy_init\n"
                                    "ffffffffc0000020 T dummy_exit\n");
    taken = (struct taken){.max = 1};
    assert_int_equal(take_symbols(f, &taken), -1);
    assert_error(&f->err, MEMCTX_GONE, "enough");
}

static void
test_symbols_that_make_no_sense(void **state)
{
    struct fixture *f = *state;
    struct taken taken = {.max = 9};
    moduleimg_add(&f->x, 0, "dummy");
    uint64_t at = moduleimg_gva(&f->x, 0) + MODULEIMG_KALLSYMS;
    uint64_t kallsyms = explimg_read_le64(&f->x, at);
    explimg_le32(&f->x, kallsyms + 8, UINT32_MAX);
    assert_int_equal(take_symbols(f, &taken), -1);
    assert_error(&f->err, MEMCTX_RETRY, "symbols, at most");
    explimg_le32(&f->x, kallsyms + 8, 2);
    explimg_le64(&f->x, kallsyms + 16, 0x1000);
    assert_int_equal(take_symbols(f, &taken), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    explimg_le64(&f->x, at, UINT64_MAX);
    assert_int_equal(take_symbols(f, &taken), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    assert_int_equal(taken.n, 0);
}

static void
test_a_kernel_without_symbols_of_modules(void **state)
{
    struct fixture *f = *state;
    struct taken taken = {.max = 9};
    moduleimg_add(&f->x, 0, "dummy");
    set_types(f, MODULEIMG_BARE);
    assert_int_equal(take_symbols(f, &taken), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "keep no symbols");
}

/* ---- what lies ----------------------------------------------------------- */

static void
assert_broken(struct fixture *f, const char *words)
{
    assert_int_equal(list(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "the list of modules broke off");
    assert_error(&f->err, MEMCTX_RETRY, words);
}

static void
test_links_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 5; i++)
        moduleimg_add(&f->x, i, "one");
    explimg_le64(&f->x, moduleimg_gva(&f->x, 3) + MODULEIMG_LIST, 0x77);
    assert_broken(f, "gva");
    assert_int_equal(f->modules.n, 4);
    explimg_le64(&f->x, moduleimg_gva(&f->x, 1) + MODULEIMG_USERS + 8, 0x77);
    assert_broken(f, "leads back to 0x77");
    assert_int_equal(f->modules.n, 1);
}

/* A ring beside the head, for modules and for users. */
static void
test_lists_without_an_end(void **state)
{
    struct fixture *f = *state;
    moduleimg_add(&f->x, 0, "one");
    moduleimg_add(&f->x, 1, "two");
    moduleimg_use(&f->x, 0, 1, 0);
    moduleimg_use(&f->x, 1, 1, 0);
    uint64_t head = moduleimg_gva(&f->x, 0) + MODULEIMG_USERS;
    uint64_t use = explimg_read_le64(&f->x, head);
    uint64_t last = explimg_read_le64(&f->x, use);
    explimg_le64(&f->x, last, last); /* leads to itself, and back */
    explimg_le64(&f->x, last + 8, last);
    explimg_le64(&f->x, head, last);
    assert_broken(f, "leads back to");
    explimg_list_init(&f->x, head);
    uint64_t link = moduleimg_gva(&f->x, 1) + MODULEIMG_LIST;
    explimg_list_init(&f->x, link);
    explimg_le64(&f->x, moduleimg_head(&f->x), link);
    assert_broken(f, "leads back to");
}

static void
test_types_without_modules(void **state)
{
    struct fixture *f = *state;
    struct btfimg *types = calloc(1, sizeof(*types));
    btfimg_init(types);
    memctx_btf_destroy(f->btf);
    f->btf = btfimg_open(types);
    free(types);
    assert_int_equal(list(f), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "BTF has no module");
}

static void
test_all_is_paid_for(void **state)
{
    struct fixture *f = *state;
    struct memctx_work work;
    for (unsigned i = 0; i < 100; i++)
        moduleimg_add(&f->x, i, "one");
    charge_map(&f->map, &work, 40);
    memctx_target_init(&f->target, f->map, &f->x.kernel, NULL, 0);
    assert_broken(f, "");
    assert_true(f->modules.n < 100);
}

static void
test_every_read_may_fail(void **state)
{
    struct fixture *f = *state;
    moduleimg_add(&f->x, 0, "one");
    moduleimg_add(&f->x, 1, "two");
    moduleimg_use(&f->x, 0, 1, 0);
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    assert_done(list(f), &f->err);
    unsigned long reads = guestimg_faults()->reads;
    for (unsigned long n = 1; n <= reads; n++) {
        *guestimg_faults() = (struct guestimg_faults){.fail_from = n};
        assert_broken(f, "");
    }
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_module_as_it_is),
        T(test_a_module_of_before_6_4),
        T(test_a_kernel_that_unloads_nothing),
        T(test_no_module),
        T(test_users_and_states),
        T(test_symbols_of_a_module),
        T(test_symbols_that_make_no_sense),
        T(test_a_kernel_without_symbols_of_modules),
        T(test_links_that_lead_nowhere),
        T(test_lists_without_an_end),
        T(test_types_without_modules),
        T(test_all_is_paid_for),
        T(test_every_read_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
