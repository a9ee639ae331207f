/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Domain XML and QEMU's arguments joined, and the vendor that follows. */
#include "unit.h"

#include "base/bytes.h"
#include "qemu/memconf.h"

#define G MEMCTX_GIB

static struct memctx_memconf
xml(void)
{
    return (struct memctx_memconf){
        .arch = MEMCTX_ARCH_X86,
        .machine = "pc-q35-7.2",
        .accel = MEMCTX_ACCEL_TCG,
        .cpu_model = "EPYC",
        .ram_bytes = 4 * G,
        .max_memory_bytes = 8 * G,
        .slots = 4,
    };
}

static void
add(struct memctx_memconf *conf, const char *id, uint64_t gpa)
{
    struct memctx_memdev *d = &conf->memdevs[conf->n_memdevs++];
    strcpy(d->id, id);
    d->size = G;
    d->gpa = gpa;
    d->has_gpa = gpa != 0;
}

static void
test_arguments_count(void **state)
{
    (void)state;
    struct memctx_memconf conf = xml();
    struct memctx_memconf args = {.machine = "pc-i440fx-2.0",
                                  .accel = MEMCTX_ACCEL_HOST,
                                  .cpu_model = "Haswell",
                                  .max_ram_below_4g = G,
                                  .boot_backend = "x",
                                  .ram_bytes = 2 * G};
    conf.n_cells = 1;
    memctx_memconf_overlay(&conf, &args, true);
    assert_string_equal(conf.machine, "pc-i440fx-2.0");
    assert_string_equal(conf.cpu_model, "Haswell");
    assert_string_equal(conf.boot_backend, "x");
    assert_int_equal(conf.accel, MEMCTX_ACCEL_HOST);
    assert_int_equal(conf.max_ram_below_4g, G);
    assert_int_equal(conf.ram_bytes, 2 * G);
    assert_int_equal(conf.max_memory_bytes, 0);
    assert_int_equal(conf.n_cells, 0);
    assert_int_equal(conf.arch, MEMCTX_ARCH_X86);
}

static void
test_some_arguments_leave_the_rest(void **state)
{
    (void)state;
    struct memctx_memconf conf = xml();
    struct memctx_memconf args = {.max_ram_below_4g = G};
    conf.n_cells = 1;
    memctx_memconf_overlay(&conf, &args, false);
    assert_int_equal(conf.max_ram_below_4g, G);
    assert_string_equal(conf.machine, "pc-q35-7.2");
    assert_string_equal(conf.cpu_model, "EPYC");
    assert_int_equal(conf.ram_bytes, 4 * G);
    assert_int_equal(conf.slots, 4);
    assert_int_equal(conf.n_cells, 1);
}

/* dimm0 stayed, dimm1 was unplugged, "mine" is of qemu:commandline and in no
 * XML, dimm2 was plugged. */
static void
test_plugged_and_unplugged_devices(void **state)
{
    (void)state;
    struct memctx_memconf conf = xml();
    struct memctx_memconf args = {.arch = MEMCTX_ARCH_X86};
    add(&conf, "dimm0", 6 * G);
    add(&conf, "dimm2", 7 * G);
    add(&args, "dimm0", 0);
    add(&args, "dimm1", 0);
    add(&args, "mine", 9 * G);
    memctx_memconf_overlay(&conf, &args, true);
    assert_int_equal(conf.n_memdevs, 3);
    assert_string_equal(conf.memdevs[0].id, "dimm0");
    assert_int_equal(conf.memdevs[0].gpa, 6 * G);
    assert_string_equal(conf.memdevs[1].id, "mine");
    assert_string_equal(conf.memdevs[2].id, "dimm2");
    /* Without XML nobody knows better than the arguments. */
    struct memctx_memconf none = {.arch = MEMCTX_ARCH_UNKNOWN};
    memctx_memconf_overlay(&none, &args, true);
    assert_int_equal(none.n_memdevs, 3);
    assert_string_equal(none.memdevs[1].id, "dimm1");
}

