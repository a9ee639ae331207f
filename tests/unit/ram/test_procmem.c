/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM that is memory of a process: of this one, and of one whose memory and
 * page map are files (on those the ioctl of Linux 6.7 fails, as it does on
 * older kernels). */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ram/procmem.h"
#include "ram/rammap.h"

#define PAGE 4096u
#define SIZE (8 * MEMCTX_MIB)
#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)

struct fixture {
    unsigned char *memory; /* of this process; NULL: made of files */
    struct memctx_source source;
    struct memctx_rammap *map;
    const struct memctx_backend_io *io;
    struct memctx_error err;
    int mem; /* of files: writable */
    int pagemap;
    int file;
};

static void
make_map(struct fixture *f)
{
    unsigned index;
    struct memctx_extent all = {0, SIZE, 0, 0};
    assert_done(memctx_rammap_create(&f->map, &f->err), &f->err);
    assert_done(memctx_rammap_add_source(f->map, "ram", &f->source, SIZE, f->io,
                                         &index, &f->err),
                &f->err);
    assert_done(memctx_rammap_add_extent(f->map, &all, &f->err), &f->err);
}

static int
make_self(void **state, const struct memctx_backend_io *io)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->io = io;
    f->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(f->memory != MAP_FAILED);
    madvise(f->memory, SIZE, MADV_NOHUGEPAGE);
    f->source = (struct memctx_source){
        .fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC),
        .pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
        .file_fd = -1,
        .start = (uint64_t)(uintptr_t)f->memory,
    };
    f->mem = f->pagemap = f->file = -1;
    assert_true(f->source.fd >= 0 && f->source.pagemap_fd >= 0);
    make_map(f);
    *state = f;
    return 0;
}

static int
set_up_self(void **state)
{
    return make_self(state, &memctx_procmem_io);
}

static int
set_up_pread(void **state)
{
    return make_self(state, &memctx_procmem_pread_io);
}

/* The start is such that the page map of a real process would have it. */
static int
set_up_files(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->io = &memctx_procmem_io;
    f->mem = memfd_create("mem", MFD_CLOEXEC);
    f->pagemap = memfd_create("pagemap", MFD_CLOEXEC);
    f->file = memfd_create("file", MFD_CLOEXEC);
    f->source = (struct memctx_source){.fd = dup(f->mem),
                                       .pagemap_fd = dup(f->pagemap),
                                       .file_fd = dup(f->file),
                                       .start = 0x40000000};
    assert_int_equal(ftruncate(f->mem, 0x40000000 + SIZE), 0);
    assert_int_equal(ftruncate(f->pagemap, (0x40000000 + SIZE) / PAGE * 8), 0);
    make_map(f);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    if (f->memory != NULL)
        munmap(f->memory, SIZE);
    close(f->mem);
    close(f->pagemap);
    close(f->file);
    free(f);
    return 0;
}

/* Make page `n` one that is there, with `fill` in it. */
static void
put_page(struct fixture *f, uint64_t n, uint64_t entry, int fill)
{
    unsigned char page[PAGE];
    memset(page, fill, sizeof(page));
    uint64_t address = 0x40000000 + n * PAGE;
    assert_int_equal(pwrite(f->mem, page, PAGE, (off_t)address), PAGE);
    assert_int_equal(pwrite(f->pagemap, &entry, 8, (off_t)(address / PAGE * 8)),
                     8);
}

static void
expect_bytes(struct fixture *f, uint64_t gpa, size_t len, int first, int last)
{
    unsigned char *bytes = test_malloc(len);
    memset(bytes, 0xee, len);
    assert_done(memctx_rammap_read(f->map, gpa, bytes, len, &f->err), &f->err);
    assert_int_equal(bytes[0], first);
    assert_int_equal(bytes[len - 1], last);
    test_free(bytes);
}

static void
expect_data(struct fixture *f, uint64_t from, uint64_t start, uint64_t end)
{
    uint64_t s = 0;
    uint64_t e = 0;
    int found = memctx_rammap_next_data(f->map, from, UINT64_MAX, &s, &e);
    assert_int_equal(found, end != 0);
    assert_int_equal(s, start);
    assert_int_equal(e, end);
}

static void
test_pages_of_a_process(void **state)
{
    struct fixture *f = *state;
    expect_data(f, 0, 0, 0);
    memset(f->memory + 5 * PAGE, 7, 3 * PAGE);
    f->memory[SIZE - 1] = 9;
    expect_bytes(f, 4 * PAGE, 2 * PAGE, 0, 7);
    expect_bytes(f, 5 * PAGE + 10, 8, 7, 7);
    expect_bytes(f, 7 * PAGE, SIZE - 7 * PAGE, 7, 9);
    expect_data(f, 0, 5 * PAGE, 8 * PAGE);
    expect_data(f, 6 * PAGE + 100, 6 * PAGE + 100, 8 * PAGE);
    expect_data(f, 8 * PAGE, SIZE - PAGE, SIZE);
}

static unsigned
pages_there(const struct fixture *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < SIZE / PAGE; i++) {
        uint64_t entry;
        uint64_t page = f->source.start / PAGE + i;
        assert_int_equal(
            pread(f->source.pagemap_fd, &entry, 8, (off_t)(page * 8)), 8);
        n += (entry & (PRESENT | SWAPPED)) != 0;
    }
    return n;
}

