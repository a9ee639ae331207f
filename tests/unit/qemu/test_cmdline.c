/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's arguments as libvirt writes them, as people do, and as nobody does. */
#include "unit.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "qemu/cmdline.h"

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
    int result = memctx_cmdline_parse(copy, len, ret, err);
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
    struct memctx_qemuargs found = {.memory = {.ram_bytes = 77}};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(parse_into(args, &found, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(found.memory.ram_bytes, 77);
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
    assert_string_equal(found.memory.machine, "pc-q35-7.2");
    assert_int_equal(found.memory.ram_bytes, 4 * MEMCTX_GIB);
    assert_int_equal(found.memory.max_memory_bytes, 16 * MEMCTX_GIB);
    assert_int_equal(found.memory.max_ram_below_4g, 0);
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
    assert_int_equal(found.memory.ram_bytes, 2 * MEMCTX_GIB);
    assert_string_equal(found.memory.machine, "pc");
    assert_int_equal(found.memory.max_ram_below_4g, MEMCTX_GIB);
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
    assert_done(memctx_cmdline_parse("", 0, &found, &err), &err);
    assert_string_equal(found.uuid, "");
    assert_string_equal(found.memory.machine, "");
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
    assert_int_equal(found.memory.ram_bytes, 2 * MEMCTX_GIB);
    assert_string_equal(found.memory.machine, "pc");
    assert_int_equal(found.memory.max_ram_below_4g, 2 * MEMCTX_GIB);
}

/* As in QEMU: qemu_opt_get() looks from the end. */
static void
test_last_of_repeated_keys_counts(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-machine|pc,max-ram-below-4g=1G,max-ram-below-4g=2G");
    assert_int_equal(found.memory.max_ram_below_4g, 2 * MEMCTX_GIB);
}

static void
test_value_that_looks_like_an_option(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-M|-m|-uuid|" UUID "|-object|-uuid|-name|guest=-m");
    assert_string_equal(found.memory.machine, "-m");
    assert_string_equal(found.uuid, UUID);
    assert_int_equal(found.n_backends, 0);
    assert_int_equal(found.memory.ram_bytes, 0);
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
    strcpy(args + len, "m,size=1G");
    struct memctx_qemuargs found = parse(args);
    assert_string_equal(found.memory.machine, "");
    assert_int_equal(found.memory.max_ram_below_4g, MEMCTX_GIB);
    assert_int_equal(found.n_backends, 1);
    assert_int_equal(found.backends[0].size, MEMCTX_GIB);
}

/* A name that is cut would be another's. */
static void
test_names_that_are_too_long(void **state)
{
    (void)state;
    char args[256] = "qemu|-object|memory-backend-ram,size=1G,id=";
    size_t len = strlen(args);
    memset(args + len, 'i', MEMCTX_BACKEND_NAME_MAX - 1);
    assert_int_equal(strlen(parse(args).backends[0].id),
                     MEMCTX_BACKEND_NAME_MAX - 1);
    args[len + MEMCTX_BACKEND_NAME_MAX - 1] = 'i';
    struct memctx_qemuargs found = parse(args);
    assert_int_equal(found.n_backends, 1);
    assert_string_equal(found.backends[0].id, "");
    assert_int_equal(found.backends[0].size, MEMCTX_GIB);
    memcpy(args, "qemu|-machine|pc,memory-backend=", 32);
    memset(args + 32, 'i', MEMCTX_BACKEND_NAME_MAX);
    args[32 + MEMCTX_BACKEND_NAME_MAX] = '\0';
    refuse(args, "memory-backend is longer than 63 bytes");
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
    assert_string_equal(found.backends[MEMCTX_BACKEND_ARGS_MAX - 1].id, "m511");
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
        parse("qemu|-object|{\"qom-type\":\"memory-backend-ram\",\"id\":[],"
              "\"size\":{}}|-object|{\"qom-type\":[]}|-object|{}");
    assert_int_equal(found.n_backends, 1);
    assert_string_equal(found.backends[0].id, "");
    assert_int_equal(found.backends[0].size, 0);
    found = parse("qemu|-object|{\"qom-type\":\"memory-backend-ram\","
                  "\"size\":-1}");
    assert_int_equal(found.backends[0].size, 0);
}

/* QEMU takes sizes that we may not; only those of RAM matter. */
static void
test_backends_that_hold_no_ram(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("qemu|-m|0.5G|-machine|q35,memory-backend=pc.ram|-object|"
              "memory-backend-memfd,id=lg,size=0.125G|-object|"
              "memory-backend-memfd,id=odd,size=1Q,align=none|-object|"
              "memory-backend-memfd,id=pc.ram,size=0x20000000");
    assert_int_equal(found.memory.ram_bytes, 512 * MEMCTX_MIB);
    assert_int_equal(found.backends[0].size, 128 * MEMCTX_MIB);
    assert_int_equal(found.backends[1].size, 0);
    assert_int_equal(found.backends[2].size, 512 * MEMCTX_MIB);
    assert_int_equal(found.backends[1].align, MEMCTX_PAGE_SIZE);
}

static void
test_sizes_that_are_none(void **state)
{
    (void)state;
    refuse("qemu|-m|lots", "-m is no size: 'lots'");
    refuse("qemu|-m|size=", "size is no size: ''");
    refuse("qemu|-m|1G,maxmem=-1", "maxmem is no size");
    refuse("qemu|-machine|pc,max-ram-below-4g=1Gi",
           "max-ram-below-4g is no size");
}

static void
test_uuid_that_is_none(void **state)
{
    (void)state;
    assert_string_equal(parse("qemu|-uuid|5a1b6f0e").uuid, "");
    assert_string_equal(parse("qemu|-uuid|").uuid, "");
    assert_string_equal(parse("qemu|-uuid").uuid, "");
}

/* The first is libvirt's, also behind the words of a wrapper. */
static void
test_uuid_that_the_owner_appended(void **state)
{
    (void)state;
    struct memctx_qemuargs found =
        parse("/bin/sh|-c|x|-uuid|none|-name|guest=a|--uuid|" UUID
              "|-uuid|00000000-0000-0000-0000-000000000000");
    assert_string_equal(found.uuid, UUID);
}

static void
test_arguments_longer_than_sane(void **state)
{
    (void)state;
    struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *args = test_calloc(1, MEMCTX_CMDLINE_MAX + 1);
    assert_int_equal(
        memctx_cmdline_parse(args, MEMCTX_CMDLINE_MAX + 1, &found, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "too long");
    assert_done(memctx_cmdline_parse(args, MEMCTX_CMDLINE_MAX, &found, &err),
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
    assert_done(memctx_cmdline_parse(args, 5, &found, &err), &err);
    assert_int_equal(found.memory.ram_bytes, MEMCTX_GIB);
    test_free(args);
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
    assert_string_equal(found.memory.boot_backend, "pc.ram");
    /* Without -m the backend tells. */
    assert_int_equal(found.memory.ram_bytes, 8 * MEMCTX_MIB);
    assert_ptr_equal(memctx_qemuargs_backend(&found, "pc.ram"),
                     &found.backends[1]);
    assert_null(memctx_qemuargs_backend(&found, "pc"));
    assert_null(memctx_qemuargs_backend(&found, ""));
    found = parse("qemu|-machine|q35|-object|"
                  "memory-backend-file,id=shmmem-shmem0,size=4194304");
    assert_string_equal(found.memory.boot_backend, "");
}

static void
test_numa_cells_name_their_backends(void **state)
{
    (void)state;
    struct memctx_qemuargs found = parse(
        "qemu|-numa|node,nodeid=1,memdev=b|-object|memory-backend-memfd,id=a,"
        "size=8388608|-numa|node,nodeid=0,cpus=0-1,memdev=a|-object|"
        "memory-backend-ram,id=b,size=1G|-numa|node|-numa|node,memdev=b|"
        "-numa|dist,src=0,dst=1,val=20|-numa|cpu,node-id=0,socket-id=0");
    assert_int_equal(found.memory.n_cells, 3);
    assert_int_equal(found.memory.cells[0].node, 1);
    assert_string_equal(found.memory.cells[0].backend, "b");
    assert_int_equal(found.memory.cells[0].size, MEMCTX_GIB);
    assert_int_equal(found.memory.cells[1].node, 0);
    assert_int_equal(found.memory.cells[1].size, 8 * MEMCTX_MIB);
    /* Without an id: behind all before it, also those without RAM. */
    assert_int_equal(found.memory.cells[2].node, 3);
    refuse("qemu|-numa|node,nodeid=128,memdev=a", "more than 128 NUMA nodes");
}

static void
test_memory_devices(void **state)
{
    (void)state;
    struct memctx_qemuargs found = parse(
        "qemu|-device|pc-dimm,id=d,memdev=m,addr=0x180000000|-device|"
        "{\"driver\":\"virtio-mem-pci\",\"id\":\"v\",\"memdev\":\"w\","
        "\"block-size\":4194304,\"memaddr\":8589934592}|-device|"
        "nvdimm,memdev=m,id=n,label-size=128K|-device|pc-dimmer,memdev=m|"
        "-device|virtio-pmem-pci,memdev=m|-device|virtio-net-pci|-object|"
        "memory-backend-memfd,id=m,size=1G,hugetlb=on,hugetlbsize=1G|-object|"
        "memory-backend-ram,id=w,size=2G");
    const struct memctx_memdev *d = found.memory.memdevs;
    assert_int_equal(found.memory.n_memdevs, 4);
    assert_int_equal(d[0].model, MEMCTX_MEMDEV_DIMM);
    assert_int_equal(d[0].gpa, 6 * MEMCTX_GIB);
    assert_int_equal(d[0].size, MEMCTX_GIB);
    assert_int_equal(d[0].align, MEMCTX_GIB);
    assert_int_equal(d[1].model, MEMCTX_MEMDEV_VIRTIO_MEM);
    assert_int_equal(d[1].gpa, 8 * MEMCTX_GIB);
    assert_int_equal(d[1].align, 4 * MEMCTX_MIB);
    assert_int_equal(d[2].model, MEMCTX_MEMDEV_NVDIMM);
    assert_false(d[2].has_gpa);
    assert_int_equal(d[2].label_size, 128 * MEMCTX_KIB);
    assert_int_equal(d[3].model, MEMCTX_MEMDEV_VIRTIO_PMEM);
    assert_string_equal(d[3].id, "");
}

/* Every slot that QEMU has, and one more. */
static void
test_as_many_memory_devices_as_there_are_slots(void **state)
{
    (void)state;
    static char args[64 * MEMCTX_MEMDEVS_MAX];
    size_t at =
        (size_t)sprintf(args, "qemu|-object|memory-backend-ram,id=m,size=1G");
    for (unsigned i = 0; i < MEMCTX_MEMDEVS_MAX; i++)
        at += (size_t)snprintf(args + at, sizeof(args) - at,
                               "|-device|pc-dimm,memdev=m,id=d%u", i);
    struct memctx_qemuargs found = parse(args);
    const struct memctx_memconf *memory = &found.memory;
    assert_int_equal(memory->n_memdevs, MEMCTX_MEMDEVS_MAX);
    for (unsigned i = 0; i < MEMCTX_MEMDEVS_MAX; i++)
        assert_int_equal(memory->memdevs[i].size, MEMCTX_GIB);
    strcpy(args + at, "|-device|pc-dimm,memdev=m,id=more");
    refuse(args, "more than 256 memory devices");
}

static void
test_cpu_and_accelerator(void **state)
{
    (void)state;
    struct memctx_memconf memory =
        parse("/usr/bin/qemu-system-x86_64|-cpu|EPYC,vendor=GenuineIntel")
            .memory;
    assert_string_equal(memory.cpu_model, "EPYC");
    assert_string_equal(memory.cpu_vendor, "GenuineIntel");
    assert_int_equal(memory.arch, MEMCTX_ARCH_X86);
    assert_int_equal(memory.accel, MEMCTX_ACCEL_TCG);
    assert_int_equal(parse("qemu|-accel|kvm").memory.accel, MEMCTX_ACCEL_HOST);
    assert_int_equal(parse("qemu|--enable-kvm").memory.accel,
                     MEMCTX_ACCEL_HOST);
    assert_int_equal(parse("qemu|-machine|q35,accel=kvm:tcg").memory.accel,
                     MEMCTX_ACCEL_UNKNOWN);
    assert_int_equal(parse("qemu|-accel|kvm|-accel|tcg").memory.accel,
                     MEMCTX_ACCEL_UNKNOWN);
    assert_int_equal(parse("qemu|-accel|kvm|-accel|kvm").memory.accel,
                     MEMCTX_ACCEL_HOST);
    assert_int_equal(parse("/usr/libexec/qemu-kvm").memory.accel,
                     MEMCTX_ACCEL_UNKNOWN);
    assert_int_equal(parse("qemu-system-aarch64").memory.arch, MEMCTX_ARCH_ARM);
    assert_int_equal(parse("qemu-system-s390x").memory.arch, MEMCTX_ARCH_OTHER);
}

static void
test_pci_hole_of_both_machines(void **state)
{
    (void)state;
    assert_int_equal(
        parse("qemu|-global|q35-pcihost.pci-hole64-size=1073741824K")
            .memory.pci_hole64_bytes,
        1024 * MEMCTX_GIB);
    assert_int_equal(parse("qemu|-global|i440FX-pcihost.pci-hole64-size=2G")
                         .memory.pci_hole64_bytes,
                     2 * MEMCTX_GIB);
}

/* What a test's -readconfig finds in FILE; other files cannot be read. */
static bool
read_config(const char *path, char *to, size_t size, void *arg)
{
    assert_true(strlen(arg) < size);
    strcpy(to, arg);
    return strcmp(path, "FILE") == 0;
}

static struct memctx_memconf
parse_with_config(const char *config, const char *path)
{
    static char args[256];
    static struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char copy[8192];
    strcpy(copy, config);
    int n = snprintf(args, sizeof(args), "qemu%c-m%c1G%c-readconfig%c%s", 0, 0,
                     0, 0, path);
    assert_done(memctx_cmdline_parse_all(args, (size_t)n + 1, read_config, copy,
                                         &found, &err),
                &err);
    return found.memory;
}

static void
test_file_of_options_is_read(void **state)
{
    (void)state;
    struct memctx_memconf memory = parse_with_config(
        "# of a domain\n\n[machine]\n  type = \"q35\"\n"
        "  max-ram-below-4g = \"256M\"\n[memory]\n  size = \"512\"\n"
        "[object \"m0\"]\n  qom-type = \"memory-backend-file\"\n"
        "  mem-path = \"/a,id=x\"\n  size = \"0.5G\"\n"
        "[device \"d0\"]\n  driver = \"pc-dimm\"\n  memdev = \"m0\"\n"
        "[global]\n  driver = \"q35-pcihost\"\n"
        "  property = \"pci-hole64-size\"\n  value = \"2G\"\n"
        "[drive]\n  file = \"\"",
        "FILE");
    assert_string_equal(memory.doubt, "");
    assert_string_equal(memory.machine, "q35");
    assert_int_equal(memory.max_ram_below_4g, 256 * MEMCTX_MIB);
    assert_int_equal(memory.ram_bytes, 512 * MEMCTX_MIB);
    assert_int_equal(memory.n_memdevs, 1);
    assert_string_equal(memory.memdevs[0].id, "d0");
    assert_int_equal(memory.memdevs[0].size, 512 * MEMCTX_MIB);
    assert_int_equal(memory.pci_hole64_bytes, 2 * MEMCTX_GIB);
}

static void
test_file_of_options_that_cannot_be_read(void **state)
{
    (void)state;
    static char longest[6000] = "[machine]\n";
    const char *const bad[] = {"type = \"q35\"",
                               "[machine]\n type = q35",
                               "[machine\nx",
                               "[]\n",
                               "[machine]\n max-ram-below-4g = \"no\"\n",
                               longest};
    for (size_t i = strlen(longest); i + 200 < sizeof(longest);)
        i += (size_t)sprintf(longest + i, "a = \"%0150d\"\n", 1);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bad); i++) {
        struct memctx_memconf memory = parse_with_config(bad[i], "FILE");
        assert_string_equal(memory.doubt, "-readconfig FILE");
        assert_int_equal(memory.ram_bytes, MEMCTX_GIB);
    }
    assert_string_equal(parse_with_config("", "other").doubt,
                        "-readconfig other");
    assert_string_equal(parse("qemu|-readconfig|x").memory.doubt,
                        "-readconfig x");
}

/* What may move RAM, and what looks like it. */
static void
test_arguments_that_move_ram_unseen(void **state)
{
    (void)state;
    static const char *const moving[] = {
        "-set|machine.x.max-ram-below-4g=1G",
        "-set|object.m.size=1G",
        "-device|pc-dimm,id=d,memdev=m|-set|device.d.addr=0x140000000",
        "-global|pc-dimm.addr=0x140000000",
        "-global|driver=virtio-mem,property=memaddr,value=0x140000000",
    };
    static const char *const others[] = {
        "-set|device.hostdev0.x-igd-opregion=on",
        "-device|pc-dimm,id=d,memdev=m|-set|device.net0.addr=3",
        "-global|ICH9-LPC.disable_s3=1",
        "-global|pc-dimm.unarmed=on",
        "-global|virtio-net-pci.addr=3",
    };
    char args[256];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(moving); i++) {
        snprintf(args, sizeof(args), "qemu|%s", moving[i]);
        assert_string_not_equal(parse(args).memory.doubt, "");
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(others); i++) {
        snprintf(args, sizeof(args), "qemu|%s", others[i]);
        assert_string_equal(parse(args).memory.doubt, "");
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
        T(test_names_that_are_too_long),
        T(test_memory_devices),
        T(test_as_many_memory_devices_as_there_are_slots),
        T(test_cpu_and_accelerator),
        T(test_more_backends_than_are_kept),
        T(test_json_that_is_none),
        T(test_json_with_members_of_other_types),
        T(test_backends_that_hold_no_ram),
        T(test_file_of_options_is_read),
        T(test_file_of_options_that_cannot_be_read),
        T(test_arguments_that_move_ram_unseen),
        T(test_sizes_that_are_none),
        T(test_uuid_that_is_none),
        T(test_uuid_that_the_owner_appended),
        T(test_arguments_longer_than_sane),
        T(test_last_argument_without_a_nul),
        cmocka_unit_test(test_boot_ram_is_the_backend_that_the_machine_names),
        cmocka_unit_test(test_numa_cells_name_their_backends),
        cmocka_unit_test(test_pci_hole_of_both_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