static void
test_vendors(void **state)
{
    (void)state;
    static const struct {
        enum memctx_accel accel;
        enum memctx_vendor host;
        const char *model;
        const char *vendor;
        enum memctx_vendor wanted;
        bool certain;
    } rows[] = {
        {MEMCTX_ACCEL_TCG, 0, "", "", MEMCTX_VENDOR_AMD, true},
        {MEMCTX_ACCEL_TCG, 0, "qemu64", "", MEMCTX_VENDOR_AMD, true},
        {MEMCTX_ACCEL_TCG, 0, "max", "", MEMCTX_VENDOR_AMD, true},
        {MEMCTX_ACCEL_TCG, 0, "EPYC-Rome-v2", "", MEMCTX_VENDOR_AMD, true},
        {MEMCTX_ACCEL_TCG, 0, "Opteron_G3", "", MEMCTX_VENDOR_AMD, true},
        {MEMCTX_ACCEL_TCG, 0, "kvm64", "", MEMCTX_VENDOR_OTHER, true},
        {MEMCTX_ACCEL_TCG, 0, "Dhyana", "", MEMCTX_VENDOR_OTHER, true},
        {MEMCTX_ACCEL_TCG, 0, "athlon", "", MEMCTX_VENDOR_OTHER, true},
        {MEMCTX_ACCEL_TCG, 0, "base", "", MEMCTX_VENDOR_UNKNOWN, false},
        {MEMCTX_ACCEL_TCG, 0, "Haswell", "AuthenticAMD", MEMCTX_VENDOR_AMD,
         true},
        {MEMCTX_ACCEL_HOST, 0, "EPYC", "GenuineIntel", MEMCTX_VENDOR_OTHER,
         true},
        /* KVM gives the host's vendor to every model. */
        {MEMCTX_ACCEL_HOST, MEMCTX_VENDOR_AMD, "Haswell", "", MEMCTX_VENDOR_AMD,
         true},
        {MEMCTX_ACCEL_HOST, MEMCTX_VENDOR_OTHER, "EPYC", "",
         MEMCTX_VENDOR_OTHER, true},
        {MEMCTX_ACCEL_HOST, 0, "EPYC", "", MEMCTX_VENDOR_AMD, false},
        {MEMCTX_ACCEL_HOST, 0, "host", "", MEMCTX_VENDOR_UNKNOWN, false},
        {MEMCTX_ACCEL_HOST, 0, "qemu64", "", MEMCTX_VENDOR_UNKNOWN, false},
        {MEMCTX_ACCEL_UNKNOWN, MEMCTX_VENDOR_AMD, "Haswell", "",
         MEMCTX_VENDOR_OTHER, false},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_memconf conf = {.accel = rows[i].accel,
                                      .host = rows[i].host};
        bool certain;
        strcpy(conf.cpu_model, rows[i].model);
        strcpy(conf.cpu_vendor, rows[i].vendor);
        enum memctx_vendor found = memctx_memconf_vendor(&conf, &certain);
        if (found != rows[i].wanted || certain != rows[i].certain)
            fail_msg("row %zu, '%s': vendor %d, certain %d", i, rows[i].model,
                     (int)found, certain);
    }
}

static void
test_architectures(void **state)
{
    (void)state;
    assert_int_equal(memctx_memconf_arch("x86_64"), MEMCTX_ARCH_X86);
    assert_int_equal(memctx_memconf_arch("i686"), MEMCTX_ARCH_X86);
    assert_int_equal(memctx_memconf_arch("aarch64"), MEMCTX_ARCH_ARM);
    assert_int_equal(memctx_memconf_arch("riscv64"), MEMCTX_ARCH_RISCV);
    assert_int_equal(memctx_memconf_arch("s390x"), MEMCTX_ARCH_OTHER);
    assert_int_equal(memctx_memconf_arch(""), MEMCTX_ARCH_UNKNOWN);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_arguments_count),
        T(test_some_arguments_leave_the_rest),
        T(test_plugged_and_unplugged_devices),
        T(test_vendors),
        T(test_architectures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