/* What the promise is about: reading makes no page, not even the zero page. */
static void
test_reading_makes_no_page(void **state)
{
    struct fixture *f = *state;
    f->memory[3 * PAGE] = 1;
    assert_int_equal(pages_there(f), 1);
    expect_bytes(f, 0, SIZE, 0, 0);
    expect_data(f, 0, 3 * PAGE, 4 * PAGE);
    assert_int_equal(pages_there(f), 1);
}

static void
test_long_run_comes_in_pieces(void **state)
{
    struct fixture *f = *state;
    memset(f->memory, 1, 4 * MEMCTX_MIB);
    expect_data(f, 0, 0, MEMCTX_MIB);
    expect_data(f, 3 * MEMCTX_MIB + PAGE, 3 * MEMCTX_MIB + PAGE,
                4 * MEMCTX_MIB);
}

/* A mapping that nobody has written to has no page; one that was read has the
 * zero page everywhere. Only the ioctl can tell that one from data. */
static void
test_zero_page_is_data_without_the_ioctl(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(*(volatile unsigned char *)f->memory, 0);
    expect_data(f, 0, 0, f->io == &memctx_procmem_pread_io ? PAGE : 0);
    expect_bytes(f, 0, PAGE, 0, 0);
}

/* Larger than what is looked at first, in each of several steps. */
static void
test_data_behind_a_long_hole(void **state)
{
    struct fixture *f = *state;
    f->memory[SIZE - 3 * PAGE] = 1;
    expect_data(f, 0, SIZE - 3 * PAGE, SIZE - 2 * PAGE);
    expect_data(f, PAGE, SIZE - 3 * PAGE, SIZE - 2 * PAGE);
}

static void
test_older_kernels(void **state)
{
    struct fixture *f = *state;
    expect_data(f, 0, 0, 0);
    put_page(f, 2, PRESENT | 77, 'a');
    put_page(f, 3, SWAPPED, 'b');
    put_page(f, 2000, PRESENT, 'c');
    expect_data(f, 0, 2 * PAGE, 4 * PAGE);
    expect_data(f, 3 * PAGE, 3 * PAGE, 4 * PAGE);
    expect_data(f, 4 * PAGE, 2000 * PAGE, 2001 * PAGE);
    expect_data(f, 2001 * PAGE, 0, 0);
    expect_bytes(f, PAGE, 2 * PAGE, 0, 'a');
    expect_bytes(f, 2 * PAGE, 2 * PAGE, 'a', 'b');
    /* A page that is not there is not read, whatever the memory says. */
    put_page(f, 4, 0, 'x');
    expect_bytes(f, 4 * PAGE, PAGE, 0, 0);
    expect_bytes(f, 4 * PAGE, SIZE - 4 * PAGE, 0, 0);
}

/* Below a private mapping: the file, where the process has not written. */
static void
test_file_below(void **state)
{
    struct fixture *f = *state;
    unsigned char page[PAGE];
    memset(page, 'f', sizeof(page));
    assert_int_equal(pwrite(f->file, page, PAGE, 4 * PAGE), PAGE);
    assert_int_equal(pwrite(f->file, page, PAGE, 10 * PAGE), PAGE);
    put_page(f, 4, PRESENT, 'p');
    put_page(f, 6, PRESENT, 'q');
    expect_bytes(f, 4 * PAGE, PAGE, 'p', 'p');
    expect_bytes(f, 10 * PAGE, PAGE, 'f', 'f');
    expect_bytes(f, 11 * PAGE, PAGE, 0, 0);
    expect_data(f, 0, 4 * PAGE, 5 * PAGE);
    expect_data(f, 5 * PAGE, 6 * PAGE, 7 * PAGE);
    expect_data(f, 7 * PAGE, 10 * PAGE, 11 * PAGE);
    expect_data(f, 11 * PAGE, 0, 0);
}

/* The page map of a process that ended has no entries. */
static void
test_process_that_ended_is_gone(void **state)
{
    struct fixture *f = *state;
    unsigned char byte;
    assert_done(memctx_rammap_check(f->map, &f->err), &f->err);
    assert_int_equal(ftruncate(f->pagemap, 0), 0);
    assert_int_equal(memctx_rammap_check(f->map, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "its process ended");
    assert_int_equal(memctx_rammap_read(f->map, 0, &byte, 1, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "its process ended");
}

int
main(void)
{
#define SELF(name) cmocka_unit_test_setup_teardown(name, set_up_self, tear_down)
#define PREAD(name) \
    cmocka_unit_test_setup_teardown(name, set_up_pread, tear_down)
#define FILES(name) \
    cmocka_unit_test_setup_teardown(name, set_up_files, tear_down)
    const struct CMUnitTest tests[] = {
        SELF(test_pages_of_a_process),
        SELF(test_reading_makes_no_page),
        SELF(test_long_run_comes_in_pieces),
        SELF(test_data_behind_a_long_hole),
        PREAD(test_pages_of_a_process),
        PREAD(test_reading_makes_no_page),
        PREAD(test_long_run_comes_in_pieces),
        PREAD(test_data_behind_a_long_hole),
        PREAD(test_zero_page_is_data_without_the_ioctl),
        FILES(test_older_kernels),
        FILES(test_file_below),
        FILES(test_process_that_ended_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
