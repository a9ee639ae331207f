/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's arguments as libvirt writes them, as people do, and as nobody does. */
#include "unit.h"

#include <stdlib.h>

#include "bytes.h"
#include "qemuargs.h"

#define UUID "5a1b6f0e-2c3d-4e5f-8a9b-0c1d2e3f4a5b"

/* Arguments written with '|' between them, as /proc/PID/cmdline has them. */
static int
parse_into(const char *args, struct memctx_qemuargs *ret,
           struct memctx_error *err)
{
    /* Exactly as long as the bytes, so that ASan and valgrind see the end. */
    size_t len = strlen(args) + 1;
    char *copy = test_malloc(len);
    memcpy(copy, args, len);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] == '|')
            copy[i] = '\0';
    }
    int result = memctx_qemuargs_parse(copy, len, ret, err);
    test_free(copy);
    return result;
}

static struct memctx_qemuargs
parse(const char *args)
{
    struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(parse_into(args, &found, &err), &err);
    return found;
}

static void
refuse(const char *args, const char *words)
{
    struct memctx_qemuargs found = {.ram_bytes = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(parse_into(args, &found, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(found.ram_bytes, 77);
}

static void
test_arguments_of_libvirt(void **state)
{
    (void)state;
    struct memctx_qemuargs found = parse(
        "/usr/bin/qemu-system-x86_64|-name|guest=a,debug-threads=on|-S|"
        "-object|{\"qom-type\":\"secret\",\"id\":\"masterKey0\"}|"
        "-machine|pc-q35-7.2,usb=off,dump-guest-core=off,"
        "memory-backend=pc.ram|-accel|kvm|-m|size=4194304k,slots=16,"
        "maxmem=16777216k|"
        "-object|{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\","
        "\"share\":true,\"x-use-canonical-path-for-ramblock-id\":false,"
        "\"size\":4294967296}|-uuid|" UUID "|-no-user-config");
    assert_string_equal(found.uuid, UUID);
    assert_string_equal(found.machine, "pc-q35-7.2");
    assert_int_equal(found.ram_bytes, 4 * MEMCTX_GIB);
    assert_int_equal(found.max_memory_bytes, 16 * MEMCTX_GIB);
    assert_int_equal(found.max_ram_below_4g, 0);
    assert_false(found.confidential);
    assert_int_equal(found.n_backends, 1);
    assert_string_equal(found.backends[0].id, "pc.ram");
    assert_int_equal(found.backends[0].kind, MEMCTX_BACKEND_MEMFD);
    assert_int_equal(found.backends[0].size, 4 * MEMCTX_GIB);
}

static void
test_arguments_of_a_person(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|--m|2G|-M|type=pc,max-ram-below-4g=1G|"
              "-object|memory-backend-file,id=m0,mem-path=/a,,b,size=1G|"
              "-object|qom-type=memory-backend-ram,size=512M,id=m1");
    assert_int_equal(found.ram_bytes, 2 * MEMCTX_GIB);
    assert_string_equal(found.machine, "pc");
    assert_int_equal(found.max_ram_below_4g, MEMCTX_GIB);
    assert_int_equal(found.n_backends, 2);
    assert_int_equal(found.backends[0].kind, MEMCTX_BACKEND_FILE);
    assert_string_equal(found.backends[0].id, "m0");
    assert_int_equal(found.backends[0].size, MEMCTX_GIB);
    assert_int_equal(found.backends[1].kind, MEMCTX_BACKEND_ANONYMOUS);
}

static void
test_no_arguments(void **state)
{
    (void)state;
    struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_qemuargs_parse("", 0, &found, &err), &err);
    assert_string_equal(found.uuid, "");
    assert_string_equal(found.machine, "");
    assert_int_equal(found.n_backends, 0);
    /* An option without its value, and empty arguments. */
    assert_int_equal(parse("qemu|||-uuid").n_backends, 0);
}

static void
test_last_of_repeated_arguments_counts(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-m|1G|-machine|pc,max-ram-below-4g=1G|-m|2G|-machine|"
              "max-ram-below-4g=2G|-machine|accel=tcg");
    assert_int_equal(found.ram_bytes, 2 * MEMCTX_GIB);
    assert_string_equal(found.machine, "pc");
    assert_int_equal(found.max_ram_below_4g, 2 * MEMCTX_GIB);
}

/* As in QEMU: qemu_opt_get() looks from the end. */
static void
test_last_of_repeated_keys_counts(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-machine|pc,max-ram-below-4g=1G,max-ram-below-4g=2G");
    assert_int_equal(found.max_ram_below_4g, 2 * MEMCTX_GIB);
}

