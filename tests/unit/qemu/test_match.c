/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's mappings dealt out to its backends, as /proc shows them. */
#include "unit.h"

#include "base/bytes.h"
#include "qemu/match.h"

#define M MEMCTX_MIB

struct fixture {
    struct memctx_layout layout;
    struct memctx_qemuargs args;
    struct memctx_mapping mappings[32];
    struct memctx_ram_file files[16];
    struct memctx_match_input have;
    struct memctx_match found[MEMCTX_BACKENDS_MAX];
    struct memctx_error err;
};

static int
set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    f->have.mappings = f->mappings;
    f->have.files = f->files;
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    test_free(*state);
    return 0;
}

/* A backend of the arguments, in their order. */
static void
add_arg(struct fixture *f, const char *id, enum memctx_backend_kind kind,
        uint64_t size)
{
    struct memctx_backend_arg *b = &f->args.backends[f->args.n_backends++];
    strcpy(b->id, id);
    b->kind = kind;
    b->size = size;
}

static void
add_backend(struct fixture *f, const char *id, uint64_t size, bool device)
{
    struct memctx_layout_backend *b =
        &f->layout.backends[f->layout.n_backends++];
    strcpy(b->id, id);
    b->size = size;
    b->is_device = device;
}

/* A backend of both. */
static void
add_both(struct fixture *f, const char *id, enum memctx_backend_kind kind,
         uint64_t size)
{
    add_arg(f, id, kind, size);
    add_backend(f, id, size, strncmp(id, "mem", 3) == 0);
}

/* A line of /proc/PID/maps. */
static void
add_line(struct fixture *f, const char *line)
{
    assert_done(memctx_procmaps_parse(line, &f->mappings[f->have.n_mappings++],
                                      &f->err),
                &f->err);
}

static void
add_file(struct fixture *f, int number, uint64_t inode, const char *name)
{
    struct memctx_ram_file *file = &f->files[f->have.n_files++];
    *file = (struct memctx_ram_file){
        .number = number, .major = 0, .minor = 1, .inode = inode};
    strcpy(file->name, name);
}

static void
match(struct fixture *f)
{
    assert_done(memctx_match_backends(&f->layout, &f->args, &f->have, f->found,
                                      &f->err),
                &f->err);
}