static void
test_value_that_looks_like_an_option(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-M|-m|-uuid|" UUID "|-object|-uuid|-name|guest=-m");
    assert_string_equal(found.machine, "-m");
    assert_string_equal(found.uuid, UUID);
    assert_int_equal(found.n_backends, 0);
    assert_int_equal(found.ram_bytes, 0);
}

static void
test_confidential_guest(void **state)
{
    (void)state;
    assert_true(
        parse("qemu|-machine|q35,confidential-guest-support=lsec0|-object|"
              "{\"qom-type\":\"sev-guest\",\"id\":\"lsec0\"}")
            .confidential);
}

static void
test_doubled_comma_is_no_separator(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-object|memory-backend-file,size=1G,mem-path=/x,,size=9G,"
              ",id=b,,,id=a");
    assert_string_equal(found.backends[0].id, "a");
    assert_int_equal(found.backends[0].size, MEMCTX_GIB);
}

static void
test_long_values_are_passed_over(void **state)
{
    (void)state;
    char args[4096] = "qemu|-machine|";
    memset(args + 14, 'q', 2000);
    strcpy(args + 2014, ",max-ram-below-4g=1G|-object|memory-backend-ram,id=");
    size_t len = strlen(args);
    memset(args + len, 'i', 1000);
    strcpy(args + len + 1000, ",size=1G");
    struct memctx_qemuargs found = parse(args);
    assert_string_equal(found.machine, "");
    assert_int_equal(found.max_ram_below_4g, MEMCTX_GIB);
    assert_int_equal(found.n_backends, 1);
    assert_string_equal(found.backends[0].id, "");
    assert_int_equal(found.backends[0].size, MEMCTX_GIB);
}

static void
test_more_backends_than_are_kept(void **state)
{
    (void)state;
    enum {
        COUNT = MEMCTX_BACKEND_ARGS_MAX + 10
    };
    char *args = test_malloc(COUNT * 64);
    size_t len = 0;
    for (int i = 0; i < COUNT; i++)
        len += (size_t)sprintf(args + len, "-object|memory-backend-epc,id=m%d|",
                               i);
    struct memctx_qemuargs found = parse(args);
    test_free(args);
    assert_int_equal(found.n_backends, COUNT);
    assert_string_equal(found.backends[MEMCTX_BACKEND_ARGS_MAX - 1].id, "m63");
    assert_int_equal(found.backends[0].kind, MEMCTX_BACKEND_OTHER);
}

static void
test_json_that_is_none(void **state)
{
    (void)state;
    refuse("qemu|-object|{", "is no JSON object");
    refuse("qemu|-object|{\"id\":", "is no JSON object");
    refuse("qemu|-object|{\"a\":{\"a\":{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
           "[[[[[[[[[[[[[[[[[[",
           "is no JSON object");
}

static void
test_json_with_members_of_other_types(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-object|{\"qom-type\":\"memory-backend-ram\",\"id\":7,"
              "\"size\":-1}|-object|{\"qom-type\":[]}|-object|{}");
    assert_int_equal(found.n_backends, 1);
    assert_string_equal(found.backends[0].id, "");
    assert_int_equal(found.backends[0].size, 0);
}

static void
test_sizes_that_are_none(void **state)
{
    (void)state;
    refuse("qemu|-m|lots", "-m is no size: 'lots'");
    refuse("qemu|-m|size=", "-m is no size: ''");
    refuse("qemu|-m|1G,maxmem=-1", "maxmem is no size");
    refuse("qemu|-machine|pc,max-ram-below-4g=1Gi",
           "max-ram-below-4g is no size");
}

static void
test_uuid_that_is_none(void **state)
{
    (void)state;
    refuse("qemu|-uuid|5a1b6f0e", "-uuid is no UUID");
    refuse("qemu|-uuid|", "-uuid is no UUID");
}

static void
test_arguments_longer_than_sane(void **state)
{
    (void)state;
    struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *args = test_calloc(1, MEMCTX_QEMUARGS_MAX + 1);
    assert_int_equal(
        memctx_qemuargs_parse(args, MEMCTX_QEMUARGS_MAX + 1, &found, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "too long");
    assert_done(memctx_qemuargs_parse(args, MEMCTX_QEMUARGS_MAX, &found, &err),
                &err);
    test_free(args);
}

/* /proc/PID/cmdline may be cut, or the process may have overwritten it. */
static void
test_last_argument_without_a_nul(void **state)
{
    (void)state;
    struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *args = test_malloc(5);
    memcpy(args, "-m\0001G", 5);
    assert_done(memctx_qemuargs_parse(args, 5, &found, &err), &err);
    assert_int_equal(found.ram_bytes, MEMCTX_GIB);
    test_free(args);
}

static uint64_t
size_of(const char *text, uint64_t unit)
{
    uint64_t size;
    if (!memctx_qemuargs_size(text, unit, &size))
        fail_msg("'%s' is no size", text);
    return size;
}

static void
test_sizes(void **state)
{
    (void)state;
    assert_int_equal(size_of("0", MEMCTX_MIB), 0);
    assert_int_equal(size_of("128", MEMCTX_MIB), 128 * MEMCTX_MIB);
    assert_int_equal(size_of("128", 1), 128);
    assert_int_equal(size_of("7b", MEMCTX_MIB), 7);
    assert_int_equal(size_of("7B", MEMCTX_MIB), 7);
    assert_int_equal(size_of("7k", MEMCTX_MIB), 7 * MEMCTX_KIB);
    assert_int_equal(size_of("7M", 1), 7 * MEMCTX_MIB);
    assert_int_equal(size_of("7g", 1), 7 * MEMCTX_GIB);
    assert_int_equal(size_of("7T", 1), 7 * 1024 * MEMCTX_GIB);
    assert_int_equal(size_of("0x1b", 1), 0x1b);
    assert_true(size_of("18446744073709551615", 1) == UINT64_MAX);
}

/* ivshmem and DIMMs have backends, too; RAM is the one -machine names. */
static void
test_boot_ram_is_the_backend_that_the_machine_names(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-machine|q35,memory-backend=pc.ram|-object|"
              "memory-backend-file,id=shmmem-shmem0,size=4194304|-object|"
              "memory-backend-memfd,id=pc.ram,size=8388608");
    const struct memctx_backend_arg *boot =
        memctx_qemuargs_boot_backend(&found);
    assert_non_null(boot);
    assert_string_equal(boot->id, "pc.ram");
    found = parse("qemu|-machine|q35|-object|"
                  "memory-backend-file,id=shmmem-shmem0,size=4194304");
    assert_null(memctx_qemuargs_boot_backend(&found));
}

static void
test_numa_cells_name_their_backends(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-object|memory-backend-memfd,id=ram-node0,size=8388608|"
              "-numa|node,nodeid=0,cpus=0-1,memdev=ram-node0");
    assert_int_equal(found.n_numa_backends, 1);
    assert_string_equal(memctx_qemuargs_boot_backend(&found)->id, "ram-node0");
}

static void
test_pci_hole_of_both_machines(void **state)
{
    (void)state;
    assert_int_equal(
        parse("qemu|-global|q35-pcihost.pci-hole64-size=1073741824K")
            .pci_hole64_bytes,
        1024 * MEMCTX_GIB);
    assert_int_equal(parse("qemu|-global|i440FX-pcihost.pci-hole64-size=2G")
                         .pci_hole64_bytes,
                     2 * MEMCTX_GIB);
}

/* QEMU knows no octal: -m 0512 is 512 MiB. */
static void
test_size_with_a_leading_zero_is_decimal(void **state)
{
    (void)state;
    assert_int_equal(size_of("0512", MEMCTX_MIB), 512 * MEMCTX_MIB);
    assert_int_equal(size_of("08", 1), 8);
}

static void
test_texts_that_are_no_size(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " 1",
        "-1",
        "+1",
        "k",
        "1x",
        "1kk",
        "1 k",
        "1.5G",
        "1,",
        "0xg",
        "0x",
        "1Gi",
        "18446744073709551616",
        "18014398509481984k",
        "16777216t",
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(texts); i++) {
        uint64_t size = 77;
        if (memctx_qemuargs_size(texts[i], 1, &size))
            fail_msg("'%s' is taken as a size", texts[i]);
        assert_int_equal(size, 77);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_arguments_of_libvirt),
        T(test_arguments_of_a_person),
        T(test_no_arguments),
        T(test_last_of_repeated_arguments_counts),
        T(test_last_of_repeated_keys_counts),
        T(test_value_that_looks_like_an_option),
        T(test_confidential_guest),
        T(test_doubled_comma_is_no_separator),
        T(test_long_values_are_passed_over),
        T(test_more_backends_than_are_kept),
        T(test_json_that_is_none),
        T(test_json_with_members_of_other_types),
        T(test_sizes_that_are_none),
        T(test_uuid_that_is_none),
        T(test_arguments_longer_than_sane),
        T(test_last_argument_without_a_nul),
        T(test_sizes),
        cmocka_unit_test(test_boot_ram_is_the_backend_that_the_machine_names),
        cmocka_unit_test(test_numa_cells_name_their_backends),
        cmocka_unit_test(test_pci_hole_of_both_machines),
        T(test_size_with_a_leading_zero_is_decimal),
        T(test_texts_that_are_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