static void
no_match(struct fixture *f, const char *words)
{
    assert_int_equal(memctx_match_backends(&f->layout, &f->args, &f->have,
                                           f->found, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

/* memfds of one size: descriptors ascend as they were made, whatever their
 * inodes and addresses; the first is that of an ivshmem device. */
static void
test_memfds_by_descriptor(void **state)
{
    struct fixture *f = *state;
    add_arg(f, "shm", MEMCTX_BACKEND_MEMFD, M);
    add_both(f, "ram-node1", MEMCTX_BACKEND_MEMFD, M);
    add_arg(f, "ram-node0", MEMCTX_BACKEND_MEMFD, M);
    add_backend(f, "ram-node0", M, false);
    add_line(f, "10000000-10100000 rw-s 00000000 00:01 22 /memfd:x");
    add_line(f, "20000000-20100000 rw-s 00000000 00:01 11 /memfd:x");
    add_line(f, "30000000-30100000 rw-s 00000000 00:01 33 /memfd:x");
    add_file(f, 8, 33, "memfd:memory-backend-memfd");
    add_file(f, 9, 11, "memfd:memory-backend-memfd");
    add_file(f, 10, 22, "memfd:memory-backend-memfd");
    match(f);
    assert_int_equal(f->found[0].file->number, 9); /* ram-node1 */
    assert_int_equal(f->found[1].file->number, 10);
    assert_int_equal(f->found[1].mapping->start, 0x10000000);
}

static void
test_files_by_name(void **state)
{
    struct fixture *f = *state;
    add_both(f, "ram-node0", MEMCTX_BACKEND_FILE, M);
    add_both(f, "ram-node1", MEMCTX_BACKEND_FILE, M);
    add_both(f, "memdimm0", MEMCTX_BACKEND_FILE, M);
    add_both(f, "memdimm1", MEMCTX_BACKEND_FILE, M);
    add_line(f, "10000000-10100000 rw-s 00000000 00:01 1 /r");
    add_line(f, "20000000-20100000 rw-s 00000000 00:01 2 /r");
    add_line(f, "30000000-30100000 rw-s 00000000 00:01 3 /r");
    add_line(f, "40000000-40100000 rw-s 00000000 00:01 4 /r");
    add_file(f, 3, 1, "qemu_back_mem._objects_memdimm1.Kd93ja");
    add_file(f, 4, 2, "dimm0");
    add_file(f, 5, 3, "qemu_back_mem.ram-node1.9sHw2k");
    add_file(f, 6, 4, "ram-node0");
    match(f);
    assert_int_equal(f->found[0].file->number, 6);
    assert_int_equal(f->found[1].file->number, 5);
    assert_int_equal(f->found[2].file->number, 4);
    assert_int_equal(f->found[3].file->number, 3);
}

/* Disk images as large as RAM, files that are mapped in part, and files of
 * another size are not RAM. */
static void
test_files_that_are_not_ram(void **state)
{
    struct fixture *f = *state;
    add_both(f, "pc.ram", MEMCTX_BACKEND_FILE, M);
    add_file(f, 3, 1, "pc.ram");
    add_file(f, 4, 2, "disk.img");
    no_match(f, "not mapped memory backend 'pc.ram' of 0x100000 bytes");
    add_line(f, "10000000-10080000 rw-s 00000000 00:01 1 /pc.ram");
    add_line(f, "20000000-20100000 rw-s 00001000 00:01 2 /disk.img");
    no_match(f, "not mapped memory backend");
    /* Mappings are cut where an advice was given to a part. */
    add_line(f, "30000000-30080000 rw-p 00000000 00:01 1 /pc.ram");
    add_line(f, "30080000-30100000 rw-p 00080000 00:01 1 /pc.ram");
    match(f);
    assert_int_equal(f->found[0].mapping->start, 0x30000000);
    assert_false(f->found[0].mapping->shared);
}

/* Files on hugetlbfs are mapped in whole pages. */
static void
test_size_that_is_no_multiple_of_a_huge_page(void **state)
{
    struct fixture *f = *state;
    add_both(f, "pc.ram", MEMCTX_BACKEND_FILE, 3 * M);
    add_line(f, "10000000-10400000 rw-s 00000000 00:01 1 /x");
    add_file(f, 3, 1, "qemu_back_mem.pc.ram.0A9sld");
    match(f);
}

/* The code buffer of TCG (rwxp), a thread's stack (its guard lies below), the
 * heap, a BAR of VFIO. */
static void
test_memory_that_is_not_ram(void **state)
{
    struct fixture *f = *state;
    add_both(f, "pc.ram", MEMCTX_BACKEND_ANONYMOUS, M);
    add_line(f, "10000000-10100000 rw-p 00000000 00:00 0 [heap]");
    add_line(f, "20000000-20100000 rwxp 00000000 00:00 0 ");
    add_line(f, "20100000-20101000 ---p 00000000 00:00 0 ");
    add_line(f, "30000000-30001000 ---p 00000000 00:00 0 ");
    add_line(f, "30001000-30101000 rw-p 00000000 00:00 0 ");
    add_line(f, "40000000-40100000 rw-s 00000000 00:05 77 /dev/vfio/7");
    add_file(f, 7, 77, "x");
    f->files[0].minor = 5;
    no_match(f, "not mapped memory backend 'pc.ram'");
    add_line(f, "50000000-50100000 rw-p 00000000 00:00 0 ");
    add_line(f, "50100000-50101000 ---p 00000000 00:00 0 ");
    match(f);
    assert_int_equal(f->found[0].mapping->start, 0x50000000);
    assert_null(f->found[0].file);
}

/* mmap() goes down: the first is the highest. Boot RAM that nobody named comes
 * behind the backends of the arguments. */
static void
test_anonymous_ram_from_above(void **state)
{
    struct fixture *f = *state;
    add_both(f, "ram-node0", MEMCTX_BACKEND_ANONYMOUS, M);
    add_both(f, "memx", MEMCTX_BACKEND_ANONYMOUS, M);
    add_backend(f, "pc.ram", M, false);
    for (unsigned i = 1; i <= 3; i++) {
        char line[80];
        snprintf(line, sizeof(line), "%u0000000-%u0100000 rw-p 0 00:00 0 ", i,
                 i);
        add_line(f, line);
        snprintf(line, sizeof(line), "%u0100000-%u0101000 ---p 0 00:00 0 ", i,
                 i);
        add_line(f, line);
    }
    match(f);
    assert_int_equal(f->found[0].mapping->start, 0x30000000);
    assert_int_equal(f->found[1].mapping->start, 0x20000000);
    assert_int_equal(f->found[2].mapping->start, 0x10000000);
}

/* memory-backend-ram,share=on is shared memory that no descriptor leads to. */
static void
test_shared_memory_without_a_file(void **state)
{
    struct fixture *f = *state;
    add_both(f, "ram", MEMCTX_BACKEND_ANONYMOUS, M);
    add_line(f, "10000000-10100000 rw-s 00000000 00:01 9 /dev/zero (deleted)");
    match(f);
    assert_null(f->found[0].file);
    add_file(f, 5, 9, "memfd:pulse");
    no_match(f, "not mapped");
}

/* Boot RAM is anonymous, a shared DIMM was there from the beginning, another
 * was unplugged (its descriptor is free again), a third was plugged. */
static void
test_mixed_guest_after_plugging(void **state)
{
    struct fixture *f = *state;
    struct memctx_memdev *devices = f->args.memory.memdevs;
    f->args.memory.n_memdevs = 2;
    strcpy(devices[0].backend, "memdimm0");
    strcpy(devices[1].backend, "memdimm1");
    add_both(f, "pc.ram", MEMCTX_BACKEND_ANONYMOUS, 2 * M);
    add_arg(f, "memdimm1", MEMCTX_BACKEND_MEMFD, M);
    add_both(f, "memdimm0", MEMCTX_BACKEND_MEMFD, M);
    add_backend(f, "memdimm2", M, true);
    add_line(f, "10000000-10100000 rw-s 00000000 00:01 1 /memfd:x");
    add_line(f, "20000000-20100000 rw-s 00000000 00:01 2 /memfd:x");
    add_line(f, "30000000-30200000 rw-p 00000000 00:00 0 ");
    add_line(f, "30200000-30201000 ---p 00000000 00:00 0 ");
    add_file(f, 12, 1, "memfd:memory-backend-memfd");
    add_file(f, 14, 2, "memfd:memory-backend-memfd");
    match(f);
    assert_null(f->found[0].file);
    assert_int_equal(f->found[1].file->number, 12);
    assert_int_equal(f->found[2].file->number, 14);
}

static void
test_plugged_device_in_private_memory(void **state)
{
    struct fixture *f = *state;
    add_both(f, "pc.ram", MEMCTX_BACKEND_MEMFD, M);
    add_backend(f, "memvirtiomem0", M, true);
    add_line(f, "10000000-10100000 rw-s 00000000 00:01 1 /memfd:x");
    add_line(f, "30000000-30100000 rw-p 00000000 00:00 0 ");
    add_line(f, "30100000-30101000 ---p 00000000 00:00 0 ");
    add_file(f, 12, 1, "memfd:memory-backend-memfd");
    match(f);
    assert_int_equal(f->found[0].file->number, 12);
    assert_null(f->found[1].file);
}

/* -mem-path without a backend: QEMU makes one itself, of a file. */
static void
test_boot_ram_in_a_file_of_its_own(void **state)
{
    struct fixture *f = *state;
    f->args.mem_path = true;
    add_backend(f, "pc.ram", M, false);
    add_line(f, "10000000-10100000 rw-p 00000000 00:01 1 /mnt/ram");
    add_file(f, 12, 1, "ram");
    match(f);
    assert_int_equal(f->found[0].file->number, 12);
    assert_false(f->found[0].mapping->shared);
}

/* How large it is nobody could read: it must not take what is another's. */
static void
test_backend_of_no_known_size_takes_nothing(void **state)
{
    struct fixture *f = *state;
    add_arg(f, "odd", MEMCTX_BACKEND_MEMFD, 0);
    add_both(f, "ram-node0", MEMCTX_BACKEND_MEMFD, 4 * M);
    f->args.backends[1].size = 0;
    add_line(f, "10000000-10400000 rw-s 00000000 00:01 11 /memfd:x");
    add_file(f, 8, 11, "memfd:memory-backend-memfd");
    match(f);
    assert_int_equal(f->found[0].file->number, 8);
}

static void
test_nothing_at_all(void **state)
{
    struct fixture *f = *state;
    add_backend(f, "pc.ram", M, false);
    no_match(f, "not mapped memory backend 'pc.ram'");
    f->have.n_mappings = 0;
    add_both(f, "x", MEMCTX_BACKEND_OTHER, M);
    no_match(f, "'pc.ram'");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_memfds_by_descriptor),
        T(test_files_by_name),
        T(test_files_that_are_not_ram),
        T(test_size_that_is_no_multiple_of_a_huge_page),
        T(test_memory_that_is_not_ram),
        T(test_anonymous_ram_from_above),
        T(test_shared_memory_without_a_file),
        T(test_mixed_guest_after_plugging),
        T(test_plugged_device_in_private_memory),
        T(test_boot_ram_in_a_file_of_its_own),
        T(test_backend_of_no_known_size_takes_nothing),
        T(test_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
